"""The `Provider` port, kept by `HordeAlchemyProvider` against the simulated Horde over real HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.domain.alchemy import DESCRIBING, AlchemyRequest, Form, FormArtifact, FormState
from bot.domain.endings import conclude
from bot.domain.jobs import Job
from bot.domain.results import Outcome
from bot.errors import Busy, Maintenance, ProtocolError, Rejected, RemoteGone, SubmissionUncertain, Unauthorized
from bot.providers.base import Harvest, Provider
from bot.providers.horde import (
    ANONYMOUS_KEY,
    AddressGate,
    AlchemyDesk,
    Catalogue,
    HordeAlchemyProvider,
    HordeImageProvider,
)
from bot.providers.horde.alchemy import DEAD_LINK_PATIENCE
from bot.providers.horde.alchemy_desk import BELIEVED
from tests.contract.horde_stage import HordeStage, open_stage, picture, source
from tests.factories import make_job, make_request

CHANGING = [form for form in Form if form not in DESCRIBING]


class Stage(HordeStage):
    """A Horde with alchemy providers in front of it."""

    def provider(self, key: str = ANONYMOUS_KEY) -> HordeAlchemyProvider:
        """A provider with that key, as a freshly started process would make it."""
        client = self.client(key)
        return HordeAlchemyProvider(client, self.media, AlchemyDesk(client, self.clock), self.clock)

    async def submitted(self, provider: Provider, job: Job, source: bytes | None = None) -> Job:
        """The job, handed over; with a small picture where none is given."""
        return await super().submitted(provider, job, source or picture())

    async def landed(self, provider: HordeAlchemyProvider, job: Job) -> tuple[Job, dict[int, bytes]]:
        """The job when it is over and nothing is missing, and the files by index; fetched as they land."""
        files: dict[int, bytes] = {}
        for _ in range(400):
            job = await self.looked_at(provider, job)
            harvest = await provider.fetch(job)
            files |= harvest.bytes_of
            job = job.with_artifacts(*harvest.artifacts)
            if job.progress and job.progress.over and not harvest.missing:
                return job, files
        pytest.fail("it never ended")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A Horde with two alchemists who offer everything, reachable on the loopback."""
    async with open_stage(Stage) as stage:
        yield stage


def work(stage: Stage, *forms: Form) -> Job:
    """A job that asks for those forms."""
    request = AlchemyRequest(source=source(), forms=forms)
    return replace(make_job(request=request), provider="horde-alchemy", created_at=stage.clock.now())


def by_form(job: Job) -> dict[Form, FormArtifact]:
    """The job's artifacts by their form."""
    return {artifact.form: artifact for artifact in job.forms}


def made(stage: Stage, job: Job) -> dict[str, object]:
    """What the simulator says it made: hashes of files, else values."""
    assert job.remote_id
    return dict(stage.sim.alchemy_results[job.remote_id])


async def test_all_forms_bring_what_was_made(stage: Stage) -> None:
    provider = stage.provider()
    job, files = await stage.landed(provider, await stage.submitted(provider, work(stage, *Form)))
    assert conclude(job).outcome is Outcome.FINISHED
    truth, found = made(stage, job), by_form(job)
    assert sorted(artifact.index for artifact in job.artifacts) == list(range(len(Form)))
    for form in CHANGING:
        artifact = found[form]
        assert artifact.sha256 == truth[form.value] == hashlib.sha256(files[artifact.index]).hexdigest()
        assert (artifact.extension, artifact.told, artifact.usable) == ("webp", "", True)
    for form in DESCRIBING - {Form.VECTORIZE}:
        assert found[form].value == truth[form.value]
        assert not found[form].has_file
    drawing = found[Form.VECTORIZE]
    assert files[drawing.index].decode() == truth["vectorize"]
    assert (drawing.extension, drawing.width, drawing.height, drawing.has_file) == ("svg", 96, 64, True)
    assert (found[Form.UPSCALE_4X].width, found[Form.UPSCALE_4X].height) == (384, 256)


