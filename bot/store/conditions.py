"""Which jobs are meant: the conditions that several statements share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, text, true

from bot.domain.jobs import JobId, ProcessId
from bot.domain.stages import REMOTE, TERMINAL, Stage
from bot.store.tables import IS_OPEN, IS_URGENT, jobs, processes

#: Stages in which something is left to do.
OPEN: Final = tuple(stage.value for stage in Stage if stage not in TERMINAL)
#: Stages in which a provider has the job.
AT_PROVIDER: Final = tuple(stage.value for stage in REMOTE)

#: Somebody wrote into the mailbox what no lease has seen yet.
HAS_NEWS: Final = jobs.c.nudges > jobs.c.seen_nudges
#: Accepted, and never to be looked at although it is open: nobody can read it (see leases.py).
SET_ASIDE: Final = and_(jobs.c.stage.in_(OPEN), jobs.c.accepted_at.is_not(None), jobs.c.due_at.is_(None))
#: Not over, as far as anybody can tell.
UNDER_WAY: Final = and_(
    jobs.c.stage.in_(OPEN), jobs.c.result.is_(None), or_(jobs.c.due_at.is_not(None), jobs.c.accepted_at.is_(None))
)
#: There is news, or what is to be done does not wait for a provider's pace of questions.
URGENT: Final = text(IS_URGENT)
NOT_URGENT: Final = text(f"NOT {IS_URGENT}")
#: The same as a stage in `OPEN`, for those who look for few of many open rows by another index than that of stages.
STILL_OPEN: Final = text(IS_OPEN)


def free_for(owner: ProcessId, stale_before: datetime) -> ColumnElement[bool]:
    """Mine, nobody's, or a process's that was not heard of lately (or that has no row any more)."""
    alive = select(processes.c.id).where(processes.c.beat_at >= stale_before)
    return or_(jobs.c.owner == owner, jobs.c.owner.is_(None), jobs.c.owner.not_in(alive))


def leasable(owner: ProcessId, stale_before: datetime, in_hand: Collection[JobId]) -> ColumnElement[bool]:
    """What may be looked at once it is due; of what is `in_hand`, only that which there is news of."""
    theirs = and_(STILL_OPEN, jobs.c.accepted_at.is_not(None), free_for(owner, stale_before))
    return and_(theirs, or_(HAS_NEWS, jobs.c.id.not_in(in_hand)) if in_hand else true())
