"""The whole bot against the sandbox, in one event loop: one world and one bot shared, a fresh guild for each test."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import discord
import pytest
import pytest_asyncio

from bot.sandbox.discord.intents import privileged_bits
from bot.sandbox.horde.text.levers import TextLevers
from bot.sandbox.serve import Sandbox
from bot.settings import Settings, load_settings
from tests.databases import fresh_database
from tests.flow.town import Town, running_bot


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every flow test in the loop that the shared bot lives in."""
    for item in items:
        if "tests/flow" in item.path.as_posix() and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@asynccontextmanager
async def open_town(
    folder: Path, *, message_content: bool = False, settings: Mapping[str, str] | None = None, **world: object
) -> AsyncIterator[Town]:
    """A world of its own with the real bot in it, with the privileged intent and further settings if need be."""
    async with Sandbox(speed=4, **world) as sandbox:  # type: ignore[arg-type]
        env = {**sandbox.settings_env(await fresh_database(folder)), **(settings or {})}
        if message_content:
            sandbox.discord.world.privileged_intents = privileged_bits(["message_content"])
            env["MESSAGE_CONTENT_INTENT"] = "true"
        loaded: Settings = load_settings(env, env_file=None, need_token=True)
        # The library holds one address for the whole process: the shared town's bot needs its own back afterwards.
        base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        try:
            async with running_bot(sandbox, loaded):
                yield Town(sandbox)
        finally:
            discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The world that tests share."""
    async with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="session")
async def texts(town: Town) -> AsyncIterator[TextLevers]:
    """The text side of the shared world's Horde: tidy as long as a test wants it, its mishaps undone afterwards."""
    levers = town.sandbox.horde.text
    levers.set_quirks(False)
    yield levers
    levers.fault_next(0)
    levers.censor_next(0)
    levers.set_impossible(False)
    levers.set_workers(paused=False, online=True)
    levers.set_quirks(True)


_numbers: Iterator[int] = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def town(shared_town: Town) -> AsyncIterator[Town]:
    """The shared world, with a fresh guild, and its mishaps undone afterwards."""
    await shared_town.move_to(f"guild {next(_numbers)}")
    yield shared_town
    shared_town.calm_down()
    await asyncio.sleep(0)
