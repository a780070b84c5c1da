"""The `Provider` port, kept by `HordeImageProvider` against the simulated Horde over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.clock import ManualClock
from bot.domain.jobs import Job, conclude
from bot.domain.requests import SizeChoice
from bot.domain.results import Censorship, Outcome
from bot.errors import (
    ContentRefused,
    KudosNeeded,
    Maintenance,
    Paused,
    RemoteGone,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.base import Provider
from bot.providers.horde import ANONYMOUS_KEY, Catalogue, HordeClient, HordeImageProvider
from bot.providers.horde.provider import REFUSAL_PAUSE
from bot.sandbox.horde import HordeSim
from tests.factories import make_job, make_request

MODEL = "AlbedoBase XL (SDXL)"


@dataclass
class Stage:
    """One simulated Horde and one provider in front of it, on one clock."""

    clock: ManualClock
    sim: HordeSim
    base: str
    session: aiohttp.ClientSession
    media: MediaFetcher
    #: Remote ids that belong to jobs of ours.
    known: set[str] = field(default_factory=set)
    #: How many of the next answers to a POST are lost on the way.
    lose_answers: int = 0
    #: The filter refuses every prompt; the object store answers 500.
    refuse_prompts: bool = False
    store_down: bool = False

    def provider(self, key: str) -> HordeImageProvider:
        """A provider with that key, as a freshly started process would make it."""
        http = HttpClient(self.session, self.clock, timeout=5)
        client = HordeClient(
            http,
            self.clock,
            base_url=f"{self.base}/api/v2",
            api_key=SecretStr(key),
            client_agent="muster-tests:1:none",
            reference_url=f"{self.base}/reference/stable_diffusion.json",
        )
        return HordeImageProvider(
            client, self.media, Catalogue(client, self.clock), self.clock, known_ids=self._known_ids
        )

    async def _known_ids(self) -> Collection[str]:
        return self.known

    async def submitted(self, provider: Provider, job: Job) -> Job:
        """The job, handed over."""
        now = self.clock.now()
        submission = await provider.submit(job)
        self.known.add(submission.remote_id)
        return job.submitting(now).submitted(remote_id=submission.remote_id, cost=submission.cost, now=now)

    async def followed(self, provider: Provider, job: Job, *, seconds: int = 600) -> Job:
        """The job as it stands when the provider says it is over, with everything fetched."""
        for _ in range(seconds // 2):
            await self.clock.advance(2)
            await self.sim.settled()
            progress = await provider.poll(job)
            job = job.advance(progress, self.clock.now())
            if progress.over:
                harvest = await provider.fetch(job)
                return job.with_artifacts(*harvest.artifacts)
        pytest.fail("it never ended")


@asynccontextmanager
async def _disturbed(stage: Stage, request: web.Request, handler: Any) -> AsyncIterator[web.StreamResponse]:
    if stage.refuse_prompts and request.method == "POST":
        yield web.json_response({"message": "Sod off!", "rc": "CorruptPrompt"}, status=400)
        return
    if stage.store_down and "/api/" not in request.path:
        yield web.Response(status=500)
        return
    response = await handler(request)
    if request.method == "POST" and stage.lose_answers > 0:
        stage.lose_answers -= 1
        assert request.transport is not None
        request.transport.abort()
    yield response


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A Horde with its default park of workers, reachable on the loopback."""
    clock = ManualClock()
    sim = HordeSim(clock, seed=3)
    holder: list[Stage] = []

    @web.middleware
    async def disturb(request: web.Request, handler: Any) -> web.StreamResponse:
        async with _disturbed(holder[0], request, handler) as response:
            return response

    app = web.Application(middlewares=[disturb])
    app.add_routes(sim.routes())
    async with AsyncExitStack() as stack:
        server = TestServer(app)
        await stack.enter_async_context(server)
        sim.public_url = str(server.make_url("/")).rstrip("/")
        session = await stack.enter_async_context(aiohttp.ClientSession())
        media = await stack.enter_async_context(MediaFetcher.open([sim.public_url]))
        running = asyncio.create_task(sim.run())
        stage = Stage(clock=clock, sim=sim, base=sim.public_url, session=session, media=media)
        holder.append(stage)
        yield stage
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def paint(stage: Stage, **changes: Any) -> Job:
    """A job for a small picture of the served model."""
    request = make_request(**{"model": MODEL, "width": 512, "height": 512, "steps": 10, **changes})
    return replace(make_job(request=request), created_at=stage.clock.now())


