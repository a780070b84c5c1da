"""Complete requests, and the one second try."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.chat import Voice, WorkerLimits, bundled, plan, resolve, second_try, step_down
from bot.domain.conversation import AnswerLength, Creativity, Flaw, Role, TextArtifact, TextRequest, Turn
from bot.domain.kinds import ARTIFACTS, REQUESTS
from bot.domain.results import Censorship
from bot.errors import InvalidRequest

BOOK = bundled()
WORKERS = (WorkerLimits(max_length=1024, max_context=8192), WorkerLimits(max_length=512, max_context=16_384))
QUESTION = (Turn(role=Role.USER, text="Why is the sky blue?", author="Ann"),)


def voice(name: str = "koboldcpp/Qwen2.5-7B-Instruct", workers: tuple[WorkerLimits, ...] = WORKERS) -> Voice:
    return Voice(name=name, aliases=("aphrodite/x",), chosen=resolve(BOOK, name), workers=workers)


def request(**options: Any) -> TextRequest:
    return plan(voice(), QUESTION, BOOK, system="Be kind.", **options)


def artifact(**changes: Any) -> TextArtifact:
    return replace(TextArtifact(index=0, remote_id="r/0", flaw=Flaw.EMPTY, worker_id="w1"), **changes)


def test_request_asks_for_what_is_needed_and_no_more() -> None:
    made = request()
    assert (made.template, made.max_length, made.context) == ("chatml", 300, 1024)
    assert made.models == ("koboldcpp/Qwen2.5-7B-Instruct", "aphrodite/x")
    assert "<|im_end|>" in made.stops


@pytest.mark.parametrize(
    ("length", "tokens"),
    [
        pytest.param(AnswerLength.SHORT, 120, id="short"),
        pytest.param(AnswerLength.NORMAL, 300, id="normal"),
        pytest.param(AnswerLength.LONG, 512, id="long"),
        pytest.param(AnswerLength.MAX, 512, id="as-much-as-both-workers-take"),
    ],
)
def test_length_is_clamped_to_the_workers(length: AnswerLength, tokens: int) -> None:
    assert request(length=length).max_length == tokens


def test_length_beyond_what_is_free_can_be_ruled_out() -> None:
    big = voice(workers=(WorkerLimits(max_length=4096, max_context=8192),))
    assert plan(big, QUESTION, BOOK, length=AnswerLength.MAX, max_tokens=512).max_length == 512


def test_model_that_thinks_gets_twice_the_length() -> None:
    thinker = voice("koboldcpp/gpt-oss-20b")
    assert plan(thinker, QUESTION, BOOK, length=AnswerLength.SHORT).max_length == 240


def test_long_talk_is_trimmed_to_the_workers_context() -> None:
    small = voice(workers=(WorkerLimits(max_length=256, max_context=1024),))
    turns = [Turn(role=role, text="word " * 100) for _ in range(9) for role in (Role.USER, Role.ASSISTANT)]
    made = plan(small, [*turns, *QUESTION], BOOK, system="Be kind.")
    assert (made.context, made.max_length) == (1024, 256)
    assert made.dropped_turns > 0
    assert made.turns[-1] == QUESTION[0]


def test_nothing_to_answer_is_told() -> None:
    with pytest.raises(InvalidRequest):
        plan(voice(), (Turn(role=Role.USER, text="  "),), BOOK)


def test_requests_and_artifacts_survive_being_written_down() -> None:
    made = request(creativity=Creativity.WILD)
    adapter = TypeAdapter(REQUESTS["text"])
    assert adapter.validate_python(adapter.dump_python(made, mode="json")) == made
    kept = artifact(censored=Censorship.CSAM)
    rows: TypeAdapter[Any] = TypeAdapter(ARTIFACTS["text"])
    assert rows.validate_python(rows.dump_python(kept, mode="json")) == kept


@pytest.mark.parametrize("flaw", [Flaw.EMPTY, Flaw.LOOP])
def test_second_try_is_warmer_and_goes_to_another_worker(flaw: Flaw) -> None:
    again = second_try(request(), artifact(flaw=flaw), BOOK, WORKERS)
    assert again is not None
    assert (again.retries, again.avoid_workers) == (1, ("w1",))
    assert again.sampling.temperature == pytest.approx(0.85)


def test_only_worker_is_not_avoided() -> None:
    again = second_try(request(), artifact(), BOOK, WORKERS[:1])
    assert again is not None
    assert again.avoid_workers == ()


def test_second_try_of_mere_thought_keeps_the_model_from_thinking() -> None:
    made = replace(request(), template="qwen3")
    again = second_try(made, artifact(flaw=Flaw.ONLY_THOUGHT), BOOK, WORKERS)
    assert again is not None
    assert (again.template, again.max_length) == ("qwen3_nothink", made.max_length)


def test_second_try_of_mere_thought_gets_more_room_where_nothing_calms_the_model() -> None:
    made = replace(request(), template="deepseek_r1")
    again = second_try(made, artifact(flaw=Flaw.ONLY_THOUGHT), BOOK, WORKERS)
    assert again is not None
    assert (again.template, again.max_length, again.context) == ("deepseek_r1", 600, made.context + 300)


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        pytest.param(replace(request(), retries=1), artifact(), id="already-tried-again"),
        pytest.param(request(), artifact(flaw=None, text="Hi."), id="nothing-wrong"),
        pytest.param(request(), artifact(flaw=None, censored=Censorship.NSFW), id="censored"),
    ],
)
def test_no_second_try(made: TextRequest, kept: TextArtifact) -> None:
    assert second_try(made, kept, BOOK, WORKERS) is None


@pytest.mark.parametrize(
    ("kept", "usable"),
    [
        pytest.param(artifact(flaw=None, text="Hi."), True, id="fine"),
        pytest.param(artifact(text="Hi."), False, id="flawed"),
        pytest.param(artifact(flaw=None), False, id="empty"),
        pytest.param(artifact(flaw=None, text="x", censored=Censorship.NSFW), False, id="censored"),
    ],
)
def test_only_a_flawless_answer_is_usable(kept: TextArtifact, usable: bool) -> None:
    assert (kept.usable, kept.has_file) == (usable, False)


def test_stepping_down_asks_for_what_every_worker_can_do() -> None:
    made = request(length=AnswerLength.LONG)
    shrunk = (WorkerLimits(max_length=1024, max_context=8192), WorkerLimits(max_length=100, max_context=1024))
    smaller = step_down(made, voice(workers=shrunk), BOOK)
    assert smaller is not None
    assert (made.max_length, smaller.max_length, smaller.context) == (512, 100, 1024)
    assert smaller.stepped_down
    assert smaller.turns == made.turns
    assert step_down(smaller, voice(workers=shrunk), BOOK) is None, "once"
    assert second_try(smaller, artifact(), BOOK, shrunk) is None, "one request is made unasked, whatever the reason"


def test_stepping_down_drops_what_no_longer_fits_and_says_how_much() -> None:
    turns = tuple(
        Turn(role=role, text=f"number {number} " + "and so it goes on " * 30)
        for number in range(6)
        for role in (Role.USER, Role.ASSISTANT)
    )
    made = plan(voice(), (*turns, *QUESTION), BOOK, system="Be kind.")
    smaller = step_down(made, voice(workers=(WorkerLimits(max_length=300, max_context=1024),)), BOOK)
    assert smaller is not None
    assert smaller.turns[-1] == made.turns[-1]
    assert smaller.dropped_turns == len(made.turns) - len(smaller.turns) > 0
    assert smaller.context <= 1024


@pytest.mark.parametrize(
    "workers", [pytest.param(WORKERS, id="large-enough"), pytest.param((), id="nobody-serves-it-at-all")]
)
def test_no_stepping_down_where_size_is_not_in_the_way(workers: tuple[WorkerLimits, ...]) -> None:
    assert step_down(request(), voice(workers=workers), BOOK) is None
