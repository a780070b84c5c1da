"""The AI Horde's webhooks with the whole bot: the sandbox plays the reverse proxy in front of its listener."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from bot.sandbox.call_log import Call
from bot.sandbox.control import Service
from bot.sandbox.outgoing import AddressMap
from tests.flow.conftest import open_town
from tests.flow.engines import paint, requests
from tests.flow.talk import ask
from tests.flow.town import Town
from tests.flow.wishes import work

PUBLIC_URL = "https://muster.test"
#: In the call log, of the calls that the Horde makes.
HOOK = "^https://muster.test/hook/horde/"
CHECK, STATUS, SUBMIT = "/generate/check/", "/generate/status/", "/generate/async$"
#: Seconds between two looks at a job whose service calls: ten, spread by a tenth.
SELDOM = 9.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reachable_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A world whose bot has a public address."""
    folder = tmp_path_factory.mktemp("reachable")
    async with open_town(folder, address_map=AddressMap.to_free_port(PUBLIC_URL)) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="session")
async def town(reachable_town: Town, request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    """That world with a fresh guild; what was arranged about webhooks is undone afterwards."""
    await reachable_town.move_to(request.node.name)
    yield reachable_town
    reachable_town.sandbox.horde.postman.apply()
    reachable_town.calm_down()


def hooks(town: Town) -> list[Call]:
    return [call for call in town.calls(path=HOOK) if call.outgoing]


def local(town: Town) -> str:
    """Where the proxy finds the bot."""
    return town.sandbox.address_map[PUBLIC_URL]


def webhook_of(town: Town) -> str:
    """The address that the last request to paint carried, as the proxy passes it on."""
    address = str(town.sandbox.horde.world.own_requests()[-1].order.webhook)
    assert address.startswith(f"{PUBLIC_URL}/hook/horde/")
    return address.replace(PUBLIC_URL, local(town))


async def test_pictures_come_with_their_webhooks_and_few_looks(town: Town) -> None:
    began = town.sandbox.clock.monotonic()
    reply = await (await town.imagine("three foxes that are called in", count=3)).end()
    took = town.sandbox.clock.monotonic() - began
    assert len(set(reply.hashes)) == 3
    assert set(reply.hashes) <= town.painted()
    await town.until(lambda: len(hooks(town)) == 3)
    assert {call.status for call in hooks(town)} == {200}
    # One at the beginning, then seldom; a call of the Horde's is followed by no check but by the status.
    assert len(town.calls(path=CHECK)) <= 2 + took / SELDOM
    assert len(town.calls(path=STATUS)) <= 2 * 3 + 1
    assert webhook_of(town) not in str(town.sandbox.calls.find()), "nobody else gets to know it"


async def test_lost_webhooks_are_not_missed(town: Town) -> None:
    town.sandbox.horde.postman.apply(lost=True)
    reply = await (await town.imagine("two foxes that nobody announces", count=2)).end()
    assert len(set(reply.hashes)) == 2
    assert hooks(town) == []


async def test_repeated_webhooks_change_nothing(town: Town) -> None:
    town.sandbox.horde.postman.apply(copies=4)
    reply = await (await town.imagine("two foxes, announced often", count=2)).end()
    await town.until(lambda: len(hooks(town)) == 8)
    assert {call.status for call in hooks(town)} == {200}
    assert len(set(reply.hashes)) == len(reply.hashes) == 2
    assert len(town.calls(path=STATUS)) <= 2 * 2 + 1


async def test_texts_and_alchemy_are_called_in_as_well(town: Town) -> None:
    answer, worked = await ask(town, "Who calls?"), await work(town, "caption")
    await asyncio.gather(answer.end(), worked.end())
    await town.until(lambda: len(hooks(town)) == 2)
    assert {call.status for call in hooks(town)} == {200}


@pytest.mark.parametrize("lost", [False, True], ids=["called", "not-called"])
async def test_lost_submission_is_found_again_by_its_webhook(town: Town, *, lost: bool) -> None:
    town.sandbox.horde.postman.apply(lost=lost)
    town.fault("horde", method="POST", path="/generate/async", action="reset_after")
    reply = await town.imagine("a fox whose receipt was lost")
    await reply.until(lambda shown: shown.over, step=2.0 if lost else 0.5)
    assert len(town.calls(method="POST", path=SUBMIT)) == 1, "never sent twice"
    if lost:
        assert "can't tell whether it arrived" in reply.text
    else:
        assert len(reply.hashes) == 1
        assert set(reply.hashes) <= town.painted()


async def test_cancel_ends_the_wait_for_the_webhook_of_a_lost_submission(town: Town) -> None:
    town.sandbox.horde.postman.apply(lost=True)
    town.fault("horde", method="POST", path="/generate/async", action="reset_after")
    reply = await town.imagine("a fox that nobody waits for")
    await reply.until(lambda shown: "finding out whether it arrived" in shown.text)
    await reply.press("Cancel")
    await reply.end()
    assert "I couldn't tell yet" in reply.text, "else it ends after five minutes, with another sentence"
    assert "Try again" in reply.buttons or "Again" in reply.buttons
    assert len(town.calls(method="POST", path=SUBMIT)) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["called", "not-called"])
