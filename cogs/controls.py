"""Presses on a job's buttons, and the edit form: every one checks again who presses and what is left of the job."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import discord
from discord.ext import commands
from pydantic import SecretStr

from bot.delivery import Delivery
from bot.delivery.translate import ALREADY_ACKNOWLEDGED
from bot.domain.alchemy import Form
from bot.domain.jobs import ImageJob, Job, JobId, is_alchemy, is_engine, is_image
from bot.domain.requests import ImageRequest
from bot.domain.sources import SPOILER, SourceMedia
from bot.errors import InvalidRequest, JobGone, MediaGone
from bot.render import render_details
from bot.render.alchemy import tags_file, words_to_paint
from bot.services.imagining import Changes, ImageWish, Imagining
from bot.services.jobs import JobService
from bot.services.sources import SOURCE_INDEX
from bot.services.steps import NEVER_COLLECTED
from bot.ui.alchemy_picker import sources_in
from bot.ui.edit_form import EditForm, read_form
from bot.ui.embeds import show_privately
from bot.ui.errors import errors_answered
from bot.ui.prompt_form import Prompted, PromptForm, read_prompted
from cogs.context import actor_of, age_restricted, check_permissions
from cogs.picture_work import PictureWork
from cogs.pictures import source_of
from cogs.submissions import Submissions

Press = Callable[[discord.Interaction[Any], JobId], Awaitable[None]]
#: Told of every job whose reply somebody deleted.
Deleted = Callable[[Job], Awaitable[None]]
PressOfOne = Callable[[discord.Interaction[Any], JobId, int], Awaitable[None]]

#: What is asked of a picture by the buttons and the select below it.
WORK = {
    "upscale": (Form.UPSCALE_4X,),
    "cutout": (Form.CUTOUT,),
    "faces": (Form.FACES_GFPGAN,),
    "describe": (Form.CAPTION,),
    "interrogate": (Form.TAGS,),
}
PUT_AWAY = "This waited a day for you, and was put away. `/jobs show {job}` has what is left of it."
NOT_HERE = "That picture is no longer here. Please start a new one with `/imagine`."


class Controls(commands.Cog):
    """What the buttons do."""

    def __init__(
        self,
        *,
        jobs: JobService,
        submissions: Submissions,
        imagining: Imagining,
        work: PictureWork,
        delivery: Delivery,
    ) -> None:
        self._jobs = jobs
        self._submissions = submissions
        self._imagining = imagining
        self._work = work
        self._delivery = delivery
        self._presses: dict[str, Press] = {
            "cancel": self._cancel,
            "again": self._again,
            "edit": self._edit,
            "details": self._details,
            "delete": self._delete,
            "collect": self._collect,
            "words": self._imagine_this,
            "tags": self._all_tags,
        }
        self._deleted: Deleted | None = None

    def learn(self, presses: Mapping[str, Press], *, deleted: Deleted) -> None:
        """Take in the buttons of another cog, and who is to be told when a reply was deleted."""
        self._presses |= presses
        self._deleted = deleted

    async def pressed(
        self, interaction: discord.Interaction[Any], verb: str, job_id: JobId, index: int | None = None
    ) -> None:
        """Answer one press; what goes wrong is told to the one who pressed."""
        async with errors_answered(interaction):
            if index is None:
                await self._presses.get(verb, self._unknown)(interaction, job_id)
            else:
                await self._press_of_one(interaction, verb, job_id, index)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Take in edit forms by their custom id: one that was opened before a restart still works."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        async with errors_answered(interaction):
            if (form := read_form(interaction.data)) is not None:
                await self._edited(interaction, *form)
            elif (prompted := read_prompted(interaction.data)) is not None:
                await self._prompted(interaction, prompted)

    async def _unknown(self, _interaction: discord.Interaction[Any], job_id: JobId) -> None:
        raise JobGone(f"a button of {job_id} that this version does not have")

    async def _cancel(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.cancel(job_id, actor_of(interaction))
        if job.over:
            raise InvalidRequest(user_message="This one is already over; there is nothing left to cancel.")
        if job.terminal:  # closed because nothing told that its reply is there, which the press does
            await self._take_up(interaction, job_id)
            await self._jobs.cancel(job_id, actor_of(interaction))
            return
        with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, OSError):
            await interaction.response.defer()  # what was asked is done, whether or not the press is shown as heard

    async def _again(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.get(job_id)
        if is_alchemy(job):
            source, private = kept(job.request.source, job), job.reply.ephemeral
            await self._work.start(interaction, source, job.request.wanted, private=private, parent_id=job.id)
            return
        job = await self._image(job_id)
        request = self._imagining.again(with_kept_source(job), nsfw=age_restricted(interaction))
        await self._start(interaction, request, parent=job)

    async def _edit(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._image(job_id)
        await interaction.response.send_modal(EditForm(job))

    async def _edited(self, interaction: discord.Interaction[Any], job_id: JobId, changes: Changes) -> None:
        job = await self._image(job_id)
        request = self._imagining.edited(with_kept_source(job), changes, nsfw=age_restricted(interaction))
        await self._start(interaction, request, parent=job)

    async def _start(self, interaction: discord.Interaction[Any], request: ImageRequest, *, parent: Job) -> None:
        check_permissions(interaction)
        private = parent.reply.ephemeral
        await self._submissions.submit(
            interaction, request, provider=parent.provider, private=private, parent_id=parent.id
        )

    # -- one picture of a result ----------------------------------------------------------------------------------

    async def _press_of_one(self, interaction: discord.Interaction[Any], verb: str, job_id: JobId, index: int) -> None:
        """Do something with one picture: anybody may, it is their own request."""
        source = await self._source(interaction, job_id, index)
        if verb == "source":
            prompt, model = _painted_by(await self._jobs.get(job_id))
            form = PromptForm(prompt=prompt, model=model, from_picture=True, job_id=job_id, index=index)
            await interaction.response.send_modal(form)
            return
        # What is made of a result that only its reader sees is for that reader alone, too.
        private = interaction.message is not None and interaction.message.flags.ephemeral
        if verb in self._work.engines:
            await self._work.run(interaction, verb, source, private=private)
        elif verb in WORK:
            await self._work.start(interaction, source, WORK[verb], private=private, parent_id=job_id)
        else:
            await self._unknown(interaction, job_id)

    async def _source(self, interaction: discord.Interaction[Any], job_id: JobId, index: int) -> SourceMedia:
        """A picture of a result: our own copy while we keep it, afterwards the one that the message shows."""
        shown = interaction.message.attachments if interaction.message is not None else []
        for attachment in shown:
            if attachment.filename.removeprefix(SPOILER).startswith(f"{job_id}-{index}."):
                source = source_of(attachment, message=interaction.message, own=True)
                return replace(source, job_id=job_id, index=index)
        job = await self._jobs.get(job_id)
        for artifact in job.usable:
            if artifact.index == index and artifact.has_file:
                return SourceMedia(
                    url="",
                    filename=job.file_name(artifact),
                    width=artifact.width,
                    height=artifact.height,
                    own=True,
                    job_id=job_id,
                    index=index,
                )
        raise JobGone(f"{job_id} shows no picture {index}", user_message=NOT_HERE)

    async def _imagine_this(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.get(job_id)
        words = words_to_paint(job) if is_alchemy(job) else ""
        if not words:
            raise JobGone(f"{job_id} has no words to paint by")
        await interaction.response.send_modal(PromptForm(prompt=words, from_picture=False, job_id=job_id))

    async def _all_tags(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.get(job_id)
        told = tags_file(job) if is_alchemy(job) else None
        if told is None:
            raise JobGone(f"{job_id} has no tags")
        file = discord.File(io.BytesIO(told), filename=f"{job_id}-tags.json")
        await interaction.response.send_message(file=file, ephemeral=True)

    async def _prompted(self, interaction: discord.Interaction[Any], prompted: Prompted) -> None:
        """Paint by the words of the form, or from the picture it was opened on."""
        source = await self._source_of(interaction, prompted) if prompted.from_picture else None
        wish = ImageWish(
            prompt=prompted.prompt,
            negative=prompted.negative,
            model=prompted.model,
            source=source,
            strength=prompted.strength,
            nsfw=age_restricted(interaction),
        )
        check_permissions(interaction)
        parent = await self._jobs.get(prompted.job_id) if prompted.job_id is not None else None
        private = parent is not None and parent.reply.ephemeral
        request = self._imagining.complete(wish)
        await self._submissions.submit(interaction, request, private=private, parent_id=prompted.job_id)

    async def _source_of(self, interaction: discord.Interaction[Any], prompted: Prompted) -> SourceMedia:
        if prompted.job_id is not None:
            return await self._source(interaction, prompted.job_id, prompted.index)
        shown = sources_in(interaction.message)
        if not shown:
            raise MediaGone("the form was not opened on a picture")
        return shown[0]

    # -- what is known --------------------------------------------------------------------------------------------

    async def _image(self, job_id: JobId) -> ImageJob:
        job = await self._jobs.get(job_id)
        if not is_image(job):
            raise JobGone(f"{job_id} is not a wish for pictures")
        return job

    async def _details(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        await show_privately(interaction, render_details(await self._jobs.get(job_id)))

    async def _delete(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.delete(job_id, actor_of(interaction))
        await interaction.response.defer()
        self._delivery.forget(job.id)
        with contextlib.suppress(discord.NotFound):  # somebody was quicker
            await interaction.delete_original_response()
        if self._deleted is not None:
            await self._deleted(job)

    async def _collect(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        job = await self._jobs.get(job_id)
        if job.terminal and job.accepted_at is not None:
            dropped = job.reply.detached == NEVER_COLLECTED
            told = PUT_AWAY.format(job=job.id) if dropped else "This one is complete; there is nothing more to collect."
            raise InvalidRequest(user_message=told)
        await self._take_up(interaction, job_id)

    async def _take_up(self, interaction: discord.Interaction[Any], job_id: JobId) -> None:
        """Go on showing a job with the fresh token of a press on its reply."""
        await _defer(interaction)
        await self._jobs.renew(
            job_id,
            token=SecretStr(interaction.token),
            application_id=interaction.application_id,
            message_id=interaction.message.id if interaction.message is not None else None,
        )


async def _defer(interaction: discord.Interaction[Any]) -> None:
    """Show the press as heard, trying once more where nothing tells whether it is: only then does its token work."""
    try:
        await _defer_once(interaction)
    except (discord.DiscordServerError, aiohttp.ClientError, OSError, TimeoutError):
        await _defer_once(interaction)


async def _defer_once(interaction: discord.Interaction[Any]) -> None:
    try:
        await interaction.response.defer()
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise


def _painted_by(job: Job) -> tuple[str, str]:
    """The prompt that a picture was painted by, and the model where somebody chose one. Raises `JobGone`."""
    if is_image(job):
        return job.request.prompt, job.request.model if job.request.model_chosen else ""
    if is_engine(job):
        return job.request.prompt, ""
    raise JobGone(f"{job.id} is not a wish for pictures")


def kept(source: SourceMedia, job: Job) -> SourceMedia:
    """The source of an earlier job, by our own copy of it first: its address may have died meanwhile."""
    return source if source.job_id else replace(source, job_id=job.id, index=SOURCE_INDEX)


def with_kept_source(job: ImageJob) -> ImageRequest:
    """The request of an earlier job, its source (if it has one) by our own copy first."""
    source = job.request.source
    return job.request if source is None else replace(job.request, source=kept(source, job))
