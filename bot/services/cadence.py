"""When to look at a job next: often when it is nearly done, seldom when it is far away."""

from __future__ import annotations

import random
from datetime import datetime

from bot.domain.conversation import TextRequest
from bot.domain.engines import GRACE, SETTLE, Step
from bot.domain.jobs import EngineJob, Job, is_alchemy, is_engine

#: Seconds after submission until the first look.
FIRST_LOOK = 1.5
SHORTEST, LONGEST = 2.0, 20.0
#: For texts, which have no cheap check: their whole status may be asked for 60 times a minute (server 5.1.5).
SHORTEST_TEXT, LONGEST_TEXT = 3.0, 10.0
#: For alchemy, of which nobody tells when it will be done: ever rarer, by this share of its age.
LONGEST_ALCHEMY, OF_ITS_AGE = 10.0, 0.1
#: For engines that nothing is heard of, in seconds.
LONGEST_ENGINE = 15.0
#: Below this many seconds to go, look every second (the Horde's own cache lives that long).
NEARLY_DONE = 5.0
#: Where the service calls when there is news: looks are for what its calls do not tell, and for lost ones.
SHORTEST_PUSHED, LONGEST_PUSHED = 10.0, 180.0
#: A request whose answer was lost is looked for after so many seconds, then ever more seldom: after this share of the
#: time since it left.
SHORTEST_SEARCH, LONGEST_SEARCH, OF_THE_SEARCH = 5.0, 60.0, 0.25
#: Longest wait between two probes of a service that does not answer, in seconds.
LONGEST_PROBE = 30.0
#: Looks are spread by this share, so that jobs of one moment do not stay in step.
JITTER = 0.1


def until_next_look(job: Job, now: datetime, rng: random.Random, *, pushed: bool = False) -> float:
    """Seconds until the job is worth another look; with `pushed` its service calls when there is news."""
    if is_engine(job):
        return _until_next_of_engine(job, now)
    ends_at = job.progress.ends_at if job.progress else None
    if pushed:
        left = (ends_at - now).total_seconds() if ends_at else 0.0
        seconds = min(max(left / 2, SHORTEST_PUSHED), LONGEST_PUSHED)
    elif isinstance(job.request, TextRequest):
        seconds = _until_next_text(ends_at, now)
    elif is_alchemy(job):
        age = (now - (job.submitted_at or now)).total_seconds()
        seconds = min(max(OF_ITS_AGE * age, SHORTEST), LONGEST_ALCHEMY)
    elif ends_at is None:
        seconds = SHORTEST
    else:
        left = (ends_at - now).total_seconds()
        seconds = 1.0 if left < NEARLY_DONE else min(max(left / 2, SHORTEST), LONGEST)
    return seconds * (1 + JITTER * rng.uniform(-1, 1))


def _until_next_of_engine(job: EngineJob, now: datetime) -> float:
    """Calls make it due at once; else it is looked at after half of the silence, and when a wait for files ends."""
    progress = job.progress
    heard_at = (progress.heard_at if progress else None) or job.submitted_at or now
    silence = (now - heard_at).total_seconds()
    seconds = min(max(silence / 2, SHORTEST), LONGEST_ENGINE)
    step = Step(progress.step) if progress and progress.step else Step.SENT
    if not step.ended or progress is None:
        return seconds
    complete = step is Step.FAILED or progress.finished >= job.request.expected
    left = (SETTLE if complete else GRACE).total_seconds() - silence
    return max(0.3, min(left, seconds)) if left > 0 else seconds


def _until_next_text(ends_at: datetime | None, now: datetime) -> float:
    """Look steadily at first: what the Horde expects of a text is often wildly too long."""
    if ends_at is None:
        return SHORTEST_TEXT
    return min(max((ends_at - now).total_seconds() / 4, SHORTEST_TEXT), LONGEST_TEXT)


def until_next_probe(failures: int, rng: random.Random) -> float:
    """Seconds until a service that was silent so often in a row is asked again: 2, 4, 8, 16, 30, spread."""
    return min(LONGEST_PROBE, 2.0 * float(1 << min(max(failures - 1, 0), 5))) * (1 + JITTER * rng.uniform(-1, 1))


def until_next_search(job: Job, now: datetime) -> float:
    """Seconds until a request whose answer was lost is looked for again."""
    searched = (now - (job.attempted_at or now)).total_seconds()
    return min(max(OF_THE_SEARCH * searched, SHORTEST_SEARCH), LONGEST_SEARCH)


def patience(job: Job, now: datetime) -> float:
    """Seconds until something out of reach is tried again: about a third of the time it already waited."""
    held = (now - job.held_since).total_seconds() if job.held_since else 0.0
    return min(max(held / 3, 2.0), 30.0)
