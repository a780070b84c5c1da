"""The listener over real connections: who gets in, what is refused, and what is kept before it is acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bot.domain.callbacks import Notice, Upload
from bot.domain.engines import EngineRequest
from bot.domain.jobs import JobId
from bot.domain.stages import Stage
from bot.errors import StoreError
from bot.logs import Redactor
from bot.providers.horde.webhooks import Hint
from bot.services.callback_addresses import CallbackAddress
from bot.web.receiving import FILES_AT_ONCE
from tests.factories import OWNER, make_job
from tests.listening import TOKEN, UID, Listening, open_listening
from tests.unit.test_web_bodies import png

REQUEST, PART = "d9082790-05a0-45e0-9c25-3a116eebc438", "affd67f6-d8df-4185-a529-578ce1569255"
DIFFUSION = EngineRequest(engine="diffusion", title="diffusion", prompt="a boat")
ACK = {"data": {"token": TOKEN, "uid": UID}}


@pytest_asyncio.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Listening]:
    async with open_listening(tmp_path) as listening:
        yield listening


def form(data: bytes = b"", *, name: str = "file", filename: str = "a.png", **fields: object) -> aiohttp.FormData:
    found = aiohttp.FormData()
    for key, value in {"uid": UID, "token": TOKEN, **fields}.items():
        found.add_field(key, str(value))
    found.add_field(name, data or png(), filename=filename, content_type="image/png")
    return found


async def raw(listening: Listening, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which `request` was written as it is."""
    host, _, port = listening.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    await writer.drain()
    return reader, writer


