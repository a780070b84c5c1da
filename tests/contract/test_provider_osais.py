"""The `Provider` port, kept by `OsaisProvider` against the simulated OSAIS over real HTTP, with polling alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.clock import ManualClock
from bot.domain.callbacks import Callback, Notice, Upload
from bot.domain.endings import conclude
from bot.domain.engines import EngineRequest, Medium, Setting, Step
from bot.domain.jobs import Job
from bot.domain.progress import Progress
from bot.domain.results import Outcome
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.errors import (
    Busy,
    InboxFull,
    ProtocolError,
    ProviderError,
    Rejected,
    RemoteGone,
    StoreError,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.osais import EngineCatalogue, OsaisClient, OsaisProvider
from bot.providers.osais.catalogue import bundled
from bot.sandbox.osais import OsaisSim
from bot.store.inbox import SqlInboxStore
from bot.store.state import SqlStateStore
from tests.databases import open_fresh_database
from tests.factories import make_job
from tests.unit.test_web_bodies import png as picture

T = TypeVar("T")

DIFFUSION = EngineRequest(
    engine="diffusion",
    title="diffusion",
    prompt="a boat",
    settings=(Setting(name="cimg", value=2), Setting(name="seed", value=7)),
    expected=2,
    usual_ms=2000,
)


@dataclass
class Stand:
    """A simulated OSAIS and a provider in front of it, on one clock."""

    clock: ManualClock
    sim: OsaisSim
    client: OsaisClient
    engines: EngineCatalogue
    provider: OsaisProvider
    inbox: SqlInboxStore
    #: Calls that arrived, as (method, path).
    calls: list[tuple[str, str]] = field(default_factory=list)
    #: When submissions left, by the clock's `monotonic`.
    left: list[float] = field(default_factory=list)
    #: Numbers that jobs of ours have.
    known: set[str] = field(default_factory=set)
    #: By what is in a path: what is answered there instead.
    instead: dict[str, Callable[[], web.Response]] = field(default_factory=dict)

    async def submitted(self, request: EngineRequest = DIFFUSION) -> Job:
        """A job, handed over."""
        now, job = self.clock.now(), make_job(stage=Stage.SUBMITTING, request=request, provider="osais")
        submission = await self.provider.submit(job)
        return job.submitted(remote_id=submission.remote_id, cost=None, now=now)

    async def look(self, job: Job) -> Progress:
        """How far the job is by what was told of it; asked only when it is time to."""
        heard = await self.provider.heard(job)
        return heard.progress if heard.enough else await self.provider.poll(job)

    async def followed(self, job: Job, *, seconds: int = 400) -> Job:
        """The job as it stands when the provider says it is over, with everything fetched."""
        for _ in range(seconds // 2):
            await self.passed(2.0)
            progress = await self.look(job)
            job = job.advance(progress, self.clock.now())
            if progress.over:
                harvest = await self.provider.fetch(job)
                return job.with_artifacts(*harvest.artifacts)
        pytest.fail("it never ended")

    async def passed(self, seconds: float) -> None:
        """Let time pass, and the simulator do all that falls into it."""
        await self.clock.advance(seconds)
        await self.sim.settled()

    async def patiently(self, call: Awaitable[T]) -> T:
        """What a call brings that waits for time to pass."""
        waiting = asyncio.ensure_future(call)
        while not waiting.done():
            await asyncio.sleep(0.002)
            await self.clock.advance(0.2)
        return await waiting

    def count(self, method: str, path: str) -> int:
        """How often a path was called."""
        return sum(1 for called, at in self.calls if called == method and path in at)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    """An OSAIS on the loopback."""
    clock = ManualClock()
    sim = OsaisSim(clock)
    calls: list[tuple[str, str]] = []
    left: list[float] = []
    known: set[str] = set()
    instead: dict[str, Callable[[], web.Response]] = {}

    @web.middleware
    async def heard(request: web.Request, handler: Any) -> web.StreamResponse:
        calls.append((request.method, request.path))
        if "/client/ai/" in request.path:
            left.append(clock.monotonic())
        for part, other in instead.items():
            if part in request.path:
                return other()
        answer: web.StreamResponse = await handler(request)
        return answer

    async with AsyncExitStack() as stack:
        app = web.Application(middlewares=[heard])
        app.add_routes(sim.routes())
        server = await stack.enter_async_context(TestServer(app))
        sim.public_url = str(server.make_url("")).rstrip("/")
        running = asyncio.create_task(sim.run())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        database = await stack.enter_async_context(open_fresh_database(tmp_path))
        media = await stack.enter_async_context(MediaFetcher.open([sim.public_url]))
        client = OsaisClient(
            HttpClient(session, clock, timeout=1.0),
            clock,
            base_url=sim.public_url,
            token=SecretStr(sim.token),
            secret=SecretStr(sim.secret),
            turns=SqlStateStore(database),
        )
        engines, inbox = EngineCatalogue(client, clock), SqlInboxStore(database)

        async def is_known(uid: str) -> bool:
            return uid in known

        provider = OsaisProvider(client, engines, inbox, media, clock, is_known=is_known)
        yield Stand(clock, sim, client, engines, provider, inbox, calls, left, known, instead)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_run_brings_every_file_and_hides_nothing(stand: Stand) -> None:
    job = await stand.followed(await stand.submitted())
    assert sorted(file.sha256 for file in job.files) == sorted(stand.sim.made[int(job.remote_id or 0)])
    assert {(file.medium, file.extension, file.width) for file in job.files} == {(Medium.IMAGE, "png", 512)}
    assert conclude(job).outcome is Outcome.FINISHED
    assert (await stand.provider.fetch(job)).artifacts == ()
    (request,) = stand.sim.requests.values()
    assert request.given == {"word": "a boat", "cimg": 2, "seed": 7}
    assert request.oddities == ()


async def test_one_login_serves_many_calls_and_is_renewed_in_time(stand: Stand) -> None:
    await stand.submitted()
    await stand.passed(2)
    await stand.submitted()
    assert stand.count("POST", "/login") == 1
    await stand.clock.advance(24 * 3600 + 1)
    await stand.submitted()
    assert stand.count("POST", "/login") == 2


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_bearer_is_renewed_once_and_the_call_made_again(stand: Stand, status: int) -> None:
    stand.sim.set_status("bad-bearer", status)
    await stand.submitted()
    stand.sim.expire_bearers()
    await stand.passed(2)
    await stand.patiently(stand.submitted())
    assert stand.count("POST", "/login") == 2
    assert len(stand.sim.requests) == 2
    assert stand.clock.monotonic() - stand.left[-2] >= 1.1, "the second one waited for its turn, too"


def page(status: int, body: object = None, **headers: str) -> Callable[[], web.Response]:
    """Always the same answer; without a body, the page of something in between."""
    if body is None:
        return lambda: web.Response(status=status, text="<html>", content_type="text/html", headers=headers)
    return lambda: web.json_response(body, status=status, headers=headers)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_page_of_something_in_between_is_no_word_about_a_run_and_no_reason_to_log_in(
    stand: Stand, status: int
) -> None:
    job = await stand.submitted()
    stand.instead["/request/"] = page(status)
    for wait, logins in ((0, 1), (0, 1), (601, 1 if status == 404 else 2)):  # perhaps it is the old Bearer after all
        await stand.clock.advance(wait)
        with pytest.raises(Unavailable, match="not by OSAIS"):
            await stand.provider.poll(job)
        assert stand.count("POST", "/login") == logins


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({"data": {"authToken": "a.b.c", "duration": "72h"}}, None, id="as-documented"),
        pytest.param({"authToken": "a.b.c", "duration": "72h"}, None, id="at-the-top"),
        pytest.param({"data": None, "authToken": "a.b.c", "duration": "72h"}, None, id="at-the-top-beside-null"),
        pytest.param({"data": {"token": "t"}, "authToken": "a.b.c", "duration": "72h"}, None, id="beside-data"),
        pytest.param({"data": None, "message": "Invalid secret"}, Unauthorized, id="refusal"),
        pytest.param({"message": "Invalid secret"}, Unavailable, id="not-in-the-envelope"),
        pytest.param({"data": {}}, ProtocolError, id="nowhere"),
    ],
)
async def test_login_is_read_wherever_its_bearer_stands(
    stand: Stand, body: dict[str, Any], told: type[ProviderError] | None
) -> None:
    stand.instead["/login"] = page(201 if told is not Unauthorized and told is not Unavailable else 401, body)
    if told is not None:
        with pytest.raises(told):
            await stand.client.log_in()
        return
    await stand.client.log_in()
    assert (stand.client._bearer, stand.client._renew_at) == ("a.b.c", stand.clock.monotonic() + 24 * 3600)


#: How OSAIS refuses to be asked: what is answered, and where.
REFUSALS = {
    "login": ("/login", page(401, {"data": None, "status": 401, "message": "Invalid secret"})),
    "slow-down": ("/request/", page(429, {"data": None}, **{"Retry-After": "20"})),
    "trouble": ("/request/", page(500)),
    "page": ("/request/", page(403)),
}


@pytest.mark.parametrize(
    ("came", "outcome", "code"),
    [
        pytest.param([], Outcome.FAILED, "timeout", id="silence"),
        pytest.param([Notice(stage=5)], Outcome.FINISHED, "", id="fewer-files"),
        pytest.param([Notice(stage=-1)], Outcome.PARTIAL, "error", id="error"),
    ],
)
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_run_ends_although_osais_refuses_to_be_asked(
    stand: Stand, refusal: str, came: list[Notice], outcome: Outcome, code: str
) -> None:
    stand.sim.play_next("silence")
    job = await stand.submitted()
    where, stand.instead[where] = REFUSALS[refusal]
    stand.sim.expire_bearers()
    stand.client._bearer = ""
    said: list[Notice | Upload] = [*came, *([a_file()] if came else [])]
    for one in said:
        call = Callback(provider="osais", remote_id=job.remote_id or "", received_at=stand.clock.now(), said=one)
        await stand.inbox.put(call, picture() if isinstance(one, Upload) else None)
    began, tried = stand.clock.monotonic(), 0
    while not (heard := await stand.provider.heard(job)).enough or not heard.progress.over:
        job = job.advance(heard.progress, stand.clock.now())
        if not heard.enough:
            tried += 1
            with pytest.raises(ProviderError):
                await stand.patiently(stand.provider.poll(job))
        await stand.clock.advance(10.0)
        assert stand.clock.monotonic() - began < 300, "it never ended"
    assert tried
    job = job.advance(heard.progress, stand.clock.now())
    job = job.with_artifacts(*(await stand.provider.fetch(job)).artifacts)
    assert (conclude(job).outcome, conclude(job).code) == (outcome, code)
    assert stand.clock.monotonic() - began >= (60 if came else 120)
    if where in stand.instead:
        del stand.instead[where]
    over = job.concluded(conclude(job), stand.clock.now())
    assert not (await stand.provider.heard(over)).enough, "whoever looks for late files asks on"


def a_file() -> Upload:
    """One that a call brought."""
    data = picture()
    sha256 = hashlib.sha256(data).hexdigest()
    return Upload(name="a.png", media_type="image/png", size=len(data), sha256=sha256, engine="diffusion")


async def test_error_is_asked_about_before_it_is_the_end(stand: Stand) -> None:
    stand.sim.play_next("callbacks-lost")
    job = await stand.submitted()
    failed = Notice(stage=-1, description="CUDA out of memory")
    while not stand.sim.made[int(job.remote_id or 0)]:
        await stand.passed(1.0)
    now = stand.clock.now()
    await stand.inbox.put(Callback(provider="osais", remote_id=job.remote_id or "", received_at=now, said=failed))
    job = await stand.followed(job)
    assert 1 <= stand.count("GET", "/request/") <= 2
    assert len(job.usable) == 2, "made, charged, and brought by no call"
    assert (conclude(job).outcome, conclude(job).code) == (Outcome.PARTIAL, "error")
    over = job.concluded(conclude(job), stand.clock.now())
    assert (await stand.provider.heard(over)).enough
    await stand.passed(30.0)
    assert not (await stand.provider.heard(over)).enough, "once more for late ones"


async def test_request_of_somebody_else_ends_without_a_loop(stand: Stand) -> None:
    job = replace(await stand.submitted(), remote_id=str(stand.sim.foreign_request()))
    with pytest.raises(RemoteGone):
        await stand.provider.poll(job)
    assert stand.count("POST", "/login") == 2
    assert stand.count("GET", "/request/") == 2


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        pytest.param(lambda sim: sim.clients.remove(sim.token), Unauthorized, id="client-gone"),
        pytest.param(lambda sim: setattr(sim.client, "secret", "other"), Unauthorized, id="wrong-secret"),
        pytest.param(lambda sim: sim.play_next("reply-no-uid"), Rejected, id="data-null"),
        pytest.param(lambda sim: sim.play_next("reply-error"), SubmissionUncertain, id="error-after-accepting"),
        pytest.param(lambda sim: sim.play_next("reply-html"), SubmissionUncertain, id="proxy-page"),
        pytest.param(lambda sim: sim.play_next("reply-never"), SubmissionUncertain, id="no-answer"),
    ],
)
async def test_submission_that_fails_is_told_and_never_repeated(
    stand: Stand, trouble: Any, error: type[ProviderError]
) -> None:
    trouble(stand.sim)
    with pytest.raises(error) as caught:
        await stand.submitted()
    assert type(caught.value) is error
    assert "OSAIS" in caught.value.user_message
    assert stand.count("POST", "/ai/") <= 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(400, {"data": None, "message": "no credit"}, Rejected, id="refusal"),
        pytest.param(200, {"data": None, "statusText": "no credit"}, Rejected, id="refusal-with-200"),
        pytest.param(429, {"data": None, "message": "slowly"}, Busy, id="slow-down"),
        pytest.param(429, {"message": "slowly"}, SubmissionUncertain, id="slow-down-of-a-proxy"),
        pytest.param(503, {"data": None, "message": "down"}, SubmissionUncertain, id="unavailable"),
        pytest.param(503, None, SubmissionUncertain, id="unavailable-page"),
        pytest.param(521, None, SubmissionUncertain, id="proxy-says-not-reached"),
        pytest.param(302, None, SubmissionUncertain, id="redirect"),
        pytest.param(404, None, SubmissionUncertain, id="page"),
        pytest.param(200, {"uid": 7}, SubmissionUncertain, id="no-data"),
        pytest.param(201, {"data": []}, SubmissionUncertain, id="data-is-a-list"),
        pytest.param(201, {"data": True}, SubmissionUncertain, id="data-is-true"),
        pytest.param(201, {"data": {"uid": "soon"}}, SubmissionUncertain, id="no-number"),
        pytest.param(403, {"message": "no"}, Unauthorized, id="bearer-refused-twice"),
        pytest.param(401, {"data": None, "message": "no"}, Unauthorized, id="bearer-refused-twice-with-401"),
        pytest.param(403, {"data": None, "message": "no credit"}, Rejected, id="refusal-with-403"),
        pytest.param(401, None, SubmissionUncertain, id="page-with-401"),
        pytest.param(403, None, SubmissionUncertain, id="page-with-403"),
    ],
)
async def test_only_a_refusal_says_that_nothing_was_begun(
    stand: Stand, status: int, body: object, error: type[ProviderError]
) -> None:
    def answer() -> web.Response:
        return web.Response(status=status, text="<html>") if body is None else web.json_response(body, status=status)

    stand.instead["/ai/"] = answer
    with pytest.raises(error) as caught:
        await stand.patiently(stand.submitted())
    assert type(caught.value) is error
    assert "OSAIS" in caught.value.user_message
    assert stand.count("POST", "/ai/") == (2 if status in {401, 403} and body is not None else 1)
    assert getattr(caught.value, "code", "no credit") == "no credit"


@dataclass
class GivenTurns:
    """Gives a turn in five seconds, or stumbles."""

    stumbles: bool = False

    async def take_turn(self, key: str, *, now: datetime, apart: timedelta) -> datetime:
        assert (key.startswith("osais:turn:"), apart.total_seconds()) == (True, 1.1)
        if self.stumbles:
            raise StoreError("locked")
        return now + timedelta(seconds=5)


async def test_submission_waits_for_the_turn_that_processes_share(stand: Stand) -> None:
    await stand.submitted()
    await stand.passed(2)
    stand.client._shared = turns = GivenTurns()
    leaving = asyncio.ensure_future(stand.submitted())
    for _ in range(49):
        await asyncio.sleep(0.001)
        await stand.clock.advance(0.1)
    assert stand.count("POST", "/ai/") == 1
    while not leaving.done():
        await asyncio.sleep(0.001)
        await stand.clock.advance(0.1)
    assert stand.count("POST", "/ai/") == 2
    turns.stumbles = True
    await stand.passed(2)
    await stand.submitted()


async def test_submission_with_a_new_bearer_waits_for_both_turns_again(stand: Stand) -> None:
    await stand.client.log_in()
    stand.sim.expire_bearers()
    stand.client._shared = GivenTurns()
    await stand.patiently(stand.submitted())
    first, second = stand.left
    assert second - first >= 5, "the one that processes share"
    assert len(stand.sim.requests) == 1


@pytest.mark.parametrize(
    ("status", "absent", "outcome"),
    [
        pytest.param(404, 90.0, Outcome.FINISHED, id="late"),
        pytest.param(403, 1e9, Outcome.PARTIAL, id="never"),
        pytest.param(503, 100.0, Outcome.FINISHED, id="host-is-silent"),
    ],
)
async def test_file_that_is_announced_too_early_is_awaited_for_a_while(
    stand: Stand, status: int, absent: float, outcome: Outcome
) -> None:
    job = await stand.submitted()
    since, first = stand.clock.monotonic(), f"{job.remote_id}_0334"

    def shown() -> web.Response:
        if stand.clock.monotonic() - since < absent:
            return web.Response(status=status)
        del stand.instead[first]
        return web.Response(body=picture())

    stand.instead[first] = shown
    job = await stand.followed(job)
    assert (conclude(job).outcome, len(job.usable)) == (outcome, 2 if outcome is Outcome.FINISHED else 1)


async def test_file_that_is_not_kept_is_not_counted_as_fetched(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await stand.submitted()

    async def full(*_: object) -> bool:
        raise InboxFull("1000 calls")

    monkeypatch.setattr(stand.inbox, "put", full)
    job = await stand.followed(job)
    assert (conclude(job).code, len(job.artifacts), len(job.usable)) == ("unfetched", 2, 0)


async def test_files_are_taken_out_of_the_inbox_a_few_at_a_time(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.providers.osais.provider.AT_ONCE", 1)
    job = await stand.submitted()
    while (await stand.provider.poll(job)).finished < 2:
        await stand.passed(2)
    first = await stand.provider.fetch(job)
    assert (len(first.bytes_of), first.missing) == (1, 1)
    second = await stand.provider.fetch(job.with_artifacts(*first.artifacts))
    assert (list(second.bytes_of), second.missing) == ([1], 0)


async def test_file_that_came_before_anybody_knew_whose_it_was_is_judged_by_its_job(stand: Stand) -> None:
    job = await stand.submitted()
    film = Upload(name="a.mp4", media_type="video/mp4", size=3, sha256="f" * 64, engine="vtoonify")
    now = stand.clock.now()
    await stand.inbox.put(Callback(provider="osais", remote_id=job.remote_id or "", received_at=now, said=film), b"abc")
    assert (await stand.provider.heard(job)).progress.finished == 0
    assert (await stand.provider.fetch(job)).artifacts == ()


async def test_lost_submission_is_never_found_again(stand: Stand) -> None:
    with pytest.raises(SubmissionUncertain) as caught:
        await stand.provider.recover(make_job(stage=Stage.SUBMITTING, request=DIFFUSION, provider="osais"))
    assert "OSAIS" in caught.value.user_message


async def test_refusal_keeps_what_osais_said_apart_from_our_sentence(stand: Stand) -> None:
    with pytest.raises(Rejected) as caught:
        await stand.submitted(replace(DIFFUSION, prompt=""))
    assert caught.value.code == "word is required"
    assert "word is required" not in caught.value.user_message


async def test_number_of_another_job_fails_loudly(stand: Stand) -> None:
    stand.known.add(str(stand.sim.foreign_request() + 1000))
    with pytest.raises(ProtocolError) as caught:
        await stand.submitted()
    assert "number of another one" in caught.value.user_message


async def test_submissions_leave_one_after_the_other(stand: Stand) -> None:
    jobs = [make_job(stage=Stage.SUBMITTING, request=DIFFUSION, provider="osais") for _ in range(3)]
    leaving = [asyncio.ensure_future(stand.provider.submit(job)) for job in jobs]
    while not all(one.done() for one in leaving):
        await asyncio.sleep(0.01)
        await stand.clock.advance(0.2)
    moments = [request.started_at for request in stand.sim.requests.values()]
    assert len(set(moments)) == 3
    assert len({one.result().remote_id for one in leaving}) == 3


async def test_silent_service_is_unavailable_while_nothing_is_known(stand: Stand) -> None:
    job = await stand.submitted()
    stand.sim.set_status("checked", 500)
    await stand.passed(3)
    waiting = asyncio.ensure_future(stand.provider.poll(job))
    while not waiting.done():
        await asyncio.sleep(0.01)
        await stand.clock.advance(1)
    assert isinstance(waiting.exception(), Unavailable)


async def test_files_are_fetched_from_allowed_hosts_only(stand: Stand) -> None:
    stand.sim.play_next("poll-s3-names")
    job = await stand.followed(await stand.submitted())
    assert job.usable == ()
    assert conclude(job).code == "unfetched"


@pytest.mark.parametrize(
    ("scenario", "step", "outcome"),
    [
        pytest.param("poll-empty", Step.STOPPED, Outcome.FAILED, id="ended-without-a-file"),
        pytest.param("silence", Step.TIMED_OUT, Outcome.FAILED, id="never-ends"),
        pytest.param("poll-nulls", Step.STOPPED, Outcome.FINISHED, id="nulls-while-it-runs"),
        pytest.param("poll-unknown-first", Step.STOPPED, Outcome.FINISHED, id="unknown-at-first"),
        pytest.param("bearer-expires", Step.STOPPED, Outcome.FINISHED, id="bearer-ends-meanwhile"),
    ],
)
async def test_checks_alone_lead_to_an_end(stand: Stand, scenario: str, step: Step, outcome: Outcome) -> None:
    stand.sim.play_next(scenario)
    job = await stand.followed(await stand.submitted())
    assert job.progress is not None
    assert (job.progress.step, conclude(job).outcome) == (step, outcome)


async def test_run_that_ended_while_nobody_listened_is_asked_about_before_it_is_given_up(stand: Stand) -> None:
    job = await stand.submitted()
    await stand.passed(3600.0)
    # What the next life of the bot knows of it stands in the row alone.
    stand.provider._known.clear()
    stand.provider._handed_over.clear()
    job = await stand.followed(job)
    assert conclude(job).outcome is Outcome.FINISHED
    assert len(job.usable) == 2


async def test_checks_alone_show_that_it_works(stand: Stand) -> None:
    stand.sim.play_next("silence")
    job = await stand.submitted()
    assert (await stand.provider.heard(job)).progress.step == Step.SENT
    await stand.passed(3)
    progress = await stand.provider.poll(job)
    assert (progress.step, progress.stage) == (Step.WORKING, Stage.PROCESSING)


async def test_checks_are_gentle(stand: Stand) -> None:
    stand.sim.play_next("silence")
    job = await stand.submitted()
    for _ in range(60):
        await stand.passed(1.0)
        job = job.advance(await stand.look(job), stand.clock.now())
    assert stand.count("GET", "/request/") <= 8


async def test_live_configs_replace_the_bundled_ones_in_either_generation(stand: Stand) -> None:
    stand.sim.set_config("gfpgan", "v1.0.3")
    stand.sim.set_config("ping", "v1.2.0")
    await stand.engines.refresh()
    found = {engine.name: engine for engine in stand.engines.engines()}
    assert found["gfpgan"].version == "1.0.3"
    assert [one.name for one in found["ping"].parameters] == ["width", "height"]
    assert replace(found["diffusion"], usual_ms=0) == replace(bundled()["diffusion"], usual_ms=0)
    assert found["sadtalker"].usual_ms == 45_000
    before = len(stand.calls)
    await stand.engines.refresh()
    assert len(stand.calls) == before


async def test_picture_without_an_address_is_refused_before_anything_leaves(stand: Stand) -> None:
    request = EngineRequest(engine="rembg", title="rembg", image=SourceMedia(url=""))
    with pytest.raises(Rejected) as caught:
        await stand.submitted(request)
    assert "attach the picture again" in caught.value.user_message
    assert stand.count("POST", "/ai/") == 0
