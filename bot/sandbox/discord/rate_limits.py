"""Rate limits: Discord's headers and 429s, in short real time, and refusals ordered by a script.

discord.py sleeps in real time when it is limited, so the windows here are real time too, whatever the world's clock
does. Two traps that clients know of are kept: a 429 without `Via` is taken for a ban by Cloudflare, and the three
headers Remaining, Reset and Reset-After come together or not at all (Discord docs, "Rate Limits").
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Final

from .model import Json

#: What a bucket takes in one window.
BUCKET: Final = 5
GLOBAL: Final = 50
#: Outside the global limit (Discord docs, "Rate Limits").
FREE: Final = ("callback", "original_", "followup_")


@dataclass(slots=True)
class _Window:
    begun: float
    used: int = 0


@dataclass(slots=True, kw_only=True)
class ScriptedLimit:
    """An order to refuse the next calls of a kind."""

    kind: str
    times: int
    retry_after: float
    scope: str = "user"
    #: Without it, the 429 looks as if Cloudflare had sent it.
    via: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """A refusal: body and headers of a 429."""

    body: Json
    headers: dict[str, str]


class RateLimiter:
    """Counts calls for each bucket and for the bot as a whole."""

    def __init__(self, *, enabled: bool, window: float) -> None:
        self.enabled = enabled
        #: Real seconds that stand for Discord's five.
        self.window = window
        self.scripted: list[ScriptedLimit] = []
        self._windows: dict[str, _Window] = {}

    def take(self, kind: str, major: str) -> Limited | dict[str, str]:
        """Count a call to a route; returns its refusal, or the headers for its answer."""
        for order in self.scripted:
            if order.kind in {kind, "any"}:
                order.times -= 1
                self.scripted = [o for o in self.scripted if o.times > 0]
                return _refusal(order.retry_after, scope=order.scope, via=order.via)
        if not self.enabled:
            return {}
        if not kind.startswith(FREE) and (wait := self._wait("global", GLOBAL)) is not None:
            return _refusal(wait, scope="global")
        # All calls of one interaction token except its callback share a bucket.
        name = "webhook" if kind.startswith(FREE[1:]) else kind
        wait = self._wait(f"{name}:{major}", BUCKET)
        headers = self._headers(f"{name}:{major}", name, BUCKET)
        return headers if wait is None else _refusal(wait, scope="user", headers=headers)

    def _wait(self, bucket: str, limit: int) -> float | None:
        now = time.monotonic()
        window = self._windows.setdefault(bucket, _Window(now))
        if now - window.begun >= self.window:
            window.begun, window.used = now, 0
        if window.used >= limit:
            return self.window - (now - window.begun)
        window.used += 1
        return None

    def _headers(self, bucket: str, kind: str, limit: int) -> dict[str, str]:
        window = self._windows[bucket]
        after = max(0.001, self.window - (time.monotonic() - window.begun))
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - window.used),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(kind.encode()).hexdigest()[:32],
        }


def _refusal(wait: float, *, scope: str, via: bool = True, headers: dict[str, str] | None = None) -> Limited:
    is_global = scope == "global"
    sent = {**(headers or {}), "Retry-After": str(math.ceil(wait)), "X-RateLimit-Scope": scope}
    if is_global:
        sent["X-RateLimit-Global"] = "true"
    if via:
        sent["Via"] = "1.1 google"
    body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": is_global}
    return Limited(body=body, headers=sent)
