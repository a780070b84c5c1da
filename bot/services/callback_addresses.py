"""Telling a service where to call us: at every start, until it took note, for the address may have moved meanwhile."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Final, Protocol

from bot.clock import Clock
from bot.errors import ProviderError, StoreError
from bot.store.base import StateStore

log = logging.getLogger(__name__)

#: Seconds until another try: 5, 10, 20, … up to ten minutes.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
#: Where what was told last is kept.
KEY: Final = "osais:callbacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAddress:
    """Where calls go: `https://host`, and below it two paths without a slash in front, which hold a secret."""

    domain: str
    notify: str = field(repr=False)
    upload: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What tells two addresses apart without showing them: the paths hold a secret."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class TakesAddress(Protocol):
    """A service that calls back."""

    async def call_at(self, *, domain: str, notify: str, upload: str) -> None:
        """Take note of where to call. Raises `ProviderError`."""
        ...


async def tell_address(address: CallbackAddress, service: TakesAddress, state: StateStore, clock: Clock) -> None:
    """Tell it until it took note; what goes wrong meanwhile costs calls, and polling makes up for them."""
    pause, failures = FIRST_PAUSE, 0
    while True:
        try:
            await service.call_at(domain=address.domain, notify=address.notify, upload=address.upload)
            moved = await state.read(KEY) != address.fingerprint
            if moved:
                await state.write(KEY, address.fingerprint)
        except (ProviderError, StoreError) as error:
            failures += 1
            if failures == 1:
                log.warning("OSAIS was not told where to call", extra={"action": "osais.untold", "cause": str(error)})
            await clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        log.info("OSAIS knows where to call", extra={"action": "osais.told", "moved": moved})
        return
