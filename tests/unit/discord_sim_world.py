"""A Discord simulator behind a real port, with a plain HTTP client in the bot's place."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, FormData, web
from PIL import Image

from bot.clock import ManualClock
from bot.sandbox.discord import DiscordSim, Interaction

Json = dict[str, Any]

COMMANDS: list[Json] = [
    {
        "name": "imagine",
        "description": "Paints",
        "integration_types": [0, 1],
        "contexts": [0, 1],
        "options": [
            {"type": 3, "name": "prompt", "description": "What", "required": True, "max_length": 20},
            {"type": 3, "name": "model", "description": "Model", "autocomplete": True},
            {"type": 4, "name": "count", "description": "How many", "min_value": 1, "max_value": 4},
            {"type": 3, "name": "size", "description": "Size", "choices": [{"name": "Small", "value": "s"}]},
            {"type": 11, "name": "start", "description": "Picture"},
            {"type": 6, "name": "friend", "description": "Person"},
        ],
    },
    {"name": "help", "description": "Helps", "integration_types": [0]},
    {"name": "Use this", "type": 3},
]
BUTTON: Json = {"type": 2, "style": 1, "label": "Again", "custom_id": "again"}
ROW: Json = {"type": 1, "components": [BUTTON]}


class BotSide:
    """What a bot can do to the simulator."""

    def __init__(self, sim: DiscordSim, clock: ManualClock, http: ClientSession) -> None:
        self.sim = sim
        self.clock = clock
        self.http = http

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        files: Mapping[str, bytes] | None = None,
        token: str | None = None,
    ) -> tuple[int, Any]:
        """Make a REST call and return status and JSON body."""
        headers = {"Authorization": f"Bot {token if token is not None else self.sim.token}"}
        data: Any
        if files is not None:
            data = FormData()
            data.add_field("payload_json", json.dumps(body or {}))
            for number, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{number}]", content, filename=name, content_type="application/octet-stream")
        else:
            data = None if body is None else json.dumps(body)
            headers["Content-Type"] = "application/json"
        url = f"{self.sim.public_url}/api/v10{path}"
        async with self.http.request(method, url, data=data, headers=headers) as response:
            raw = await response.read()
            if raw:
                assert response.headers["Content-Type"] == "application/json"
            return response.status, json.loads(raw) if raw else None

    async def answer(self, record: Interaction, body: Json, **more: Any) -> tuple[int, Any]:
        """Answer an interaction and ask for the response object."""
        path = f"/interactions/{record.id}/{record.token}/callback?with_response=true"
        return await self.call("POST", path, body, **more)

    async def edit(self, record: Interaction, body: Json, **more: Any) -> tuple[int, Any]:
        """Edit the original answer with the interaction's token."""
        return await self.call("PATCH", self.original(record), body, **more)

    def original(self, record: Interaction) -> str:
        """The path of the original answer."""
        return f"{self.hook(record)}/messages/@original"

    def hook(self, record: Interaction) -> str:
        """The path of the interaction's webhook."""
        return f"/webhooks/{self.sim.application_id}/{record.token}"

    async def register(self) -> None:
        """Register the commands of these tests."""
        status, _ = await self.call("PUT", f"/applications/{self.sim.application_id}/commands", COMMANDS)
        assert status == 200

    async def imagine(self, **options: Any) -> Interaction:
        """Have Ada use /imagine in #art."""
        return await self.sim.invoke("Ada", "#art", "imagine", {"prompt": "a lighthouse", **options})

    async def shown(self, content: str = "hello", **body: Any) -> Interaction:
        """Have Ada use /imagine and answer with a message."""
        record = await self.imagine()
        status, _ = await self.answer(record, {"type": 4, "data": {"content": content, **body}})
        assert status == 200
        return record

    async def thinking(self, *, ephemeral: bool = False) -> Interaction:
        """Have Ada use /imagine and answer with "thinking"."""
        record = await self.imagine()
        assert (await self.answer(record, {"type": 5, "data": {"flags": 64 if ephemeral else 0}}))[0] == 200
        return record

    async def control(self, path: str, body: Json | None = None) -> tuple[int, Any]:
        """Use the control API: POST with a body, GET without."""
        url = f"{self.sim.public_url}/sandbox/discord/{path}"
        async with self.http.request("GET" if body is None else "POST", url, json=body) as response:
            return response.status, await response.json()

    def gateway(self, query: str = "v=10&encoding=json") -> Any:
        """Connect to the gateway."""
        return self.http.ws_connect(f"{self.sim.gateway_url}?{query}")

    def channel_id(self, name: str = "art") -> int:
        """The id of a channel."""
        return self.sim.world.channel(name).id


@asynccontextmanager
async def open_world(**settings: Any) -> AsyncIterator[BotSide]:
    """Serve a simulator on a free port."""
    clock = ManualClock()
    sim = DiscordSim(clock, **settings)
    app = web.Application()
    app.add_routes([*sim.routes(), *sim.control_routes()])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sim.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    running = asyncio.create_task(sim.run())
    try:
        async with ClientSession() as http:
            side = BotSide(sim, clock, http)
            await side.register()
            yield side
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        running.cancel()
        await runner.cleanup()


async def identify(
    socket: ClientWebSocketResponse, token: str, *, intents: int = 513, shard: tuple[int, int] = (0, 1)
) -> None:
    """Take in HELLO and send IDENTIFY."""
    assert (await socket.receive_json())["op"] == 10
    await socket.send_json({"op": 2, "d": {"token": token, "intents": intents, "shard": list(shard), "properties": {}}})


def picture(shade: int = 0, size: tuple[int, int] = (16, 8)) -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(out, "PNG")
    return out.getvalue()
