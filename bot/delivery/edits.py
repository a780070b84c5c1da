"""What one state of a job needs: an edit of its reply, and messages for what has no room in that.

An edit may be repeated. Files are named `<job>-<index>.<ext>`, so what is attached already can be told from the
message: after a restart, and after an edit whose answer got lost, the message is read before files are added; where it
may not be read, all files are sent, and replace those that are there. What goes beside the reply, more than ten files
and the further parts of a long answer, is the matter of `outbox.py`, for a message may not be repeated. Where that is
refused, or nothing tells whether it arrived, the reply stays: it names such files, and has the whole answer as a file.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from functools import partial
from itertools import count

import discord

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.drawing import draw
from bot.delivery.outbox import BY_TOKEN, Outbox, Unsure
from bot.delivery.pictures import UNSHRINKABLE, fit
from bot.delivery.reply import Reply, stem
from bot.delivery.routes import Fields, Route
from bot.delivery.translate import NoAccess, Refused
from bot.domain.jobs import Job
from bot.domain.sources import SPOILER
from bot.errors import ReplyLost
from bot.render.messages import MAX_FILES, Drawn, FileRef, RenderedMessage
from bot.store.base import ArtifactStore
from bot.ui.embeds import to_embed
from bot.ui.job_controls import controls_view

log = logging.getLogger(__name__)

#: Bytes of files in one request; more go in further edits.
REQUEST_BYTES = 20 * 1024 * 1024


class Editor:
    """Brings one state of a job into its message; raises `DeliveryError` and its kin."""

    def __init__(self, *, outbox: Outbox, artifacts: ArtifactStore, book: Book, clock: Clock) -> None:
        self._outbox = outbox
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
                wanted = {stem(ref.name) for ref in rendered.files}
                fields["attachments"] = [a for a in attached if stem(a.filename) in wanted] + uploads
            reply.attached = await route.edit(fields, first=job.over)
            reply.edited_at = self._clock.monotonic()
            if len(uploads) >= sum(map(reply.can_have, missing)):
                return

    async def add_files(self, reply: Reply, job: Job, rendered: RenderedMessage) -> None:
        """Send what the message has no room for behind it; what can't be sent is noted, and kept for `/jobs show`."""
        if not rendered.more_files or not job.over:
            return
        sent = [message for message in await self._outbox.sent(job.id) if message.files]
        waiting = {stem(ref.name): ref for ref in rendered.more_files}
        for message in sent:
            theirs = [waiting.pop(name) for name in message.files if name in waiting]
            if message.message_id is None:
                await self._add(reply, job, message.part, theirs)
        taken = {message.part.removesuffix(BY_TOKEN) for message in sent}
        numbers = (f"f{number}" for number in count(1) if f"f{number}" not in taken)
        while refs := [ref for ref in waiting.values() if reply.may_follow(ref)][:MAX_FILES]:
            for name in await self._add(reply, job, next(numbers), refs):
                del waiting[name]

    async def _add(self, reply: Reply, job: Job, part: str, refs: Sequence[FileRef]) -> list[str]:
        """Send the first of these files, as many as one message takes; returns which those were."""
        refs = [ref for ref in refs if reply.may_follow(ref)]
        uploads = await self.uploads(reply, job, refs)
        names = [stem(file.filename) for file in uploads]
        if not uploads:
            return names
        fields: Fields = {"files": uploads, "allowed_mentions": discord.AllowedMentions.none()}
        indices = {ref.name: ref.index for ref in refs if stem(ref.name) in names}
        try:
            await self._outbox.post(job, part, job.reply, fields, refers_to=job.reply.message_id)
        except (Refused, ReplyLost) as error:
            log.warning("no second message", extra={"action": "reply.cut", "job_id": job.id, "cause": str(error)})
            reply.cut |= indices
        except Unsure as error:
            log.warning("second message unsure", extra={"action": "reply.cut", "job_id": job.id, "cause": str(error)})
            reply.unsure |= indices
        return names

    async def post_rest(self, reply: Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Send the further parts of a long answer; False when that can't be: then the reply gets it as a file."""
        reply_id, noted = job.reply.message_id, partial(self._book.posted, job.id)
        if job.over and reply_id is not None:
            await noted(reply_id)
        try:
            for number, content in enumerate(rendered.more_content, start=1):
                fields: Fields = {"content": content, "allowed_mentions": discord.AllowedMentions.none()}
                await self._outbox.post(job, f"t{number}", job.reply, fields, refers_to=reply_id, then=noted)
        except (Refused, ReplyLost, Unsure) as error:
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
            name, hidden = f"{stem(ref.name)}.{extension}", ref.name.startswith(SPOILER)
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


def _has(attached: Sequence[discord.Attachment], ref: FileRef) -> bool:
    return any(stem(attachment.filename) == stem(ref.name) for attachment in attached)


def fields_of(rendered: RenderedMessage) -> Fields:
    """What an edit sets, but for the files."""
    return {
        "content": rendered.content or None,
        "embed": to_embed(rendered.embed) if rendered.embed else None,
        "view": controls_view(rendered.controls, rendered.job_id, rendered.menu),
        "allowed_mentions": discord.AllowedMentions.none(),
    }
