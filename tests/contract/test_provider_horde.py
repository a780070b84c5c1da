"""The `Provider` port, kept by `HordeImageProvider` against the simulated Horde over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.endings import conclude
from bot.domain.jobs import Job
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
from bot.providers.horde import ANONYMOUS_KEY, AddressGate, Catalogue, HordeImageProvider
from bot.providers.horde.gate import REFUSAL_PAUSE
from tests.contract.horde_stage import HordeStage, open_stage
from tests.factories import make_job, make_request

MODEL = "AlbedoBase XL (SDXL)"


class Stage(HordeStage):
    """A Horde with image providers in front of it."""

    def provider(self, key: str = ANONYMOUS_KEY) -> HordeImageProvider:
        """A provider with that key, as a freshly started process would make it."""
        client, gate = self.client(key), AddressGate(self.clock)
        return HordeImageProvider(
            client, self.media, Catalogue(client, self.clock), self.clock, gate=gate, known_ids=self.known_ids
        )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A Horde with its default park of workers, reachable on the loopback."""
    async with open_stage(Stage) as stage:
        yield stage


def paint(stage: Stage, **changes: Any) -> Job:
    """A job for a small picture of the served model."""
    request = make_request(**{"model": MODEL, "width": 512, "height": 512, "steps": 10, **changes})
    return replace(make_job(request=request), created_at=stage.clock.now())


@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(3, id="three")])
async def test_job_brings_the_pictures_that_were_painted(stage: Stage, count: int) -> None:
    provider = stage.provider()
    job = await stage.submitted(provider, paint(stage, count=count))
    while not (job.progress and job.progress.over):
        job = await stage.looked_at(provider, job)
    harvest = await provider.fetch(job)
    hashes = {artifact.sha256 for artifact in harvest.artifacts}
    assert hashes == set(stage.sim.painted.values())
    assert hashes == {hashlib.sha256(data).hexdigest() for data in harvest.bytes_of.values()}
    assert [artifact.index for artifact in harvest.artifacts] == list(range(count))
    assert len({artifact.seed for artifact in harvest.artifacts}) == count
    assert conclude(job.with_artifacts(*harvest.artifacts)).outcome is Outcome.FINISHED


async def test_fetch_leaves_out_what_is_already_known(stage: Stage) -> None:
    provider = stage.provider()
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    harvest = await provider.fetch(job)
    assert (harvest.artifacts, harvest.missing) == ((), 0)


async def test_fetch_gets_a_fresh_link_for_a_dead_one(stage: Stage) -> None:
    provider = stage.provider()
    stage.sim.dead_links(1, "expired")
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [artifact.usable for artifact in job.artifacts] == [True]


async def test_fetch_calls_a_picture_unreadable_that_was_never_stored(stage: Stage) -> None:
    provider = stage.provider()
    stage.sim.dead_links(1, "missing")
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [artifact.unreadable for artifact in job.artifacts] == [True]
    assert conclude(job).outcome is Outcome.FAILED


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in Censorship])
async def test_censored_picture_comes_without_bytes(stage: Stage, kind: Censorship) -> None:
    provider = stage.provider()
    stage.sim.censor_next(1, kind.value)
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert [(artifact.censored, artifact.sha256) for artifact in job.artifacts] == [(kind, "")]


async def test_job_whose_workers_fail_ends_without_pictures(stage: Stage) -> None:
    provider = stage.provider()
    stage.sim.fault_next(2)
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert conclude(job).outcome is Outcome.FAILED


async def test_impossible_job_says_so(stage: Stage) -> None:
    provider = stage.provider()
    stage.sim.set_impossible()
    job = await stage.submitted(provider, paint(stage))
    await stage.clock.advance(2)
    assert not (await provider.poll(job)).possible


async def test_cancelled_job_is_over(stage: Stage) -> None:
    provider = stage.provider()
    stage.sim.set_workers(paused=True)
    job = await stage.submitted(provider, paint(stage))
    await provider.cancel(job)
    await stage.clock.advance(2)
    assert (await provider.poll(job)).over


async def test_cancel_of_a_job_that_is_gone_counts_as_cancelled(stage: Stage) -> None:
    provider = stage.provider()
    job = await stage.submitted(provider, paint(stage))
    assert job.remote_id
    stage.sim.expire(job.remote_id)
    await provider.cancel(job)


async def test_poll_of_an_expired_job_raises_remote_gone(stage: Stage) -> None:
    provider = stage.provider()
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
        await stage.provider().submit(job)