async def test_forms_land_one_by_one_and_are_told_in_the_order_asked(stage: Stage) -> None:
    stage.sim.set_alchemists(count=1)
    provider = stage.provider()
    forms = (Form.UPSCALE_2X, Form.CAPTION, Form.TAGS)
    job = await stage.submitted(provider, work(stage, *forms))
    assert await provider.fetch(job) == Harvest(artifacts=(), bytes_of={})
    counts = set()
    for _ in range(30):
        await stage.clock.advance(1)
        await stage.sim.settled()
        progress = await provider.poll(job)
        assert [part.name for part in progress.parts] == [form.value for form in forms]
        job = job.with_artifacts(*(await provider.fetch(job)).artifacts)
        counts.add((progress.finished, len(job.artifacts), progress.over))
    assert counts == {(0, 0, False), (1, 1, False), (2, 2, False), (3, 3, True)}


async def test_request_sends_bytes_and_no_address(stage: Stage) -> None:
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.CAPTION, Form.NSFW))
    assert job.remote_id
    payload = stage.sim.alchemy_request(job.remote_id).payload
    assert base64.b64decode(payload["source_image"]) == picture()
    assert payload["forms"] == [{"name": "caption"}, {"name": "nsfw"}]
    assert "webhook" not in payload


@pytest.mark.parametrize(
    ("forms", "size"),
    [
        pytest.param([Form.CAPTION], (96, 64), id="describing"),
        pytest.param([Form.TAGS, Form.NSFW], (96, 64), id="tags"),
        pytest.param([Form.UPSCALE_4X, Form.CUTOUT], (600, 513), id="four-tiles"),
    ],
)
async def test_cost_told_is_what_is_charged(stage: Stage, forms: list[Form], size: tuple[int, int]) -> None:
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, *forms), picture(size))
    job, _ = await stage.landed(provider, job)
    assert job.remote_id
    assert job.cost == stage.sim.alchemy_request(job.remote_id).kudos


async def test_form_that_faults_for_good_is_told_at_the_end(stage: Stage) -> None:
    stage.sim.fault_alchemy(4, "caption")
    provider = stage.provider()
    job, _ = await stage.landed(provider, await stage.submitted(provider, work(stage, Form.CAPTION, Form.NSFW)))
    assert {form: one.state for form, one in by_form(job).items()} == {
        Form.NSFW: FormState.DONE,
        Form.CAPTION: FormState.FAULTED,
    }
    assert conclude(job).outcome is Outcome.PARTIAL


async def test_job_whose_forms_all_fault_has_failed(stage: Stage) -> None:
    stage.sim.fault_alchemy(8)
    provider = stage.provider()
    job, _ = await stage.landed(provider, await stage.submitted(provider, work(stage, Form.CAPTION, Form.NSFW)))
    assert job.progress
    assert job.progress.faulted
    assert conclude(job).outcome is Outcome.FAILED


async def test_cancel_keeps_what_is_done(stage: Stage) -> None:
    stage.sim.set_alchemists(forms=["caption"])
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.UPSCALE_4X, Form.CAPTION))
    await stage.clock.advance(10)
    await provider.cancel(job)
    progress = await provider.poll(job)
    assert (progress.over, progress.finished, progress.faulted) == (True, 1, False)
    harvest = await provider.fetch(job)
    assert [(one.form, one.state) for one in harvest.artifacts] == [
        (Form.CAPTION, FormState.DONE),
        (Form.UPSCALE_4X, FormState.CANCELLED),
    ]


async def test_job_cancelled_altogether_is_over(stage: Stage) -> None:
    stage.sim.set_alchemists(paused=True)
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.CAPTION))
    await provider.cancel(job)
    job = job.advance(await provider.poll(job), stage.clock.now())
    job = replace(job, cancel_requested=True).with_artifacts(*(await provider.fetch(job)).artifacts)
    assert conclude(job).outcome is Outcome.CANCELLED


async def test_expired_request_is_gone(stage: Stage) -> None:
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.CAPTION))
    assert job.remote_id
    stage.sim.expire(job.remote_id)
    await provider.cancel(job)
    with pytest.raises(RemoteGone):
        await provider.poll(job)
    with pytest.raises(RemoteGone):
        await provider.fetch(job)


