"""Text requests and answers in the Horde's words and back, mostly on recorded answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat import bundled
from bot.domain.conversation import Flaw, Role, Sampling, TextRequest, Turn
from bot.domain.progress import Progress
from bot.domain.results import Censorship
from bot.errors import ContentRefused, KudosNeeded, Maintenance, Paused, Rejected, Unauthorized
from bot.http import Answer
from bot.providers.horde.mapping import QUIET, progress_of
from bot.providers.horde.text_errors import text_error_of
from bot.providers.horde.text_mapping import text_artifact_of, text_payload_of
from bot.providers.horde.text_wire import TextGeneration, TextReference, TextStatus
from bot.providers.horde.wire import parse
from tests.factories import NOW

RECORDED = Path(__file__).parents[1] / "data" / "horde" / "text"
TODAY = date(2026, 11, 21)
BOOK = bundled()
REQUEST = TextRequest(
    turns=(Turn(role=Role.USER, text="Hi", author="Ann"),),
    system="Be kind.",
    model="koboldcpp/A",
    aliases=("aphrodite/A", "koboldcpp/A"),
    template="chatml",
    max_length=300,
    context=1024,
    sampling=Sampling(temperature=0.3),
    stops=("<|im_end|>", "\nAnn:"),
)


def recorded(name: str) -> Answer:
    response = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["response"]
    return Answer(status=response["status"], data=response["body"])


def status(name: str) -> TextStatus:
    return parse(TextStatus, recorded(name).data)


def test_payload_is_complete_and_within_the_rules() -> None:
    payload = text_payload_of(REQUEST, BOOK, today=TODAY)
    assert payload["models"] == ["koboldcpp/A", "aphrodite/A"]
    assert payload["prompt"].endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert payload["params"] == {
        "n": 1,
        "max_length": 300,
        "max_context_length": 1024,
        "temperature": 0.3,
        "top_p": 0.95,
        "top_k": 0,
        "min_p": 0.05,
        "rep_pen": 1.05,
        "rep_pen_range": 1024,
        "stop_sequence": ["<|im_end|>", "\nAnn:"],
        "frmttriminc": False,
        "singleline": False,
    }
    assert "worker_blacklist" not in payload


def test_payload_avoids_the_worker_that_failed() -> None:
    payload = text_payload_of(replace(REQUEST, avoid_workers=("w1",)), BOOK, today=TODAY)
    assert (payload["workers"], payload["worker_blacklist"]) == (["w1"], True)


def artifact(generation: TextGeneration, **changes: Any) -> Any:
    return text_artifact_of(generation, replace(REQUEST, **changes), BOOK, today=TODAY, remote_id="r", kudos=7.0)


def test_recorded_answer_is_read() -> None:
    read = status("text-status-done")
    made, leaked = artifact(read.generations[0])
    assert made.text.startswith("slow asked lantern")
    assert (made.remote_id, made.worker, made.kudos, made.usable, leaked) == ("r/0", "sim-text", 7.0, True, "")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("text-status-censored-nsfw", Censorship.NSFW, id="nsfw"),
        pytest.param("text-status-censored-csam", Censorship.CSAM, id="csam"),
    ],
)
def test_recorded_censorship_is_read(name: str, kind: Censorship) -> None:
    made, _ = artifact(status(name).generations[0])
    assert (made.censored, made.text, made.flaw, made.usable) == (kind, "", None, False)


def test_prompt_sent_back_is_not_part_of_the_answer() -> None:
    prompt = text_payload_of(REQUEST, BOOK, today=TODAY)["prompt"]
    made, _ = artifact(TextGeneration(text=f"{prompt}Hello there."))
    assert made.text == "Hello there."


def test_empty_answer_is_no_answer() -> None:
    made, _ = artifact(TextGeneration(text=" \n"))
    assert (made.flaw, made.usable) == (Flaw.EMPTY, False)


def test_shortened_answer_is_told() -> None:
    text = " ".join(f"The keeper counted boat {n}." for n in range(40)) + " And then the"
    made, _ = artifact(TextGeneration(text=text), max_length=1024)
    assert made.cut
    assert made.notes[0].startswith("The AI Horde was busy and shortened this answer to about ")


@pytest.mark.parametrize(
    ("name", "over", "faulted"),
    [
        pytest.param("text-status-waiting", False, False, id="waiting"),
        pytest.param("text-status-processing", False, False, id="processing"),
        pytest.param("text-status-restarting", False, False, id="done-while-a-retry-runs"),
        pytest.param("text-status-faulted", True, True, id="faulted-with-one-waiting-for-ever"),
        pytest.param("text-status-done", True, False, id="done"),
        pytest.param("text-status-censored-csam", True, False, id="censored"),
    ],
)
def test_recorded_status_is_over_when_nothing_more_will_come(name: str, over: bool, faulted: bool) -> None:
    progress = progress_of(status(name), None, NOW)
    assert (progress.over, progress.faulted) == (over, faulted)


def test_recorded_status_after_a_delete_is_over_a_little_later() -> None:
    read = status("text-status-after-delete")
    first: Progress = progress_of(read, None, NOW)
    assert not first.over
    assert progress_of(read, first, NOW + QUIET).over
    assert not progress_of(read, first, NOW + timedelta(seconds=1)).over


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        pytest.param("text-async-error-kudos-upfront-anon", KudosNeeded, "shorter `length`", id="kudos"),
        pytest.param("text-async-error-token-overflow", Rejected, "keep in mind", id="overflow"),
        pytest.param("text-async-error-stop-sequences", Rejected, "start a new one", id="stops"),
        pytest.param("text-async-error-stop-sequences-long", Rejected, "start a new one", id="long-stops"),
        pytest.param("text-async-error-empty-prompt", Rejected, "nothing to answer", id="empty"),
        pytest.param("text-async-error-temperature", Rejected, "choose another model", id="schema"),
        pytest.param("text-async-error-bad-apikey", Unauthorized, "key", id="key"),
        pytest.param("text-async-error-maintenance", Maintenance, "maintenance", id="maintenance"),
        pytest.param("text-async-error-timeout-ip", Paused, "paused", id="timeout"),
    ],
)
def test_recorded_refusals_speak_of_answers(name: str, error: type[Exception], words: str) -> None:
    made = text_error_of(recorded(name))
    assert type(made) is error
    assert words in made.user_message
    assert not {"paint", "picture", "pictures"} & set(made.user_message.lower().split())


def test_refused_content_is_told_without_the_word_picture() -> None:
    made = text_error_of(Answer(status=400, data={"rc": "CorruptPrompt"}))
    assert type(made) is ContentRefused
    assert "put it differently" in made.user_message


@pytest.mark.parametrize(
    ("row", "settings"),
    [
        pytest.param({"settings": {"temperature": 0.7, "sampler_order": [1]}}, {"temperature": 0.7}, id="numbers-only"),
        pytest.param({"settings": None}, {}, id="null"),
        pytest.param({"settings": "odd"}, {}, id="odd"),
        pytest.param({"tags": "odd", "parameters": 7e9}, {}, id="odd-tags"),
    ],
)
def test_reference_rows_are_read_leniently(row: dict[str, Any], settings: dict[str, float]) -> None:
    read = parse(TextReference, {"name": "x", **row})
    assert read.settings == settings