async def head_of(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


# -- what is taken ----------------------------------------------------------------------------------------------------


async def test_stage_is_kept_told_and_acknowledged(listening: Listening) -> None:
    job = make_job(
        stage=Stage.WAITING, provider="osais", remote_id=str(UID), due_at=listening.clock.now() + timedelta(hours=1)
    )
    await listening.jobs.add(job)
    body = {"uid": str(UID), "stage": "2", "token": TOKEN, "engine": "ping", "descr": "AI started"}
    assert await listening.post(listening.notify, body) == (201, ACK)
    assert [call.said for call in await listening.kept()] == [Notice(stage=2, description="AI started", engine="ping")]
    row = await listening.jobs.get(job.id)
    assert row is not None
    assert row.due_at == listening.clock.now(), "whoever owns it looks now"
    assert len(listening.woken) == 1
    assert await listening.post("/" + listening.notify, {**body, "stage": 2}) == (201, ACK)
    assert (len(await listening.kept()), len(listening.woken)) == (1, 1), "the same again"


async def test_file_is_kept_before_it_is_acknowledged(listening: Listening) -> None:
    assert await listening.post(listening.upload, form(engine="ping")) == (201, ACK)
    (call,) = await listening.kept()
    assert isinstance(call.said, Upload)
    assert (call.said.media_type, call.said.engine, await listening.inbox.content(call.id)) == (
        "image/png",
        "ping",
        png(),
    )


async def test_file_is_judged_by_the_jobs_engine_whatever_the_call_names(listening: Listening) -> None:
    film = b"\x00\x00\x00\x18ftypisom" + bytes(20)
    assert await listening.post(listening.upload, form(film, engine="diffusion")) == (201, ACK), "nobody's yet"
    job = make_job(stage=Stage.WAITING, provider="osais", remote_id=str(UID), request=DIFFUSION)
    await listening.jobs.add(job)
    status, answer = await listening.post(listening.upload, form(film + b"1", engine="vtoonify"))
    assert (status, answer) == (415, {"data": None, "status": 415, "message": "diffusion makes no video/mp4"})
    assert await listening.post(listening.upload, form(engine="coquitts")) == (201, ACK)
    kept = [call.said.media_type for call in await listening.kept() if isinstance(call.said, Upload)]
    assert kept == ["video/mp4", "image/png"]


async def test_files_are_taken_in_a_few_at_a_time(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.receiving.FILES_WAITING", 1)
    begun = f"POST {listening.upload} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode()
    callers = [await raw(listening, begun) for _ in range(FILES_AT_ONCE)]
    for reader, _ in callers:
        assert (await head_of(reader)).startswith("HTTP/1.1 100 ")  # asked for its body, so it has its place
    others = [asyncio.ensure_future(listening.post(listening.upload, form())) for _ in range(2)]
    await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    crowded = next(one for one in others if one.done())
    others.remove(crowded)
    assert crowded.result()[0] == 503
    assert (await listening.post(listening.notify, {"uid": UID}))[0] == 201, "stages need no place"
    for _, writer in callers:
        writer.close()
    assert await others[0] == (201, ACK), "the one that waited had its turn"


async def test_call_that_is_one_too_many_is_not_acknowledged(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.inbox.JOBS_MOST", 1)
    await listening.jobs.add(make_job(stage=Stage.WAITING, provider="osais", remote_id=str(UID)))
    answers = [(await listening.post(listening.notify, {"uid": UID, "stage": stage}))[0] for stage in (1, 2, 1)]
    assert answers == [201, 503, 201], "the last is known, and kept"


async def test_call_that_cannot_be_kept_is_not_acknowledged(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(listening.inbox, "put", broken)
    status, body = await listening.post(listening.notify, {"uid": UID})
    assert (status, body) == (503, {"data": None, "status": 503, "message": "it could not be kept; please try again"})


# -- who gets in ------------------------------------------------------------------------------------------------------


async def test_wrong_address_cannot_be_told_from_an_unknown_one(listening: Listening, tmp_path: Path) -> None:
    right = listening.notify.split("/")[2]
    strangers = [
        "/nowhere",
        "/",
        f"/cb/{'0' * 32}/notify",
        f"/cb/{right[:-1]}/notify",
        f"/cb/{right}x/upload",
        f"/cb/{right}",
        f"/cb/{right}/other",
        f"/cb/{right.upper()}%C3%A9/notify",
        "/cb//notify",
        "/cb/%00/notify",
        "/hook/horde/x_y",
        f"/hook/horde/job-000001_{'0' * 32}",
        "/source/a_1_2_3.png",
    ]
    answers = set()
    for path in strangers:
        reader, writer = await raw(
            listening,
            f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n".encode(),
        )
        head = await head_of(reader)  # without a byte of the body having been sent
        answers.add(
            "\n".join(line for line in head.splitlines() if not line.startswith("Date"))
            + (await reader.read(14)).decode()
        )
        writer.close()
    assert len(answers) == 1
    assert answers.pop().startswith("HTTP/1.1 404 ")
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert (await listening.post(listening.notify, method=method))[0] == 404
    assert await listening.kept() == []


async def test_osais_has_no_address_without_its_token(tmp_path: Path) -> None:
    async with open_listening(tmp_path, token="") as listening:
        assert (await listening.post(listening.notify, {"uid": UID}))[0] == 404


async def test_prefix_of_the_public_address_may_be_passed_on_or_not(tmp_path: Path) -> None:
    async with open_listening(tmp_path, public_url="https://bot.test/muster") as listening:
        assert listening.notify.startswith("/muster/cb/")
        for path in (listening.notify, listening.notify.removeprefix("/muster")):
            assert (await listening.post(path, {"uid": UID}))[0] == 201


async def test_somebody_elses_token_is_refused_and_logged_once_without_it(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    for path, body in [
        (listening.notify, {"uid": UID, "token": "f" * 64}),
        (listening.upload, form(token="f" * 64)),
    ] * 3:
        status, answer = await listening.post(path, body)
        assert (status, answer) == (403, {"data": None, "status": 403, "message": "the token is not ours"})
    assert await listening.kept() == []
    assert caplog.text.count("refused") == 1
    assert "ffff" not in caplog.text


async def test_calls_about_unknown_requests_are_logged_once(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for uid in (UID, UID + 1000):
            assert (await listening.post(listening.notify, {"uid": uid}))[0] == 201
    assert caplog.text.count("unknown request") == 1


def test_our_callback_address_does_not_show_its_secret() -> None:
    address = CallbackAddress(domain="https://bot.test", notify="cb/hush/notify", upload="cb/hush/upload")
    assert "https://bot.test" in repr(address)
    assert "hush" not in repr(address)


def test_our_addresses_are_redacted_in_logs() -> None:
    lines = "POST /cb/abc123/notify, https://x.test//cb/abc123/upload /hook/horde/job_abc123 /source/a_1_abc123.png"
    assert "abc123" not in Redactor()(lines)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("what", ["notify", "upload"])
async def test_too_much_is_refused(listening: Listening, what: str, *, chunked: bool) -> None:
    size = 33 * 1024 * 1024 if what == "upload" else 65 * 1024

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 65536 + 1):
            yield bytes(65536)

    headers = {"Content-Type": "multipart/form-data; boundary=x"} | ({} if chunked else {"Content-Length": str(size)})
    path = listening.upload if what == "upload" else listening.notify
    try:
        async with listening.session.post(listening.url + path, data=pieces(), headers=headers) as answer:
            assert answer.status == 413
    except aiohttp.ClientConnectionError:  # the server had heard enough before we were done
        assert what == "upload"
    assert await listening.kept() == []


async def test_slow_body_is_given_up_after_a_minute(listening: Listening) -> None:
    request = (
        f"POST {listening.notify} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{"
    )
    reader, writer = await raw(listening, request.encode())
    answer = asyncio.ensure_future(head_of(reader))
    while not answer.done():
        await asyncio.sleep(0.01)
        await listening.clock.advance(10)
    assert answer.result().startswith("HTTP/1.1 408 ")
    assert listening.clock.monotonic() >= 60
    writer.close()


async def test_caller_that_waits_to_be_asked_for_its_body_is_asked(listening: Listening) -> None:
    body = json.dumps({"uid": UID}).encode()
    request = (
        f"POST {listening.notify} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await raw(listening, request.encode())
    assert (await head_of(reader)).startswith("HTTP/1.1 100 ")
    writer.write(body)
    assert (await head_of(reader)).startswith("HTTP/1.1 201 ")
    writer.close()


async def test_whatever_comes_is_answered_and_only_what_is_acknowledged_is_kept(listening: Listening) -> None:
    rng = random.Random(6)
    job = make_job(stage=Stage.WAITING, provider="osais", remote_id=str(UID), request=DIFFUSION)
    await listening.jobs.add(job)
    whole = json.dumps({"uid": UID, "token": TOKEN, "stage": 3}).encode()
    part = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="1678361974000_1.png"\r\n\r\n'
        + png()
        + b"\r\n--b--"
    )
    hook = f"/hook/horde/{listening.doors.address.job_token(JobId('nobody'))}"
    types = ["application/json", "multipart/form-data; boundary=b", "multipart/form-data", "text/xml", "\xe9", ""]
    encodings = ["", "", "", "gzip", "deflate", "br", "nonsense"]
    for number in range(250):
        before = len(await listening.kept())
        row = await listening.jobs.get(job.id)
        content = bytearray(rng.choice([whole, part, rng.randbytes(50), b"", b"[" * 9000, b'{"uid":' + b"1" * 5000]))
        for _ in range(rng.choice([0, 0, 1, 5])):
            place = rng.randrange(len(content) + 1)
            content[place : place + 1] = rng.randbytes(1)
        headers = {"Content-Type": rng.choice(types), "Content-Encoding": rng.choice(encodings)}
        path = rng.choice([listening.notify, listening.upload, hook, f"/source/{number}"])
        method = rng.choice(["POST", "POST", "POST", "GET", "PATCH"])
        sent = bytes(content[: rng.choice([len(content), len(content), len(content) // 2])])
        well_formed = number % 10 == 0
        if well_formed:
            method, headers["Content-Encoding"] = "POST", ""
            path, sent, headers["Content-Type"] = rng.choice(
                [(listening.notify, whole, types[0]), (listening.upload, part, types[1])]
            )
        async with listening.session.request(
            method,
            listening.url + path,
            data=sent,
            headers={key: value for key, value in headers.items() if value},
            skip_auto_headers={"Content-Type"},
        ) as answer:
            assert answer.status < 500, (path, headers, content[:80])
            fresh = len(await listening.kept()) - before
            assert not fresh or answer.status == 201
            assert answer.status == 201 or not well_formed
            now = await listening.jobs.get(job.id)
            assert now == row or (fresh and now and row and replace(now, due_at=row.due_at) == row), "only looked at"
    for cut in range(0, len(part), 40):  # a connection that dies in the middle
        head = f"Host: x\r\nContent-Type: {types[1]}\r\nContent-Length: {len(part)}\r\n\r\n"
        request = f"POST {listening.upload} HTTP/1.1\r\n{head}"
        _, writer = await raw(listening, request.encode() + part[:cut])
        writer.close()
        await writer.wait_closed()
    assert await listening.post(listening.notify, {"uid": UID, "stage": 9}) == (201, ACK), "still there"


# -- the AI Horde -----------------------------------------------------------------------------------------------------


def hook_of(listening: Listening, job_id: JobId) -> str:
    return listening.doors.hooks.address(job_id).removeprefix("https://bot.test")


async def test_webhook_is_a_hint_that_counts_once(listening: Listening) -> None:
    job = make_job(stage=Stage.WAITING, remote_id=REQUEST, due_at=listening.clock.now() + timedelta(hours=1))
    await listening.jobs.add(job)
    path, body = hook_of(listening, job.id), {"id": PART, "request": REQUEST, "img": "http://169.254.169.254/"}
    for _ in range(3):
        assert await listening.post(path, body) == (200, {"ok": True})
    assert len(listening.woken) == 1
    assert list(await listening.doors.hooks.hints("horde", job.id)) == [Hint(request=REQUEST, part=PART)]
    row = await listening.jobs.get(job.id)
    assert row is not None
    assert row.due_at == listening.clock.now()


@pytest.mark.parametrize(
    ("stage", "body", "status"),
    [
        pytest.param(Stage.WAITING, {"id": PART, "request": PART}, 200, id="another-request"),
        pytest.param(Stage.ENDED, {"id": PART, "request": REQUEST}, 200, id="after-the-end"),
        pytest.param(Stage.DELIVERING, {"id": PART, "request": REQUEST}, 200, id="while-it-is-shown"),
        pytest.param(Stage.QUEUED, {"id": PART, "request": REQUEST}, 200, id="before-it-left"),
        pytest.param(Stage.WAITING, {"id": PART}, 400, id="no-request"),
        pytest.param(Stage.WAITING, {"id": PART, "request": "../../users"}, 400, id="path"),
        pytest.param(Stage.WAITING, [], 400, id="no-object"),
        pytest.param(Stage.WAITING, {"id": PART, "request": REQUEST, "img": "x" * 3_000_000}, 413, id="oversized"),
    ],
)
async def test_webhook_that_tells_nothing_changes_nothing(
    listening: Listening, stage: Stage, body: object, status: int
) -> None:
    job = make_job(stage=stage, remote_id=REQUEST)
    await listening.jobs.add(job)
    before = await listening.jobs.get(job.id)
    assert (await listening.post(hook_of(listening, job.id), body))[0] == status
    assert await listening.jobs.get(job.id) == before
    assert (list(await listening.doors.hooks.hints("horde", job.id)), listening.woken) == ([], [])


async def test_webhook_of_a_job_that_is_gone_is_answered(listening: Listening) -> None:
    assert (await listening.post(hook_of(listening, JobId("gone")), {"id": PART, "request": REQUEST}))[0] == 200


# -- source files -----------------------------------------------------------------------------------------------------


async def test_source_is_served_for_an_hour_to_whoever_has_its_address(listening: Listening) -> None:
    job = make_job()
    await listening.jobs.add(job)
    await listening.artifacts.put(job.id, -1, png(), owner=OWNER, now=listening.clock.now())
    links = listening.doors.sources
    path = links.link(job.id, -1, "png").removeprefix("https://bot.test")
    async with listening.session.get(listening.url + path) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", png())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    misread = path[:-5] + ("1" if path[-5] == "0" else "0") + ".png"
    for wrong in (path.replace("_-1_", "_-2_"), misread, "/source/x_y_z_w.png", path + "/x"):
        assert (await listening.post(wrong, method="GET"))[0] == 404
    assert (await listening.post(links.link(job.id, 5, "png").removeprefix("https://bot.test"), method="GET"))[0] == 404
    await listening.clock.advance(3600)
    assert (await listening.post(path, method="GET"))[0] == 404
