"""A snapshot of how far a job is, and which differences between two snapshots are worth telling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.stages import Stage

#: A position or an ETA that moved by less than this is not shown.
NOTICEABLE = 0.20
#: An ETA that moved by less than this many seconds is not shown either, however close it is.
SOON = 10.0
#: Nor one that slips away by less than this share of the time already waited.
SLIPPING = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class PartProgress:
    """How far one named part of a request is."""

    name: str
    #: The provider's word: waiting, processing, done, faulted, cancelled.
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a provider says of a job right now."""

    #: WAITING or PROCESSING.
    stage: Stage
    #: Parts not taken, at a worker, delivered.
    waiting: int = 0
    processing: int = 0
    finished: int = 0
    #: Parts that a worker gave up and that went back to the queue.
    restarted: int = 0
    #: 1 is next; None when unknown or meaningless.
    queue_position: int | None = None
    #: When the end is expected.
    ends_at: datetime | None = None
    #: The expectation moved away noticeably since the last snapshot.
    queue_moved: bool = False
    #: False when no online worker could do it.
    possible: bool = True
    #: Since when it has been impossible.
    impossible_since: datetime | None = None
    #: Kudos consumed so far; None when not told.
    kudos: float | None = None
    #: Nothing more will come: the end test of the provider holds.
    over: bool = False
    #: The provider gave the request up.
    faulted: bool = False
    #: How far each named part is (alchemy's forms), in the request's order.
    parts: tuple[PartProgress, ...] = ()
    #: What the provider itself says it is doing, in a few plain words; empty when it says nothing.
    note: str = ""
    #: The provider's own word for how far it is, where it has more of them than there are stages here.
    step: str = ""
    #: When news last came, where the provider sends news by itself.
    heard_at: datetime | None = None
    #: Since when.
    over_since: datetime | None = None
    #: Since when anything is known of it.
    since: datetime | None = None
    #: First time nothing was waiting or processing although the provider had not said "done".
    quiet_since: datetime | None = None


def steady(previous: Progress | None, news: Progress, now: datetime) -> Progress:
    """Damp `news` so that it equals `previous` unless a person would want to know the difference.

    Counts never run backwards, positions and ETAs keep their shown value until they moved noticeably.
    """
    impossible_since = None
    if not news.possible and not news.over:
        impossible_since = (previous.impossible_since if previous else None) or now
    over_since = ((previous.over_since if previous else None) or now) if news.over else None
    if previous is None:
        return replace(news, since=now, impossible_since=impossible_since, over_since=over_since)
    ends_at, queue_moved = _steady_end(previous, news, now)
    return replace(
        news,
        since=previous.since,
        stage=Stage.PROCESSING if previous.stage is Stage.PROCESSING else news.stage,
        finished=max(previous.finished, news.finished),
        restarted=max(previous.restarted, news.restarted),
        queue_position=_steady_position(previous.queue_position, news.queue_position),
        ends_at=ends_at,
        queue_moved=queue_moved,
        impossible_since=impossible_since,
        over_since=over_since,
        kudos=news.kudos if news.kudos is not None else previous.kudos,
    )


def _steady_position(shown: int | None, told: int | None) -> int | None:
    if shown is None or told is None or told <= 1:
        return told
    return shown if abs(told - shown) < NOTICEABLE * shown else told


def _steady_end(previous: Progress, news: Progress, now: datetime) -> tuple[datetime | None, bool]:
    if previous.ends_at is None or news.ends_at is None:
        return news.ends_at, False
    # Where nobody works on it the end is forever ten seconds away: told ever more seldom the longer that goes on.
    age = (now - previous.since).total_seconds() if previous.since else 0.0
    left = (previous.ends_at - now).total_seconds()
    tolerance = timedelta(seconds=max(SOON, NOTICEABLE * left, SLIPPING * age))
    if abs(news.ends_at - previous.ends_at) <= tolerance:
        return previous.ends_at, previous.queue_moved
    return news.ends_at, news.ends_at > previous.ends_at
