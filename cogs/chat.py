"""`/chat`: a thread to talk in, and what belongs to whoever began a conversation: starting over, a copy, deletion."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.domain.turns import Chat, KeptTurn
from bot.errors import InvalidRequest, MissingPermissions, NotAllowed
from bot.render.escaping import inline, plain
from bot.render.text_models import persona_choice, text_model_choice
from bot.services.asking import Asking
from bot.services.conversations import Conversations
from cogs.context import age_restricted

Title = app_commands.Range[str, 1, 90]
NO_CONVERSATION = "There is no conversation here that I remember. Start one with `/ask` or `/chat start`."
NOT_YOURS = "Only the person who began this conversation can do that."


class ChatCommands(commands.GroupCog, group_name="chat", group_description="Talk in a thread, or in direct messages"):
    """Threads to talk in."""

    def __init__(self, *, asking: Asking, conversations: Conversations, clock: Clock, free_threads: bool) -> None:
        self._asking = asking
        self._conversations = conversations
        self._clock = clock
        self._free_threads = free_threads
        super().__init__()

    @app_commands.command(name="start", description="Open a thread to talk in")
    @app_commands.describe(
        persona="Who it is to be; see /persona list",
        model="Which model answers; left out, a good one with many workers",
        title="What the thread is called",
    )
    async def start(
        self, interaction: discord.Interaction[Any], persona: str = "", model: str = "", title: Title = "Chat"
    ) -> None:
        """Open a thread; in direct messages, start over with this persona and model."""
        chosen = self._asking.personas.find(persona)
        name = self._asking.find(model, nsfw=age_restricted(interaction)) if model else ""
        chat = Chat(
            channel_id=interaction.channel_id or 0,
            guild_id=interaction.guild_id,
            owner_id=interaction.user.id,
            persona=chosen.name,
            model=name,
            since=self._clock.now(),
        )
        if interaction.guild_id is None:
            await self._conversations.keep_chat(chat)
            await interaction.response.send_message(chosen.greeting or "Hello!")
            return
        thread = await self._thread(interaction, plain(title, 90))
        await self._conversations.keep_chat(replace(chat, channel_id=thread.id, is_thread=True))
        how = "Just write." if self._free_threads else "Mention me, or reply to me, in what you write."
        none = discord.AllowedMentions.none()
        greeting = f"{chosen.greeting}\n-# {inline(chosen.title, 60)} · {how} `/chat end` closes this."
        await thread.send(greeting, allowed_mentions=none)
        await interaction.followup.send(f"Here we go: {thread.mention}", allowed_mentions=none, ephemeral=True)

    async def _thread(self, interaction: discord.Interaction[Any], title: str) -> discord.Thread:
        channel = interaction.channel
        if not isinstance(channel, discord.TextChannel):
            raise InvalidRequest(user_message="Threads can only be opened in text channels. Use `/ask` here.")
        granted = interaction.app_permissions
        if not granted.administrator and not (granted.create_public_threads and granted.send_messages_in_threads):
            raise MissingPermissions(
                user_message="I need the permissions **Create Public Threads** and **Send Messages in Threads** here."
            )
        await interaction.response.defer(ephemeral=True)
        return await channel.create_thread(name=title, type=discord.ChannelType.public_thread)

    @app_commands.command(name="reset", description="Start over: what was said so far is no longer gone on from")
    async def reset(self, interaction: discord.Interaction[Any]) -> None:
        """Have the next words here begin a new conversation."""
        chat = await self._chat(interaction)
        await self._conversations.keep_chat(replace(chat, since=self._clock.now()))
        await interaction.response.send_message("We start over: I no longer go on from what was said so far.")

    @app_commands.command(name="end", description="Close this thread's chat")
    async def end(self, interaction: discord.Interaction[Any]) -> None:
        """No longer answer in this thread."""
        chat = await self._conversations.chat(interaction.channel_id or 0)
        if chat is None or not chat.is_thread or not chat.open:
            raise InvalidRequest(user_message="There is no chat to end here. `/chat start` opens one.")
        self._require_owner(interaction, chat.owner_id)
        await self._conversations.keep_chat(replace(chat, ended_at=self._clock.now()))
        await interaction.response.send_message("This chat is over. `/chat export` still gives you a copy.")

    @app_commands.command(name="export", description="Get a copy of this conversation as a file")
    async def export(self, interaction: discord.Interaction[Any]) -> None:
        """Send the whole conversation to whoever began it, as Markdown."""
        turn = await self._own_turn(interaction)
        text = await self._conversations.export(turn.conversation_id)
        file = discord.File(io.BytesIO(text.encode()), filename="conversation.md")
        await interaction.response.send_message(file=file, ephemeral=True)

    @app_commands.command(name="erase", description="Delete this conversation from my memory")
    async def erase(self, interaction: discord.Interaction[Any]) -> None:
        """Delete all that is kept of the conversation, for whoever began it."""
        turn = await self._own_turn(interaction)
        erased = await self._conversations.erase(turn.conversation_id)
        said = f"Deleted: {erased} turns. The messages in Discord stay; delete those yourself."
        await interaction.response.send_message(said, ephemeral=True)

    @start.autocomplete("persona")
    async def _personas(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        found = map(persona_choice, self._asking.personas.choices(typed))
        return [app_commands.Choice(name=name, value=value) for name, value in found]

    @start.autocomplete("model")
    async def _models(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        found = map(text_model_choice, self._asking.choices(typed, nsfw=age_restricted(interaction)))
        return [app_commands.Choice(name=name, value=value) for name, value in found]

    async def _own_turn(self, interaction: discord.Interaction[Any]) -> KeptTurn:
        """The last thing said here in a conversation that this person began."""
        turn = await self._conversations.newest_of(interaction.channel_id or 0, interaction.user.id)
        if turn is None:
            raise InvalidRequest(user_message=f"{NO_CONVERSATION} Only whoever began one can have a copy of it.")
        return turn

    async def _chat(self, interaction: discord.Interaction[Any]) -> Chat:
        """What this thread or direct message remembers. Raises `InvalidRequest` elsewhere."""
        chat = await self._conversations.chat(interaction.channel_id or 0)
        if chat is None and interaction.guild_id is not None:
            raise InvalidRequest(user_message="There is no chat to reset here. `/chat start` opens one.")
        if chat is None:
            now = self._clock.now()
            return Chat(channel_id=interaction.channel_id or 0, owner_id=interaction.user.id, since=now)
        self._require_owner(interaction, chat.owner_id)
        return chat

    @staticmethod
    def _require_owner(interaction: discord.Interaction[Any], owner_id: int) -> None:
        moderates = interaction.guild_id is not None and interaction.permissions.manage_messages
        if interaction.user.id != owner_id and not moderates:
            raise NotAllowed("somebody else's chat", user_message=NOT_YOURS)
