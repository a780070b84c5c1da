from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.bot_process import BotControl, BotProcess

#: Stands in for the bot: says what it was given, then waits for a signal.
OBEDIENT = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("token", os.environ["DISCORD_TOKEN"], "leaked", os.environ.get("HORDE_API_KEY"), flush=True)
signal.pause()
"""
ENDS_WITH_PARENT = "import os\nprint('up', flush=True)\nos.read(0, 1)\nprint('parent gone', flush=True)\n"


@asynccontextmanager
async def process(folder: Path, script: str = OBEDIENT) -> AsyncIterator[BotProcess]:
    bot = BotProcess([sys.executable, "-c", script], folder=folder, settings={"DISCORD_TOKEN": "of-the-sandbox"})
    try:
        yield bot
    finally:
        await bot.kill()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the output of a process has no event
            await asyncio.sleep(0.01)


async def test_a_bot_gets_its_settings_and_nothing_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a real one")
    monkeypatch.setenv("HORDE_API_KEY", "a real one")
    async with process(tmp_path) as bot:
        await bot.start()
        await until(lambda: bool(bot.output()))
        assert bot.output() == ["token of-the-sandbox leaked None"]


async def test_a_bot_is_asked_to_stop(tmp_path: Path) -> None:
    async with process(tmp_path) as bot:
        await bot.start()
        await until(lambda: bool(bot.output()))
        assert bot.running
        assert await bot.terminate() == 0
        assert not bot.running


async def test_a_killed_bot_can_be_started_again(tmp_path: Path) -> None:
    async with process(tmp_path) as bot:
        await bot.start()
        assert await bot.kill() == -signal.SIGKILL
        await bot.start()
        assert bot.running
        assert (bot.starts, bot.exit_code) == (2, None)


async def test_a_bot_ends_with_its_parent(tmp_path: Path) -> None:
    async with process(tmp_path, ENDS_WITH_PARENT) as bot:
        await bot.start()
        await until(lambda: bot.output() == ["up"])
        assert bot._process is not None
        assert bot._process.stdin is not None
        bot._process.stdin.close()
        assert await bot.wait() == 0
        await until(lambda: bot.output(1) == ["parent gone"])


async def test_stopping_a_bot_that_was_never_started_is_nothing(tmp_path: Path) -> None:
    async with process(tmp_path) as bot:
        assert await bot.terminate() is None


async def test_the_bot_is_started_and_killed_over_the_control_api(tmp_path: Path) -> None:
    control = BotControl()
    app = web.Application()
    app.add_routes(control.control_routes())
    async with process(tmp_path) as bot, TestClient(TestServer(app)) as client:
        assert (await client.get("/sandbox/bot")).status == 404
        control.adopt(bot)
        started = await (await client.post("/sandbox/bot/start")).json()
        assert (started["running"], started["starts"]) == (True, 1)
        killed = await (await client.post("/sandbox/bot/kill")).json()
        assert (killed["running"], killed["exit_code"]) == (False, -signal.SIGKILL)
