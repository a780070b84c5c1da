"""From a wish to a request: which model answers, what is told of it, and what is asked for once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat import TemplateBook, WorkerLimits, bundled, resolve
from bot.domain.conversation import AnswerLength, Flaw, Role, TextArtifact, TextRequest, Turn
from bot.domain.jobs import Job
from bot.domain.stages import Stage
from bot.errors import InvalidRequest
from bot.providers.horde.text_models import TextModel
from bot.services.asking import STEP_DOWN_AFTER, Asking, AskWish
from bot.services.personas import built_in
from tests.factories import NOW, make_job, make_progress

BOOK = bundled()
LIMITS = (WorkerLimits(max_length=1024, max_context=8192), WorkerLimits(max_length=1024, max_context=8192))
TURNS = (Turn(role=Role.USER, text="Why?", author="Ada"),)


def model(name: str, **fields: Any) -> TextModel:
    """A model that two workers serve."""
    made = TextModel(name=name, title=name, workers=2, eta=5, chosen=resolve(BOOK, name), limits=LIMITS)
    return replace(made, **fields)


class Models:
    """The models there are, the first one the best."""

    def __init__(self, *models: TextModel) -> None:
        self.models = list(models)

    @property
    def book(self) -> TemplateBook:
        return BOOK

    def find(self, text: str, *, nsfw: bool = True) -> TextModel:
        for one in self.choices(nsfw=nsfw):
            if one.name == text:
                return one
        raise InvalidRequest(user_message=f"no {text}")

    def choose(self, *, nsfw: bool = False) -> TextModel | None:
        return next(iter(self.choices(nsfw=nsfw)), None)

    def choices(self, typed: str = "", *, nsfw: bool = True) -> Sequence[TextModel]:
        return [one for one in self.models if typed in one.name and (nsfw or not one.nsfw)]

    def info(self, name: str) -> TextModel:
        return next((one for one in self.models if one.name == name), model(name, workers=0, limits=()))


def asking(*models: TextModel, anonymous: bool = True) -> Asking:
    return Asking(Models(*models), built_in(), anonymous=anonymous)


NEMO, QWEN = model("Nemo-12B"), model("Qwen2.5-7B-Instruct")


def test_nobody_chose_so_the_best_one_answers() -> None:
    made = asking(NEMO, QWEN).complete(AskWish(persona="tutor"), TURNS)
    assert (made.model, made.model_chosen, made.persona) == ("Nemo-12B", False, "tutor")
    assert "patient tutor" in made.system


def test_a_chosen_model_is_noted_as_chosen() -> None:
    made = asking(NEMO, QWEN).complete(AskWish(model=" Qwen2.5-7B-Instruct "), TURNS)
    assert (made.model, made.model_chosen) == ("Qwen2.5-7B-Instruct", True)


@pytest.mark.parametrize(
    ("models", "wish", "told"),
    [
        pytest.param((), AskWish(), "Nobody serves a text model", id="nobody-there"),
        pytest.param((NEMO,), AskWish(model="Gone"), "no Gone", id="unknown-model"),
        pytest.param((NEMO,), AskWish(persona="Gone"), "no such persona", id="unknown-persona"),
        pytest.param((model("Lewd-13B", nsfw=True),), AskWish(), "Nobody serves", id="not-in-this-channel"),
    ],
)
def test_what_cannot_be_answered_is_told(models: tuple[TextModel, ...], wish: AskWish, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asking(*models).complete(wish, TURNS)
    assert told in caught.value.user_message


def test_everybodys_key_gets_what_is_free() -> None:
    wish = AskWish(length=AnswerLength.MAX)
    assert asking(NEMO).complete(wish, TURNS).max_length == 512
    assert asking(NEMO, anonymous=False).complete(wish, TURNS).max_length == 1024


@pytest.mark.parametrize(("chosen", "remarks"), [(True, 1), (False, 0)], ids=["by-a-person", "by-us"])
def test_a_model_that_is_gone_is_replaced_and_that_is_told_to_whoever_chose_it(chosen: bool, remarks: int) -> None:
    made = asking(QWEN).go_on(AskWish(model="Nemo-12B", model_chosen=chosen, persona="gone"), TURNS)
    assert (made.model, made.model_chosen, made.persona) == ("Qwen2.5-7B-Instruct", False, "assistant")
    assert len(made.remarks) == remarks
    assert all("Nemo-12B is not there any more" in remark for remark in made.remarks)


def asked(**fields: Any) -> Job:
    """A question at a worker."""
    request = asking(NEMO).complete(AskWish(length=AnswerLength.LONG), TURNS)
    return replace(make_job(stage=Stage.WAITING, request=request), **fields)


def empty(**fields: Any) -> TextArtifact:
    return replace(TextArtifact(index=0, remote_id="r/0", flaw=Flaw.EMPTY, kudos=3.0), **fields)


def test_the_second_try_says_what_the_first_one_cost() -> None:
    again = asking(NEMO).second_try(asked(artifacts=(empty(),)))
    assert again is not None
    assert again.retries == 1
    assert "it cost 3 kudos" in again.remarks[-1]
    free = asking(NEMO).second_try(asked(artifacts=(empty(kudos=0.0),)))
    assert free is not None
    assert "cost" not in free.remarks[-1]


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(asked(), id="nothing-came"),
        pytest.param(asked(artifacts=(empty(flaw=None, text="Because."),)), id="a-good-answer"),
        pytest.param(asked(artifacts=(empty(),), cancel_requested=True), id="cancelled"),
        pytest.param(make_job(stage=Stage.WAITING), id="no-question"),
    ],
)
def test_there_is_no_second_try_for_this(job: Job) -> None:
    assert asking(NEMO).second_try(job) is None


def impossible(**fields: Any) -> Job:
    """A question that no worker can take since `NOW`."""
    return asked(progress=make_progress(possible=False, impossible_since=NOW), **fields)


def test_less_is_asked_for_after_a_while_and_told() -> None:
    shrunk = replace(NEMO, limits=(WorkerLimits(max_length=64, max_context=1024),))
    later = NOW + STEP_DOWN_AFTER
    assert asking(shrunk).step_down(impossible(), later - timedelta(seconds=1)) is None, "it may pass"
    smaller = asking(shrunk).step_down(impossible(), later)
    assert isinstance(smaller, TextRequest)
    assert smaller.max_length == 64
    assert "shorter" in smaller.remarks[-1]
    assert asking(NEMO).step_down(impossible(), later) is None, "the list of workers is not so new yet"
    assert asking(QWEN).step_down(impossible(), later) is None, "nobody serves it: less would not help"


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(asked(), id="possible"),
        pytest.param(impossible(cancel_requested=True), id="cancelled"),
        pytest.param(
            make_job(stage=Stage.WAITING, progress=make_progress(possible=False, impossible_since=NOW)), id="a-picture"
        ),
    ],
)
def test_less_is_not_asked_for_without_need(job: Job) -> None:
    shrunk = replace(NEMO, limits=(WorkerLimits(max_length=64, max_context=1024),))
    assert asking(shrunk).step_down(job, NOW + timedelta(hours=1)) is None
