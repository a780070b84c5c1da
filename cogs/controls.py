"""Presses on a job's buttons, and the edit form: every one checks again who presses and what is left of the job."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
from discord.ext import commands
from pydantic import SecretStr

from bot.clock import Clock
from bot.delivery import Delivery, InteractionOpener
from bot.domain.jobs import ImageJob, Job, JobId, is_image
from bot.domain.requests import ImageRequest
from bot.errors import InvalidRequest, JobGone
from bot.render import render_details
from bot.services.imagining import Changes, Imagining
from bot.services.jobs import JobService
from bot.ui.edit_form import EditForm, read_form
from bot.ui.embeds import to_embed
from bot.ui.errors import answer_error
from cogs.context import actor_of, address_of, age_restricted, check_permissions

log = logging.getLogger(__name__)

Press = Callable[[discord.Interaction[Any], JobId], Awaitable[None]]


class Controls(commands.Cog):
    """What the buttons do."""

    def __init__(self, jobs: JobService, imagining: Imagining, delivery: Delivery, clock: Clock) -> None:
        self._jobs = jobs
        self._imagining = imagining
        self._delivery = delivery
        self._clock = clock
        self._presses: dict[str, Press] = {
            "cancel": self._cancel,
            "again": self._again,
            "edit": self._edit,
            "details": self._details,
            "delete": self._delete,
            "collect": self._collect,
        }

    async def pressed(self, interaction: discord.Interaction[Any], verb: str, job_id: JobId) -> None:
        """Answer one press; what goes wrong is told to the one who pressed."""
        try:
            await self._presses.get(verb, self._unknown)(interaction, job_id)
        except Exception as error:  # noqa: BLE001 - the boundary: the person gets a sentence, the log the rest
            await answer_error(interaction, error)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Take in edit forms by their custom id: one that was opened before a restart still works."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        form = read_form(interaction.data)
        if form is None:
            return
        job_id, changes = form
        try:
            await self._edited(interaction, job_id, changes)
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    async def _unknown(self, _interaction: discord.Interaction[Any], job_id: JobId) -> None:
        raise JobGone(f"a button of {job_id} that this version does not have")

    async def _cancel(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.cancel(job_id, actor_of(interaction))
        if job.over:
            raise InvalidRequest(user_message="This one is already over; there is nothing left to cancel.")
        with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, OSError):
            await interaction.response.defer()  # what was asked is done, whether or not the press is shown as heard

    async def _again(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._image(job_id)
        request = self._imagining.again(job.request, nsfw=age_restricted(interaction))
        await self._start(interaction, request, parent=job)

    async def _edit(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._image(job_id)
        await interaction.response.send_modal(EditForm(job))

    async def _edited(self, interaction: discord.Interaction[Any], job_id: JobId, changes: Changes) -> None:
        job = await self._image(job_id)
        request = self._imagining.edited(job.request, changes, nsfw=age_restricted(interaction))
        await self._start(interaction, request, parent=job)

    async def _start(self, interaction: discord.Interaction[Any], request: ImageRequest, *, parent: Job) -> None:
        check_permissions(interaction)
        await self._jobs.submit(
            request,
            asker_id=interaction.user.id,
            address=address_of(interaction, private=parent.reply.ephemeral),
            reply=InteractionOpener(interaction, self._delivery, self._clock),
            provider=parent.provider,
            parent_id=parent.id,
        )

    async def _image(self, job_id: JobId) -> ImageJob:
        job = await self._jobs.get(job_id)
        if not is_image(job):
            raise JobGone(f"{job_id} is not a wish for pictures")
        return job

    async def _details(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        rendered = render_details(await self._jobs.get(job_id))
        await interaction.response.send_message(embed=to_embed(rendered.embed), ephemeral=True)

    async def _delete(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.delete(job_id, actor_of(interaction))
        await interaction.response.defer()
        self._delivery.forget(job.id)
        with contextlib.suppress(discord.NotFound):  # somebody was quicker
            await interaction.delete_original_response()

    async def _collect(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        if (await self._jobs.get(job_id)).terminal:
            raise InvalidRequest(user_message="This one is complete; there is nothing more to collect.")
        await interaction.response.defer()
        token = SecretStr(interaction.token)
        await self._jobs.renew(job_id, token=token, application_id=interaction.application_id)