async def test_maintenance_is_told(stage: Stage) -> None:
    stage.sim.set_maintenance()
    with pytest.raises(Maintenance):
        await stage.provider().submit(paint(stage))


async def test_wrong_key_is_told(stage: Stage) -> None:
    with pytest.raises(Unauthorized):
        await stage.provider("not-a-key").submit(paint(stage))


async def test_timeout_of_the_address_stops_submissions_until_it_ends(stage: Stage) -> None:
    provider = stage.provider()
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
    provider = stage.provider()
    with pytest.raises(ContentRefused):
        await provider.submit(paint(stage))
    stage.refuse_prompts = False
    with pytest.raises(Paused) as caught:
        await provider.submit(paint(stage))
    assert caught.value.retry_after == REFUSAL_PAUSE


async def test_store_that_does_not_answer_leaves_the_picture_missing(stage: Stage) -> None:
    provider = stage.provider()
    stage.store_down = True
    job = await stage.followed(provider, await stage.submitted(provider, paint(stage)))
    assert not job.artifacts
    assert (await provider.fetch(job)).missing == 1
    stage.store_down = False
    harvest = await provider.fetch(job)
    assert [artifact.usable for artifact in harvest.artifacts] == [True]


async def test_submission_tells_the_price(stage: Stage) -> None:
    provider = stage.provider()
    submission = await provider.submit(paint(stage, count=2))
    assert submission.cost is not None
    assert submission.cost > 5


async def test_recover_with_an_anonymous_key_cannot_tell(stage: Stage) -> None:
    provider, job = stage.provider(), paint(stage)
    await stage.lost(provider, job)
    with pytest.raises(SubmissionUncertain):
        await provider.recover(job)


@pytest.mark.parametrize("restarted", [pytest.param(False, id="same-process"), pytest.param(True, id="new-process")])
async def test_recover_adopts_only_what_carries_our_seed(stage: Stage, restarted: bool) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job, twin = stage.provider(user.key), *(paint(stage, seed="77", count=2) for _ in range(2))
    stranger = await stage.provider(user.key).submit(paint(stage, seed="99", count=2))
    await stage.lost(provider, job)
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
    assert await provider.recover(job) == found, "its row could not be written: it looks again"
    await stage.clock.advance(40)
    assert await provider.recover(twin) is None, "not for another job with that seed"


async def test_searches_share_one_list_that_proves_nothing_newer_than_itself(stage: Stage) -> None:
    provider = stage.provider(stage.sim.add_user("tester", kudos=1000).key)
    jobs = [paint(stage) for _ in range(8)]

    async def searched() -> set[type]:
        answers = await asyncio.gather(*(provider.recover(job) for job in jobs), return_exceptions=True)
        return {type(answer) for answer in answers}

    told = []
    for wait in (34, 10, 10, 0):
        told.append((await searched(), stage.asked.count("/api/v2/find_user")))
        await stage.clock.advance(wait)
    assert told == [({Unavailable}, 1), ({Unavailable}, 2), ({Unavailable}, 2), ({type(None)}, 3)]


async def test_list_that_cannot_be_had_is_not_asked_for_by_every_search(stage: Stage) -> None:
    provider = stage.provider(stage.sim.add_user("tester", kudos=1000).key)
    stage.api_closed = True
    answers = await asyncio.gather(*(provider.recover(paint(stage)) for _ in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Unauthorized"] + ["Unavailable"] * 7
    assert stage.asked == ["/api/v2/find_user"]


async def test_recover_on_a_busy_key_doubts_only_what_was_open_in_time(stage: Stage) -> None:
    user = stage.sim.add_user("tester", kudos=1000)
    provider, job = stage.provider(user.key), paint(stage, seed="77")
    stranger = stage.provider(user.key)
    await stranger.submit(paint(stage, seed="98"))
    stage.sim.set_workers(paused=True)
    await stage.clock.advance(40)
    with pytest.raises(Unavailable):
        await provider.recover(job)
    await stage.clock.advance(40)
    with pytest.raises(Unavailable):
        await provider.recover(job)
    stage.sim.set_workers(paused=False)
    await stage.clock.advance(90)
    stage.sim.set_workers(paused=True)
    await stranger.submit(paint(stage, seed="99"))
    await stage.clock.advance(40)
    assert await provider.recover(job) is None, "what joined the list later cannot be the lost one"


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
    provider = stage.provider()
    assert not provider.describe().live
    await provider.catalogue.refresh()
    capabilities = provider.describe()
    assert capabilities.live
    assert {model.name for model in capabilities.models if model.workers} >= {MODEL}
