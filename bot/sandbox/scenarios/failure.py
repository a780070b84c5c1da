"""How a scenario says that it failed."""

from __future__ import annotations


class ScenarioFailed(Exception):
    """The promised end is not there; the message says what is missing."""


def require(holds: object, otherwise: str) -> None:
    """Raise ScenarioFailed with the sentence unless it holds."""
    if not holds:
        raise ScenarioFailed(otherwise)
