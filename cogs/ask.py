"""`/ask`, the buttons under an answer, and *Ask about this*: answers from text models."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.delivery.routes import Routes
from bot.domain.conversation import AnswerLength, Creativity
from bot.domain.jobs import Job, JobId, is_text
from bot.domain.requests import MAX_PROMPT
from bot.domain.sources import SourceMedia
from bot.domain.turns import Chat
from bot.errors import DeliveryError, InvalidRequest
from bot.render.escaping import inline
from bot.services.asking import Asking, AskWish
from bot.services.captioning import MAX_PICTURES
from bot.services.conversations import Conversations
from bot.services.jobs import JobService
from bot.services.talking import Talking
from bot.ui.errors import errors_answered
from bot.ui.reply_form import AboutForm, ReplyForm, Said, read_said
from cogs.choices import one_of, personas, text_models
from cogs.context import age_restricted, check_permissions
from cogs.controls import Press
from cogs.open_forms import OpenForms
from cogs.pictures import picture_of, pictures_of
from cogs.speakers import Speakers
from cogs.threads import open_thread, point_to

Prompt = app_commands.Range[str, 1, MAX_PROMPT]
#: How much of a question a thread quotes, in characters.
MAX_QUOTED = 1500
NOTHING_THERE = "There is nothing in that message that I could read: neither text nor a picture."


class Ask(commands.Cog):
    """Answers from text models."""

    def __init__(
        self,
        *,
        talking: Talking,
        asking: Asking,
        conversations: Conversations,
        jobs: JobService,
        speakers: Speakers,
        routes: Routes,
        tree: app_commands.CommandTree[Any],
        clock: Clock,
    ) -> None:
        self._talking = talking
        self._asking = asking
        self._conversations = conversations
        self._jobs = jobs
        self._speakers = speakers
        self._routes = routes
        self._tree = tree
        self._clock = clock
        #: The pictures of the messages that forms are open about.
        self._pictures: OpenForms[tuple[SourceMedia, ...]] = OpenForms()
        self._about = app_commands.ContextMenu(name="Ask about this", callback=self._ask_about)

    async def cog_load(self) -> None:
        """Add the menu: a cog carries no context menus of its own."""
        self._tree.add_command(self._about)

    async def cog_unload(self) -> None:
        """Take the menu away."""
        self._tree.remove_command(self._about.name, type=self._about.type)

    @property
    def presses(self) -> Mapping[str, Press]:
        """What the buttons under an answer do."""
        return {"reask": self._again, "continue": self._continue, "reply": self._reply}

    @app_commands.command(name="ask", description="Ask a text model")
    @app_commands.describe(
        prompt="What you want to know",
        model="Which model answers; left out, a good one with many workers",
        persona="Who it is to be; see /persona list",
        length="How long the answer may get; left out, normal",
        creativity="How far it may stray; left out, balanced",
        image="A picture to ask about; it is described by a machine first",
        thread="Open a thread for it, to go on talking there",
        private="Only you see the answer",
    )
    @app_commands.choices(length=one_of(AnswerLength), creativity=one_of(Creativity))
    async def ask(
        self,
        interaction: discord.Interaction[Any],
        prompt: Prompt,
        model: str = "",
        persona: str = "",
        length: str = AnswerLength.NORMAL.value,
        creativity: str = Creativity.BALANCED.value,
        image: discord.Attachment | None = None,
        thread: bool = False,
        private: bool = False,
    ) -> None:
        """Ask a text model."""
        check_permissions(interaction)
        if thread and private:
            raise InvalidRequest(user_message="A thread is for everybody here: choose either `thread` or `private`.")
        wish = AskWish(
            model=model,
            persona=persona,
            length=AnswerLength(length),
            creativity=Creativity(creativity),
            nsfw=age_restricted(interaction),
        )
        pictures = (picture_of(image),) if image is not None else ()
        if thread:
            await self._in_thread(interaction, prompt, wish, pictures)
            return
        speaker = self._speakers.of_interaction(interaction, private=private)
        await self._talking.ask(prompt, wish, speaker, pictures=pictures)

    async def _in_thread(
        self, interaction: discord.Interaction[Any], prompt: str, wish: AskWish, pictures: tuple[SourceMedia, ...]
    ) -> None:
        """Open a thread, put the question there, and answer it there; the wish holds for all that follows in it."""
        persona = self._asking.personas.find(wish.persona).name
        model = self._asking.find(wish.model, nsfw=wish.nsfw) if wish.model else ""
        thread = await open_thread(interaction, prompt)
        chat = Chat(
            channel_id=thread.id,
            guild_id=interaction.guild_id,
            owner_id=interaction.user.id,
            persona=persona,
            model=model,
            since=self._clock.now(),
            is_thread=True,
        )
        await self._conversations.keep_chat(chat)
        quoted = f"> {inline(prompt, MAX_QUOTED)}\n-# asked by {interaction.user.mention}"
        question = await thread.send(quoted, allowed_mentions=discord.AllowedMentions.none())
        await self._talking.ask(prompt, wish, self._speakers.in_thread(interaction, question), pictures=pictures)
        await point_to(interaction, thread)

    @ask.autocomplete("model")
    async def _models(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer models from memory; people may still send something else."""
        return text_models(self._asking, interaction, typed)

    @ask.autocomplete("persona")
    async def _personas(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer personas."""
        return personas(self._asking.personas, typed)

    async def _ask_about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Open the form for a question about a message; Discord shows us all of it, this once."""
        pictures = tuple(pictures_of(message, me=None))[:MAX_PICTURES]
        if not message.content.strip() and not pictures:
            raise InvalidRequest(user_message=NOTHING_THERE)
        self._pictures.opened(interaction.id, pictures)
        await interaction.response.send_modal(AboutForm(interaction.id, message.content))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Take in forms by their custom id: one that was opened before a restart still works."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        said = read_said(interaction.data)
        if said is None:
            return
        async with errors_answered(interaction):
            await self._said(interaction, said)

    async def _said(self, interaction: discord.Interaction[Any], said: Said) -> None:
        check_permissions(interaction)
        if said.job_id is not None:
            answer = await self._talking.answered_by(said.job_id, interaction.user.id, interaction.channel_id or 0)
            speaker = self._speakers.of_interaction(interaction, private=answer.private)
            await self._talking.follow(answer, said.text, speaker)
            return
        quoted = f'\n\nThe message it is about:\n"""\n{said.quoted.strip()}\n"""' if said.quoted.strip() else ""
        pictures = self._pictures.about(said.opened_by) or ()
        self._pictures.done(said.opened_by)
        wish = AskWish(nsfw=age_restricted(interaction))
        speaker = self._speakers.of_interaction(interaction, private=False)
        await self._talking.ask(said.text + quoted, wish, speaker, pictures=pictures)

    # -- buttons --------------------------------------------------------------------------------------------------

    async def _again(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        check_permissions(interaction)
        private = (await self._jobs.get(job_id)).reply.ephemeral
        await self._talking.again(job_id, self._speakers.of_interaction(interaction, private=private))

    async def _continue(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        check_permissions(interaction)
        private = (await self._jobs.get(job_id)).reply.ephemeral
        await self._talking.carry_on(job_id, self._speakers.of_interaction(interaction, private=private))

    async def _reply(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        await self._talking.answered_by(job_id, interaction.user.id, interaction.channel_id or 0)
        await interaction.response.send_modal(ReplyForm(job_id))

    async def deleted(self, job: Job) -> None:
        """Take the further messages of a long answer away too; the conversation remembers it all the same."""
        if not is_text(job):
            return
        for message_id in await self._conversations.messages_of(job.id):
            if message_id != job.reply.message_id:
                with contextlib.suppress(DeliveryError):
                    await self._routes.remove(job.reply, message_id)
