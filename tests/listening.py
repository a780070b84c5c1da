"""The real listener over loopback, on a real database, for tests that play the services."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from bot.clock import ManualClock
from bot.domain.callbacks import Callback
from bot.store.artifacts import SqlArtifactStore
from bot.store.inbox import SqlInboxStore
from bot.store.jobs import SqlJobStore
from bot.store.state import SqlStateStore
from bot.web.doors import Doors, find_doors
from bot.web.health import Health
from bot.web.listener import Listener
from bot.web.server import serve_web
from tests.databases import open_fresh_database

PUBLIC_URL = "https://bot.test"
UID = 1_678_361_974_000
TOKEN = "c" * 64


@dataclass(kw_only=True)
class Listening:
    """What a test needs of it."""

    url: str
    doors: Doors
    jobs: SqlJobStore
    inbox: SqlInboxStore
    artifacts: SqlArtifactStore
    clock: ManualClock
    session: aiohttp.ClientSession
    #: One entry for each time the tracker was woken.
    woken: list[None] = field(default_factory=list)

    @property
    def notify(self) -> str:
        """The path of OSAIS's notifications."""
        return f"/{self.doors.address.notify_uri}"

    @property
    def upload(self) -> str:
        """The path of OSAIS's files."""
        return f"/{self.doors.address.upload_uri}"

    async def post(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> tuple[int, object]:
        """Call; `body` is bytes, a form, or something to send as JSON. Returns status and JSON (None for none)."""
        if not isinstance(body, bytes | aiohttp.FormData | None):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        data = io.BytesIO(body) if isinstance(body, bytes) else body  # aiohttp warns of large bytes
        skipped = set() if isinstance(body, aiohttp.FormData) else {"Content-Type"}
        async with self.session.request(
            method, self.url + path, data=data, headers=headers, skip_auto_headers=skipped
        ) as answer:
            content = await answer.read()
            return answer.status, json.loads(content) if answer.content_type == "application/json" else None

    async def kept(self, uid: int = UID) -> list[Callback]:
        """What the inbox holds about a request."""
        return list(await self.inbox.of("osais", str(uid)))


@asynccontextmanager
async def open_listening(folder: Path, *, token: str = TOKEN, public_url: str = PUBLIC_URL) -> AsyncIterator[Listening]:
    """Serve a listener for OSAIS's client `token`."""
    clock = ManualClock()
    async with open_fresh_database(folder) as database, aiohttp.ClientSession() as session:
        jobs, inbox, artifacts = SqlJobStore(database), SqlInboxStore(database), SqlArtifactStore(database)
        doors = await find_doors(
            public_url,
            SecretStr(""),
            state=SqlStateStore(database),
            inbox=inbox,
            jobs=jobs,
            artifacts=artifacts,
            clock=clock,
        )
        assert doors is not None
        woken: list[None] = []
        listener = Listener(doors, wake=lambda: woken.append(None), osais_token=SecretStr(token))
        async with serve_web(Health(clock), "127.0.0.1", 0, listener) as url:
            yield Listening(
                url=url,
                doors=doors,
                jobs=jobs,
                inbox=inbox,
                artifacts=artifacts,
                clock=clock,
                session=session,
                woken=woken,
            )
