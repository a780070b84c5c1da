"""The first layer: fixed-window rate limits on the injected clock, and the headers they leave on every answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.clock import Clock

_EASED_SECONDS = 24 * 3600.0
_UNIT_NAMES = {1: "second", 60: "minute", 3600: "hour"}
_PRUNE_ABOVE = 2000


class Per(StrEnum):
    """What a limit is counted by, besides method and path."""

    ADDRESS = "address"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """So many calls in a window of so many seconds; `eased` is what a trusted user's address may do instead."""

    amount: int
    seconds: int
    per: Per = Per.ADDRESS
    eased: int | None = None
    anonymous: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a call may pass, the message if not, and the headers either way."""

    allowed: bool
    message: str
    headers: dict[str, str]


class Limiter:
    """Counts calls; `enforced=False` lets everything pass and still tells the headers."""

    def __init__(self, clock: Clock, *, enforced: bool) -> None:
        self._clock = clock
        self.enforced = enforced
        self._windows: dict[tuple[Rule, str, str], tuple[float, int]] = {}
        self._eased: dict[str, float] = {}

    def ease(self, address: str) -> None:
        """Raise the limits of an address for a day, as the server does when a trusted user posts from it."""
        self._eased[address] = self._now() + _EASED_SECONDS

    def forget(self) -> None:
        """Begin all windows anew."""
        self._windows.clear()
        self._eased.clear()

    def hit(self, rules: Sequence[Rule], *, scope: str, address: str, key: str, anonymous: bool) -> Verdict:
        """Count one call against `rules`; the headers speak of the broken rule, else of the shortest window."""
        self._prune()
        worst: tuple[Rule, int, float, int] | None = None
        shortest: tuple[Rule, int, float, int] | None = None
        for rule in rules:
            amount = self._amount(rule, address, anonymous=anonymous)
            reset, used = self._count(rule, scope, address if rule.per is Per.ADDRESS else key)
            seen = (rule, amount, reset, max(0, amount - used))
            if used > amount:
                worst = seen
                break
            if shortest is None or rule.seconds < shortest[0].seconds:
                shortest = seen
        shown = worst or shortest
        if shown is None:
            return Verdict(allowed=True, message="", headers={})
        rule, amount, reset, remaining = shown
        message = f"{amount} per 1 {_UNIT_NAMES[rule.seconds]}"
        return Verdict(
            allowed=worst is None or not self.enforced,
            message=message,
            headers=self._headers(amount, remaining, reset),
        )

    def _amount(self, rule: Rule, address: str, *, anonymous: bool) -> int:
        if anonymous and rule.anonymous is not None:
            return rule.anonymous
        if rule.eased is not None and self._eased.get(address, 0.0) > self._now():
            return rule.eased
        return rule.amount

    def _count(self, rule: Rule, scope: str, owner: str) -> tuple[float, int]:
        now = self._now()
        reset, used = self._windows.get((rule, scope, owner), (0.0, 0))
        if reset <= now:
            reset, used = now + rule.seconds, 0
        self._windows[rule, scope, owner] = (reset, used + 1)
        return reset, used + 1

    def _headers(self, amount: int, remaining: int, reset: float) -> dict[str, str]:
        until = math.ceil(reset)
        return {
            "X-RateLimit-Limit": str(amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(until),
            "Retry-After": str(int(until - self._now())),
        }

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _prune(self) -> None:
        if len(self._windows) > _PRUNE_ABOVE:
            now = self._now()
            self._windows = {key: window for key, window in self._windows.items() if window[0] > now}


ASYNC_RULES = (
    Rule(amount=2, seconds=1, eased=10),
    Rule(amount=90, seconds=60, eased=300),
    Rule(amount=2, seconds=1, per=Per.KEY, eased=60, anonymous=60),
)
CHECK_RULES = (Rule(amount=10, seconds=1),)
STATUS_RULES = (Rule(amount=10, seconds=60),)
DEFAULT_RULES = (Rule(amount=90, seconds=60),)
USER_RULES = (Rule(amount=60, seconds=60),)
THIRTY_RULES = (Rule(amount=30, seconds=60),)
STYLE_RULES = (Rule(amount=2, seconds=1, eased=10), Rule(amount=90, seconds=60, eased=300))
