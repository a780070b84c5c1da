"""What is known of a run → progress: every odd case of the protocol notes, without clock or network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.callbacks import Callback, Notice, Upload
from bot.domain.engines import GRACE, SETTLE, EngineRequest, Step, conclude_engine
from bot.domain.jobs import EngineJob, is_engine
from bot.domain.progress import Progress
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.providers.osais.mapping import HUSH, Known, progress_of, wants_check
from tests.factories import NOW, make_job

REQUEST = EngineRequest(engine="diffusion", title="diffusion", prompt="a boat", expected=2, usual_ms=2000)
LATER = NOW + timedelta(seconds=60)


def run(**changes: Any) -> EngineJob:
    """A run that was handed over at `NOW`, of which nothing was heard yet."""
    job = make_job(stage=Stage.WAITING, request=REQUEST, provider="osais")
    job = replace(job, progress=None, **changes)
    assert is_engine(job)
    return job


def notice(stage: int, *, at: float = 0.0, **changes: Any) -> Callback:
    said = Notice(stage=stage, **changes)
    return Callback(provider="osais", remote_id="1", received_at=NOW + timedelta(seconds=at), said=said)


def upload(number: int, *, at: float = 0.0) -> Callback:
    said = Upload(name=f"{number}.png", media_type="image/png", size=9, sha256=f"{number:064}")
    return Callback(provider="osais", remote_id="1", received_at=NOW + timedelta(seconds=at), said=said)


def judged(*calls: Callback, after: float, known: Known | None = None, job: EngineJob | None = None) -> Progress:
    """What is made of it, so many seconds after `NOW`."""
    return progress_of(job or run(), calls, known, NOW + timedelta(seconds=after))


@pytest.mark.parametrize(
    ("stages", "step"),
    [
        pytest.param([], Step.SENT, id="nothing-yet"),
        pytest.param([0, 1], Step.RECEIVED, id="received"),
        pytest.param([1, 2, 3, 1, 0], Step.WORKING, id="lower-after-higher"),
        pytest.param([2, 11, 77], Step.STARTED, id="unknown-numbers"),
        pytest.param([1, 2, 3, 5, 4], Step.STOPPED, id="a-file-after-the-stop"),
        pytest.param([5, -1], Step.FAILED, id="an-error-outweighs-a-stop"),
        pytest.param([4], Step.FILE_DONE, id="skipped"),
    ],
)
def test_step_is_the_furthest_ever_told(stages: list[int], step: Step) -> None:
    assert judged(*(notice(stage) for stage in stages), after=1).step == step


def test_step_that_the_job_shows_never_moves_back() -> None:
    job = run()
    shown = replace(job, progress=Progress(stage=Stage.PROCESSING, step=Step.WORKING.value, heard_at=NOW))
    assert is_engine(shown)
    assert judged(notice(1), after=1, job=shown).step == Step.WORKING


def test_run_that_was_given_up_may_be_judged_again() -> None:
    given_up = replace(run(), progress=Progress(stage=Stage.PROCESSING, step=Step.TIMED_OUT.value, heard_at=NOW))
    assert is_engine(given_up)
    assert judged(after=200, job=given_up).step == Step.TIMED_OUT
    assert judged(notice(5, at=199), after=200, job=given_up).step == Step.STOPPED


def test_upload_without_any_notice_means_that_a_file_is_done() -> None:
    news = judged(upload(1), after=1)
    assert (news.step, news.finished, news.stage) == (Step.FILE_DONE, 1, Stage.PROCESSING)


def test_same_bytes_count_once() -> None:
    assert judged(upload(1), upload(1), upload(2), after=1).finished == 2


@pytest.mark.parametrize(
    ("calls", "known", "after", "over"),
    [
        pytest.param([notice(5), upload(1), upload(2)], None, 1, False, id="all-here-but-not-settled"),
        pytest.param([notice(5), upload(1), upload(2)], None, 3, True, id="all-here-and-settled"),
        pytest.param([notice(5), upload(1)], None, 29, False, id="one-missing-within-grace"),
        pytest.param([notice(5), upload(1)], None, 31, False, id="one-missing-and-never-asked"),
        pytest.param([notice(5), upload(1)], Known(asked_at=NOW + GRACE), 31, True, id="one-missing-and-asked"),
        pytest.param([notice(5), upload(1, at=20)], Known(asked_at=NOW + GRACE), 31, False, id="grace-from-last-news"),
        pytest.param([notice(-1)], None, 3, False, id="error-and-never-asked"),
        pytest.param([notice(-1)], Known(asked_at=NOW + SETTLE), 3, True, id="error-and-asked"),
        pytest.param([upload(1), upload(2)], None, 119, False, id="never-stopped"),
        pytest.param([upload(1), upload(2)], None, 121, True, id="given-up"),
        pytest.param([], None, 121, True, id="silence"),
        pytest.param([notice(3, at=119)], None, 121, False, id="news-at-the-deadline"),
    ],
)
def test_end_is_when_nothing_more_is_waited_for(
    calls: list[Callback], known: Known | None, after: float, over: bool
) -> None:
    assert judged(*calls, after=after, known=known).over is over


def test_slow_engine_gets_twenty_times_its_usual_time() -> None:
    job = run(request=replace(REQUEST, usual_ms=45_000))
    assert not judged(after=800, job=job).over
    assert judged(after=901, job=job).over


def test_end_that_only_a_check_shows_counts_as_news_once() -> None:
    ended = Known(asked_at=LATER, ended=True)
    first = progress_of(run(), [], ended, LATER)
    assert (first.step, first.heard_at, first.over) == (Step.STOPPED, LATER, False)
    seen = replace(run(), progress=first)
    assert is_engine(seen)
    again = progress_of(seen, [], replace(ended, asked_at=LATER + GRACE), LATER + GRACE)
    assert again.heard_at == LATER
    assert again.over


@pytest.mark.parametrize(
    ("calls", "note"),
    [
        pytest.param([notice(2, description="AI started")], "", id="usual-words-are-no-news"),
        pytest.param(
            [notice(3, description="Extracting video frames...")], "Extracting video frames...", id="progress"
        ),
        pytest.param([notice(-1, description="CUDA out of memory")], "CUDA out of memory", id="reason"),
        pytest.param([notice(5, description="AI stopped with error")], "AI stopped with error", id="stop-with-error"),
        pytest.param([notice(5, description="AI stopped")], "", id="plain-stop"),
    ],
)
def test_note_is_what_stages_do_not_say(calls: list[Callback], note: str) -> None:
    assert judged(*calls, after=1).note == note


@pytest.mark.parametrize(
    ("heard", "asked", "pushed", "asks"),
    [
        pytest.param(1, None, True, False, id="calls-come"),
        pytest.param(HUSH.total_seconds() + 1, None, True, True, id="calls-are-silent"),
        pytest.param(20, 5, True, False, id="asked-lately"),
        pytest.param(20, 10, True, True, id="asked-long-ago"),
        pytest.param(2, None, False, True, id="no-calls-can-come"),
        pytest.param(2, 2, False, False, id="no-calls-can-come-asked-lately"),
        pytest.param(2, 3, False, True, id="no-calls-can-come-asked-long-ago"),
    ],
)
def test_asking_is_quieted_by_calls_and_woken_by_silence(
    heard: float, asked: float | None, pushed: bool, asks: bool
) -> None:
    now = LATER
    news = Progress(stage=Stage.PROCESSING, step=Step.WORKING.value, heard_at=now - timedelta(seconds=heard))
    known = None if asked is None else Known(asked_at=now - timedelta(seconds=asked))
    assert wants_check(news, known, expected=1, pushed=pushed, now=now) is asks


def test_stop_with_everything_here_is_not_asked_about() -> None:
    news = Progress(stage=Stage.PROCESSING, step=Step.STOPPED.value, finished=1, heard_at=NOW)
    assert not wants_check(news, None, expected=1, pushed=False, now=NOW + SETTLE)


@pytest.mark.parametrize(
    ("step", "files", "facts", "outcome", "code"),
    [
        pytest.param(Step.STOPPED, 1, {}, Outcome.FINISHED, "", id="fewer-than-asked"),
        pytest.param(Step.STOPPED, 0, {}, Outcome.FAILED, "no-file", id="no-file"),
        pytest.param(Step.STOPPED, 1, {"unreadable": 1}, Outcome.PARTIAL, "unfetched", id="one-unreadable"),
        pytest.param(Step.FAILED, 0, {}, Outcome.FAILED, "error", id="error"),
        pytest.param(Step.FAILED, 1, {}, Outcome.PARTIAL, "error", id="error-after-a-file"),
        pytest.param(Step.TIMED_OUT, 0, {}, Outcome.FAILED, "timeout", id="silence"),
        pytest.param(Step.TIMED_OUT, 1, {}, Outcome.PARTIAL, "timeout", id="silence-after-a-file"),
        pytest.param(Step.TIMED_OUT, 2, {}, Outcome.FINISHED, "", id="stop-never-told"),
        pytest.param(Step.WORKING, 1, {"cancelled": True}, Outcome.CANCELLED, "", id="cancelled"),
        pytest.param(Step.SENT, 0, {"gone": True}, Outcome.FAILED, "gone", id="gone"),
    ],
)
def test_result_is_judged_by_files_and_the_last_step(
    step: Step, files: int, facts: dict[str, Any], outcome: Outcome, code: str
) -> None:
    result = conclude_engine(REQUEST, step, files=files, **facts)
    assert (result.outcome, result.code) == (outcome, code)
