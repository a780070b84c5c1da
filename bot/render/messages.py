"""What a message shows, as a value: delivery compares it with what is there, and the ui makes buttons of its controls.

Nothing here knows Discord's library; the limits are Discord's (documentation: "Embed Limits", "Component Reference").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from bot.domain.jobs import JobId

MAX_CONTENT = 2000
MAX_TITLE = 256
MAX_DESCRIPTION = 4096
MAX_FIELDS = 25
MAX_FIELD_NAME = 256
MAX_FIELD_VALUE = 1024
MAX_FOOTER = 2048
#: Title, description, fields, and footer together.
MAX_EMBED = 6000
MAX_FILES = 10
MAX_ROWS = 5
MAX_ROW = 5
MAX_LABEL = 80
#: Of a select: its lines, each line's texts, and what it says while nothing is chosen.
MAX_CHOICES = 25
MAX_CHOICE = 100
MAX_PLACEHOLDER = 150


class ControlStyle(StrEnum):
    """How loudly a button asks to be pressed."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    SUCCESS = "success"
    DANGER = "danger"


class Colour(IntEnum):
    """The stripe beside a message, as 0xRRGGBB."""

    #: Under way.
    BLUE = 0x5865F2
    #: Under way, but something is in its way.
    AMBER = 0xF0B232
    #: All is here.
    GREEN = 0x3BA55D
    #: Some is here, or something has to be changed.
    ORANGE = 0xE67E22
    #: Nothing came.
    RED = 0xD83C3E
    #: Stopped, or plain information.
    GREY = 0x80848E


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button; the ui gives it the custom id `job:<verb>:<job>`, or `job:<verb>:<job>:<index>`."""

    verb: str
    label: str
    emoji: str | None = None
    style: ControlStyle = ControlStyle.SECONDARY
    disabled: bool = False
    #: The artifact it acts on, where it acts on one.
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line of a select: it does what the button with this verb and index would do."""

    verb: str
    index: int
    label: str
    emoji: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A select below the buttons, for what is wanted less often."""

    placeholder: str
    choices: tuple[Choice, ...]


#: How the name of a drawing's preview ends.
PREVIEW = "-preview.png"


class Drawn(StrEnum):
    """What delivery draws by itself, where no worker made a file of it."""

    #: A palette's colours, as a picture.
    SWATCH = "swatch"
    #: What a vector drawing looks like, as a picture.
    PREVIEW = "preview"
    #: An answer too long for messages, as a file.
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A small captioned box of an embed."""

    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A file that has to be attached: its name in Discord, and its index in the artifact store."""

    name: str
    index: int
    #: Set where it is made from the artifact, and not the artifact's own bytes.
    drawn: Drawn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedEmbed:
    """The framed part of a message; markup works in the description and in the values of fields."""

    title: str = ""
    description: str = ""
    colour: int = Colour.GREY
    fields: tuple[Field, ...] = ()
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """Everything a message shows. Two equal ones look the same, so no edit is needed between them."""

    embed: RenderedEmbed | None = None
    content: str = ""
    #: All that has to be attached, in order; what is attached beyond these has to go.
    files: tuple[FileRef, ...] = ()
    #: Files that this message has no room for: they follow in a second one, at the end.
    more_files: tuple[FileRef, ...] = ()
    #: Text that this message has no room for: it follows in messages of its own, at the end.
    more_content: tuple[str, ...] = ()
    #: Rows of buttons.
    controls: tuple[tuple[Control, ...], ...] = ()
    #: Below them.
    menu: Menu | None = None
    #: Whose job the controls act on.
    job_id: JobId | None = None

    @property
    def fingerprint(self) -> str:
        """A short text that is equal exactly when the message is, in every process."""
        return hashlib.sha256(repr(self).encode("utf-8", "surrogatepass")).hexdigest()[:32]
