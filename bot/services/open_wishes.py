"""What open settings forms are about: written down, so that one that is sent after a restart still works."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.clock import Clock
from bot.services.engines import EngineWish
from bot.store.base import StateStore

#: How long a form may stay open: longer than anybody types.
KEPT: Final = timedelta(hours=1)
_WISH: Final = TypeAdapter(EngineWish)


class OpenWishes:
    """Keeps a wish for as long as its form may be open, by the interaction that opened it."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def opened(self, opened_by: str, wish: EngineWish) -> None:
        """Write down what a form is about, or how it was filled in, by the interaction that opened it."""
        until = self._clock.now() + KEPT
        await self._state.write(_key(opened_by), _WISH.dump_json(wish).decode(), until=until)

    async def about(self, opened_by: str) -> EngineWish | None:
        """What the form that this interaction opened is about; None when that is not known any more."""
        written = await self._state.read(_key(opened_by))
        try:
            return _WISH.validate_json(written) if written is not None else None
        except ValidationError:  # of another version
            return None

    async def done(self, opened_by: str) -> None:
        """Forget a form: what it asked for is on its way."""
        await self._state.forget(_key(opened_by))

    async def purge(self) -> None:
        """Delete those that were open for too long."""
        await self._state.purge(now=self._clock.now())


def _key(opened_by: str) -> str:
    return f"osais:form:{opened_by}"
