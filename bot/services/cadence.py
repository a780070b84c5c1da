"""When to look at a job next: often when it is nearly done, seldom when it is far away."""

from __future__ import annotations

import random
from datetime import datetime

from bot.domain.conversation import TextRequest
from bot.domain.jobs import Job

#: Seconds after submission until the first look.
FIRST_LOOK = 1.5
SHORTEST, LONGEST = 2.0, 20.0
#: For texts, which have no cheap check: their whole status may be asked for 60 times a minute (server 5.1.5).
SHORTEST_TEXT, LONGEST_TEXT = 3.0, 10.0
#: Below this many seconds to go, look every second (the Horde's own cache lives that long).
NEARLY_DONE = 5.0
#: Longest wait between two tries to reach a service that does not answer, in seconds.
PATIENCE = 60.0
#: Looks are spread by this share, so that jobs of one moment do not stay in step.
JITTER = 0.1


def until_next_look(job: Job, now: datetime, rng: random.Random) -> float:
    """Seconds until the job is worth another look."""
    ends_at = job.progress.ends_at if job.progress else None
    if isinstance(job.request, TextRequest):
        seconds = _until_next_text(ends_at, now)
    elif ends_at is None:
        seconds = SHORTEST
    else:
        left = (ends_at - now).total_seconds()
        seconds = 1.0 if left < NEARLY_DONE else min(max(left / 2, SHORTEST), LONGEST)
    return seconds * (1 + JITTER * rng.uniform(-1, 1))


def _until_next_text(ends_at: datetime | None, now: datetime) -> float:
    """Look steadily at first: what the Horde expects of a text is often wildly too long."""
    if ends_at is None:
        return SHORTEST_TEXT
    return min(max((ends_at - now).total_seconds() / 4, SHORTEST_TEXT), LONGEST_TEXT)


def until_next_try(failures: int, rng: random.Random) -> float:
    """Seconds until a service that did not answer is tried again: 2, 4, 8, … up to a minute, spread."""
    return min(PATIENCE, 2.0 * float(1 << min(max(failures, 0), 5))) * (1 + JITTER * rng.uniform(-1, 1))
