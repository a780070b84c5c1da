"""The transcript of a scenario: what happened when, and what people saw of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bot.sandbox.scenarios.reply import Version

#: Longest line shown of what a reply says.
LINE = 110


class Transcript:
    """What happened, line by line, each with the world seconds since the story began."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._began = datetime.min.replace(tzinfo=UTC)

    def begin(self, at: datetime) -> None:
        """Count from this world time."""
        self._began = at

    def say(self, line: str, *, at: datetime) -> None:
        """Tell of something that happened at this world time."""
        self._write(f"{(at - self._began).total_seconds():+8.2f} s  {line}")

    def add(self, line: str) -> None:
        """Tell more of what the last line with a time was about."""
        self._write(f"{'':14}{line}")

    def show(self, version: Version, before: Version | None) -> None:
        """Tell what a reply shows from now on."""
        self.say(f"[{version.stage}] version {version.number}", at=version.at)
        for line in version.lines:
            self.add(shorten(line))
        if version.buttons:
            self.add(" ".join(f"[{label}]" for label in version.buttons))
        known = {file.name for file in before.files} if before else set()
        for file in version.files:
            if file.name not in known:
                self.add(f"+ {file.name}  {file.size} bytes  sha256 {file.sha256[:16]}")


def shorten(text: str, longest: int = LINE) -> str:
    """Cut a line that is too long to be read at a glance."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
