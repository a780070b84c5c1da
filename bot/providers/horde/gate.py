"""Whether the Horde lets our address post.

A refused prompt, or an address it does not trust, shuts out the whole address for minutes: for pictures and for texts,
whatever the key (server 5.1.5). So there is one gate for an address, and both services stop at it. Work on pictures
(alchemy) passes by: its posts are taken all the same, and what refuses one of them says nothing about the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bot.clock import Clock
from bot.errors import ContentRefused, Paused

#: Seconds for which the Horde shuts an address out after its first refused prompt: post nothing meanwhile.
REFUSAL_PAUSE: Final = 180.0


class AddressGate:
    """Shut for as long as the Horde keeps our address out; shared by all that post to it from here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shut_until = 0.0

    @property
    def shut_for(self) -> float:
        """Seconds until the Horde lets us in again; 0 when it does."""
        return max(0.0, self._shut_until - self._clock.monotonic())

    def require_open(self) -> None:
        """Raise `Paused` while it is shut."""
        if self.shut_for > 0:
            raise Paused("the address is shut out", retry_after=self.shut_for, asked=False)

    async def turn(self, wait: Callable[[], Awaitable[None]]) -> None:
        """Wait for a place in the pace of submissions. Raises `Paused` while it is shut, also when that comes later."""
        self.require_open()
        await wait()
        self.require_open()

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post within this: it shuts when the answer says that our address is out. Raises `Paused` while it is."""
        self.require_open()
        try:
            yield
        except Paused as error:
            self._shut(error.retry_after)
            raise
        except ContentRefused:
            self._shut(REFUSAL_PAUSE)
            raise

    def _shut(self, seconds: float) -> None:
        self._shut_until = max(self._shut_until, self._clock.monotonic() + seconds)
