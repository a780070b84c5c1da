"""What a job that is under way shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.conversation import Role, TextRequest, Turn
from bot.domain.jobs import Job, WaitsFor
from bot.domain.kinds import Request
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.render import RenderedMessage, render_job
from bot.render.messages import Colour
from tests.factories import ASKER, NOW, make_artifact, make_job, make_progress, make_reply, make_request


def text(message: RenderedMessage) -> str:
    """The words of a message."""
    assert message.embed is not None
    return message.embed.description


def verbs(message: RenderedMessage) -> list[str]:
    """What its buttons do."""
    return [control.verb for row in message.controls for control in row]


@pytest.mark.parametrize(
    ("stage", "steps"),
    [
        pytest.param(Stage.QUEUED, "◉ Accepted ─ ○ Queued ─ ○ Painting 0/4 ─ ○ Done", id="queued"),
        pytest.param(Stage.SUBMITTING, "◉ Accepted ─ ○ Queued ─ ○ Painting 0/4 ─ ○ Done", id="submitting"),
        pytest.param(Stage.WAITING, "◉ Accepted ─ ◉ Queued #3 ─ ○ Painting 0/4 ─ ○ Done", id="waiting"),
        pytest.param(Stage.PROCESSING, "◉ Accepted ─ ◉ Queued ─ ◉ Painting 0/4 ─ ○ Done", id="processing"),
    ],
)
def test_progress_shows_the_stage(stage: Stage, steps: str) -> None:
    assert steps in text(render_job(make_job(stage=stage, request=make_request(count=4)), NOW))


def test_progress_shows_who_asked_what_it_costs_and_how_to_stop_it() -> None:
    message = render_job(make_job(stage=Stage.WAITING), NOW)
    assert f"<@{ASKER}>" in text(message)
    assert "≈ 10 kudos" in text(message)
    assert "🎨 **a lighthouse at dusk**" in text(message)
    assert verbs(message) == ["cancel"]


def test_progress_estimate_is_a_moment_so_that_time_alone_changes_nothing() -> None:
    job = make_job(stage=Stage.WAITING)
    assert f"<t:{int((NOW + timedelta(seconds=60)).timestamp())}:R>" in text(render_job(job, NOW))
    later = render_job(job, NOW + timedelta(hours=1))
    assert later == render_job(job, NOW)
    assert later.fingerprint == render_job(job, NOW).fingerprint


def test_progress_without_a_position_names_none() -> None:
    job = make_job(stage=Stage.WAITING, progress=make_progress(queue_position=None))
    assert "◉ Queued ─" in text(render_job(job, NOW))


def test_progress_bar_grows_with_pictures() -> None:
    request = make_request(count=4)
    bars = [
        text(render_job(make_job(stage=stage, request=request, progress=progress), NOW)).count("▰")
        for stage, progress in [
            (Stage.QUEUED, None),
            (Stage.WAITING, make_progress()),
            *((Stage.PROCESSING, make_progress(Stage.PROCESSING, finished=done)) for done in range(4)),
        ]
    ]
    assert bars == sorted(bars)
    assert 0 < bars[0] < bars[-1] < 8


def test_progress_attaches_pictures_as_they_finish() -> None:
    job = make_job(
        stage=Stage.PROCESSING,
        request=make_request(count=3),
        artifacts=(make_artifact(0), make_artifact(1, unreadable=True), make_artifact(2)),
    )
    message = render_job(job, NOW)
    assert [(file.name, file.index) for file in message.files] == [(f"{job.id}-0.webp", 0), (f"{job.id}-2.webp", 2)]


def impossible(**overrides: object) -> Job:
    """A job no worker could do, since `NOW`."""
    progress = make_progress(possible=False, impossible_since=NOW)
    return make_job(stage=Stage.WAITING, progress=progress, request=make_request(**overrides))


def test_progress_explains_an_impossible_request_after_twenty_seconds() -> None:
    job = impossible(model="Rare_Model")
    assert "No worker" not in text(render_job(job, NOW + timedelta(seconds=19)))
    message = render_job(job, NOW + timedelta(seconds=20))
    assert r"No worker online can paint this with Rare\_Model" in text(message)
    assert "try another model." in text(message)
    assert message.embed is not None
    assert message.embed.colour == Colour.AMBER
    assert verbs(message) == ["cancel"]


def test_progress_names_every_change_that_would_help() -> None:
    job = impossible(width=2048, height=1024, steps=50, nsfw=True)
    shown = text(render_job(job, NOW + timedelta(minutes=1)))
    assert "another model, a smaller size, fewer steps or a channel that is not age-restricted" in shown


def test_progress_tells_since_when_it_is_held() -> None:
    job = make_job(hold="The AI Horde isn't answering. Your place is kept.", held_since=NOW)
    message = render_job(job, NOW)
    assert f"⚠ The AI Horde isn't answering. Your place is kept. (since <t:{int(NOW.timestamp())}:R>)" in text(message)
    assert message.embed is not None
    assert message.embed.colour == Colour.AMBER


def test_place_in_line_is_no_trouble() -> None:
    job = make_job(hold="3 ahead of you here.", held_since=NOW, waits_for=WaitsFor.TURN)
    message = render_job(job, NOW)
    assert text(message).endswith("⏳ 3 ahead of you here.")
    assert message.embed is not None
    assert message.embed.colour == Colour.BLUE


def test_silent_service_gives_the_same_message_however_often_it_is_tried() -> None:
    held = make_job(hold="Down.", held_since=NOW, waits_for=WaitsFor.SERVICE)
    tries = (replace(held, due_at=NOW + timedelta(minutes=minutes)) for minutes in (1, 5, 20))
    assert len({text(render_job(job, NOW)) for job in tries}) == 1


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(make_request(), id="image"),
        pytest.param(
            AlchemyRequest(
                source=SourceMedia(url="https://cdn.discordapp.com/a", filename="a.png"), forms=(Form.CAPTION,)
            ),
            id="alchemy",
        ),
        pytest.param(
            TextRequest(
                turns=(Turn(role=Role.USER, text="Hi"),), model="m", template="chatml", max_length=100, context=1024
            ),
            id="text",
        ),
    ],
)
def test_private_reply_can_be_collected_from_the_start_and_while_it_waits(request_: Request) -> None:
    queued = make_job(request=request_, reply=make_reply(ephemeral=True))
    held = replace(queued, hold="Down.", held_since=NOW, waits_for=WaitsFor.SERVICE)
    for job in (queued, held, replace(queued, stage=Stage.WAITING), replace(queued, stage=Stage.PROCESSING)):
        assert "collect" in verbs(render_job(job, NOW))


def test_progress_tells_when_a_long_pause_ends() -> None:
    ends = NOW + timedelta(minutes=3)
    job = make_job(hold="Paused.", held_since=NOW, due_at=ends)
    assert f"next try <t:{int(ends.timestamp())}:R>)" in text(render_job(job, NOW))


def test_progress_keeps_short_retries_to_itself() -> None:
    job = make_job(hold="Down.", held_since=NOW, attempted_at=NOW + timedelta(seconds=50))
    first, second = (render_job(replace(job, due_at=NOW + timedelta(seconds=due)), NOW) for due in (55, 70))
    assert first == second


@pytest.mark.parametrize(
    ("restarted", "told"),
    [(1, "A worker gave up on a picture; another one takes over."), (2, "Workers gave up on 2 pictures; another")],
    ids=["one", "several"],
)
def test_progress_tells_of_restarts(restarted: int, told: str) -> None:
    job = make_job(stage=Stage.PROCESSING, progress=make_progress(Stage.PROCESSING, restarted=restarted))
    assert told in text(render_job(job, NOW))


def test_progress_tells_that_it_takes_longer() -> None:
    job = make_job(stage=Stage.WAITING, progress=make_progress(queue_moved=True))
    assert "↪ This takes longer than first expected." in text(render_job(job, NOW))


def test_progress_in_direct_messages_names_nobody() -> None:
    assert "<@" not in text(render_job(make_job(reply=make_reply(guild_id=None)), NOW))


def test_progress_after_cancel_is_stopping_and_cannot_be_cancelled_again() -> None:
    message = render_job(make_job(stage=Stage.PROCESSING, cancel_requested=True), NOW)
    assert "Stopping…" in text(message)
    assert "expected" not in text(message)
    assert message.controls[0][0].disabled


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param({}, ["cancel"], id="in a channel"),
        pytest.param({"ephemeral": True}, ["cancel", "collect"], id="private"),
        pytest.param({"by_channel": False}, ["cancel", "collect"], id="by token only"),
    ],
)
def test_progress_can_be_collected_where_only_the_token_reaches_it(reply: dict[str, bool], expected: list[str]) -> None:
    job = make_job(reply=make_reply(**reply))
    assert verbs(render_job(job, NOW)) == expected


def test_progress_of_a_long_prompt_shows_its_beginning() -> None:
    job = make_job(request=make_request(prompt="word " * 400))
    first = text(render_job(job, NOW)).splitlines()[0]
    assert first.endswith("…**")
    assert len(first) < 220


def test_progress_equal_jobs_look_equal_and_others_do_not() -> None:
    job = make_job(stage=Stage.WAITING)
    assert render_job(replace(job, version=9, cadence=7.0), NOW) == render_job(job, NOW)
    assert render_job(replace(job, cost=11.0), NOW).fingerprint != render_job(job, NOW).fingerprint