async def test_job_never_handed_over_counts_as_stopped(stage: Stage) -> None:
    await stage.provider().cancel(work(stage, Form.CAPTION))
    with pytest.raises(RemoteGone):
        await stage.provider().poll(work(stage, Form.CAPTION))


async def test_lost_answer_is_never_looked_up(stage: Stage) -> None:
    provider, job = stage.provider(), work(stage, Form.CAPTION)
    await stage.lost(provider, job, picture())
    with pytest.raises(SubmissionUncertain) as caught:
        await provider.recover(job)
    assert "haven't sent it a second time" in caught.value.user_message


async def test_dead_link_is_tried_again_for_a_while_and_then_given_up(stage: Stage) -> None:
    stage.sim.dead_links(1, "missing")
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.UPSCALE_2X, Form.CAPTION))
    await stage.clock.advance(15)
    await stage.sim.settled()
    harvest = await provider.fetch(job)
    assert ([one.form for one in harvest.artifacts], harvest.missing) == ([Form.CAPTION], 1)
    job = job.with_artifacts(*harvest.artifacts)
    await stage.clock.advance(DEAD_LINK_PATIENCE)
    harvest = await provider.fetch(job)
    assert harvest.missing == 0
    (lost,) = harvest.artifacts
    assert (lost.form, lost.index, lost.usable, lost.unreadable) == (Form.UPSCALE_2X, 1, False, True)
    assert lost.notes


async def test_file_is_fetched_once_the_store_answers_again(stage: Stage) -> None:
    stage.store_down = True
    provider = stage.provider()
    job = await stage.submitted(provider, work(stage, Form.CUTOUT))
    await stage.clock.advance(15)
    await stage.sim.settled()
    assert (await provider.fetch(job)).missing == 1
    stage.store_down = False
    harvest = await provider.fetch(job)
    assert [one.sha256 for one in harvest.artifacts] == list(made(stage, job).values())


async def test_file_is_downloaded_only_once(stage: Stage) -> None:
    provider = stage.provider()
    job, _ = await stage.landed(provider, await stage.submitted(provider, work(stage, Form.CUTOUT, Form.TAGS)))
    assert await provider.fetch(job) == Harvest(artifacts=(), bytes_of={})
    assert len(stage.downloads) == 1


@pytest.mark.parametrize(
    ("form", "value"),
    [
        pytest.param(Form.CAPTION, {"a": 1}, id="caption-object"),
        pytest.param(Form.CAPTION, "x" * 70_000, id="caption-endless"),
        pytest.param(Form.TAGS, "rain", id="tags-text"),
        pytest.param(Form.NSFW, "maybe", id="nsfw-text"),
        pytest.param(Form.PALETTE, [], id="palette-empty"),
        pytest.param(Form.DESCRIBE, None, id="describe-null"),
        pytest.param(Form.VECTORIZE, "no drawing", id="vectorize-text"),
        pytest.param(Form.VECTORIZE, "<svg><script>alert(1)</script></svg>", id="vectorize-script"),
        pytest.param(Form.CUTOUT, 7, id="file-number"),
        pytest.param(Form.CUTOUT, "data:image/png;base64,AAAA", id="file-data-uri"),
        pytest.param(Form.CUTOUT, "https://elsewhere.example/x.webp", id="file-on-a-strange-host"),
    ],
)
async def test_nonsense_from_a_worker_is_unreadable(stage: Stage, form: Form, value: object) -> None:
    stage.sim.odd_alchemy_result(form.value, value)
    provider = stage.provider()
    job, files = await stage.landed(provider, await stage.submitted(provider, work(stage, form)))
    (artifact,) = job.forms
    assert (artifact.unreadable, artifact.usable, artifact.told, files) == (True, False, "", {})
    assert artifact.notes
    assert conclude(job).outcome is Outcome.FAILED


