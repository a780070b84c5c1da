"""Alchemy requests and statuses, translated; statuses as a real server answered them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alchemy import FEE, AlchemyRequest, Form, FormState, cost_of, price_of, tiles
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.errors import ProtocolError, RemoteGone
from bot.http import Answer
from bot.providers.horde.alchemy_mapping import ended, payload_of, progress_of, states_of
from bot.providers.horde.errors import error_of
from bot.providers.horde.wire import AlchemyStatus, parse

RECORDINGS = Path(__file__).parents[1] / "data" / "horde" / "alchemy"
STATUSES = sorted(path.stem for path in RECORDINGS.glob("alchemy-*.json") if "-status-" in path.stem)
DELETES = sorted(path.stem for path in RECORDINGS.glob("alchemy-delete-*.json"))


def recorded(case: str) -> Any:
    """A recorded answer: status and body."""
    return json.loads((RECORDINGS / f"{case}.json").read_text())["response"]


def wanted(*forms: Form) -> AlchemyRequest:
    return AlchemyRequest(source=SourceMedia(url="https://cdn.discordapp.com/x.png"), forms=forms)


def told(*rows: Any) -> AlchemyStatus:
    return parse(AlchemyStatus, {"state": "whatever", "forms": list(rows)})


@pytest.mark.parametrize("case", [pytest.param(case, id=case) for case in STATUSES + DELETES])
def test_recorded_status_is_understood(case: str) -> None:
    answer = recorded(case)
    if answer["status"] != 200:
        assert isinstance(error_of(Answer(status=answer["status"], data=answer["body"])), RemoteGone)
        return
    rows = answer["body"]["forms"]
    request = wanted(*dict.fromkeys(Form(row["form"]) for row in rows)) if rows else wanted(Form.CAPTION)
    states = states_of(parse(AlchemyStatus, answer["body"]), request)
    progress = progress_of(states)
    assert progress.over is (answer["body"]["state"] in {"done", "faulted", "partial"})
    assert progress.faulted is (answer["body"]["state"] == "faulted")
    assert progress.finished == len({row["form"] for row in rows if row["state"] == "done"})
    assert [part.name for part in progress.parts] == [form.value for form in request.forms]


def test_order_of_the_answer_does_not_matter() -> None:
    body = recorded("alchemy-status-done-many")["body"]
    request = wanted(*(Form(row["form"]) for row in body["forms"]))
    before = states_of(parse(AlchemyStatus, body), request)
    random.Random(5).shuffle(body["forms"])
    assert states_of(parse(AlchemyStatus, body), request) == before
    assert list(before) == list(request.forms)


@pytest.mark.parametrize(
    ("states", "stage", "over", "faulted"),
    [
        pytest.param(["waiting", "waiting"], Stage.WAITING, False, False, id="waiting"),
        pytest.param(["waiting", "processing"], Stage.PROCESSING, False, False, id="begun"),
        pytest.param(["waiting", "done"], Stage.PROCESSING, False, False, id="half-done"),
        pytest.param(["faulted", "waiting"], Stage.PROCESSING, False, False, id="one-faulted"),
        pytest.param(["done", "faulted"], Stage.PROCESSING, True, False, id="partial"),
        pytest.param(["cancelled", "cancelled"], Stage.PROCESSING, True, False, id="cancelled"),
        pytest.param(["cancelled", "faulted"], Stage.PROCESSING, True, True, id="nothing-came"),
        pytest.param(["faulted", "faulted"], Stage.PROCESSING, True, True, id="faulted"),
        pytest.param(["done", "resting"], Stage.PROCESSING, False, False, id="unknown-word"),
    ],
)
def test_progress_follows_the_forms(states: list[str], stage: Stage, over: bool, faulted: bool) -> None:
    rows = [{"form": form, "state": state} for form, state in zip(("caption", "nsfw"), states, strict=True)]
    progress = progress_of(states_of(told(*rows), wanted(Form.CAPTION, Form.NSFW)))
    assert (progress.stage, progress.over, progress.faulted) == (stage, over, faulted)


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        pytest.param([{"form": "nsfw", "state": "waiting"}], FormState.WAITING, id="others-open"),
        pytest.param([{"form": "nsfw", "state": "done"}], FormState.FAULTED, id="others-ended"),
        pytest.param([], FormState.FAULTED, id="none-listed"),
        pytest.param([7, None, {"form": "caption"}, {"state": "done"}], FormState.FAULTED, id="odd-rows"),
    ],
)
def test_form_that_is_not_listed_comes_only_while_others_do(rows: list[Any], state: FormState) -> None:
    assert states_of(told(*rows), wanted(Form.CAPTION, Form.NSFW))[Form.CAPTION] == (state, None)


def test_form_listed_twice_counts_as_done_once_one_is() -> None:
    rows = [{"form": "caption", "state": state, "result": state} for state in ("faulted", "done", "waiting")]
    states = states_of(told(*rows), wanted(Form.CAPTION))
    assert states == {Form.CAPTION: (FormState.DONE, "done")}
    assert ended(states)


def test_status_without_forms_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        parse(AlchemyStatus, {"state": "done"})


@pytest.mark.parametrize(
    ("states", "missing", "possible"),
    [
        pytest.param(["waiting", "waiting"], [Form.CAPTION, Form.NSFW], False, id="nobody"),
        pytest.param(["waiting", "waiting"], [Form.CAPTION], True, id="one-can-be-had"),
        pytest.param(["waiting", "processing"], [Form.CAPTION, Form.NSFW], True, id="at-work"),
        pytest.param(["waiting", "done"], [Form.CAPTION], False, id="rest-hopeless"),
        pytest.param(["done", "done"], [Form.CAPTION, Form.NSFW], True, id="over"),
    ],
)
def test_waiting_for_nobody_is_told(states: list[str], missing: list[Form], possible: bool) -> None:
    rows = [{"form": form, "state": state} for form, state in zip(("caption", "nsfw"), states, strict=True)]
    states_now = states_of(told(*rows), wanted(Form.CAPTION, Form.NSFW))
    assert progress_of(states_now, missing=missing).possible is possible


def test_payload_names_each_form_once() -> None:
    payload = payload_of(wanted(Form.UPSCALE_4X, Form.CAPTION, Form.UPSCALE_4X), "QUJD", trusted_workers=True)
    assert payload == {
        "forms": [{"name": "RealESRGAN_x4plus"}, {"name": "caption"}],
        "source_image": "QUJD",
        "slow_workers": True,
        "trusted_workers": True,
    }


@pytest.mark.parametrize(
    ("form", "size", "kudos"),
    [
        pytest.param(Form.CAPTION, (4000, 3000), 1, id="describing"),
        pytest.param(Form.VECTORIZE, (4000, 3000), 1, id="drawing"),
        pytest.param(Form.TAGS, (4000, 3000), 3, id="tags"),
        pytest.param(Form.UPSCALE_4X, (512, 512), 3, id="one-tile"),
        pytest.param(Form.CUTOUT, (513, 512), 6, id="two-tiles"),
        pytest.param(Form.FACES_GFPGAN, (1024, 1536), 18, id="six-tiles"),
    ],
)
def test_form_costs_by_kind_and_tiles(form: Form, size: tuple[int, int], kudos: int) -> None:
    assert cost_of(form, *size) == kudos
    assert price_of([form, form, Form.NSFW], *size) == kudos + 1
    assert tiles(1, 1) == 1
    assert FEE == 2


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(path.stem, id=path.stem)
        for path in sorted(RECORDINGS.glob("alchemy-async-*.json"))
        if json.loads(path.read_text())["response"]["status"] >= 400
    ],
)
def test_recorded_refusal_has_a_sentence_with_a_next_step(case: str) -> None:
    answer = recorded(case)
    error = error_of(Answer(status=answer["status"], data=answer["body"]))
    assert error.user_message.endswith(".")
    assert str(answer["body"]["message"]) not in error.user_message
