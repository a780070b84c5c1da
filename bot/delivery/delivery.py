"""Delivery: keeps each job's reply showing its newest state, calmly, and its end for certain.

How it works
------------
`show` only notes a job's newest state. If the reply would then look different from what it shows, one task for that
reply starts, and lives until the reply is up to date: it waits out the gap between edits (unless the job is over),
takes the *newest* state, sends it, and looks again. So a burst of news becomes one edit, edits of one reply never
overlap, and the last state always goes out. While Discord does not answer, the same task goes on trying.

An edit may be repeated (`edits.py`), so it is tried until Discord takes it or refuses it for good. Messages beside the
reply may not, and have a durable mark each (`outbox.py`). Before each edit the row is asked whether it is still ours: a
process that was paused for long must not speak for a job that another one has taken over (it may, for the blink between
the question and the edit, and while the database does not answer). Where a channel's share of edits by the bot's token
is used up, ends go before other edits. A reply is edited at most once in two to twenty seconds while the job runs, by
its age; older than an hour, only once more, at the end.

The ladder
----------
1. The interaction's token, until its 14th minute or until Discord says that it is dead.
2. The bot's own token, by channel and message id, where it can see the reply (no private ones).
3. Where its thread was archived, that is opened again for the end; where that can't be, a new message that answers it.
4. Else the end waits in the row for a day: a private reply has 📬 Collect from the start, a press brings a new token.
   What Discord refuses however it is put waits as well, for `/jobs show`; a day later it is tried once more.

A message that is deleted, or in a channel that is lost, detaches the reply, never the job. Its end is kept for
`/jobs show`; whoever chose so is told, or has it in a direct message (`notices.py`).
"""

from __future__ import annotations

import asyncio
import logging

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.drafting import Copies, Drafts
from bot.delivery.edits import Editor
from bot.delivery.notices import Notices
from bot.delivery.outbox import Outbox
from bot.delivery.pace import wait_after, wait_for
from bot.delivery.reply import Reply
from bot.delivery.routes import Route, Routes
from bot.delivery.translate import Frozen, Refused, TooLarge
from bot.domain.jobs import Job, JobId
from bot.domain.replies import ReplyAddress
from bot.errors import DeliveryError, JobGone, ReplyClosed, ReplyLost, StaleJob, StoreError
from bot.render.messages import RenderedMessage
from bot.services.ports import KnowsSources
from bot.services.waiting import event_or_timeout
from bot.store.base import ArtifactStore

log = logging.getLogger(__name__)

#: Discord told us a file was too large: next time it has to fit this share.
TIGHTER = 0.7
#: Below this share of the promised limit we stop trying to send files at all.
LEAST_SHARE = 0.05
#: So often what nobody thought of is tried again before the end is parked.
SURPRISES = 3
#: This often it is asked whether the jobs of all replies are still ours, in seconds.
SWEEP = 600.0


