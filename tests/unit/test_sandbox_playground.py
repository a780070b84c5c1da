"""The playground's files and headers, its news, and that it looks at pictures without being taken for a bot."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.playground import CONTENT_TYPES, FOLDER, Playground
from bot.sandbox.serve import HORDE, Sandbox

NAMES = Playground().names
#: What is written as text on the page, not fetched: namespaces and the pattern of addresses.
NOT_FETCHED = {"http://www.w3.org/2000/svg"}
FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "@import", "Function(")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as world:
        yield world


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Sec-Fetch-Mode": "cors"}) as session:
        yield session


def policy_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (rule.partition(" ") for rule in rules)}


async def test_the_page_is_at_the_root_with_a_strict_policy(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{sandbox.url}/") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<title>Muster Playground</title>" in await answer.text()
        policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in " ".join(policy.values())


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_is_served_as_what_it_is(name: str, sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{sandbox.url}/page/{name}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == CONTENT_TYPES[Path(name).suffix]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert policy_of(answer)["default-src"] == "'none'"
        assert await answer.read() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/page/../serve.py", id="dots"),
        pytest.param("/page/%2e%2e/serve.py", id="encoded dots"),
        pytest.param("/page/js/..%2f..%2f..%2fserve.py", id="encoded slashes"),
        pytest.param("/page/%2fetc%2fpasswd", id="absolute"),
        pytest.param("/page/js/", id="a folder"),
        pytest.param("/page/nothing.js", id="nothing there"),
        pytest.param("/page/", id="no name"),
    ],
)
async def test_nothing_else_is_served(path: str, sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with browser.get(URL(f"{sandbox.url}{path}", encoded=True)) as answer:
        assert answer.status == 404


async def test_a_sandbox_without_discord_has_no_page(browser: aiohttp.ClientSession) -> None:
    async with Sandbox(only={HORDE}) as world, browser.get(f"{world.url}/") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".js")])
def test_a_module_imports_only_what_is_served_and_reads_in_one_sitting(name: str) -> None:
    text = (FOLDER / name).read_text()
    for wanted in re.findall(r'(?:from|import) "([^"]+)"', text):
        assert (FOLDER / name).parent.joinpath(wanted).resolve().relative_to(FOLDER).as_posix() in NAMES
    assert len(text.splitlines()) <= 300
    assert text.startswith("// ")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_outside_is_named_and_no_text_becomes_markup(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert set(re.findall(r"https?://[a-z0-9][\w./-]*", text)) <= NOT_FETCHED
    assert [forbidden for forbidden in FORBIDDEN if forbidden in text] == []
    if name.endswith(".html"):
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text)


async def test_every_module_is_reached_from_the_page() -> None:
    reached: set[str] = set()
    waiting = re.findall(r'(?:src|href)="/page/([^"]+)"', (FOLDER / "index.html").read_text())
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name.endswith(".js"):
            waiting += [f"js/{found}" for found in re.findall(r'from "\./([^"]+)"', (FOLDER / name).read_text())]
    assert reached | {"index.html"} == set(NAMES)


async def read_until(socket: aiohttp.ClientWebSocketResponse, wanted: set[str]) -> dict[str, dict[str, Any]]:
    heard: dict[str, dict[str, Any]] = {}
    while not wanted <= heard.keys():
        news = json.loads((await socket.receive(timeout=10)).data)
        heard[news["kind"]] = news
    return heard


async def test_a_page_that_comes_is_told_how_things_are(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with aiohttp.ClientSession() as script, script.get(f"{sandbox.url}/api/v2/status/heartbeat"):
        pass
    async with browser.ws_connect(f"{sandbox.control_url}/events") as socket:
        heard = await read_until(socket, {"clock", "bot", "commands", "horde", "osais", "faults", "calls"})
    assert heard["clock"]["rate"] == 1.0
    assert heard["bot"] == {"kind": "bot", "present": False, "running": False, "exit_code": None, "starts": 0}
    assert heard["horde"]["workers"] == 10
    assert (heard["horde"]["text"]["online"], heard["horde"]["text"]["paused"]) == (25, False)
    assert (heard["horde"]["alchemy"]["online"], heard["horde"]["alchemy"]["paused"]) == (2, False)
    assert heard["osais"] == {"kind": "osais", "running": 0, "ended": 0, "speed": 1.0, "held_after": None}
    assert heard["commands"]["versions"] == []
    assert [call["path"] for call in heard["calls"]["calls"]] == ["/api/v2/status/heartbeat"]


async def test_a_page_hears_of_changes(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with browser.ws_connect(f"{sandbox.control_url}/events") as socket:
        await read_until(socket, {"clock", "bot", "horde", "faults"})
        sandbox.clock.advance(900)
        sandbox.horde.fault_next(2)
        await sandbox.discord.post_message("Ada", "#art", "hello")
        async with browser.post(f"{sandbox.control_url}/faults", json={"service": "horde", "status": 503}):
            pass
        heard = await read_until(socket, {"clock", "horde", "faults", "discord"})
    assert heard["horde"]["plans"]["fault"] == 2
    assert [fault["status"] for fault in heard["faults"]["armed"]] == [503]
    assert heard["discord"]["event"]["event"] == "message_created"


async def test_the_first_visit_is_told_what_to_try(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{sandbox.control_url}/playground") as answer:
        tries = (await answer.json())["tries"]
    assert [one["kind"] for one in tries] == ["command", "kill", "person"]
    # The command is one that the real bot has: the browser tests use it.
    assert tries[0]["command"]


async def test_the_news_end_with_the_world(browser: aiohttp.ClientSession) -> None:
    async with Sandbox() as world:
        socket = await browser.ws_connect(f"{world.control_url}/events")
        await read_until(socket, {"clock"})
    while not socket.closed:
        await socket.receive(timeout=5)


async def test_news_are_not_for_strange_pages(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await browser.ws_connect(f"{sandbox.control_url}/events", origin="https://example.org")


async def test_a_browsers_look_at_a_service_is_no_call_and_meets_no_fault(
    sandbox: Sandbox, browser: aiohttp.ClientSession
) -> None:
    async with browser.post(f"{sandbox.control_url}/faults", json={"service": "horde", "status": 503}):
        pass
    async with browser.get(f"{sandbox.url}/api/v2/status/heartbeat") as answer:
        assert answer.status == 200
    assert sandbox.calls.find() == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("POST", "discord/invoke", 400, id="a plain answer"),
        pytest.param("GET", "bot", 404, id="an exception with JSON"),
        pytest.param("GET", "nowhere", 404, id="no such route"),
        pytest.param("GET", "clock", None, id="no refusal"),
    ],
)
async def test_refusals_are_soft_for_those_who_ask(
    method: str, path: str, status: int | None, sandbox: Sandbox, browser: aiohttp.ClientSession
) -> None:
    url = f"{sandbox.control_url}/{path}"
    async with browser.request(method, url, headers={"Sandbox-Refusals": "soft"}) as answer:
        assert answer.status == 200
        assert answer.headers.get("Sandbox-Status") == (str(status) if status else None)
        assert ("error" in await answer.json()) == (status is not None)
    async with browser.request(method, url) as answer:
        assert answer.status == (status or 200)


async def test_the_gate_stays_hard_for_strange_pages(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    headers = {"Sandbox-Refusals": "soft", "Origin": "https://example.org"}
    async with browser.get(f"{sandbox.control_url}/clock", headers=headers) as answer:
        assert answer.status == 403


async def test_a_fault_that_passes_is_only_late(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        armed = {"service": "horde", "action": "pass", "delay": 0.01}
        async with session.post(f"{sandbox.control_url}/faults", json=armed) as answer:
            assert answer.status == 201
        async with session.get(f"{sandbox.url}/api/v2/status/heartbeat") as answer:
            assert answer.status == 200
    assert [call.fault for call in sandbox.calls.find()] == ["pass"]
