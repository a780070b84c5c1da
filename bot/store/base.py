"""The ports of storage: what the services may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from bot.domain.callbacks import Callback
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.preferences import Notify

#: A pure change of a job; returning the same value means there is nothing to write.
Change = Callable[[Job], Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class InWork:
    """How much one person has in work at one provider."""

    provider: str
    asker_id: int
    jobs: int
    #: Parts that no worker has taken yet.
    waiting: int


class JobStore(Protocol):
    """Jobs as rows. A row has an owner process and a version; only its owner changes it, the mailbox columns aside.

    Writes that wait together commit together. Times are aware UTC.
    """

    async def add(self, job: Job, *, at_most: int | None = None) -> None:
        """Insert a new job (its `owner` set by the caller).

        Raises `DuplicateJob` for a known interaction, and `TooManyJobs` when its asker has `at_most` open ones already.
        """
        ...

    async def get(self, job_id: JobId) -> Job | None:
        """The job as written, or None."""
        ...

    async def change(self, job_id: JobId, owner: ProcessId, change: Change) -> Job:
        """Read, change, and write one row in one transaction; an equal value is not written.

        Returns the row as it is afterwards. Raises `StaleJob` when `owner` does not own it, `JobGone` when there is
        none.
        A nudge that arrived since the row was leased keeps `due_at` at the nudge. Raises `DuplicateRemote` when the row
        would get a number that another job in work has at its provider.
        """
        ...

    async def lease(
        self,
        owner: ProcessId,
        *,
        now: datetime,
        stale_before: datetime,
        limit: int,
        in_hand: Collection[JobId] = (),
        urgent: bool = False,
    ) -> Sequence[Job]:
        """Take due, accepted jobs in one statement: urgent ones first, then the earliest.

        Mine, nobody's, and those of processes not heard of since `stale_before`. Each gets `owner`, and
        `due_at = now + cadence` so that nobody takes it twice. Urgent is what has news (a press, a call of the
        service), and what no provider has yet or any more; with `urgent` nothing else is taken. Jobs `in_hand` are left
        out unless there is news of them.
        """
        ...

    async def next_due(
        self, owner: ProcessId, *, stale_before: datetime, in_hand: Collection[JobId] = ()
    ) -> datetime | None:
        """When `lease` would next find something, or None."""
        ...

    async def request_cancel(self, job_id: JobId, now: datetime) -> bool:
        """Ask whoever owns the job to cancel it, now; False when it is unknown or over."""
        ...

    async def nudge(self, job_id: JobId, now: datetime) -> bool:
        """Ask whoever owns the job to look at it now; False when it is unknown or ended."""
        ...

    async def renew_reply(
        self, job_id: JobId, *, application_id: int, token: SecretStr, until: datetime, now: datetime
    ) -> bool:
        """Give the reply a fresh interaction token and have whoever owns the job look at it now; False when it ended.

        Whose process the press reached does not matter.
        """
        ...

    async def reopen(
        self,
        job_id: JobId,
        *,
        message_id: int | None,
        application_id: int,
        token: SecretStr,
        until: datetime,
        now: datetime,
    ) -> bool:
        """Take up a job that was closed as never acknowledged: its reply is there after all, with this fresh token.

        False when it is unknown, or was not closed like that.
        """
        ...

    async def detach_reply(self, job_id: JobId, why: str, now: datetime) -> bool:
        """Note, whoever owns the job, that nobody can see its reply any more; False when it is unknown or ended."""
        ...

    async def unaccepted(self, owner: ProcessId, *, stale_before: datetime) -> Sequence[Job]:
        """Take over rows written but never noted as acknowledged: mine, nobody's, and those of dead processes.

        Rows of this very incarnation that are younger than `stale_before` are left alone.
        """
        ...

    async def find_by_remote(self, provider: str, remote_id: str) -> Job | None:
        """The job behind a provider's id."""
        ...

    async def ended_since(
        self, provider: str, owner: ProcessId, since: datetime, *, stale_before: datetime
    ) -> Sequence[Job]:
        """Take over the jobs of a provider that got their result since then, oldest first.

        Mine, nobody's, and those of processes not heard of since `stale_before`.
        """
        ...

    async def known_remote_ids(self, provider: str, among: Collection[str]) -> frozenset[str]:
        """Those of the remote ids that belong to jobs which are kept."""
        ...

    async def history(self, asker_id: int, *, limit: int, under_way: bool = False) -> Sequence[Job]:
        """A person's jobs, or those of them that are not over, newest first."""
        ...

    async def in_work(self, *, without: Collection[JobId] = ()) -> Sequence[InWork]:
        """Who has how much at which provider, or on the way to it, leaving some jobs out.

        What cannot be read is in nobody's work once a lease has found it so.
        """
        ...

    async def resume(self, owner: ProcessId, *, providers: Collection[str], now: datetime) -> int:
        """Make the owner's jobs due that wait for these providers' service to answer; returns how many."""
        ...

    async def purge(self, *, before: datetime, limit: int = 500) -> int:
        """Delete jobs, with what they brought, that were done with before then; returns how many (at most `limit`)."""
        ...