class Delivery:
    """Shows jobs in their replies; see the module's text."""

    def __init__(
        self,
        *,
        routes: Routes,
        artifacts: ArtifactStore,
        sources: KnowsSources,
        book: Book,
        outbox: Outbox,
        notices: Notices,
        clock: Clock,
        engines: bool = False,
    ) -> None:
        """Take the parts; `engines`: whether those of OSAIS are offered."""
        self.routes = routes
        self._editor = Editor(outbox=outbox, artifacts=artifacts, book=book, clock=clock)
        self._drafts = Drafts(sources, clock, engines=engines)
        self.copies = Copies(self._drafts, self._editor)
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
            while True:
                await self._clock.sleep(SWEEP)
                await self._sweep()

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
        now = self._clock.monotonic()
        self._replies[job.id] = Reply(newest=job, shown=rendered, complete=rendered, attached=[], edited_at=now)

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

    def forget(self, job_id: JobId) -> None:
        """Stop keeping a reply up to date (its owner deleted it)."""
        reply = self._replies.pop(job_id, None)
        if reply is not None and reply.task is not None:
            reply.task.cancel()

    @property
    def replies(self) -> int:
        """How many replies are being kept up to date."""
        return len(self._replies)

    async def _sweep(self) -> None:
        """Keep nothing of jobs that other processes have taken over, however quiet their replies are."""
        for reply in [reply for reply in self._replies.values() if reply.task is None]:
            if not await self._book.owned(reply.newest.id):
                self._let_go(reply)

    def _start(self, reply: Reply) -> None:
        if self._group is not None and reply.task is None and not self._closing:
            reply.task = self._group.create_task(self._task(reply), name=f"reply-{reply.newest.id}")

    async def _task(self, reply: Reply) -> None:
        try:
            while reply.fresh.is_set() and self._replies.get(reply.newest.id) is reply and not self._closing:
                await self._keep_up(reply)
        except Exception:
            log.exception("a reply's task failed", extra={"action": "reply.failed", "job_id": reply.newest.id})
        finally:
            reply.task = None

    async def _keep_up(self, reply: Reply) -> None:
        """Bring the reply up to date with the newest state there is, however often that takes trying."""
        while not self._closing:
            reply.fresh.clear()
            try:
                if await self._step(reply, reply.newest):
                    return
            except (StaleJob, JobGone):
                log.info("job is somebody else's", extra={"action": "job.stale", "job_id": reply.newest.id})
                self._let_go(reply)
                return
            except (DeliveryError, StoreError) as error:
                await self._back_off(reply, error)
            except Exception as error:
                about = {"action": "reply.failed", "job_id": reply.newest.id}
                log.exception("unexpected error in a reply", extra=about)
                reply.surprises += 1
                if reply.surprises >= SURPRISES:
                    await self._give_up(reply)
                    return
                await self._back_off(reply, error)

    async def _give_up(self, reply: Reply) -> None:
        """Let the end wait for a day, or for a press; other news are left out, and the next are tried again."""
        reply.surprises = 0
        if reply.newest.over:
            await self._book.parked(reply.newest.id)
            self._let_go(reply)

    async def _step(self, reply: Reply, job: Job) -> bool:
        """Do what is next; True when nothing is to be done for now. Raises `DeliveryError` to be called again."""
        if reply.lost or job.reply.detached:
            await self._detach(reply, job, reply.lost or job.reply.detached)
            return True
        if reply.frozen and await self._move(job, await self._notices.beside(job), told=False):
            return True
        await self._drafts.learn(reply, job)
        rendered = self._drafts.render(reply, job)
        if reply.frozen or rendered == reply.refused:
            await self._park(reply, job)
            return True
        if rendered == reply.shown == reply.complete:
            await self._up_to_date(reply, job)
            return True
        wait = wait_for(reply, job, self._clock.now(), self._clock.monotonic())
        if wait == 0:
            return await self._bring(reply, job, rendered)
        if wait < float("inf"):
            await event_or_timeout(reply.fresh, self._clock, wait)
        return wait == float("inf")

    async def _bring(self, reply: Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Send this state; True when nothing more is to be done for now. Raises `DeliveryError` to be called again."""
        if not await self._book.owned(job.id):
            self._let_go(reply)
            return True
        try:
            route = await self.routes.choose(job.reply, reply.dead_tokens)
            if route is None:
                await self._park(reply, job)
                return True
            if not await self._send(route, reply, job, rendered):
                return False
        except ReplyLost as error:
            log.info("reply lost", extra={"action": "reply.detached", "job_id": job.id, "cause": error.detail})
            reply.lost = error.detail
        except ReplyClosed:
            reply.dead_tokens.add(job.reply.token.get_secret_value())
            reply.attached = None
        except TooLarge:
            reply.limit_share *= TIGHTER
            reply.bare = reply.limit_share < LEAST_SHARE
            raise
        except Frozen as error:
            if not job.over or reply.unarchived or not await self.routes.unarchive(job.reply):
                self._refused(reply, job, rendered, error)
            reply.unarchived = job.over
        except Refused as error:
            self._refused(reply, job, rendered, error)
        else:
            # Noted at once and not at the next turn of the loop, which there is none of when we are to stop.
            await self._up_to_date(reply, job)
            return job.over
        return False

    async def _send(self, route: Route, reply: Reply, job: Job, rendered: RenderedMessage) -> bool:
        """Edit the message and send what belongs beside it; False when another state is to be shown because of it."""
        if reply.shown != rendered:
            reply.shown = None  # not known until Discord has answered
            await self._editor.edit(route, reply, job, rendered)
            reply.shown = rendered
        await self._editor.add_files(reply, job, rendered)
        if not await self._editor.post_rest(reply, job, rendered):
            return False
        reply.failures = reply.surprises = 0
        reply.complete = rendered
        return self._drafts.render(reply, job) == rendered

    def _refused(self, reply: Reply, job: Job, rendered: RenderedMessage, error: Refused) -> None:
        """Try the words alone where files are not taken; what is refused even so is not sent again."""
        about = {"action": "reply.refused", "job_id": job.id, "cause": str(error)}
        log.error("Discord refused a message", exc_info=error, extra=about)
        if isinstance(error, Frozen) and job.over:
            reply.frozen = True
        elif rendered.files and not reply.bare and not isinstance(error, Frozen):
            reply.bare = True
        else:
            reply.refused = rendered

    async def _back_off(self, reply: Reply, error: Exception) -> None:
        reply.failures += 1
        reply.attached = None
        if reply.failures == 1:
            about = {"action": "reply.retry", "job_id": reply.newest.id, "cause": str(error)}
            log.warning("a reply is not up to date yet", extra=about)
        await self._clock.sleep(wait_after(reply.failures, error))

    async def _up_to_date(self, reply: Reply, job: Job) -> None:
        if job.over:
            if await self._notices.tell(job):
                await self._book.notified(job.id)
            await self._book.delivered(job.id, len(job.artifacts))
            self._let_go(reply)

    async def _park(self, reply: Reply, job: Job) -> None:
        """Leave the end in the row, and the reply as it is."""
        if job.over:
            log.info("waits to be collected", extra={"action": "reply.parked", "job_id": job.id})
            if await self._notices.tell(job, collect=True):
                await self._book.notified(job.id)
            await self._book.parked(job.id)
            self._let_go(reply)

    async def _detach(self, reply: Reply, job: Job, why: str) -> None:
        """Note that the reply is lost, and never call for it again (Discord bans who keeps calling a dead webhook)."""
        if job.over and await self._move(job, await self._notices.new_reply(job, why), told=True):
            return
        if job.over or not job.reply.detached:
            await self._book.detached(job.id, why)
        if job.over:
            self._let_go(reply)

    async def _move(self, job: Job, address: ReplyAddress | None, *, told: bool) -> bool:
        """Go on showing the end in another message; False where there is none."""
        if address is None:
            return False
        moved = await self._book.moved(job.id, address, told=told)
        self._replies.pop(job.id, None)
        if moved is not None:
            log.info("reply moved", extra={"action": "reply.moved", "job_id": job.id})
            reply = self._replies[job.id] = Reply(newest=moved, attached=[])
            reply.fresh.set()
            self._start(reply)
        return True

    def _let_go(self, reply: Reply) -> None:
        """Stop keeping a reply whose job is over or somebody else's, unless there is news of it already."""
        if not reply.fresh.is_set():
            self._replies.pop(reply.newest.id, None)