@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(3, id="three")])
async def test_job_brings_the_pictures_that_were_painted(stage: Stage, count: int) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    job = await stage.submitted(provider, paint(stage, count=count))
    for _ in range(300):
        await stage.clock.advance(2)
        await stage.sim.settled()
        progress = await provider.poll(job)
        job = job.advance(progress, stage.clock.now())
        if progress.over:
            break
    harvest = await provider.fetch(job)
    hashes = {artifact.sha256 for artifact in harvest.artifacts}
    assert hashes == set(stage.sim.painted.values())
    assert hashes == {hashlib.sha256(data).hexdigest() for data in harvest.bytes_of.values()}
    assert [artifact.index for artifact in harvest.artifacts] == list(range(count))
    assert len({artifact.seed for artifact in harvest.artifacts}) == count
    assert conclude(job.with_artifacts(*harvest.artifacts)).outcome is Outcome.FINISHED


async def test_fetch_leaves_out_what_is_already_known(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    harvest = await provider.fetch(job)
    assert (harvest.artifacts, harvest.missing) == ((), 0)


async def test_fetch_gets_a_fresh_link_for_a_dead_one(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.dead_links(1, "expired")
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [artifact.usable for artifact in job.artifacts] == [True]


async def test_fetch_calls_a_picture_unreadable_that_was_never_stored(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.dead_links(1, "missing")
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [artifact.unreadable for artifact in job.artifacts] == [True]
    assert conclude(job).outcome is Outcome.FAILED


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in Censorship])
async def test_censored_picture_comes_without_bytes(stage: Stage, kind: Censorship) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.censor_next(1, kind.value)
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [(artifact.censored, artifact.sha256) for artifact in job.artifacts] == [(kind, "")]


async def test_job_whose_workers_fail_ends_without_pictures(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.fault_next(2)
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert conclude(job).outcome is Outcome.FAILED


async def test_impossible_job_says_so(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.set_impossible()
    job = await stage.submitted(provider, paint(stage))
    await stage.clock.advance(2)
    assert not (await provider.poll(job)).possible


async def test_cancelled_job_is_over(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.set_workers(paused=True)
    job = await stage.submitted(provider, paint(stage))
    await provider.cancel(job)
    await stage.clock.advance(2)
    assert (await provider.poll(job)).over


async def test_cancel_of_a_job_that_is_gone_counts_as_cancelled(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    job = await stage.submitted(provider, paint(stage))
    assert job.remote_id
    stage.sim.expire(job.remote_id)
    await provider.cancel(job)


async def test_poll_of_an_expired_job_raises_remote_gone(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    job = await stage.submitted(provider, paint(stage))
    assert job.remote_id
    stage.sim.expire(job.remote_id)
    stage.sim.forget_caches()
    with pytest.raises(RemoteGone):
        await provider.poll(job)
    with pytest.raises(RemoteGone):
        await provider.fetch(job)


async def test_large_request_without_kudos_is_refused_openly(stage: Stage) -> None:
    job = paint(stage, size=SizeChoice.LARGE, width=1536, height=1536)
    with pytest.raises(KudosNeeded, match="KudosUpfront"):
        await stage.provider(ANONYMOUS_KEY).submit(job)


async def test_maintenance_is_told(stage: Stage) -> None:
    stage.sim.set_maintenance()
    with pytest.raises(Maintenance):
        await stage.provider(ANONYMOUS_KEY).submit(paint(stage))


async def test_wrong_key_is_told(stage: Stage) -> None:
    with pytest.raises(Unauthorized):
        await stage.provider("not-a-key").submit(paint(stage))


async def test_timeout_of_the_address_stops_submissions_until_it_ends(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.sim.timeout_ip(120)
    with pytest.raises(Paused):
        await provider.submit(paint(stage))
    stage.sim.timeout_ip(0)
    with pytest.raises(Paused):  # nobody is asked before it is over
        await provider.submit(paint(stage))
    await stage.clock.advance(121)
    assert (await provider.submit(paint(stage))).remote_id


async def test_refused_prompt_stops_submissions_for_a_while(stage: Stage) -> None:
    stage.refuse_prompts = True
    provider = stage.provider(ANONYMOUS_KEY)
    with pytest.raises(ContentRefused):
        await provider.submit(paint(stage))
    stage.refuse_prompts = False
    with pytest.raises(Paused) as caught:
        await provider.submit(paint(stage))
    assert caught.value.retry_after == provider.paused_for == REFUSAL_PAUSE


async def test_store_that_does_not_answer_leaves_the_picture_missing(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    stage.store_down = True
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert not job.artifacts
    assert (await provider.fetch(job)).missing == 1
    stage.store_down = False
    harvest = await provider.fetch(job)
    assert [artifact.usable for artifact in harvest.artifacts] == [True]


async def test_submission_tells_the_price(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    submission = await provider.submit(paint(stage, count=2))
    assert submission.cost is not None
    assert submission.cost > 5


async def _lost(stage: Stage, provider: Provider, job: Job) -> None:
    stage.lose_answers = 1
    with pytest.raises(SubmissionUncertain):
        await provider.submit(job)


async def test_recover_with_an_anonymous_key_cannot_tell(stage: Stage) -> None:
    provider, job = stage.provider(ANONYMOUS_KEY), paint(stage)
    await _lost(stage, provider, job)
    with pytest.raises(SubmissionUncertain):
        await provider.recover(job)


@pytest.mark.parametrize("restarted", [pytest.param(False, id="same-process"), pytest.param(True, id="new-process")])
async def test_recover_adopts_only_what_carries_our_seed(stage: Stage, restarted: bool) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job = stage.provider(user.key), paint(stage, seed="77", count=2)
    stranger = await stage.provider(user.key).submit(paint(stage, seed="99", count=2))
    await _lost(stage, provider, job)
    if restarted:
        provider = stage.provider(user.key)
    with pytest.raises(Unavailable):  # nothing is finished, so nothing can be told
        await provider.recover(job)
    await stage.clock.advance(90)
    await stage.sim.settled()
    found = await provider.recover(job)
    assert found is not None
    assert found.remote_id != stranger.remote_id
    assert len(list(stage.sim.world.own_requests())) == 2


async def test_recover_with_a_shared_key_cannot_tell(stage: Stage) -> None:
    stage.sim.add_user("owner", kudos=1000)
    provider, job = stage.provider(stage.sim.add_shared_key("owner").id), paint(stage)
    with pytest.raises(SubmissionUncertain):
        await provider.recover(job)


async def test_recover_long_afterwards_cannot_tell(stage: Stage) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job = stage.provider(user.key), paint(stage)
    await stage.clock.advance(1200)
    with pytest.raises(SubmissionUncertain):
        await provider.recover(job)


async def test_recover_never_takes_what_belongs_to_another_job(stage: Stage) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job = stage.provider(user.key), paint(stage)
    await stage.submitted(provider, job)
    await stage.clock.advance(60)
    await stage.sim.settled()
    with pytest.raises(Unavailable):
        await provider.recover(job)
    await stage.clock.advance(40)
    assert await provider.recover(job) is None


async def test_recover_tells_that_nothing_arrived_once_the_list_is_fresh(stage: Stage) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job = stage.provider(user.key), paint(stage)
    with pytest.raises(Unavailable):
        await provider.recover(job)
    await stage.clock.advance(40)
    assert await provider.recover(job) is None


async def test_describe_tells_who_serves_what(stage: Stage) -> None:
    provider = stage.provider(ANONYMOUS_KEY)
    assert not provider.describe().live
    await provider.catalogue.refresh()
    capabilities = provider.describe()
    assert capabilities.live
    assert {model.name for model in capabilities.models if model.workers} >= {MODEL}