async def test_full_queue_and_maintenance_are_told(stage: Stage) -> None:
    stage.sim.set_alchemists(paused=True)
    provider = stage.provider(stage.sim.add_user("busy", concurrency=1).key)
    await provider.submit(work(stage, *list(Form)[:10]), source=picture())
    with pytest.raises(Busy):
        await provider.submit(work(stage, Form.CAPTION), source=picture())
    stage.sim.set_maintenance()
    with pytest.raises(Maintenance):
        await provider.submit(work(stage, Form.CAPTION), source=picture())


@pytest.mark.parametrize(
    ("key", "told"),
    [
        pytest.param("no-such-key-000000000", "doesn't accept this bot's key", id="unknown"),
        pytest.param("886e5109-7573-4bab-ac4c-4586e2b82062", "no shared keys", id="shared"),
    ],
)
async def test_key_that_is_refused_is_told_apart(stage: Stage, key: str, told: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        await stage.provider(key).submit(work(stage, Form.CAPTION), source=picture())
    assert told in caught.value.user_message


async def test_picture_over_the_limit_is_refused_with_a_sentence(stage: Stage) -> None:
    with pytest.raises(Rejected) as caught:
        await stage.provider().submit(work(stage, Form.CAPTION), source=picture((3100, 3100)))
    assert caught.value.code == "SourceImageResolutionExceeded"
    assert "too many pixels" in caught.value.user_message


async def test_job_of_another_kind_or_without_its_picture_is_refused(stage: Stage) -> None:
    with pytest.raises(ProtocolError):
        await stage.provider().submit(make_job(), source=picture())
    with pytest.raises(ProtocolError):
        await stage.provider().submit(work(stage, Form.CAPTION))


async def test_forms_nobody_offers_are_known_beforehand(stage: Stage) -> None:
    stage.sim.set_alchemists(without=["describe", "4xLSDIRplus"])
    provider = stage.provider()
    wanted = (Form.UPSCALE_LSDIR, Form.CAPTION, Form.DESCRIBE)
    assert provider.desk.missing(wanted) == ()
    assert not provider.describe().live
    await provider.desk.refresh()
    assert provider.desk.missing(wanted) == (Form.UPSCALE_LSDIR, Form.DESCRIBE)
    job = await stage.submitted(provider, work(stage, *wanted))
    await stage.clock.advance(5)
    progress = await provider.poll(job)
    assert (progress.finished, progress.possible, progress.over) == (1, False, False)


async def test_old_list_of_alchemists_is_no_longer_believed(stage: Stage) -> None:
    stage.sim.set_alchemists(count=0)
    desk = stage.provider().desk
    await desk.refresh()
    assert desk.missing(Form) == tuple(Form)
    await stage.clock.advance(BELIEVED + 1)
    assert (desk.missing(Form), desk.live) == ((), False)


async def test_list_of_alchemists_that_cannot_be_read_keeps_the_last(stage: Stage) -> None:
    stage.sim.set_alchemists(without=["describe"])
    desk = stage.provider().desk
    await desk.refresh()
    stage.api_closed = True
    await desk.refresh()
    assert desk.missing([Form.DESCRIBE, Form.CAPTION]) == (Form.DESCRIBE,)


async def test_picture_to_start_from_reaches_the_horde(stage: Stage) -> None:
    client, gate = stage.client(), AddressGate(stage.clock)
    provider = HordeImageProvider(
        client, stage.media, Catalogue(client, stage.clock), stage.clock, gate=gate, known_ids=stage.known_ids
    )
    request = make_request(model="AlbedoBase XL (SDXL)", source=source(), strength=0.35)
    submission = await provider.submit(make_job(request=request), source=picture())
    payload = stage.sim.request(submission.remote_id).payload
    assert base64.b64decode(payload["source_image"]) == picture()
    assert payload["source_processing"] == "img2img"
    assert payload["params"]["denoising_strength"] == 0.35
    with pytest.raises(ProtocolError):
        await provider.submit(make_job(request=request))
    with pytest.raises(Rejected) as caught:
        await provider.submit(make_job(request=request), source=b"no picture")
    assert "can't read that source picture" in caught.value.user_message
