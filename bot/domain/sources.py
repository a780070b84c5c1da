"""Pictures (and later sounds and films) that people hand in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMedia:
    """Something to work on: where Discord has it, and what Discord says of it (nothing of that is trusted).

    The address is signed and dies within a day; message and attachment id are how a fresh one is asked for. The bytes
    are fetched once, before submission, and kept with the job's artifacts.
    """

    url: str
    filename: str = ""
    #: As declared; may be absent or wrong.
    content_type: str = ""
    #: Bytes, as declared.
    size: int = 0
    #: Pixels, as declared; 0 when not told.
    width: int = 0
    height: int = 0
    attachment_id: int | None = None
    #: The message it hangs on; None for an attachment of a command.
    message_id: int | None = None
    channel_id: int | None = None
    #: Posted by the bot itself.
    own: bool = False
