"""Messages that a job sends beside its reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message beside the reply: written down before it leaves, and again once it is known to be there."""

    #: What it is, unique within the job: "f1", "f2" files, "t1", "t2" parts of an answer, "n" notice, "m" new reply.
    part: str
    channel_id: int
    #: When it was about to leave.
    begun_at: datetime
    #: None while nobody knows whether it arrived.
    message_id: int | None = None
    #: Names, without their endings, of the files in it.
    files: tuple[str, ...] = ()
