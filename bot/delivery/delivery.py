"""Delivery: keeps each job's reply showing its newest state, calmly, and its end for certain.

How it works
------------
`show` only notes a job's newest state. If the reply would then look different from what it shows, one task for that
reply starts, and lives until the reply is up to date: it waits out the gap between edits (unless the job is over),
takes the *newest* state, sends it, and looks again. So a burst of news becomes one edit, edits of one reply never
overlap, and the last state always goes out. While Discord does not answer, the same task goes on trying.

One edit is idempotent (`edits.py`), so trying again is always harmless. Before the end is told, the row is asked
whether it is still ours: a process that was paused for long must not speak for a job that another one has taken over.
Ends go before other edits where a channel's share of edits is used up.

The ladder: the interaction's token until minute 14, then the bot's own token by channel; where neither leads
anywhere (a private reply after 15 minutes) the end waits in the row until a press brings a new token. A message that is
deleted detaches the reply, never the job; its end gets a new message if its asker chose so (`notices.py`), and is kept
for `/jobs show` otherwise. A message older than an hour is edited once, at the end.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.edits import Editor, fields_of
from bot.delivery.notices import Notices
from bot.delivery.reply import Reply, file_notes
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import Refused, TooLarge
from bot.domain.jobs import Job, JobId
from bot.errors import DeliveryError, ReplyClosed, ReplyLost
from bot.render import Room, render_job
from bot.render.messages import RenderedMessage
from bot.services.ports import KnowsSources
from bot.services.waiting import event_or_timeout
from bot.store.base import ArtifactStore

log = logging.getLogger(__name__)

#: Least seconds between two edits of a reply, by its age in seconds.
GAPS = ((60.0, 2.0), (300.0, 5.0), (900.0, 10.0), (float("inf"), 20.0))
#: A message older than this is edited once more, at the end (Discord 30046), in seconds.
OLD = 3600.0
#: Discord told us a file was too large: next time it has to fit this share.
TIGHTER = 0.7
#: Below this share of the promised limit we stop trying to send files at all.
LEAST_SHARE = 0.05
LONGEST_BACKOFF = 30.0


class Delivery:
    """Shows jobs in their replies; see the module's text."""

    def __init__(
        self,
        *,
        routes: Routes,
        artifacts: ArtifactStore,
        sources: KnowsSources,
        book: Book,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self.routes = routes
        self._editor = Editor(routes=routes, artifacts=artifacts, book=book, clock=clock)
        self._sources = sources
        self._book = book
        self._notices = notices
        self._clock = clock
        self._replies: dict[JobId, Reply] = {}
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
        self._replies[job.id] = Reply(newest=job, shown=rendered, attached=[], edited_at=self._clock.monotonic())

    def show(self, job: Job) -> None:
        """Note a job's newest state and bring its reply up to date; older news than what is known is dropped."""
        reply = self._replies.get(job.id)
        if reply is None:
            if job.terminal or (job.reply.detached and not job.over):
                return
            reply = self._replies[job.id] = Reply(newest=job)
        if job.version < reply.newest.version:
            return
        reply.newest = job
        reply.fresh.set()
        self._start(reply)

    async def copy(self, job: Job, *, size_limit: int) -> Fields:
        """What a new message has to carry to show a job as it is now, with as many files as fit one request."""
        reply = Reply(newest=replace(job, reply=replace(job.reply, size_limit=size_limit)), alone=True)
        await self._learn(reply, job)
        rendered = self._render(reply, job)
        files = await self._editor.uploads(reply, reply.newest, rendered.files)
        return {name: value for name, value in fields_of(rendered).items() if value is not None} | {"files": files}

    def forget(self, job_id: JobId) -> None:
        """Stop keeping a reply up to date (its owner deleted it)."""
        reply = self._replies.pop(job_id, None)
        if reply is not None and reply.task is not None:
            reply.task.cancel()

    @property
    def replies(self) -> int:
        """How many replies are being kept up to date."""
        return len(self._replies)

    def _start(self, reply: Reply) -> None:
        if self._group is not None and reply.task is None and not self._closing:
            reply.task = self._group.create_task(self._task(reply), name=f"reply-{reply.newest.id}")

    async def _task(self, reply: Reply) -> None:
        try:
            while reply.fresh.is_set() and not self._closing:
                await self._keep_up(reply)
        except Exception:
            log.exception("a reply's task failed", extra={"action": "reply.failed", "job_id": reply.newest.id})
        finally:
            reply.task = None

    async def _keep_up(self, reply: Reply) -> None:
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

    def _render(self, reply: Reply, job: Job) -> RenderedMessage:
        notes = tuple(file_notes(reply, job))
        room = Room(can_post=not reply.alone, can_attach=not reply.bare)
        rendered = render_job(job, self._clock.now(), notes=notes, facts=reply.facts, room=room)
        files, more = (
            () if reply.bare else tuple(ref for ref in refs if reply.can_have(ref))
            for refs in (rendered.files, rendered.more_files)
        )
        return replace(rendered, files=files, more_files=more)

    async def _learn(self, reply: Reply, job: Job) -> None:
        """Find out what the source turned out to be: it is told once it was handed over."""
        if reply.facts is None and job.request.sources and (job.submitted_at or job.over):
            reply.facts = await self._sources.about(job.id)

    async def _up_to_date(self, job: Job) -> None:
        if job.over:
            if await self._notices.tell(job):
                await self._book.notified(job.id)
            await self._book.delivered(job.id, len(job.artifacts))
            self._replies.pop(job.id, None)

    def _wait(self, reply: Reply, job: Job) -> float:
        """Seconds until the next edit may go out; infinite where only the end is still to be told."""
        if job.over:
            return 0.0
        age = (self._clock.now() - (job.accepted_at or job.created_at)).total_seconds()
        if age > OLD:
            return float("inf")
        gap = next(gap for until, gap in GAPS if age < until)
        return max(0.0, reply.edited_at + gap - self._clock.monotonic())

    async def _try_edit(self, reply: Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Send it; True when nothing more is to be done for now."""
        if job.over and not await self._book.owned(job.id):
            self._replies.pop(job.id, None)
            return True
        try:
            route = await self.routes.choose(job.reply, reply.dead_tokens)
            if route is None:
                await self._park(job)
                return True
            await self._editor.edit(route, reply, job, rendered)
            await self._editor.add_files(reply, job, rendered)
            if not await self._editor.post_rest(reply, job, rendered):
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

    async def _refused(self, reply: Reply, job: Job, rendered: RenderedMessage, error: Refused) -> bool:
        """Try the words alone where files are not taken; what is refused even so is kept for a day, not thrown away."""
        about = {"action": "reply.refused", "job_id": job.id, "cause": str(error)}
        log.error("Discord refused a message", exc_info=error, extra=about)
        if rendered.files and not reply.bare:
            reply.bare = True
            return False
        reply.shown = rendered
        await self._park(job)
        return True

    async def _back_off(self, reply: Reply, job: Job, error: DeliveryError) -> None:
        reply.failures += 1
        reply.attached = None
        if reply.failures == 1:
            log.warning("an edit failed", extra={"action": "reply.retry", "job_id": job.id, "cause": str(error)})
        await self._clock.sleep(min(LONGEST_BACKOFF, 0.5 * 2 ** min(reply.failures, 6)))

    async def _park(self, job: Job) -> None:
        if job.over:
            log.info("waits to be collected", extra={"action": "reply.parked", "job_id": job.id})
            if await self._notices.tell(job, collect=True):
                await self._book.notified(job.id)
            await self._book.parked(job.id)
            self._replies.pop(job.id, None)

    async def _detach(self, reply: Reply, why: str) -> None:
        """Note that the reply is lost, and never call for it again (Discord bans who keeps calling a dead webhook)."""
        job = reply.newest
        known = bool(reply.lost or job.reply.detached)
        if not known:
            log.info("reply lost", extra={"action": "reply.detached", "job_id": job.id, "cause": why})
        reply.lost = why
        if job.over and await self._move(job, why):
            return
        if job.over or not known:
            await self._book.detached(job.id, why)
        if job.over:
            self._replies.pop(job.id, None)

    async def _move(self, job: Job, why: str) -> bool:
        """Give the end a new message where its asker chose to be told; False where it stays in the row."""
        address = await self._notices.new_reply(job, why)
        if address is None:
            return False
        moved = await self._book.moved(job.id, address)
        if moved is not None:
            log.info("reply moved", extra={"action": "reply.moved", "job_id": job.id})
            reply = self._replies[job.id] = Reply(newest=moved, attached=[])
            reply.fresh.set()
            self._start(reply)
        return True