async def test_lost_alchemy_is_found_again_by_its_webhook_and_by_nothing_else(town: Town, *, lost: bool) -> None:
    town.sandbox.horde.postman.apply(lost=lost)
    town.fault("horde", method="POST", path="/interrogate/async", action="reset_after")
    reply = await work(town, "caption")
    await reply.until(lambda shown: shown.over, step=2.0 if lost else 0.5)
    assert len(town.calls(method="POST", path="/interrogate/async")) == 1, "never sent twice"
    assert ("nothing else told me either" if lost else "✔ Caption") in reply.text


async def test_ten_thousand_forged_calls_leave_a_job_in_peace(town: Town) -> None:
    reply = await town.imagine("a fox in a crowd")
    await town.until(lambda: bool(town.calls(method="POST", path=SUBMIT)))
    forged = webhook_of(town)[:-4] + "0000"
    statuses = await asyncio.gather(*(flood(forged, 2500) for _ in range(4)))
    assert [set(found) for found in statuses] == [{404}] * 4
    assert [len(found) for found in statuses] == [2500] * 4
    await reply.end()
    assert len(reply.hashes) == 1


async def test_thousands_of_forged_calls_about_a_run_leave_it_in_peace(town: Town) -> None:
    client = town.sandbox.osais.client
    await town.until(lambda: bool(client.domain))
    town.sandbox.osais.play_next("nominal")
    reply = await paint(town, "a boat in a crowd", count=1)
    (request,) = requests(town, "a boat in a crowd")
    right = f"{local(town)}/{client.uri_notify}"
    told = {"uid": request.uid, "stage": -1, "descr": "forged"}
    statuses = await asyncio.gather(
        flood(right.replace("/notify", "0/notify"), 1000, told),
        flood(right.replace("/notify", "0/upload"), 1000, told),
        flood(right, 500, {**told, "token": "f" * 64}),
        flood(right, 100, {**told, "uid": request.uid + 1000}),
    )
    assert [set(found) for found in statuses] == [{404}, {404}, {403}, {201}]
    await reply.end()
    assert sorted(reply.hashes) == sorted(town.sandbox.osais.made[request.uid])
    assert "Done: 1 picture" in reply.text
    logged = [call for call in town.calls(service=Service.OSAIS, path="^https://muster.test/cb/") if call.outgoing]
    assert {call.status for call in logged} == {201}, "the log shows OSAIS's own calls, and how they were acknowledged"
    assert all(f"'uid': {request.uid}" in str(call.answer) for call in logged)


async def test_calls_after_the_end_are_answered_and_change_nothing(town: Town) -> None:
    reply = await (await town.imagine("a fox that is done")).end()
    await town.until(lambda: len(hooks(town)) == 1)
    versions, looks = len(reply.versions), len(town.calls(path="/generate/"))
    request = town.sandbox.horde.world.own_requests()[-1]
    body = {"id": request.jobs[0].id, "request": request.id}
    async with aiohttp.ClientSession() as session:
        for content, status in [(body, 200), ({**body, "id": request.id}, 200), ({}, 400)] * 3:
            async with session.post(webhook_of(town), json=content) as answer:
                assert answer.status == status
    await town.pass_time(5)
    assert (len(reply.versions), len(town.calls(path="/generate/"))) == (versions, looks)


async def flood(url: str, count: int, told: object = None) -> list[int]:
    """Call as often as asked over one connection, without waiting for answers; returns the statuses."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    body = json.dumps(told or {"id": "forged", "request": "forged"}).encode()
    head = f"POST {parts.path} HTTP/1.1\r\nHost: muster.test\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def write() -> None:
        for _ in range(count // 100):
            writer.write((head + body) * 100)
            await writer.drain()

    writing = asyncio.create_task(write())
    statuses = []
    for _ in range(count):
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        statuses.append(int(answer.split()[1]))
        length = next(line for line in answer.splitlines() if line.startswith("Content-Length"))
        await reader.readexactly(int(length.split()[1]))
    await writing
    writer.close()
    await writer.wait_closed()
    return statuses
