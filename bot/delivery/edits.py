"""One edit of a reply: its words, the files that are not there yet, and what has no room in it.

An edit is idempotent. Files are named `<job>-<index>.<ext>`, so what is attached already can be told from the message:
after a restart, and after an edit whose answer got lost, the message is read before files are added. Messages beside
the reply carry a nonce made of the job's id, so that sending one again makes no second one.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence

import discord

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.drawing import draw
from bot.delivery.pictures import UNSHRINKABLE, fit
from bot.delivery.reply import Reply
from bot.delivery.routes import Fields, Route, Routes
from bot.delivery.translate import NoAccess, Refused
from bot.domain.jobs import Job
from bot.domain.sources import SPOILER
from bot.errors import ReplyLost
from bot.render.messages import Drawn, FileRef, RenderedMessage
from bot.store.base import ArtifactStore
from bot.ui.embeds import to_embed
from bot.ui.job_controls import controls_view

log = logging.getLogger(__name__)

#: Bytes of files in one request; more go in further edits.
REQUEST_BYTES = 20 * 1024 * 1024


class Editor:
    """Brings one state of a job into its message; raises `DeliveryError` and its kin."""

    def __init__(self, *, routes: Routes, artifacts: ArtifactStore, book: Book, clock: Clock) -> None:
        self._routes = routes
        self._artifacts = artifacts
        self._book = book
        self._clock = clock

    async def edit(self, route: Route, reply: Reply, job: Job, rendered: RenderedMessage) -> None:
        """Change the message, in as many requests as its files need."""
        if rendered.files and reply.attached is None:
            try:
                reply.attached = await route.read()
            except (Refused, NoAccess):
                # It may not be read (no Read Message History), yet perhaps edited: then every file is sent anew.
                reply.attached = []
        while True:
            attached = reply.attached or []
            missing = [ref for ref in rendered.files if reply.can_have(ref) and not _has(attached, ref)]
            uploads = await self.uploads(reply, job, missing)
            fields = fields_of(rendered)
            if uploads:
                wanted = {_stem(ref.name) for ref in rendered.files}
                fields["attachments"] = [a for a in attached if _stem(a.filename) in wanted] + uploads
            reply.attached = await route.edit(fields, first=job.over)
            reply.edited_at = self._clock.monotonic()
            if len(uploads) >= sum(map(reply.can_have, missing)):
                return

    async def add_files(self, reply: Reply, job: Job, rendered: RenderedMessage) -> None:
        """Send what the message has no room for in a second one. Trying again is harmless: its nonce is the job's."""
        if not rendered.more_files or reply.continued or not job.over:
            return
        left, part = list(rendered.more_files), 0
        try:
            while left := [ref for ref in left if reply.can_have(ref)]:
                uploads = await self.uploads(reply, job, left)
                sent = {_stem(file.filename) for file in uploads}
                left, part = [ref for ref in left if _stem(ref.name) not in sent], part + 1
                if uploads:
                    await self._routes.follow_up(job.reply, uploads, nonce=f"{job.id}-{part}")
        except Refused as error:
            log.warning("no second message", extra={"action": "reply.cut", "job_id": job.id, "cause": str(error)})
        reply.continued = True

    async def post_rest(self, reply: Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Send the further parts of a long answer; False when that is not allowed here: then there is another way.

        Trying again is harmless: each part's nonce is the job's.
        """
        if job.over and job.reply.message_id is not None:
            await self._book.posted(job.id, job.reply.message_id)
        try:
            for number, content in enumerate(rendered.more_content, start=1):
                if number <= reply.parts:
                    continue
                fields: Fields = {"content": content, "allowed_mentions": discord.AllowedMentions.none()}
                nonce = f"{job.id}-t{number}"
                sent = await self._routes.send(job.reply, nonce=nonce, refers_to=job.reply.message_id, fields=fields)
                await self._book.posted(job.id, sent.id)
                reply.parts = number
        except (Refused, ReplyLost) as error:
            log.info("no further messages here", extra={"action": "reply.alone", "job_id": job.id, "cause": str(error)})
            reply.alone = True
            return False
        return True

    async def uploads(self, reply: Reply, job: Job, missing: Sequence[FileRef]) -> list[discord.File]:
        """Fresh files for one request (a `discord.File` can be sent once only), within its size."""
        files: list[discord.File] = []
        limit = reply.size_limit
        total = 0
        for ref in missing:
            data = await self._bytes_of(reply, job, ref)
            if data is None:
                continue
            data, extension = await fit(data, ref.name.rpartition(".")[2], limit)
            if files and total + len(data) > REQUEST_BYTES:
                break
            total += len(data)
            name, hidden = f"{_stem(ref.name)}.{extension}", ref.name.startswith(SPOILER)
            files.append(discord.File(io.BytesIO(data), filename=name, spoiler=hidden))
        return files

    async def _bytes_of(self, reply: Reply, job: Job, ref: FileRef) -> bytes | None:
        """What to attach; None (and noted as such) where there is nothing that could be."""
        if ref.drawn is Drawn.ANSWER:
            return job.answer.text.encode() if job.answer is not None else None
        data = await self._artifacts.get(job.id, ref.index)
        if ref.drawn is not None:
            data = await asyncio.to_thread(draw, ref, job.forms, data)
        elif data is None:
            log.warning("a file's bytes are gone", extra={"action": "reply.no-bytes", "job_id": job.id})
            reply.gone.add(ref.index)
        elif ref.name.rpartition(".")[2] in UNSHRINKABLE and len(data) > reply.size_limit:
            data = None  # of a drawing the preview is there, all others are named with their size
        if data is None:
            reply.left_out.add(ref.name)
        return data


def _stem(name: str) -> str:
    return name.removeprefix(SPOILER).partition(".")[0]


def _has(attached: Sequence[discord.Attachment], ref: FileRef) -> bool:
    return any(_stem(attachment.filename) == _stem(ref.name) for attachment in attached)


def fields_of(rendered: RenderedMessage) -> Fields:
    """What an edit sets, but for the files."""
    return {
        "content": rendered.content or None,
        "embed": to_embed(rendered.embed) if rendered.embed else None,
        "view": controls_view(rendered.controls, rendered.job_id, rendered.menu),
        "allowed_mentions": discord.AllowedMentions.none(),
    }
