"""Requests that discord.py may not repeat by itself.

It sends again after some 5xx (2.7.1: 500, 502, 504 and 524), which is right for an edit. A message may have arrived all
the same, and not everybody who speaks Discord's protocol honours its nonce: whether it did is found out before it is
sent again (`outbox.py`, `opening.py`). aiohttp tells its tracers of each attempt, and takes no for an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp


@dataclass(slots=True)
class _Attempt:
    may_have_arrived: bool = False


_attempt: ContextVar[_Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def at_most_once() -> Iterator[None]:
    """Have a request made in here fail with `aiohttp.ClientError` where it would be repeated after it may have arrived.

    Only in sessions with a `tracer`.
    """
    before = _attempt.set(_Attempt())
    try:
        yield
    finally:
        _attempt.reset(before)


def tracer() -> aiohttp.TraceConfig:
    """What a session needs for `at_most_once`."""
    config = aiohttp.TraceConfig()
    config.on_request_start.append(_begins)
    config.on_request_end.append(_ends)
    return config


async def _begins(_session: aiohttp.ClientSession, _: SimpleNamespace, _told: aiohttp.TraceRequestStartParams) -> None:
    attempt = _attempt.get()
    if attempt is None:
        return
    if attempt.may_have_arrived:
        raise aiohttp.ClientError("it may have arrived")
    attempt.may_have_arrived = True


async def _ends(_session: aiohttp.ClientSession, _: SimpleNamespace, told: aiohttp.TraceRequestEndParams) -> None:
    attempt = _attempt.get()
    if attempt is not None:
        attempt.may_have_arrived = told.response.status != 429  # what came too fast was not taken
