"""Engines: what a service can do for people by name, what each takes and makes, and how a request of one is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from bot.domain.results import Artifact, Outcome, Result
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest

#: The provider of engines, as the rows of its jobs name it.
PROVIDER: Final = "osais"
#: Longest prompt that is handed to an engine.
MAX_PROMPT = 1000
#: How long news has to be silent, once an engine stopped, until it is believed that no file is under way any more: with
#: everything that was asked for at hand, and with less (facts of the protocol: the last file comes after the stop).
SETTLE, GRACE = timedelta(seconds=2.5), timedelta(seconds=30)
#: A request that nothing is heard of for this long, and for so many times its usual time, is given up.
LEAST_PATIENCE, PATIENCE = timedelta(seconds=120), 20

#: What a parameter can be set to.
Value: TypeAlias = bool | int | float | str


class Medium(StrEnum):
    """A sort of file."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Kind(StrEnum):
    """What a parameter's value is."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    SWITCH = "yes or no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing about an engine that people may set."""

    name: str
    kind: Kind
    #: What it is unless somebody sets it; None: nothing is sent then.
    default: Value | None = None
    mandatory: bool = False
    #: The only values there are; empty for any.
    allowed: tuple[Value, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    #: It counts only with, or only without, this input.
    only_with: str = ""
    only_without: str = ""
    #: A new number is drawn for each request where nobody chose one.
    random: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file that an engine works on."""

    medium: Medium
    #: What the service calls it.
    name: str
    mandatory: bool
    #: Endings it may have, with dots, lower case; empty for any.
    endings: tuple[str, ...] = ()
    #: Longest and shortest side in pixels, and most bytes; 0 where nothing is said.
    most_side: int = 0
    least_side: int = 0
    most_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine, as its config describes it."""

    name: str
    title: str
    about: str = ""
    version: str = ""
    makes: Medium
    #: Whether it takes words, and whether it needs them.
    takes_words: bool = False
    needs_words: bool = False
    inputs: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    #: How long a run usually takes, in milliseconds.
    usual_ms: int = 0

    def input(self, medium: Medium) -> Input | None:
        """The file of that sort it works on, or None."""
        return next((one for one in self.inputs if one.medium is medium), None)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name, or None."""
        return next((one for one in self.parameters if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A parameter and what it is set to."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRequest:
    """A wish to have an engine run, complete."""

    kind: ClassVar[str] = "engine"

    engine: str
    title: str
    makes: Medium = Medium.IMAGE
    prompt: str = ""
    settings: tuple[Setting, ...] = ()
    image: SourceMedia | None = None
    audio: SourceMedia | None = None
    video: SourceMedia | None = None
    #: How many files will probably come: engines make more or fewer than they were asked for.
    expected: int = 1
    #: How long a run usually takes, in milliseconds.
    usual_ms: int = 0
    #: The drawn settings that "Again" draws anew.
    drawn: tuple[str, ...] = ()
    #: What people should know ("`negative` is not for this engine").
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no engine could take."""
        if len(self.prompt) > MAX_PROMPT:
            raise InvalidRequest(
                user_message=f"The prompt is {len(self.prompt)} characters long; please keep it under {MAX_PROMPT}."
            )

    @property
    def parts(self) -> int:
        """How many files will probably come."""
        return self.expected

    @property
    def sources(self) -> tuple[SourceMedia, ...]:
        """The picture, which is made ready before it is handed over; sounds and films go as they are."""
        return (self.image,) if self.image is not None else ()

    @property
    def patience(self) -> timedelta:
        """How long after submission it is given up if it has not ended."""
        return max(LEAST_PATIENCE, PATIENCE * timedelta(milliseconds=self.usual_ms))

    def source(self, medium: Medium) -> SourceMedia | None:
        """What was handed in of that sort."""
        match medium:
            case Medium.IMAGE:
                return self.image
            case Medium.AUDIO:
                return self.audio
            case Medium.VIDEO:
                return self.video


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineArtifact(Artifact):
    """One file an engine made; its `remote_id` is the hash of its bytes, for nothing else tells files apart."""

    medium: Medium = Medium.IMAGE
    #: The service's name for it, only for display.
    name: str = ""


def unfetched(files: Sequence[EngineArtifact]) -> tuple[EngineArtifact, ...]:
    """The files that were made and could not be fetched: one that was given up may have been brought by a late call."""
    came = {file.name for file in files if file.usable}
    return tuple(file for file in files if not file.usable and not (file.name and file.name in came))


class Step(StrEnum):
    """How far an engine is, in the order of OSAIS's stages; the words are those in the database."""

    SENT = "sent"
    RECEIVED = "received"
    STARTED = "started"
    WORKING = "working"
    FILE_DONE = "file-done"
    STOPPED = "stopped"
    FAILED = "failed"
    #: Ours: nothing more was heard.
    TIMED_OUT = "timed-out"

    @property
    def ended(self) -> bool:
        """Whether the engine does nothing more; files may still be under way."""
        return self in {Step.STOPPED, Step.FAILED, Step.TIMED_OUT}


def conclude_engine(
    request: EngineRequest, step: str, *, files: int, unreadable: int = 0, cancelled: bool = False, gone: bool = False
) -> Result:
    """Judge how a run ended by where it stopped and how many files came; how many were asked for decides nothing."""
    came = Outcome.PARTIAL if files else Outcome.FAILED
    if step == Step.FAILED:
        return Result(outcome=came, code="error")
    if step == Step.STOPPED and files:
        return Result(outcome=Outcome.PARTIAL, code="unfetched") if unreadable else Result(outcome=Outcome.FINISHED)
    if cancelled:
        return Result(outcome=Outcome.CANCELLED)
    if files >= request.expected:
        return Result(outcome=Outcome.FINISHED)
    if unreadable:
        return Result(outcome=came, code="unfetched")
    if step == Step.STOPPED:
        return Result(outcome=Outcome.FAILED, code="no-file")
    return Result(outcome=came, code="gone" if gone else "timeout")
