"""How often a reply is edited, and how soon again what failed."""

from __future__ import annotations

from datetime import datetime

from bot.delivery.reply import Reply
from bot.delivery.translate import TooOften
from bot.domain.jobs import Job

#: Least seconds between two edits of a reply, by its age in seconds.
GAPS = ((60.0, 2.0), (300.0, 5.0), (900.0, 10.0), (float("inf"), 20.0))
#: A message older than this is edited once more, at the end (Discord 30046), in seconds.
OLD = 3600.0
#: Waits after a failure, in seconds: each twice as long as the one before.
BACKOFF, LONGEST_BACKOFF = 1.0, 30.0
#: The same where Discord finds that an old message was changed too often; how often that is it does not say.
OLD_BACKOFF, LONGEST_OLD_BACKOFF = 60.0, 600.0


def wait_for(reply: Reply, job: Job, now: datetime, monotonic: float) -> float:
    """Seconds until the next edit may go out; infinite where only the end is still to be told."""
    if job.over:
        return 0.0
    age = (now - (job.accepted_at or job.created_at)).total_seconds()
    if age > OLD:
        return float("inf")
    gap = next(gap for until, gap in GAPS if age < until)
    return max(0.0, reply.edited_at + gap - monotonic)


def wait_after(failures: int, error: Exception) -> float:
    """Seconds until what failed so often in a row is tried again."""
    first, longest = (OLD_BACKOFF, LONGEST_OLD_BACKOFF) if isinstance(error, TooOften) else (BACKOFF, LONGEST_BACKOFF)
    return min(longest, first * 2.0 ** min(failures - 1, 6))
