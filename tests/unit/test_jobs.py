"""Jobs move on, and only on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.endings import conclude
from bot.domain.progress import Progress
from bot.domain.results import Censorship, Outcome, Result
from bot.domain.stages import Stage
from tests.factories import NOW, make_artifact, make_job, make_progress, make_request


def test_job_takes_in_news_and_notes_when_it_started() -> None:
    job = make_job(stage=Stage.WAITING).advance(make_progress(Stage.PROCESSING), NOW)
    assert job.stage is Stage.PROCESSING
    assert job.started_at == NOW


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.SUBMITTING, Stage.DELIVERING, Stage.ENDED])
def test_job_ignores_news_it_cannot_use_in_its_stage(stage: Stage) -> None:
    job = make_job(stage=stage)
    assert job.advance(make_progress(Stage.PROCESSING), NOW) is job


def test_job_ignores_repeated_news() -> None:
    job = make_job(stage=Stage.PROCESSING)
    assert job.progress is not None
    assert job.advance(job.progress, NOW) is job


def test_job_ignores_news_that_knows_of_fewer_pictures() -> None:
    job = make_job(stage=Stage.PROCESSING, progress=make_progress(Stage.PROCESSING, finished=2))
    assert job.advance(make_progress(Stage.PROCESSING, finished=1), NOW) is job


def test_job_stays_in_processing_when_a_picture_returns_to_the_queue() -> None:
    job = make_job(stage=Stage.PROCESSING).advance(make_progress(Stage.WAITING, restarted=1), NOW)
    assert job.stage is Stage.PROCESSING
    assert job.progress is not None
    assert job.progress.restarted == 1


def test_job_keeps_its_first_result() -> None:
    job = make_job(stage=Stage.DELIVERING)
    assert job.concluded(Result(outcome=Outcome.FAILED), NOW) is job


def test_job_counts_each_remote_picture_once() -> None:
    picture = make_artifact(0)
    job = make_job(stage=Stage.PROCESSING).with_artifacts(picture)
    assert job.with_artifacts(replace(picture, index=1)) is job


def test_job_that_surely_did_not_arrive_returns_to_our_queue() -> None:
    assert make_job(stage=Stage.SUBMITTING).unsubmitted().stage is Stage.QUEUED


def test_held_job_remembers_since_when() -> None:
    later = NOW + timedelta(seconds=9)
    job = make_job(stage=Stage.SUBMITTING).held("no answer", until=NOW + timedelta(seconds=4), now=NOW)
    again = job.held("still no answer", until=later, now=NOW + timedelta(seconds=4))
    assert job.stage is Stage.SUBMITTING
    assert (again.held_since, again.due_at) == (NOW, later)
    assert again.released().hold == ""


def test_job_at_the_provider_stays_there_when_held() -> None:
    job = make_job(stage=Stage.PROCESSING).held("no answer", until=NOW, now=NOW)
    assert job.stage is Stage.PROCESSING


def test_detached_reply_keeps_the_first_reason() -> None:
    job = make_job().detached("message deleted").detached("something else")
    assert job.reply.detached == "message deleted"


CENSORED = make_artifact(0, censored=Censorship.NSFW)
UNREADABLE = make_artifact(0, unreadable=True)


@pytest.mark.parametrize(
    ("artifacts", "progress", "changes", "gone", "outcome"),
    [
        pytest.param((make_artifact(0), make_artifact(1)), {}, {}, False, Outcome.FINISHED, id="all-there"),
        pytest.param((make_artifact(0),), {}, {}, False, Outcome.PARTIAL, id="some-there"),
        pytest.param((make_artifact(0),), {}, {}, True, Outcome.PARTIAL, id="some-there-then-forgotten"),
        pytest.param((CENSORED,), {}, {}, False, Outcome.CENSORED, id="all-censored"),
        pytest.param((make_artifact(1), CENSORED), {}, {}, False, Outcome.PARTIAL, id="some-censored"),
        pytest.param((), {"faulted": True}, {}, False, Outcome.FAILED, id="given-up"),
        pytest.param((), {"restarted": 2, "faulted": False}, {}, False, Outcome.FAILED, id="done-without-faulted"),
        pytest.param((UNREADABLE,), {}, {}, False, Outcome.FAILED, id="files-never-readable"),
        pytest.param((), {"finished": 1}, {}, False, Outcome.FAILED, id="files-never-fetched"),
        pytest.param((), {}, {}, True, Outcome.EXPIRED, id="forgotten"),
        pytest.param((), {}, {}, False, Outcome.CANCELLED, id="stopped-remotely"),
        pytest.param((make_artifact(0),), {}, {"cancel_requested": True}, False, Outcome.CANCELLED, id="cancelled"),
    ],
)
def test_end_is_judged_by_what_came(
    artifacts: tuple[object, ...], progress: dict[str, object], changes: dict[str, object], gone: bool, outcome: Outcome
) -> None:
    job = make_job(stage=Stage.PROCESSING, request=make_request(count=2), artifacts=artifacts, **changes)
    job = replace(job, progress=make_progress(Stage.PROCESSING, over=True, **progress))
    assert conclude(job, gone=gone).outcome is outcome


def test_position_that_hardly_moved_is_not_news() -> None:
    job = make_job(stage=Stage.WAITING, progress=make_progress(queue_position=100))
    assert job.advance(make_progress(queue_position=90), NOW) is job
    moved = job.advance(make_progress(queue_position=70), NOW)
    assert moved.progress is not None
    assert moved.progress.queue_position == 70


def test_estimate_that_hardly_moved_is_not_news() -> None:
    job = make_job(stage=Stage.WAITING, progress=make_progress(ends_at=NOW + timedelta(seconds=100)))
    assert job.advance(make_progress(ends_at=NOW + timedelta(seconds=110)), NOW) is job


def test_estimate_that_moved_away_says_that_the_queue_moved() -> None:
    job = make_job(stage=Stage.WAITING, progress=make_progress(ends_at=NOW + timedelta(seconds=100)))
    moved = job.advance(make_progress(ends_at=NOW + timedelta(seconds=200)), NOW)
    assert moved.progress is not None
    assert moved.progress.queue_moved


def test_estimate_that_slips_away_for_ever_is_told_ever_more_seldom() -> None:
    job = make_job(stage=Stage.WAITING, progress=None)
    told = []
    for second in range(0, 1000, 5):
        now = NOW + timedelta(seconds=second)
        after = job.advance(make_progress(ends_at=now + timedelta(seconds=10)), now)
        told += [second] if after is not job else []
        job = after
    assert len(told) <= 40
    gaps = [later - earlier for earlier, later in itertools.pairwise(told)]
    assert gaps == sorted(gaps)
    assert gaps[-1] <= 100 + 10, "nor is anybody left with an end long past"


def test_impossible_since_is_kept_while_it_lasts_and_forgotten_afterwards() -> None:
    later = NOW + timedelta(seconds=30)
    job = make_job(stage=Stage.WAITING).advance(make_progress(possible=False), NOW)
    assert job.progress is not None
    assert job.progress.impossible_since == NOW
    assert job.advance(make_progress(possible=False), later) is job
    recovered = job.advance(make_progress(possible=True), later)
    assert recovered.progress == Progress(
        stage=Stage.WAITING, waiting=1, queue_position=3, ends_at=NOW + timedelta(seconds=60)
    )
