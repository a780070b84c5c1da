from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys

import aiohttp
import pytest

from bot.__main__ import main
from bot.sandbox.serve import DISCORD, HORDE, Sandbox
from bot.settings import load_settings


async def test_a_sandbox_serves_both_services_and_logs_their_calls() -> None:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        async with session.get(f"{sandbox.url}/api/v2/status/heartbeat") as answer:
            assert answer.status == 200
        headers = {"Authorization": f"Bot {sandbox.discord.token}"}
        async with session.get(f"{sandbox.url}/api/v10/users/@me", headers=headers) as answer:
            assert answer.status == 200
        assert [(call.service, call.status) for call in sandbox.calls.find()] == [("horde", 200), ("discord", 200)]


@pytest.mark.parametrize(
    ("only", "told", "missing"),
    [
        pytest.param({DISCORD}, "discord_api_url", "horde_url", id="discord alone"),
        pytest.param({HORDE}, "horde_url", "discord_api_url", id="horde alone"),
    ],
)
async def test_only_what_is_served_is_told(only: set[str], told: str, missing: str) -> None:
    async with Sandbox(only=only) as sandbox:
        assert told in sandbox.addresses()
        assert missing not in sandbox.addresses()


async def test_the_environment_for_a_bot_is_one_that_its_settings_take() -> None:
    async with Sandbox() as sandbox:
        settings = load_settings(sandbox.settings_env("sqlite+aiosqlite:///muster.db"), None, need_token=True)
        assert settings.horde_url == f"{sandbox.url}/api/v2"
        assert settings.discord_token.get_secret_value() == sandbox.discord.token
        assert sandbox.url in settings.media_hosts


async def test_a_taken_port_is_an_error_before_anything_is_served() -> None:
    async with Sandbox() as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"):
            await Sandbox(port=port).__aenter__()


def test_a_taken_port_is_told_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert main(["sandbox", "--port", str(listener.getsockname()[1])]) == 1
    assert "Try --port 0." in capsys.readouterr().err


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_the_command_prints_one_line_and_serves_until_told(ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "bot", "sandbox", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        line = json.loads(sandbox.stdout.readline())
        sandbox.send_signal(ending)
        rest, complaints = sandbox.communicate(timeout=20)
    assert {
        "discord_api_url",
        "discord_gateway_url",
        "discord_token",
        "horde_url",
        "media_hosts",
        "control_url",
    } <= set(line)
    assert (sandbox.returncode, rest, complaints) == (0, "", "")


async def test_the_demo_prints_one_address_with_the_page_and_a_bot_behind_it() -> None:
    command = (sys.executable, "-m", "bot", "demo", "--port", "0")
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    demo = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=both)
    assert demo.stdout is not None
    first = (await demo.stdout.readline()).decode()
    try:
        (address,) = re.findall(r"http://\S+", first)
        async with aiohttp.ClientSession(address) as session:
            async with session.get("/") as page:
                assert "<title>Muster Playground</title>" in await page.text()
            await _commands_come(session)
    finally:
        demo.send_signal(signal.SIGINT)
        rest, _ = await demo.communicate()
    assert demo.returncode == 0
    assert "http" not in rest.decode()


async def _commands_come(session: aiohttp.ClientSession) -> None:
    async with session.ws_connect("/sandbox/events") as news:
        async for text in news:
            told = text.json()
            if told["kind"] == "commands" and told["versions"]:
                return
    raise AssertionError("the demo ended")
