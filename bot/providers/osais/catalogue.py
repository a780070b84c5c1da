"""Which engines there are: their live configs, and the bundled copy of each until its own could be read."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from bot.clock import Clock
from bot.domain.engines import Engine
from bot.errors import ProviderError, Unavailable
from bot.providers.osais.client import OsaisClient
from bot.providers.osais.configs import MAKES, engine_of
from bot.providers.outages import Outages

log = logging.getLogger(__name__)

#: Configs change with an engine's version: seconds between two looks, and until another try where one failed.
LOOK_AGAIN, TRY_AGAIN = 6 * 3600.0, 600.0


@cache
def bundled() -> Mapping[str, Engine]:
    """The copy of all configs that Muster carries, by engine."""
    found = json.loads((files("bot.providers.osais") / "engines.json").read_text(encoding="utf-8"))
    return MappingProxyType({name: engine_of(config) for name, config in found.items()})


class EngineCatalogue:
    """Answers from memory; whoever owns the loops calls `refresh`."""

    def __init__(self, client: OsaisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._engines = dict(bundled())
        self._look_at = float("-inf")
        self._outages = Outages(log, action="osais.configs")

    def engines(self) -> Sequence[Engine]:
        """Every engine, in a fixed order."""
        return [self._engines[name] for name in MAKES]

    def get(self, name: str) -> Engine | None:
        """The engine of that name."""
        return self._engines.get(name)

    async def refresh(self) -> None:
        """Read the live configs when it is time to. One that cannot be read leaves what was known of its engine."""
        if self._clock.monotonic() < self._look_at:
            return
        trouble: ProviderError | None = None
        for name in MAKES:
            try:
                config = await self._client.config(name)
                self._engines[name] = engine_of({**config, "engine": name}, usual_ms=bundled()[name].usual_ms)
            except ProviderError as error:
                trouble = error
                log.debug("no config of %s: %s", name, error, extra={"action": "osais.no-config"})
                if isinstance(error, Unavailable):
                    break  # nobody is there: the others need not be asked for
        self._outages.note("live engine configs", trouble)
        self._look_at = self._clock.monotonic() + (LOOK_AGAIN if trouble is None else TRY_AGAIN)
