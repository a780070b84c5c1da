"""Delivery: keeps each job's reply showing its newest state, calmly, and its end for certain.

How it works
------------
`show` only notes a job's newest state. If the reply would then look different from what it shows, one task for that
reply starts, and lives until the reply is up to date: it waits out the gap between edits (unless the job is over),
takes the *newest* state, sends it, and looks again. So a burst of news becomes one edit, edits of one reply never
overlap, and the last state always goes out. While Discord does not answer, the same task goes on trying.

An edit is idempotent. Files are named `<job>-<index>.<ext>`, so what is attached already can be told from the message:
after a restart, and after an edit whose answer got lost, the message is read before files are added.

The ladder: the interaction's token until minute 14, then the bot's own token by channel; where neither leads
anywhere (a private reply after 15 minutes) the end waits in the row until a press brings a new token. A message that is
deleted detaches the reply, never the job.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import discord

from bot.clock import Clock
from bot.delivery.drawing import draw
from bot.delivery.pictures import fit
from bot.delivery.routes import Fields, Route, Routes
from bot.delivery.translate import NoAccess, Refused, TooLarge
from bot.domain.jobs import Job, JobId
from bot.domain.sources import SourceFacts
from bot.errors import DeliveryError, ReplyClosed, ReplyLost
from bot.render import Room, render_job
from bot.render.messages import Drawn, FileRef, RenderedMessage
from bot.services.ports import KnowsSources
from bot.services.waiting import event_or_timeout
from bot.store.base import ArtifactStore
from bot.ui.embeds import to_embed
from bot.ui.job_controls import controls_view

log = logging.getLogger(__name__)

#: Least seconds between two edits of a reply, by its age in seconds.
GAPS = ((60.0, 2.0), (300.0, 5.0), (900.0, 10.0), (float("inf"), 20.0))
#: A message older than this is edited once more, at the end (Discord 30046), in seconds.
OLD = 3600.0
#: Bytes of files in one request; more go in further edits.
REQUEST_BYTES = 20 * 1024 * 1024
#: Discord told us a file was too large: next time it has to fit this share.
TIGHTER = 0.7
#: Below this share of the promised limit we stop trying to send files at all.
LEAST_SHARE = 0.05
LONGEST_BACKOFF = 30.0


class Book(Protocol):
    """Where delivery notes what became of a reply."""

    async def delivered(self, job_id: JobId) -> None:
        """The reply shows the end."""
        ...

    async def posted(self, job_id: JobId, message_id: int) -> None:
        """A message shows (a part of) what the job brought."""
        ...

    async def detached(self, job_id: JobId, why: str) -> None:
        """Nobody can see the reply any more."""
        ...

    async def parked(self, job_id: JobId) -> None:
        """The end waits to be collected."""
        ...


@dataclass(slots=True)
class _Reply:
    """What is known of one reply."""

    newest: Job
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    shown: RenderedMessage | None = None
    #: None: unknown, read the message before files are added.
    attached: list[discord.Attachment] | None = None
    edited_at: float = float("-inf")
    failures: int = 0
    limit_share: float = 1.0
    #: Files are not taken here: words only.
    bare: bool = False
    #: Indices of files whose bytes are no longer kept.
    gone: set[int] = field(default_factory=set)
    #: Names of files that could not be drawn, or that are too large here and cannot be made smaller.
    left_out: set[str] = field(default_factory=set)
    #: What the job's source turned out to be, once that is known.
    facts: SourceFacts | None = None
    #: The second message, for what the first has no room for, was sent.
    continued: bool = False
    #: Further messages are not taken here.
    alone: bool = False
    #: How many parts of a long answer were sent after the first.
    parts: int = 0
    dead_tokens: set[str] = field(default_factory=set)
    #: Why nobody can see it any more; empty while somebody can.
    lost: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def size_limit(self) -> int:
        """Bytes a file may have here, as far as is known."""
        return int(self.newest.reply.size_limit * self.limit_share)

    def can_have(self, ref: FileRef) -> bool:
        """Whether there is something to attach for this."""
        return ref.index not in self.gone and ref.name not in self.left_out


class Delivery:
    """Shows jobs in their replies; see the module's text."""

    def __init__(
        self, *, routes: Routes, artifacts: ArtifactStore, sources: KnowsSources, book: Book, clock: Clock
    ) -> None:
        self.routes = routes
        self._sources = sources
        self._artifacts = artifacts
        self._book = book
        self._clock = clock
        self._replies: dict[JobId, _Reply] = {}
        self._group: asyncio.TaskGroup | None = None
        self._closing = False

    async def run(self) -> None:
        """Own the tasks of all replies, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for reply in self._replies.values():
                self._start(reply)
            await asyncio.Event().wait()

    async def close(self, seconds: float = 5.0) -> None:
        """Start no further edit, and let those in flight finish within `seconds` of real time."""
        self._closing = True
        tasks = [reply.task for reply in self._replies.values() if reply.task is not None]
        for reply in self._replies.values():
            reply.fresh.set()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def opened(self, job: Job, rendered: RenderedMessage) -> None:
        """Note what the acknowledgement showed, so that it is not sent again."""
        self._replies[job.id] = _Reply(newest=job, shown=rendered, attached=[], edited_at=self._clock.monotonic())

    def show(self, job: Job) -> None:
        """Note a job's newest state and bring its reply up to date; older news than what is known is dropped."""
        reply = self._replies.get(job.id)
        if reply is None:
            if job.terminal or (job.reply.detached and not job.over):
                return
            reply = self._replies[job.id] = _Reply(newest=job)
        if job.version < reply.newest.version:
            return
        reply.newest = job
        reply.fresh.set()
        self._start(reply)

    def forget(self, job_id: JobId) -> None:
        """Stop keeping a reply up to date (its owner deleted it)."""
        reply = self._replies.pop(job_id, None)
        if reply is not None and reply.task is not None:
            reply.task.cancel()

    @property
    def replies(self) -> int:
        """How many replies are being kept up to date."""
        return len(self._replies)

    def _start(self, reply: _Reply) -> None:
        if self._group is not None and reply.task is None and not self._closing:
            reply.task = self._group.create_task(self._task(reply), name=f"reply-{reply.newest.id}")

    async def _task(self, reply: _Reply) -> None:
        try:
            while reply.fresh.is_set() and not self._closing:
                await self._keep_up(reply)
        except Exception:
            log.exception("a reply's task failed", extra={"action": "reply.failed", "job_id": reply.newest.id})
        finally:
            reply.task = None

    async def _keep_up(self, reply: _Reply) -> None:
        """Bring the reply up to date with the newest state there is."""
        while not self._closing:
            reply.fresh.clear()
            job = reply.newest
            if reply.lost or job.reply.detached:
                await self._detach(reply, reply.lost or job.reply.detached)
                return
            await self._learn(reply, job)
            rendered = self._render(reply, job)
            if rendered == reply.shown:
                await self._up_to_date(job)
                return
            wait = self._wait(reply, job)
            if wait > 0:
                if wait == float("inf"):
                    return
                await event_or_timeout(reply.fresh, self._clock, wait)
            elif await self._try_edit(reply, job, rendered):
                return

    def _render(self, reply: _Reply, job: Job) -> RenderedMessage:
        notes = tuple(_file_notes(reply, job))
        room = Room(can_post=not reply.alone, can_attach=not reply.bare)
        rendered = render_job(job, self._clock.now(), notes=notes, facts=reply.facts, room=room)
        files, more = (
            () if reply.bare else tuple(ref for ref in refs if reply.can_have(ref))
            for refs in (rendered.files, rendered.more_files)
        )
        return replace(rendered, files=files, more_files=more)

    async def _learn(self, reply: _Reply, job: Job) -> None:
        """Find out what the source turned out to be: it is told once it was handed over."""
        if reply.facts is None and job.request.sources and (job.submitted_at or job.over):
            reply.facts = await self._sources.about(job.id)

    async def _up_to_date(self, job: Job) -> None:
        if job.over:
            await self._book.delivered(job.id)
            self._replies.pop(job.id, None)

    def _wait(self, reply: _Reply, job: Job) -> float:
        """Seconds until the next edit may go out; infinite where only the end is still to be told."""
        if job.over:
            return 0.0
        age = (self._clock.now() - (job.accepted_at or job.created_at)).total_seconds()
        if age > OLD:
            return float("inf")
        gap = next(gap for until, gap in GAPS if age < until)
        return max(0.0, reply.edited_at + gap - self._clock.monotonic())

    async def _try_edit(self, reply: _Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Send it; True when nothing more is to be done for now."""
        try:
            route = await self.routes.choose(job.reply, reply.dead_tokens)
            if route is None:
                await self._park(job)
                return True
            await self._edit(route, reply, job, rendered)
            await self._continue(reply, job, rendered)
            if not await self._post_rest(reply, job, rendered):
                return False
        except ReplyLost as error:
            await self._detach(reply, error.detail)
            return True
        except ReplyClosed:
            reply.dead_tokens.add(job.reply.token.get_secret_value())
            reply.attached = None
        except TooLarge as error:
            reply.limit_share *= TIGHTER
            reply.bare = reply.limit_share < LEAST_SHARE
            await self._back_off(reply, job, error)
        except Refused as error:
            return await self._refused(reply, job, rendered, error)
        except DeliveryError as error:
            await self._back_off(reply, job, error)
        else:
            reply.failures = 0
            reply.shown = rendered
            if self._render(reply, job) != rendered:
                return False
            # Noted at once and not at the next turn of the loop, which there is none of when we are to stop.
            await self._up_to_date(job)
            return job.over
        return False

    async def _refused(self, reply: _Reply, job: Job, rendered: RenderedMessage, error: Refused) -> bool:
        """Try the words alone where files are not taken; what is refused even so is kept for a day, not thrown away."""
        about = {"action": "reply.refused", "job_id": job.id, "cause": str(error)}
        log.error("Discord refused a message", exc_info=error, extra=about)
        if rendered.files and not reply.bare:
            reply.bare = True
            return False
        reply.shown = rendered
        await self._park(job)
        return True

    async def _back_off(self, reply: _Reply, job: Job, error: DeliveryError) -> None:
        reply.failures += 1
        reply.attached = None
        if reply.failures == 1:
            log.warning("an edit failed", extra={"action": "reply.retry", "job_id": job.id, "cause": str(error)})
        await self._clock.sleep(min(LONGEST_BACKOFF, 0.5 * 2 ** min(reply.failures, 6)))

    async def _park(self, job: Job) -> None:
        if job.over:
            log.info("waits to be collected", extra={"action": "reply.parked", "job_id": job.id})
            await self._book.parked(job.id)
            self._replies.pop(job.id, None)

    async def _detach(self, reply: _Reply, why: str) -> None:
        """Note that the reply is lost, and never call for it again (Discord bans who keeps calling a dead webhook)."""
        job = reply.newest
        if not reply.lost and not job.reply.detached:
            log.info("reply lost", extra={"action": "reply.detached", "job_id": job.id, "cause": why})
            await self._book.detached(job.id, why)
        elif job.over:
            await self._book.detached(job.id, why)
        reply.lost = why
        if job.over:
            self._replies.pop(job.id, None)

    # -- one edit -------------------------------------------------------------------------------------------------

    async def _edit(self, route: Route, reply: _Reply, job: Job, rendered: RenderedMessage) -> None:
        if rendered.files and reply.attached is None:
            try:
                reply.attached = await route.read()
            except (Refused, NoAccess):
                # It may not be read (no Read Message History), yet perhaps edited: then every file is sent anew.
                reply.attached = []
        while True:
            attached = reply.attached or []
            missing = [ref for ref in rendered.files if reply.can_have(ref) and not _has(attached, ref)]
            uploads = await self._uploads(reply, job, missing)
            fields = _fields(rendered)
            if uploads:
                wanted = {_stem(ref.name) for ref in rendered.files}
                fields["attachments"] = [a for a in attached if _stem(a.filename) in wanted] + uploads
            reply.attached = await route.edit(fields)
            reply.edited_at = self._clock.monotonic()
            if len(uploads) >= sum(map(reply.can_have, missing)):
                return

    async def _continue(self, reply: _Reply, job: Job, rendered: RenderedMessage) -> None:
        """Send what the message has no room for in a second one. Trying again is harmless: its nonce is the job's."""
        if not rendered.more_files or reply.continued or not job.over:
            return
        left, part = list(rendered.more_files), 0
        try:
            while left := [ref for ref in left if reply.can_have(ref)]:
                uploads = await self._uploads(reply, job, left)
                sent = {_stem(file.filename) for file in uploads}
                left, part = [ref for ref in left if _stem(ref.name) not in sent], part + 1
                if uploads:
                    await self.routes.follow_up(job.reply, uploads, nonce=f"{job.id}-{part}")
        except Refused as error:
            log.warning("no second message", extra={"action": "reply.cut", "job_id": job.id, "cause": str(error)})
        reply.continued = True

    async def _post_rest(self, reply: _Reply, job: Job, rendered: RenderedMessage) -> bool:
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
                sent = await self.routes.send(job.reply, nonce=nonce, refers_to=job.reply.message_id, fields=fields)
                await self._book.posted(job.id, sent.id)
                reply.parts = number
        except (Refused, ReplyLost) as error:
            log.info("no further messages here", extra={"action": "reply.alone", "job_id": job.id, "cause": str(error)})
            reply.alone = True
            return False
        return True

    async def _uploads(self, reply: _Reply, job: Job, missing: Sequence[FileRef]) -> list[discord.File]:
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
            files.append(discord.File(io.BytesIO(data), filename=f"{_stem(ref.name)}.{extension}"))
        return files

    async def _bytes_of(self, reply: _Reply, job: Job, ref: FileRef) -> bytes | None:
        """What to attach; None (and noted as such) where there is nothing that could be."""
        if ref.drawn is Drawn.ANSWER:
            return job.answer.text.encode() if job.answer is not None else None
        data = await self._artifacts.get(job.id, ref.index)
        if ref.drawn is not None:
            data = await asyncio.to_thread(draw, ref, job.forms, data)
        elif data is None:
            log.warning("a file's bytes are gone", extra={"action": "reply.no-bytes", "job_id": job.id})
            reply.gone.add(ref.index)
        elif ref.name.endswith(".svg") and len(data) > reply.size_limit:
            data = None  # nothing makes a drawing smaller; its preview is there
        if data is None:
            reply.left_out.add(ref.name)
        return data


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _has(attached: Sequence[discord.Attachment], ref: FileRef) -> bool:
    return any(_stem(attachment.filename) == _stem(ref.name) for attachment in attached)


def _fields(rendered: RenderedMessage) -> Fields:
    return {
        "content": rendered.content or None,
        "embed": to_embed(rendered.embed) if rendered.embed else None,
        "view": controls_view(rendered.controls, rendered.job_id, rendered.menu),
        "allowed_mentions": discord.AllowedMentions.none(),
    }


def _file_notes(reply: _Reply, job: Job) -> Iterator[str]:
    """Say what became of files that Discord does not take as they are, or that are no longer here."""
    files = [artifact for artifact in job.usable if artifact.has_file]
    if reply.bare and files:
        yield "Discord doesn't let me attach files here; ask for the permission **Attach Files**, then press **Again**."
        return
    if any(name.endswith(".svg") for name in reply.left_out):
        yield "The vector drawing is larger than Discord takes here; its preview has to do."
    if large := [str(a.index + 1) for a in files if a.size > reply.size_limit and a.extension != "svg"]:
        limit = f"{max(reply.size_limit / (1024 * 1024), 0.1):.2g} MB"
        yield f"{_numbered(large)} re-encoded or made smaller to fit Discord's limit of {limit} here."
    if gone := [str(index + 1) for index in sorted(reply.gone)]:
        yield f"{_numbered(gone)} kept for a while only: nothing is left of it here."


def _numbered(numbers: Sequence[str]) -> str:
    return f"File {numbers[0]} was" if len(numbers) == 1 else f"Files {', '.join(numbers)} were"