class ProcessStore(Protocol):
    """One heartbeat row for each running process."""

    async def enter(self, process: ProcessId, *, host: str, pid: int, now: datetime) -> None:
        """Write the row; the jobs of this host's former processes that are surely dead are free, and due, at once."""
        ...

    async def beat(self, process: ProcessId, now: datetime) -> None:
        """Say that the process is alive."""
        ...

    async def leave(self, process: ProcessId, now: datetime) -> None:
        """Remove the row: its jobs are free, and due, at once."""
        ...


class ArtifactStore(Protocol):
    """Bytes of results, kept until delivered and up to a day after, under a total cap."""

    async def put(self, job_id: JobId, index: int, data: bytes, *, owner: ProcessId, now: datetime) -> str:
        """Keep the bytes; returns their sha256. Repeating it is harmless.

        Raises `StaleJob` when `owner` does not own the job (any more).
        """
        ...

    async def get(self, job_id: JobId, index: int) -> bytes | None:
        """The bytes, or None when they are gone."""
        ...

    async def purge(self, *, now: datetime) -> int:
        """Delete what was delivered long ago, and the oldest delivered ones over the cap; returns how many."""
        ...


class InboxStore(Protocol):
    """What services told us by calling us: durable before the call is acknowledged, read by whoever owns the job.

    Calls for requests that no job is known to have made (yet) are kept briefly and within limits.
    """

    async def put(self, callback: Callback, data: bytes | None = None) -> bool:
        """Write a call down, with an upload's bytes.

        False when there is nothing to write: the very same was there already (same notice, or same bytes for the same
        request), or its job got its result too long ago. Of calls for requests that nobody is known to have made, the
        oldest make room. Raises `InboxFull` when there are too many for one job.
        """
        ...

    async def of(self, provider: str, remote_id: str) -> Sequence[Callback]:
        """The calls about one request, in the order they came."""
        ...

    async def files_since(self, provider: str, since: datetime) -> frozenset[str]:
        """The requests that a file came for since then."""
        ...

    async def content(self, callback_id: int) -> bytes | None:
        """An upload's bytes, or None when they are gone."""
        ...

    async def purge(self, *, now: datetime) -> int:
        """Delete what nobody will ask for any more; returns how many."""
        ...


class PreferenceStore(Protocol):
    """What people chose for themselves."""

    async def notify_of(self, user_id: int) -> Notify:
        """How a person wants to be told of a late answer; who never chose does not."""
        ...

    async def set_notify(self, user_id: int, notify: Notify) -> None:
        """Keep a person's choice."""
        ...


class StateStore(Protocol):
    """Small facts that outlive a process ("hash of the commands synced last")."""

    async def read(self, key: str) -> str | None:
        """The value, or None."""
        ...

    async def write(self, key: str, value: str, *, until: datetime | None = None) -> None:
        """Keep the value; from `until` on it may be forgotten."""
        ...

    async def forget(self, key: str) -> None:
        """Delete the value, if there is one."""
        ...

    async def purge(self, *, now: datetime) -> int:
        """Delete what was to be kept until now; returns how many."""
        ...

    async def take_turn(self, key: str, *, now: datetime, apart: timedelta) -> datetime:
        """Give the caller the next moment that is at least `apart` after the last one given, whoever got that."""
        ...

    async def keep_first(self, key: str, value: str) -> str:
        """Keep the value unless there is one already, whoever wrote it; returns the one that is kept."""
        ...
