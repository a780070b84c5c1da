"""Pictures (and later sounds and films) that people hand in."""

from __future__ import annotations

from dataclasses import dataclass

#: What Discord hides until somebody presses on it has a name that begins so.
SPOILER = "SPOILER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMedia:
    """Something to work on: where Discord has it, and what Discord says of it (nothing of that is trusted).

    The address is signed and dies within a day; message and attachment id are how a fresh one is asked for. The bytes
    are fetched once, before submission, and kept with the job's artifacts.
    """

    #: Empty for a result of ours whose message is not at hand.
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
    #: Our own result that it is: its job and index. The bytes are taken from our store while they are there.
    job_id: str = ""
    index: int = 0

    @property
    def spoiler(self) -> bool:
        """Whether whoever posted it wanted it hidden until somebody presses on it."""
        return self.filename.startswith(SPOILER)

    @property
    def findable(self) -> bool:
        """Whether a fresh address can be asked for once this one is dead."""
        return self.message_id is not None and self.channel_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What was learned of a source when it was made ready to be sent."""

    #: Pixels, as sent.
    width: int
    height: int
    #: Pixels, as handed in (upright).
    given_width: int
    given_height: int
    #: It moves; only its first frame was sent.
    animated: bool = False

    @property
    def shrunk(self) -> bool:
        """Whether it was too large to be sent as it was."""
        return (self.width, self.height) != (self.given_width, self.given_height)
