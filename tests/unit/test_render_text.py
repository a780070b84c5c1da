"""A question as a message: in work, answered, and not answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.conversation import Flaw, Role, TextArtifact, TextRequest, Turn
from bot.domain.jobs import TextJob, is_text
from bot.domain.results import Censorship, Outcome, Result
from bot.domain.stages import Stage
from bot.render.messages import MAX_CONTENT, Drawn, RenderedMessage
from bot.render.text import Room, render_text
from tests.factories import NOW, make_job, make_reply

REQUEST = TextRequest(
    turns=(Turn(role=Role.USER, text="Why is @everyone **here**?", author="Ada"),),
    model="koboldcpp/Nemo-12B",
    template="chatml",
    max_length=300,
    context=2048,
)


def text_job(stage: Stage = Stage.DELIVERING, **fields: Any) -> TextJob:
    """A job that asks `REQUEST`."""
    values: dict[str, Any] = {"request": REQUEST, "artifacts": (), **fields}
    job = replace(make_job(stage=stage), **values)
    assert is_text(job)
    return job


def answered(text: str = "Because.", **fields: Any) -> TextArtifact:
    """An answer that came."""
    values: dict[str, Any] = {"index": 0, "remote_id": "r/0", "worker": "Scribe", "text": text, "kudos": 4.0}
    return TextArtifact(**values | fields)


def ended(artifact: TextArtifact | None, outcome: Outcome = Outcome.FINISHED, **fields: Any) -> RenderedMessage:
    """What a job with this result shows."""
    artifacts = () if artifact is None else (artifact,)
    reply = fields.pop("reply", make_reply())
    room = fields.pop("room", None)
    job = text_job(result=Result(outcome=outcome, **fields), artifacts=artifacts, reply=reply, ended_at=NOW)
    return render_text(job, NOW, room=room)


def verbs(message: RenderedMessage) -> list[str]:
    """What its buttons do."""
    return [control.verb for row in message.controls for control in row]


def test_code_carried_on_is_shown_as_code() -> None:
    turns = (*REQUEST.turns, Turn(role=Role.ASSISTANT, text="Here:\n```python\nif x:"))
    job = text_job(
        request=replace(REQUEST, turns=turns),
        result=Result(outcome=Outcome.FINISHED),
        artifacts=(answered("y = 2\nz", lead="\n    ", cut=True),),
        ended_at=NOW,
    )
    assert render_text(job, NOW).content.startswith("```python\n    y = 2\nz\n```\n-# ")


def test_answer_is_plain_content_with_a_small_line() -> None:
    message = ended(answered())
    assert message.embed is None
    assert "Because." in message.content
    assert message.content.splitlines()[-1].startswith("-# Nemo-12B · Scribe · ")
    assert "4 kudos" in message.content
    assert verbs(message) == ["reask", "reply", "delete"]


def test_question_is_quoted_with_its_markup_off() -> None:
    first = ended(answered()).content.splitlines()[0]
    assert first.startswith("> Why is @")
    assert "@everyone" not in first
    assert "**here**" not in first


def test_only_an_answer_cut_off_can_be_carried_on() -> None:
    assert "continue" in verbs(ended(answered(cut=True)))


def test_long_answers_have_parts_within_the_limit() -> None:
    message = ended(answered("A sentence of some words. " * 150))
    assert message.more_content
    assert "kudos" in message.more_content[-1]
    assert all(len(part) <= MAX_CONTENT for part in (message.content, *message.more_content))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reply": make_reply(ephemeral=True)}, id="private"),
        pytest.param({"reply": make_reply(by_channel=False)}, id="not a member"),
        pytest.param({"room": Room(can_post=False)}, id="may not post"),
    ],
)
def test_what_may_have_one_message_only_has_a_file(changes: dict[str, Any]) -> None:
    message = ended(answered("A sentence of some words. " * 150), **changes)
    assert not message.more_content
    assert [file.drawn for file in message.files] == [Drawn.ANSWER]
    assert len(message.content) <= MAX_CONTENT


def test_where_no_file_may_be_attached_it_is_told() -> None:
    message = ended(answered("Words. " * 900), room=Room(can_post=False, can_attach=False))
    assert not message.files
    assert "Attach Files" in message.content
    assert len(message.content) <= MAX_CONTENT


@pytest.mark.parametrize("flaw", list(Flaw))
def test_what_was_no_good_twice_is_told_with_its_price(flaw: Flaw) -> None:
    message = ended(answered("", flaw=flaw), Outcome.FAILED, code=flaw.value)
    assert message.embed is not None
    assert "4 kudos" in message.embed.description
    assert verbs(message) == ["reask", "delete"]


@pytest.mark.parametrize(
    ("request_", "twice"),
    [
        pytest.param(REQUEST, False, id="once"),
        pytest.param(replace(REQUEST, retries=1), True, id="twice"),
        pytest.param(replace(REQUEST, retries=1, stepped_down=True), False, id="once-though-asked-for-less"),
    ],
)
def test_how_often_it_was_asked_for_is_told_truthfully(request_: TextRequest, twice: bool) -> None:
    result = Result(outcome=Outcome.FAILED, code=Flaw.LOOP.value)
    job = text_job(request=request_, result=result, artifacts=(answered("", flaw=Flaw.LOOP),), ended_at=NOW)
    embed = render_text(job, NOW).embed
    assert embed is not None
    assert ("once more" in embed.description) is twice


def test_thoughts_can_be_asked_for_where_there_are_some() -> None:
    message = ended(answered(thought="Hm.", cut=True))
    assert verbs(message) == ["reask", "continue", "reply", "details", "delete"]
    job = text_job(
        result=Result(outcome=Outcome.FINISHED), artifacts=(answered(thought="Hm.", cut=True),), ended_at=NOW
    )
    assert [len(row) for row in render_text(job, NOW, can_collect=True).controls] == [5, 1], "a row holds five"


def test_asking_for_less_is_told_on_the_way() -> None:
    message = render_text(text_job(Stage.WAITING, request=replace(REQUEST, retries=1, stepped_down=True)), NOW)
    assert message.embed is not None
    assert "asking for less" in message.embed.description
    assert "no good" not in message.embed.description


def test_the_gravest_kind_is_not_offered_again() -> None:
    message = ended(answered("", censored=Censorship.CSAM), Outcome.CENSORED)
    assert verbs(message) == ["delete"]


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.SUBMITTING, Stage.WAITING, Stage.PROCESSING])
def test_what_is_in_work_can_be_cancelled(stage: Stage) -> None:
    message = render_text(text_job(stage), NOW)
    assert verbs(message) == ["cancel"]
    assert message.embed is not None
    assert "Nemo-12B" in message.embed.description
