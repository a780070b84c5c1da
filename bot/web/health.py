"""Whether the process is alive (its loops turn) and ready (what it rests on answers)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loop:
    last_beat: Callable[[], float]
    within: float


class Health:
    """Collects what the parts say of themselves; `app.py` feeds it with callables, the web server asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loops: dict[str, _Loop] = {}
        self._parts: dict[str, Callable[[], bool]] = {}

    def add_loop(self, name: str, last_beat: Callable[[], float], *, within: float) -> None:
        """Expect `last_beat` (a time of the clock's `monotonic`) never to be more than `within` seconds ago."""
        self._loops[name] = _Loop(last_beat=last_beat, within=within)

    def heartbeat(self, name: str, *, within: float) -> Callable[[], None]:
        """Expect a loop to call what this returns at least every `within` seconds; the count starts now."""
        last = self._clock.monotonic()

        def beat() -> None:
            nonlocal last
            last = self._clock.monotonic()

        self.add_loop(name, lambda: last, within=within)
        return beat

    def add_part(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Ask `is_ready` (cheap, answered from memory) whenever readiness is asked for."""
        self._parts[name] = is_ready

    def liveness(self) -> dict[str, bool]:
        """For each loop, whether it beat recently."""
        now = self._clock.monotonic()
        return {name: now - loop.last_beat() <= loop.within for name, loop in self._loops.items()}

    def readiness(self) -> dict[str, bool]:
        """For each part, whether it is ready."""
        return {name: is_ready() for name, is_ready in self._parts.items()}
