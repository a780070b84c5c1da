"""`/chat`: a thread to talk in, and what belongs to whoever began a conversation: starting over, a copy, deletion."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.domain.replies import LONG_AGO
from bot.domain.turns import Chat, KeptTurn
from bot.errors import InvalidRequest, NotAllowed
from bot.render.escaping import inline
from bot.services.asking import Asking
from bot.services.conversations import Conversations
from bot.services.personas import Persona
from cogs.choices import personas, text_models
from cogs.context import actor_of, age_restricted
from cogs.threads import MAX_TITLE, open_thread, point_to

Title = app_commands.Range[str, 1, MAX_TITLE]
NO_CONVERSATION = "There is no conversation here that I remember. Start one with `/ask` or `/chat start`."
NOT_YOURS = "Only the person who began this conversation can do that."


class ChatCommands(commands.GroupCog, group_name="chat", group_description="Talk in a thread, or in direct messages"):
    """Threads to talk in."""

    persona = app_commands.Group(name="persona", description="Who it is in this thread or direct message")

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
        thread = await open_thread(interaction, title)
        await self._conversations.keep_chat(replace(chat, channel_id=thread.id, is_thread=True))
        how = "Just write." if self._free_threads else "Mention me, or reply to me, in what you write."
        greeting = f"{chosen.greeting}\n-# {inline(chosen.title, 60)} · {how} `/chat end` closes this."
        await thread.send(greeting, allowed_mentions=discord.AllowedMentions.none())
        await point_to(interaction, thread)

    @app_commands.command(name="reset", description="Start over: what was said so far is no longer gone on from")
    async def reset(self, interaction: discord.Interaction[Any]) -> None:
        """Have the next words here begin a new conversation."""
        chat = await self._chat(interaction)
        await self._conversations.keep_chat(replace(chat, since=self._clock.now()))
        await interaction.response.send_message("We start over: I no longer go on from what was said so far.")

    @persona.command(name="set", description="Choose who it is from now on in this chat")
    @app_commands.describe(persona="Who it is to be; see /persona list")
    async def persona_set(self, interaction: discord.Interaction[Any], persona: str) -> None:
        """Have the next answers here given by another persona."""
        await self._become(interaction, self._asking.personas.find(persona))

    @persona.command(name="clear", description="Go back to the usual assistant in this chat")
    async def persona_clear(self, interaction: discord.Interaction[Any]) -> None:
        """Have the next answers here given by the usual persona."""
        await self._become(interaction, self._asking.personas.default)

    async def _become(self, interaction: discord.Interaction[Any], persona: Persona) -> None:
        chat = await self._chat(interaction)
        await self._conversations.keep_chat(replace(chat, persona=persona.name))
        said = f"From now on I answer as **{inline(persona.title, 60)}**. What was said so far still counts."
        await interaction.response.send_message(said, allowed_mentions=discord.AllowedMentions.none())

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
    @persona_set.autocomplete("persona")
    async def _personas(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return personas(self._asking.personas, typed)

    @start.autocomplete("model")
    async def _models(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return text_models(self._asking, interaction, typed)

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
            raise InvalidRequest(user_message="There is no chat here. `/chat start` opens one.")
        if chat is None:
            return Chat(channel_id=interaction.channel_id or 0, owner_id=interaction.user.id, since=LONG_AGO)
        self._require_owner(interaction, chat.owner_id)
        return chat

    @staticmethod
    def _require_owner(interaction: discord.Interaction[Any], owner_id: int) -> None:
        actor = actor_of(interaction)
        if actor.user_id != owner_id and not actor.moderates:
            raise NotAllowed("somebody else's chat", user_message=NOT_YOURS)
