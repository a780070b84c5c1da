"""`/osais`: engines by name, with everything they can be set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.engines import MAX_PROMPT, PROVIDER, EngineRequest
from bot.domain.jobs import JobId, is_engine
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest, JobGone, UserError
from bot.render import render_error
from bot.render.engines import engine_choice, painter_choice, render_engines
from bot.render.messages import MAX_CHOICES
from bot.services.engine_settings import lines_of
from bot.services.engines import TAG, Engines, EngineWish
from bot.services.imagining import ImageWish
from bot.services.jobs import JobService
from bot.services.open_wishes import OpenWishes
from bot.ui.alchemy_picker import view_of
from bot.ui.embeds import show_privately, to_embed
from bot.ui.engine_form import EditAgain, EngineForm, Lines, read_edit_again, read_lines_form
from bot.ui.errors import errors_answered
from cogs.choices import offered
from cogs.context import check_permissions
from cogs.controls import Press, kept
from cogs.pictures import picture_of, source_of
from cogs.submissions import Submissions

FORGOTTEN = "I no longer know what this form was about. Please use `/osais run` again."
NOTHING_TO_SET = "{engine} has nothing to set; leave `settings` out."

Words = app_commands.Range[str, 1, MAX_PROMPT]


class Osais(commands.GroupCog, group_name="osais", group_description="Engines of OSAIS: pictures, films, speech"):
    """Engines of OSAIS."""

    provider = PROVIDER

    def __init__(self, jobs: JobService, engines: Engines, wishes: OpenWishes, submissions: Submissions) -> None:
        """Take the parts; `wishes` remembers everything else that was asked for while a form is open."""
        self._jobs = jobs
        self._engines = engines
        self._submissions = submissions
        self._wishes = wishes
        super().__init__()

    @property
    def presses(self) -> Mapping[str, Press]:
        """What the buttons under a result do."""
        return {"rerun": self._again, "tune": self._tune}

    @app_commands.command(name="list", description="Which engines there are, what they need and what they make")
    async def list_all(self, interaction: discord.Interaction[Any]) -> None:
        """Say which there are, to the one who asked."""
        await show_privately(interaction, render_engines(self._engines.all()))

    @app_commands.command(name="run", description="Have an engine run")
    @app_commands.describe(
        engine="Which one; see /osais list",
        prompt="What to paint, or to say",
        image="The picture it works on",
        audio="A sound it works on (.wav)",
        video="A film it works on (.mp4)",
        settings="Open a form with everything it can be set to",
    )
    async def run(
        self,
        interaction: discord.Interaction[Any],
        engine: str,
        prompt: Words | None = None,
        image: discord.Attachment | None = None,
        audio: discord.Attachment | None = None,
        video: discord.Attachment | None = None,
        settings: bool = False,
    ) -> None:
        """Have it run, or show its settings first."""
        check_permissions(interaction)
        wish = EngineWish(
            engine=self._engines.find(engine).name,
            prompt=prompt or "",
            image=picture_of(image) if image is not None else None,
            audio=source_of(audio) if audio is not None else None,
            video=source_of(video) if video is not None else None,
        )
        if settings:
            await self._ask_settings(interaction, wish)
        else:
            await self.start(interaction, self._engines.complete(wish))

    @run.autocomplete("engine")
    async def _choices(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer engines."""
        return offered(map(engine_choice, self._engines.choices(typed)))[:MAX_CHOICES]

    async def _ask_settings(self, interaction: discord.Interaction[Any], wish: EngineWish) -> None:
        self._engines.complete(wish)  # what is missing is told now, not after the form
        engine = self._engines.find(wish.engine)
        if not engine.parameters:
            raise InvalidRequest(user_message=NOTHING_TO_SET.format(engine=f"`{engine.name}`"))
        await self._open_form(interaction, str(interaction.id), replace(wish, settings=lines_of(engine)))

    async def _open_form(self, interaction: discord.Interaction[Any], opened_by: str, wish: EngineWish) -> None:
        """Show everything that can be changed of a wish, as it stands, and remember the rest."""
        engine = self._engines.find(wish.engine)
        await self._wishes.opened(opened_by, wish)
        prompt = wish.prompt if engine.takes_words else None
        await interaction.response.send_modal(EngineForm(opened_by, engine.title, wish.settings, prompt=prompt))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Take in forms, and the button that opens one again, by their custom id."""
        if interaction.type is discord.InteractionType.modal_submit:
            lines = read_lines_form(interaction.data)
            if lines is not None:
                async with errors_answered(interaction):
                    await self._set(interaction, lines)
        elif interaction.type is discord.InteractionType.component:
            opened_by = read_edit_again(interaction.data)
            if opened_by is not None:
                async with errors_answered(interaction):
                    await self._open_form(interaction, opened_by, await self._wish(opened_by))

    async def _wish(self, opened_by: str) -> EngineWish:
        wish = await self._wishes.about(opened_by)
        if wish is None:
            raise InvalidRequest(user_message=FORGOTTEN)
        return wish

    async def _set(self, interaction: discord.Interaction[Any], lines: Lines) -> None:
        wish = await self._wish(lines.opened_by)
        prompt = wish.prompt if lines.prompt is None else lines.prompt
        wish = replace(wish, settings=lines.text, prompt=prompt)
        try:
            request = self._engines.complete(wish)
            await self.start(interaction, request, private=wish.private, parent_id=wish.parent_id)
        except UserError as error:
            if interaction.response.is_done():
                raise
            await self._refuse(interaction, lines.opened_by, wish, error)
        else:
            await self._wishes.done(lines.opened_by)

    async def _refuse(
        self, interaction: discord.Interaction[Any], opened_by: str, wish: EngineWish, error: UserError
    ) -> None:
        """Say what is wrong, and keep what was typed: the button brings it back."""
        await self._wishes.opened(opened_by, wish)
        embed = to_embed(render_error(error).embed)
        await interaction.response.send_message(embed=embed, view=view_of(EditAgain(opened_by)), ephemeral=True)

    async def _tune(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        """Open the form on a run, to have it run anew with changes."""
        job = await self._jobs.get(job_id)
        if not is_engine(job):
            raise JobGone(f"{job_id} is not a run of an engine")
        wish = self._engines.as_wish(job.request)
        image = kept(wish.image, job) if wish.image is not None else None
        wish = replace(wish, image=image, private=job.reply.ephemeral, parent_id=job.id)
        await self._open_form(interaction, str(interaction.id), wish)

    async def _again(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.get(job_id)
        if not is_engine(job):
            raise JobGone(f"{job_id} is not a run of an engine")
        request = self._engines.again(job.request)
        if request.image is not None:
            request = replace(request, image=kept(request.image, job))
        await self.start(interaction, request, private=job.reply.ephemeral, parent_id=job.id)

    # -- the one way in -------------------------------------------------------------------------------------------

    async def start(
        self,
        interaction: discord.Interaction[Any],
        request: EngineRequest,
        *,
        private: bool = False,
        parent_id: JobId | None = None,
    ) -> None:
        """Have an engine run, as the answer to this interaction."""
        check_permissions(interaction)
        await self._submissions.submit(interaction, request, provider=PROVIDER, private=private, parent_id=parent_id)

    async def work(
        self, interaction: discord.Interaction[Any], engine: str, source: SourceMedia, *, private: bool = False
    ) -> None:
        """Have an engine work on a picture."""
        await self.start(interaction, self.request(engine, source), private=private)

    def request(self, engine: str, source: SourceMedia) -> EngineRequest:
        """What asks an engine to work on a picture. Raises `InvalidRequest`."""
        return self._engines.complete(EngineWish(engine=engine, image=source))

    def is_meant(self, model: str) -> bool:
        """Whether a model's name means an engine."""
        return model.strip().casefold().startswith(TAG)

    def painters(self, typed: str) -> Sequence[tuple[str, str]]:
        """The engines that stand among models, as (name, value) of a choice."""
        return [painter_choice(engine) for engine in self._engines.painters(typed)]

    async def paint(self, interaction: discord.Interaction[Any], wish: ImageWish, *, private: bool) -> None:
        """Have an engine paint what `/imagine` was asked for."""
        await self.start(interaction, self._engines.paint(wish), private=private)
