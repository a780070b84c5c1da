"""How often a job is looked at."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.conversation import Role, TextRequest, Turn
from bot.domain.progress import Progress
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.services.cadence import until_next_look, until_next_search
from tests.factories import NOW, make_job


class _Steady(random.Random):
    """Chance without chance."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(3, 1.0, id="nearly-done"),
        pytest.param(6, 3.0, id="half-of-what-is-left"),
        pytest.param(30, 15.0, id="half-of-a-longer-wait"),
        pytest.param(600, 20.0, id="never-longer-than-20-s"),
    ],
)
def test_looks_come_at_half_of_the_time_left(left: float, expected: float) -> None:
    progress = Progress(stage=Stage.WAITING, waiting=1, ends_at=NOW + timedelta(seconds=left))
    job = make_job(stage=Stage.WAITING, progress=progress)
    assert until_next_look(job, NOW, _Steady()) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(None, 10.0, id="no-estimate"),
        pytest.param(3, 10.0, id="nearly-done"),
        pytest.param(12, 10.0, id="never-sooner-than-ten-seconds"),
        pytest.param(22, 11.0, id="half-of-little-more"),
        pytest.param(60, 30.0, id="half-of-what-is-left"),
        pytest.param(3600, 180.0, id="never-longer-than-three-minutes"),
    ],
)
def test_where_the_service_calls_looks_are_seldom(left: float | None, expected: float) -> None:
    progress = left and Progress(stage=Stage.WAITING, waiting=1, ends_at=NOW + timedelta(seconds=left))
    job = make_job(stage=Stage.WAITING, progress=progress or None)
    assert until_next_look(job, NOW, _Steady(), pushed=True) == expected


def test_a_job_without_an_estimate_is_looked_at_every_two_seconds() -> None:
    assert until_next_look(make_job(stage=Stage.WAITING, progress=None), NOW, _Steady()) == 2.0


def test_looks_are_spread_so_that_jobs_do_not_stay_in_step() -> None:
    job = make_job(stage=Stage.WAITING, progress=None)
    rng = random.Random(7)
    waits = {until_next_look(job, NOW, rng) for _ in range(20)}
    assert len(waits) == 20
    assert all(1.8 <= wait <= 2.2 for wait in waits)


def test_searches_for_a_lost_request_get_rarer_and_stay_within_a_minute() -> None:
    job = make_job(stage=Stage.SUBMITTING)
    waits = [until_next_search(job, NOW + timedelta(seconds=seconds)) for seconds in (0, 20, 60, 200, 1000)]
    assert waits == [5, 5, 15, 50, 60]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(None, 3.0, id="no-estimate"),
        pytest.param(2, 3.0, id="nearly-done"),
        pytest.param(20, 5.0, id="a-quarter-of-what-is-left"),
        pytest.param(600, 10.0, id="never-longer-than-10-s"),
    ],
)
def test_texts_are_looked_at_every_three_to_ten_seconds(left: float | None, expected: float) -> None:
    """Each look is a whole status, of which a minute has sixty."""
    request = TextRequest(
        turns=(Turn(role=Role.USER, text="Hi"),), model="m", template="chatml", max_length=100, context=1024
    )
    ends_at = None if left is None else NOW + timedelta(seconds=left)
    progress = Progress(stage=Stage.WAITING, waiting=1, ends_at=ends_at)
    job = replace(make_job(stage=Stage.WAITING), request=request, progress=progress)
    assert until_next_look(job, NOW, _Steady()) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(0, 2.0, id="just-handed-over"),
        pytest.param(20, 2.0, id="young"),
        pytest.param(60, 6.0, id="a-minute-old"),
        pytest.param(1000, 10.0, id="never-longer-than-10-s"),
    ],
)
def test_alchemy_is_looked_at_ever_more_rarely(age: float, expected: float) -> None:
    request = AlchemyRequest(source=SourceMedia(url="https://cdn.discordapp.com/a.png"), forms=(Form.CAPTION,))
    job = replace(make_job(stage=Stage.WAITING), request=request, submitted_at=NOW - timedelta(seconds=age))
    job = replace(job, progress=Progress(stage=Stage.WAITING, waiting=1))
    assert until_next_look(job, NOW, _Steady()) == expected
