"""`/jobs`: one's own jobs, whatever became of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.delivery import Delivery
from bot.delivery.routes import Fields
from bot.domain.jobs import Job, JobId, is_engine, is_text
from bot.domain.preferences import Notify
from bot.errors import InvalidRequest, JobGone
from bot.render.escaping import code_span
from bot.render.jobs import SHOWN_ID, job_choice, render_jobs, render_notify
from bot.services.jobs import Actor, JobService
from bot.services.preferences import Preferences
from bot.ui.embeds import show_privately
from bot.ui.presses import Presses
from cogs.choices import offered, one_of

#: Jobs in a list, and lines that Discord takes as completions.
SHOWN, OFFERED = 10, 25
#: Jobs that one command cancels.
AT_ONCE = 1000
#: What stands for every job.
ALL = "all"
NOTHING_TO_STOP = "None of your jobs is in work; there is nothing to cancel."
ASKED_IN_PRIVATE = (
    "You asked for this one in a direct message. Please use `/jobs retry` there, so that it stays private."
)
NO_SUCH_JOB = "You have no job {job}; see `/jobs list`."
NONE_IN_WORK = "You have no job {job} in work; see `/jobs list`."
OVER = "This one is already over; there is nothing left to cancel."


class JobCommands(commands.GroupCog, group_name="jobs", group_description="Your own requests"):
    """One's own jobs."""

    def __init__(self, jobs: JobService, delivery: Delivery, preferences: Preferences, presses: Presses) -> None:
        """`presses` does what the buttons under a result do."""
        self._jobs = jobs
        self._delivery = delivery
        self._preferences = preferences
        self._presses = presses
        super().__init__()

    @app_commands.command(name="list", description="Your latest requests, and what became of them")
    async def list_all(self, interaction: discord.Interaction[Any]) -> None:
        """List them, to the one who asked."""
        await show_privately(interaction, render_jobs(await self._jobs.of(interaction.user.id, limit=SHOWN)))

    @app_commands.command(name="show", description="One of your requests as it is now, with its files")
    @app_commands.describe(job="Which one")
    async def show(self, interaction: discord.Interaction[Any], job: str) -> None:
        """Show it, to the one who asked."""
        found = await self._own(interaction, job)
        await interaction.response.defer(ephemeral=True)
        first = True
        async for fields in self._delivery.copies.of(found, size_limit=interaction.filesize_limit):
            if first:  # what follows a deferred answer does not take its place: that is edited
                await interaction.edit_original_response(**_of_an_edit(fields))
            else:
                await interaction.followup.send(**fields, ephemeral=True)
            first = False

    @app_commands.command(name="cancel", description="Stop one of your requests, or all of them")
    @app_commands.describe(job="Which one, or all")
    async def cancel(self, interaction: discord.Interaction[Any], job: str) -> None:
        """Stop what is running; what is done by then is kept."""
        actor = Actor(user_id=interaction.user.id)
        if job == ALL:
            chosen = list(await self._jobs.of(interaction.user.id, limit=AT_ONCE, under_way=True))
        else:
            chosen = [await self._own(interaction, job, told=NONE_IN_WORK)]
            if chosen[0].over:
                raise InvalidRequest(user_message=OVER)
        if not chosen:
            raise InvalidRequest(user_message=NOTHING_TO_STOP)
        for one in chosen:
            await self._jobs.cancel(one.id, actor)
        what = "it" if len(chosen) == 1 else f"all {len(chosen)}"
        await interaction.response.send_message(f"Stopping {what}; what is done by then is kept.", ephemeral=True)

    @app_commands.command(name="retry", description="Ask for the same once more")
    @app_commands.describe(job="Which one")
    async def retry(self, interaction: discord.Interaction[Any], job: str) -> None:
        """Do what its button would do."""
        found = await self._own(interaction, job)
        if found.reply.guild_id is None and interaction.guild_id is not None and not found.reply.ephemeral:
            await interaction.response.send_message(ASKED_IN_PRIVATE, ephemeral=True)
            return
        verb = "reask" if is_text(found) else "rerun" if is_engine(found) else "again"
        await self._presses.pressed(interaction, verb, found.id)

    async def _own(self, interaction: discord.Interaction[Any], job: str, *, told: str = NO_SUCH_JOB) -> Job:
        """One's own job of that id. Raises `InvalidRequest`, also for other people's."""
        try:
            return await self._jobs.own(JobId(job.strip()), interaction.user.id)
        except JobGone as error:
            raise InvalidRequest(user_message=told.format(job=code_span(job, SHOWN_ID))) from error

    @app_commands.command(name="notify", description="How I tell you of an answer that took longer than five minutes")
    @app_commands.describe(how="Left out, I say what you chose")
    @app_commands.choices(how=one_of(Notify))
    async def notify(self, interaction: discord.Interaction[Any], how: str = "") -> None:
        """Keep the choice, or tell it."""
        user_id = interaction.user.id
        if how:
            await self._preferences.choose_notify(user_id, Notify(how))
        told = render_notify(await self._preferences.notify_of(user_id))
        await interaction.response.send_message(told, ephemeral=True)

    @show.autocomplete("job")
    @retry.autocomplete("job")
    async def _any(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return _choices(await self._jobs.of(interaction.user.id, limit=OFFERED), typed)

    @cancel.autocomplete("job")
    async def _open(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        running = await self._jobs.of(interaction.user.id, limit=OFFERED, under_way=True)
        everything = [app_commands.Choice(name=ALL, value=ALL)] if len(running) > 1 else []
        return (everything + _choices(running, typed))[:OFFERED]


def _of_an_edit(fields: Fields) -> Fields:
    """The same for a message that is there: its files are what is attached to it."""
    others = {name: value for name, value in fields.items() if name != "files"}
    return others | {"attachments": fields["files"]}


def _choices(jobs: Sequence[Job], typed: str) -> list[app_commands.Choice[str]]:
    wanted = typed.strip().casefold()
    found = (job_choice(job) for job in jobs)
    return offered((name, value) for name, value in found if wanted in name.casefold())[:OFFERED]
