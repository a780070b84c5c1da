"""How people use OSAIS in flow tests, and a world in which it can call the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.discord import File, User
from bot.sandbox.osais.requests import OsaisRequest
from bot.sandbox.outgoing import AddressMap
from tests.flow.conftest import open_town
from tests.flow.town import Reply, Town

PUBLIC_URL = "https://muster.test"


@asynccontextmanager
async def open_called_town(folder: Path) -> AsyncIterator[Town]:
    """A world whose bot is configured as in production: with a public address, and a proxy in front of its port."""
    async with open_town(folder, address_map=AddressMap.to_free_port(PUBLIC_URL)) as town:
        await town.until(lambda: bool(town.sandbox.osais.client.domain))
        await town.move_to("engines")
        yield town


async def run(town: Town, engine: str, **options: Any) -> Reply:
    """Use `/osais run` and wait for the acknowledgement."""
    return Reply(town, await town.invoke("osais run", {"engine": engine, **options}))


async def run_with(town: Town, engine: str, **files: File) -> Reply:
    """The same with attachments."""
    discord = town.sandbox.discord
    record = await discord.invoke(town.ada, town.channel, "osais run", {"engine": engine}, attachments=files)
    await discord.wait_answer(record)
    return Reply(town, record)


def requests(town: Town, words: str) -> list[OsaisRequest]:
    """The requests that were made with these words."""
    return [one for one in town.sandbox.osais.requests.values() if one.given.get("word") == words]


async def paint(town: Town, words: str, *, count: int = 2, by: User | None = None) -> Reply:
    """Have `/imagine` use diffusion, and wait until OSAIS has the request."""
    reply = await town.imagine(words, model="osais:diffusion", count=count, by=by)
    await town.until(lambda: bool(requests(town, words)), step=1.0)
    return reply
