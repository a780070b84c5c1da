"""What happens to one request, as a list of steps that scenarios rewrite before it begins.

t0            the answer to the submit
stage 0..3    sent, acknowledged, started, working
for each file but the last: it is made, stage 4, its upload
the last file is made, stage 5
stage 4 and the upload of the last file       after 5, as in reality: a file watcher is slower than the exit
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.sandbox.osais.engines import Kind
from bot.sandbox.osais.making import Forgery
from bot.sandbox.osais.wire import Wire

#: Seconds before each of the first notifications, and for each file, at speed 1.
_BEFORE_STAGES = (0.3, 0.5, 0.7, 1.0)
SECONDS_PER_FILE = 1.5
#: How much later than the stop the watcher notices the last file; that does not depend on the machine's speed.
WATCHER_SECONDS = 0.25
#: The counter of the AI machine's file names when it begins.
_FIRST_NUMBER = 334


class ReplyKind(StrEnum):
    """How a submit that was accepted is answered."""

    ACCEPTED = "accepted"
    ERROR = "error"
    HTML = "html"
    NEVER = "never"
    NO_UID = "no-uid"


class Naming(StrEnum):
    """How the AI names its files."""

    PLAIN = "plain"
    DOUBLE_EXTENSION = "double-extension"
    ALL_THE_SAME = "all-the-same"

    def file_name(self, uid: int, index: int, extension: str) -> str:
        """The name of file `index`."""
        match self:
            case Naming.PLAIN:
                return f"{uid}_{_FIRST_NUMBER + index:04}.{extension}"
            case Naming.DOUBLE_EXTENSION:
                return f"{uid}.jpg_{_FIRST_NUMBER + index:04}.{extension}"
            case Naming.ALL_THE_SAME:
                return f"{uid}_4_20.{extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How a call has to be answered: acknowledged, or refused with one of these statuses."""

    refusals: frozenset[int] = frozenset()

    @property
    def acknowledged(self) -> bool:
        """Whether an acknowledgement is what has to come."""
        return not self.refusals


ACKNOWLEDGED = Expected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The submit is answered now."""

    kind: ReplyKind = ReplyKind.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Time passes; less of it on a quick machine, if it is the machine that takes it."""

    seconds: float
    scaled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """One notification."""

    stage: int
    descr: str
    #: The file it is about; None calls it "default".
    file: int | None = None
    cost_ms: int = 0
    #: Fields put in or changed.
    fields: Mapping[str, object] = field(default_factory=dict)
    #: Fields left out.
    omit: frozenset[str] = frozenset()
    #: Put in front of the file's name.
    prefix: str = ""
    expected: Expected = ACKNOWLEDGED
    #: What is different from how the play's other calls are written: fields of `Wire`.
    wire: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload of a file that was made."""

    file: int
    #: Another name than the file's own.
    name: str | None = None
    #: Other bytes than the file's own.
    forgery: Forgery | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    expected: Expected = ACKNOWLEDGED
    wire: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file is finished: a check shows it from now on."""

    file: int
    forgery: Forgery | None = None
    #: More bytes than Discord takes.
    big: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The request is over for a check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireBearers:
    """Every Bearer that is out stops working."""


Call = Notify | Upload
Step = Reply | Pause | Notify | Upload | Made | Ended | ExpireBearers


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Peculiarities of what a check shows."""

    #: Unfinished requests have their missing fields as null.
    nulls: bool = False
    s3_names: bool = False
    #: So many first checks know nothing of the request.
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Everything that will happen to a request."""

    steps: tuple[Step, ...]
    files: int
    wire: Wire = field(default_factory=Wire)
    poll: Poll = field(default_factory=Poll)
    naming: Naming = Naming.PLAIN
    #: Another kind of files than the engine makes.
    kind: Kind | None = None
    #: Times a call that was not acknowledged is sent again.
    retries: int = 0
    #: Of each call's chance to be lost (0 to 1).
    loss: float = 0.0
    seed: int = 0

    def with_steps(self, steps: Iterable[Step]) -> Play:
        """The same with other steps."""
        return replace(self, steps=tuple(steps))

    def each(self, change: Callable[[Step], Iterable[Step]]) -> Play:
        """The same with every step replaced by what `change` makes of it."""
        return self.with_steps(new for step in self.steps for new in change(step))


def nominal(files: int, *, cost_ms: int, seed: int) -> Play:
    """The play of a request that goes well, as section 8 of the protocol notes has it."""
    return Play(steps=tuple(_steps(files, cost_ms)), files=files, seed=seed)


def stop(cost_ms: int) -> Notify:
    """The stage 5 of a run that went well."""
    return Notify(stage=5, descr="AI stopped", cost_ms=cost_ms)


def file_done(index: int) -> Notify:
    """The stage 4 of a file."""
    return Notify(stage=4, descr="copied input image to destination image", file=index)


def error(descr: str) -> Notify:
    """The stage of a request stopped in error."""
    return Notify(stage=-1, descr=descr)


def _steps(files: int, cost_ms: int) -> Iterator[Step]:
    yield Reply()
    texts = ("", "Acknowledged request", "AI started", "destination image = default")
    for stage, (seconds, descr) in enumerate(zip(_BEFORE_STAGES, texts, strict=True)):
        yield Pause(seconds=seconds)
        yield Notify(stage=stage, descr=descr)
    for index in range(files):
        yield Pause(seconds=SECONDS_PER_FILE)
        yield Made(file=index)
        if index < files - 1:
            yield file_done(index)
            yield Upload(file=index)
    if not files:
        yield Pause(seconds=SECONDS_PER_FILE)
    yield Ended()
    yield stop(cost_ms)
    if files:
        yield Pause(seconds=WATCHER_SECONDS, scaled=False)
        yield file_done(files - 1)
        yield Upload(file=files - 1)
