"""A Horde that has nothing but its public lists, and says in them what a test of a catalogue wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.clock import ManualClock
from bot.http import HttpClient
from bot.providers.horde import ANONYMOUS_KEY, HordeCalls

#: Where each list lies.
MODELS, WORKERS, REFERENCE = "/status/models", "/workers", "/reference"


@dataclass
class Lists:
    """What the lists say, and who asked for them."""

    clock: ManualClock
    session: aiohttp.ClientSession
    #: The kind of models that is asked for.
    kind: str
    served: list[dict[str, Any]] = field(default_factory=list)
    #: Rows, or the text of an answer.
    workers: Any = field(default_factory=list)
    reference: dict[str, Any] = field(default_factory=dict)
    #: Status by path, instead of an answer; 401 is not tried again. `down`: everything is refused so.
    refused: dict[str, int] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    base: str = ""

    @property
    def calls(self) -> HordeCalls:
        """Calls to it with everybody's key."""
        return HordeCalls(
            http=HttpClient(self.session, self.clock),
            base_url=self.base,
            api_key=SecretStr(ANONYMOUS_KEY),
            client_agent="muster-tests:1:none",
        )

    @property
    def reference_url(self) -> str:
        """Where the model reference lies."""
        return self.base.rstrip("/") + REFERENCE

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one of the lists, if that is not refused."""
        self.asked.append(request.path)
        if self.down or request.path in self.refused:
            return web.json_response({"message": "no"}, status=self.refused.get(request.path, 401))
        if request.path == REFERENCE:
            return web.json_response(self.reference)
        assert request.query["type"] == self.kind
        if request.path == WORKERS and isinstance(self.workers, str):
            return web.Response(text=self.workers, content_type="application/json")
        return web.json_response(self.served if request.path == MODELS else self.workers)


@asynccontextmanager
async def open_lists(kind: str) -> AsyncIterator[Lists]:
    """The lists about models of that kind, reachable on the loopback."""
    app = web.Application()
    async with aiohttp.ClientSession() as session:
        lists = Lists(ManualClock(), session, kind)
        app.router.add_get("/{tail:.*}", lists.answer)
        async with TestServer(app) as server:
            lists.base = str(server.make_url("/"))
            yield lists


class Refreshes(Protocol):
    """A catalogue."""

    async def refresh(self) -> None:
        """Ask anew."""


async def assert_reference_is_asked_for_rarely(lists: Lists, catalogue: Refreshes, *, every: float) -> None:
    """Fail unless a refresh within `every` seconds leaves the reference alone, and a later one asks for it."""
    await catalogue.refresh()
    await lists.clock.advance(60)
    await catalogue.refresh()
    assert lists.asked.count(REFERENCE) == 1
    await lists.clock.advance(every)
    await catalogue.refresh()
    assert lists.asked.count(REFERENCE) == 2


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log told."""
    return [record.__dict__["action"] for record in caplog.records]
