"""Which alchemy forms somebody online offers, answered from memory.

There is no "is possible" flag for alchemy: what nobody offers waits until it is forgotten. So how many alchemists there
are, and if there are any the list of them, is read once in a while by whoever owns the loop, and people are told before
they ask in vain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bot.clock import Clock
from bot.domain.alchemy import Form
from bot.providers.horde.client import HordeClient
from bot.providers.horde.wire import Alchemist
from bot.providers.outages import Outages

log = logging.getLogger(__name__)

#: Seconds for which a list is believed when no newer one can be had.
BELIEVED = 600.0


class AlchemyDesk:
    """Knows which forms can be had."""

    def __init__(self, client: HordeClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._offered: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._outages = Outages(log, action="alchemists")

    @property
    def live(self) -> bool:
        """Whether a list has arrived that can still be believed."""
        return self._read_at is not None and self._clock.monotonic() - self._read_at <= BELIEVED

    async def refresh(self) -> None:
        """Ask anew, keeping what is known where that fails; never raises a `ProviderError`."""
        alchemists = await self._outages.asked("list of alchemists", self._online)
        if alchemists is None:
            return
        at_work = (one for one in alchemists if one.online and not one.maintenance_mode)
        self._offered = frozenset(name for one in at_work for name in one.forms)
        self._read_at = self._clock.monotonic()

    def missing(self, forms: Iterable[Form]) -> tuple[Form, ...]:
        """Those of `forms` that nobody online offers, in their order; none while that is not known."""
        if not self.live:
            return ()
        return tuple(form for form in forms if form.value not in self._offered)

    async def _online(self) -> Sequence[Alchemist]:
        online = (await self._client.performance()).interrogator_count
        return await self._client.alchemists() if online else ()
