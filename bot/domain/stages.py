"""Where a job can be, and where it can go from there: the only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Where a job is; the words are the ones in the database and in the logs."""

    #: Written down here, not yet handed to the provider.
    QUEUED = "queued"
    #: About to be handed over; a row found in this stage after a crash may or may not exist remotely.
    SUBMITTING = "submitting"
    #: The provider has it; no worker has taken any part of it yet.
    WAITING = "waiting"
    #: At least one part is, or has been, at a worker.
    PROCESSING = "processing"
    #: The result is known and kept; the reply does not show it yet.
    DELIVERING = "delivering"
    #: The reply shows the end (or nobody can see the reply any more).
    ENDED = "ended"


#: Allowed moves. A faulted part goes back to the Horde's queue without taking the whole job back to WAITING. A job
#: whose request is over and brought nothing usable may get another one, which begins in our own queue.
NEXT: Mapping[Stage, frozenset[Stage]] = MappingProxyType(
    {
        Stage.QUEUED: frozenset({Stage.SUBMITTING, Stage.DELIVERING, Stage.ENDED}),
        Stage.SUBMITTING: frozenset({Stage.QUEUED, Stage.WAITING, Stage.PROCESSING, Stage.DELIVERING}),
        Stage.WAITING: frozenset({Stage.QUEUED, Stage.PROCESSING, Stage.DELIVERING}),
        Stage.PROCESSING: frozenset({Stage.QUEUED, Stage.DELIVERING}),
        Stage.DELIVERING: frozenset({Stage.ENDED}),
        Stage.ENDED: frozenset(),
    }
)

#: Nothing follows these.
TERMINAL = frozenset(stage for stage, following in NEXT.items() if not following)

#: The provider may hold work of ours in these.
REMOTE = frozenset({Stage.WAITING, Stage.PROCESSING})


def may_follow(current: Stage, following: Stage) -> bool:
    """Tell whether a job may go from `current` to `following`; staying is not a move."""
    return following in NEXT[current]
