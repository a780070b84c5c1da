"""What a reply shows, read from what the Discord simulator holds: one value for each version of a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

_BAR = ("▰", "▱")
_REACHED = re.compile(r"◉ ([^─]+)")
_TEXT_DISPLAY = 10
_BUTTON = 2

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attached file."""

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a message showed from one moment on."""

    number: int
    at: datetime
    #: All its text, line by line: content, embeds, text displays.
    lines: tuple[str, ...]
    #: Button labels, with their emoji.
    buttons: tuple[str, ...]
    custom_ids: tuple[str, ...]
    files: tuple[File, ...]
    #: Whom it mentions so that they are notified.
    pings: tuple[str, ...]
    loading: bool

    @property
    def has_bar(self) -> bool:
        """Whether it shows a progress bar."""
        return any(mark in line for line in self.lines for mark in _BAR)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether it has a button that cancels the job."""
        return any(":cancel" in custom_id for custom_id in self.custom_ids)

    @property
    def step(self) -> str:
        """The last step marked as reached ("Painting 2/4"); empty without a line of steps."""
        reached = [found for line in self.lines for found in _REACHED.findall(line)]
        return reached[-1].strip() if reached else ""

    @property
    def stage(self) -> str:
        """The step in a word or two: "thinking" at first, "ended" at last."""
        if self.loading:
            return "thinking"
        return "ended" if self.ended else self.step or "under way"

    @property
    def ended(self) -> bool:
        """Whether this is the last word: neither thinking, nor a bar, nor anything left to cancel."""
        return not (self.loading or self.has_bar or self.can_be_cancelled) and bool(self.lines or self.files)


def version_from(told: Json) -> Version:
    """Read one version of a message from the control API."""
    buttons = list(buttons_of(told))
    return Version(
        number=int(str(told["version"])),
        at=datetime.fromisoformat(str(told["at"])),
        lines=tuple(lines_of(told)),
        buttons=tuple(label for label, _ in buttons),
        custom_ids=tuple(custom_id for _, custom_id in buttons),
        files=tuple(_file(mapping(file)) for file in sequence(told.get("attachments"))),
        pings=tuple(_pings(mapping(told.get("pings")))),
        loading=bool(told.get("loading")),
    )


def mapping(value: object) -> Json:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[object]:
    """Return a JSON array, or an empty one for anything else."""
    return value if isinstance(value, list | tuple) else ()


def components_of(components: object) -> Iterator[Json]:
    """Walk all components, nested ones too."""
    for component in map(mapping, sequence(components)):
        yield component
        yield from components_of(component.get("components"))
        if accessory := component.get("accessory"):
            yield from components_of([accessory])


def lines_of(message: Json) -> Iterator[str]:
    """Walk all text of a message, line by line."""
    for part in _texts(message):
        yield from (line for line in part.splitlines() if line.strip())


def _file(told: Json) -> File:
    return File(
        name=str(told["filename"]), url=str(told["url"]), size=int(str(told["size"])), sha256=str(told["sha256"])
    )


def _pings(told: Json) -> Iterator[str]:
    yield from map(str, sequence(told.get("users")))
    yield from map(str, sequence(told.get("roles")))
    if told.get("everyone"):
        yield "@everyone"


def _texts(message: Json) -> Iterator[str]:
    yield str(message.get("content") or "")
    for embed in map(mapping, sequence(message.get("embeds"))):
        yield str(embed.get("title") or "")
        yield str(embed.get("description") or "")
        for field in map(mapping, sequence(embed.get("fields"))):
            yield f"{field.get('name')}: {field.get('value')}"
        yield str(mapping(embed.get("footer")).get("text") or "")
    for component in components_of(message.get("components")):
        if component.get("type") == _TEXT_DISPLAY:
            yield str(component.get("content") or "")


def buttons_of(message: Json) -> Iterator[tuple[str, str]]:
    """Walk all buttons as (label with emoji, custom_id)."""
    for component in components_of(message.get("components")):
        if component.get("type") == _BUTTON:
            emoji = mapping(component.get("emoji")).get("name") or ""
            yield f"{emoji} {component.get('label') or ''}".strip(), str(component.get("custom_id") or "")
