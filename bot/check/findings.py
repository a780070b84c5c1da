"""What a check comes to: one line, and the next step where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check went, as it is printed."""

    OK = "ok"
    NOTE = "note"  # works, and the operator should know something
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and the next step where there is one."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""

    def __str__(self) -> str:
        """The line to print."""
        return f"{self.verdict:<6}  {self.name}: {self.text}" + (f" -> {self.fix}" if self.fix else "")


def ok(name: str, text: str) -> Finding:
    """Say that it works."""
    return Finding(name=name, verdict=Verdict.OK, text=text)


def note(name: str, text: str, fix: str) -> Finding:
    """Say that it works, and what the operator should know."""
    return Finding(name=name, verdict=Verdict.NOTE, text=text, fix=fix)


def failed(name: str, text: str, fix: str) -> Finding:
    """Say what does not work, and how to mend it."""
    return Finding(name=name, verdict=Verdict.FAILED, text=text, fix=fix)
