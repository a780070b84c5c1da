"""What the bot sends to Discord, recorded on its way and compared with Discord's own OpenAPI document.

The recorder, the checker, and the document are not part of the project: where they are not beside it, this skips.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.serve import Sandbox
from tests.flow.town import Reply, Town, eventually

TOOLS = Path(__file__).resolve().parents[3] / "shared" / "tools"

pytestmark = pytest.mark.skipif(
    not (TOOLS / "discord_conformance.py").exists(), reason="../shared, which holds the checker, is not here"
)


@asynccontextmanager
async def recording(upstream: str, out: Path) -> AsyncIterator[str]:
    """A recording proxy in front of `upstream`; yields its address."""
    proxy = await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(TOOLS / "discord_proxy.py"), "--upstream", upstream, "--out", str(out), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert proxy.stdout is not None
    try:
        line = (await proxy.stdout.readline()).decode()
        yield line.split()[-1]
    finally:
        proxy.terminate()
        await proxy.communicate()


async def test_everything_sent_to_discord_fits_its_own_document(tmp_path: Path) -> None:
    out = tmp_path / "exchanges.jsonl"
    async with Sandbox(speed=8) as sandbox, recording(sandbox.addresses()["discord_api_url"], out) as proxied:
        settings = sandbox.settings_env(f"sqlite+aiosqlite:///{tmp_path}/muster.db") | {"DISCORD_API_URL": proxied}
        bot = BotProcess.following(sandbox.control_url, folder=tmp_path, settings=settings)
        await bot.start()
        try:
            await eventually(lambda: bool(sandbox.discord.world.commands[None]))
            town = Town(sandbox)
            await town.move_to("a guild")
            sandbox.clock.set_rate(3)
            await _use_everything(town)
        finally:
            await bot.terminate()
    checker = await asyncio.create_subprocess_exec(
        sys.executable, str(TOOLS / "discord_conformance.py"), str(out), stdout=asyncio.subprocess.PIPE
    )
    report, _ = await checker.communicate()
    assert checker.returncode == 0, report.decode()
    assert b"0 errors" in report


async def _use_everything(town: Town) -> None:
    await town.sandbox.discord.autocomplete(
        town.ada, town.channel, "imagine", {"prompt": "x", "model": "al"}, focused="model"
    )
    first = await _ended(await town.imagine("a lighthouse @everyone `x` ``` [a](https://b.example)", count=3))
    again = Reply(town, await first.press("Again", by=town.grace))
    await again.press("Cancel", by=town.grace)
    await _ended(again)
    form = await first.press("Edit")
    await _ended(Reply(town, await town.sandbox.discord.submit_modal(town.ada, form.id, {"prompt": "a hare"})))
    await first.press("Details")
    await town.invoke("help", {})
    await _ended(await town.imagine("a secret", private=True))
    await town.invoke("imagine", {"prompt": "a fox", "model": "no such model"})
    await first.press("Delete", by=town.grace)
    await first.press("Delete", by=town.ada)


async def _ended(reply: Reply) -> Reply:
    await eventually(lambda: reply.record.original_id is not None and reply.over)
    return reply
