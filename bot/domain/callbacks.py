"""What a service told us by calling us, as it stands in the inbox until its job has taken it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A stage notification; its texts are a stranger's: `bot/render/escaping.py` comes before anybody sees them."""

    #: OSAIS's number, -1 (stopped in error) to 5 (stopped); unknown numbers are kept and mean nothing.
    stage: int
    #: A label, never a path and never an address to open.
    filename: str = ""
    description: str = ""
    engine: str = ""
    cycle: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was delivered; its bytes are asked of the inbox by the callback's id."""

    #: The sender's name for it, made harmless: no folders, at most 100 characters, only for display.
    name: str
    #: As sniffed from the bytes, never as the sender says.
    media_type: str
    size: int
    sha256: str
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One call of a service, written down before it was acknowledged."""

    #: The provider's name in the job row.
    provider: str
    #: The provider's id of the request, as in `Job.remote_id`. It may be unknown here (yet).
    remote_id: str
    received_at: datetime
    said: Notice | Upload
    #: Given by the inbox; 0 until then. Rises with the order of arrival.
    id: int = 0
