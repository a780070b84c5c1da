"""Telling the log once when something stops answering, and once when it is back."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import ProviderError

T = TypeVar("T")


class Outages:
    """What does not answer at the moment, of all that one part asks for now and again."""

    def __init__(self, log: logging.Logger, *, action: str) -> None:
        """Take the part's own logger; its lines carry `<action>.down` and `<action>.up`."""
        self._log = log
        self._action = action
        self._down: set[str] = set()

    async def asked(self, what: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask, and note whether there was an answer; None where there was none."""
        try:
            answer = await ask()
        except ProviderError as error:
            self.note(what, error)
            return None
        self.note(what, None)
        return answer

    def note(self, what: str, error: ProviderError | None) -> None:
        """Note how asking for something ended; the error is told when it is news."""
        if error is not None and what not in self._down:
            self._down.add(what)
            self._log.warning("%s not available: %s", what, error.detail, extra={"action": f"{self._action}.down"})
        elif error is None and what in self._down:
            self._down.discard(what)
            self._log.info("%s available again", what, extra={"action": f"{self._action}.up"})
