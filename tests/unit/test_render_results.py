"""What a job that is over shows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.jobs import Job
from bot.domain.results import Censorship, Outcome, Result
from bot.domain.stages import Stage
from bot.errors import ContentRefused
from bot.render import RenderedMessage, render_job
from bot.render.messages import Colour
from tests.factories import ASKER, NOW, make_artifact, make_job, make_reply, make_request


def ended(outcome: Outcome, *, count: int = 1, result: dict[str, str] | None = None, **overrides: Any) -> Job:
    """A job with this outcome and, unless told otherwise, the pictures that were asked for."""
    came = count if outcome is Outcome.FINISHED else 0
    request = overrides.pop("request", None) or make_request(count=count)
    values = {
        "artifacts": tuple(make_artifact(index) for index in range(came)),
        "ended_at": NOW + timedelta(seconds=83),
        **overrides,
    }
    return make_job(stage=Stage.DELIVERING, request=request, result=Result(outcome=outcome, **(result or {})), **values)


def shown(job: Job, **options: Any) -> RenderedMessage:
    """The message of a job that is over."""
    return render_job(job, NOW, **options)


def text(message: RenderedMessage) -> str:
    """Its words outside of the fields."""
    assert message.embed is not None
    return message.embed.description


def fields(message: RenderedMessage) -> dict[str, str]:
    """Its fields by name."""
    assert message.embed is not None
    return {field.name: field.value for field in message.embed.fields}


def verbs(message: RenderedMessage) -> list[str]:
    """What its buttons do."""
    return [control.verb for row in message.controls for control in row]


def test_result_finished_shows_seed_model_worker_size_cost_and_time() -> None:
    message = shown(ended(Outcome.FINISHED))
    assert "✅ Done: 1 picture." in text(message)
    assert f"for <@{ASKER}>" in text(message)
    assert fields(message) == {
        "Seed": "`4242`",
        "Model": "Deliberate",
        "Worker": "Bright Worker",
        "Size": "512×512",
        "Cost": "≈ 10 kudos",
        "Time": "1 min 23 s",
    }
    assert verbs(message) == ["upscale", "again", "edit", "details", "delete"]
    assert "▰" not in text(message)


def test_result_of_several_pictures_lists_seeds_and_attaches_all() -> None:
    message = shown(ended(Outcome.FINISHED, count=4))
    assert fields(message)["Seeds"] == "`4242` `4243` `4244` `4245`"
    assert fields(message)["Workers"] == "Bright Worker"
    assert [file.index for file in message.files] == [0, 1, 2, 3]


def test_result_from_a_batch_says_that_a_seed_is_not_enough() -> None:
    message = shown(ended(Outcome.FINISHED, artifacts=(make_artifact(seed_exact=False),)))
    assert "from a batch" in fields(message)["Seed"]


def test_result_smaller_than_asked_says_so() -> None:
    message = shown(ended(Outcome.FINISHED, request=make_request(width=1024, height=1024)))
    assert fields(message)["Size"] == "512×512 (smaller than the 1024×1024 asked for)"


def test_result_notes_name_their_pictures_once() -> None:
    artifacts = tuple(make_artifact(i, notes=("LoRA *x* could not be loaded",) if i < 2 else ()) for i in range(3))
    message = shown(ended(Outcome.FINISHED, count=3, artifacts=artifacts), notes=("Made smaller to fit.",))
    assert fields(message)["Notes"] == ("• Pictures 1, 2: LoRA \\*x\\* could not be loaded\n• Made smaller to fit.")


@pytest.mark.parametrize(
    ("outcome", "colour", "says"),
    [
        pytest.param(Outcome.CENSORED, Colour.ORANGE, "withheld by a safety filter", id="censored"),
        pytest.param(Outcome.FAILED, Colour.RED, "**Try again** usually helps", id="failed"),
        pytest.param(Outcome.CANCELLED, Colour.GREY, "Cancelled before a picture was done.", id="cancelled"),
        pytest.param(Outcome.EXPIRED, Colour.RED, "requests live about 20 minutes there", id="expired"),
        pytest.param(Outcome.REJECTED, Colour.RED, "can't take this as asked", id="rejected"),
    ],
)
def test_result_without_pictures_says_why_and_what_next(outcome: Outcome, colour: Colour, says: str) -> None:
    message = shown(ended(outcome))
    assert says in text(message)
    assert message.embed is not None
    assert message.embed.colour == colour
    assert [control.label for control in message.controls[0]] == ["Try again", "Edit", "Details", "Delete"]
    assert "Seed" not in fields(message)


def test_result_every_outcome_reads_differently() -> None:
    texts = {text(shown(ended(outcome))) for outcome in Outcome}
    assert len(texts) == len(Outcome)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("", "The workers gave up on the rest; press **Again**", id="workers gave up"),
        pytest.param("gone", "let go of the rest before it was finished; press **Again**", id="expired half-way"),
        pytest.param("unfetched", "painted but could not be fetched; press **Again**", id="not fetched"),
    ],
)
def test_result_partial_counts_what_came(code: str, says: str) -> None:
    job = ended(Outcome.PARTIAL, count=4, artifacts=(make_artifact(0), make_artifact(1)), result={"code": code})
    assert "**2 of 4 pictures** came." in text(shown(job))
    assert says in text(shown(job))
    assert len(shown(job).files) == 2


def test_result_partial_for_want_of_a_download_blames_no_worker() -> None:
    artifacts = (make_artifact(0), make_artifact(1, unreadable=True), make_artifact(2, unreadable=True))
    told = text(shown(ended(Outcome.PARTIAL, count=3, artifacts=artifacts)))
    assert "**1 of 3 pictures** came. Press **Again** for a new set." in told
    assert "⚠ 2 pictures were painted but could not be fetched from the AI Horde." in told
    assert "gave up" not in told


def test_result_that_could_not_be_fetched_says_so_once() -> None:
    result = {"code": "unfetched", "message": "It was made, but could not be fetched."}
    told = text(shown(ended(Outcome.FAILED, artifacts=(make_artifact(unreadable=True),), result=result)))
    assert told.count("could not be fetched") == 1


def test_result_in_direct_messages_names_nobody() -> None:
    told = text(shown(ended(Outcome.FINISHED, reply=make_reply(guild_id=None))))
    assert "<@" not in told
    assert "\n\n✅ Done" in told
    assert "\n\n\n" not in told


def test_result_cancelled_keeps_what_was_painted() -> None:
    message = shown(ended(Outcome.CANCELLED, count=4, artifacts=(make_artifact(0),)))
    assert "**1 of 4 pictures** came. Cancelled; what was painted by then is kept." in text(message)
    assert len(message.files) == 1


def test_result_stopped_by_the_horde_says_so() -> None:
    message = shown(ended(Outcome.CANCELLED, result={"code": "stopped-remotely"}))
    assert "The AI Horde stopped this one" in text(message)


def test_result_message_and_reference_are_shown() -> None:
    message = shown(ended(Outcome.FAILED, result={"message": "A **kind** sentence.", "reference": "abc123"}))
    assert "A **kind** sentence." in text(message)
    assert "Reference: `abc123`" in text(message)


@pytest.mark.parametrize("nsfw", [False, True], ids=["ordinary channel", "age-restricted channel"])
def test_result_censored_tells_what_to_change(nsfw: bool) -> None:
    artifacts = (make_artifact(censored=Censorship.NSFW),)
    message = shown(ended(Outcome.CENSORED, artifacts=artifacts, request=make_request(nsfw=nsfw)))
    assert "🙈 1 picture blanked by a worker's safety filter." in text(message)
    assert ("isn't age-restricted" in text(message)) is not nsfw
    assert message.files == ()
    assert "again" in verbs(message)


def test_result_censored_in_direct_messages_speaks_of_them() -> None:
    job = ended(Outcome.CENSORED, artifacts=(make_artifact(censored=Censorship.NSFW),), reply=make_reply(guild_id=None))
    assert "In direct messages sexual content is off; please put the prompt differently." in text(shown(job))
    assert "channel" not in text(shown(job))


def test_result_of_the_grave_kind_is_never_attached_nor_offered_again() -> None:
    artifacts = (make_artifact(0), make_artifact(1, censored=Censorship.CSAM), make_artifact(2, unreadable=True))
    message = shown(ended(Outcome.PARTIAL, count=3, artifacts=artifacts))
    assert [file.index for file in message.files] == [0]
    assert verbs(message) == ["edit", "details", "delete"]
    assert "🚫 1 picture withheld" in text(message)
    assert "⚠ 1 picture was painted but could not be fetched" in text(message)
    assert not re.search(r"\bagain\b", text(message), re.IGNORECASE)


@pytest.mark.parametrize("code", ["CorruptPrompt", "ContentRefused"])
def test_result_refused_content_is_not_offered_again(code: str) -> None:
    result = {"code": code, "message": ContentRefused.default_user_message}
    assert verbs(shown(ended(Outcome.REJECTED, result=result))) == ["edit", "details", "delete"]


def test_result_in_a_private_reply_has_no_delete() -> None:
    job = ended(Outcome.FINISHED, reply=make_reply(ephemeral=True))
    assert verbs(shown(job)) == ["upscale", "again", "edit", "details"]
    assert verbs(shown(job, can_collect=True)) == ["upscale", "collect", "again", "edit", "details"]


def test_result_does_not_depend_on_now() -> None:
    job = ended(Outcome.FINISHED)
    assert render_job(job, NOW) == render_job(job, NOW + timedelta(days=1))


def test_result_offers_to_work_on_each_of_four_pictures() -> None:
    message = shown(make_job(stage=Stage.DELIVERING, request=make_request(count=4)))
    assert [control.label for control in message.controls[0]] == ["U1", "U2", "U3", "U4"]
    assert [control.index for control in message.controls[0]] == [0, 1, 2, 3]
    assert message.menu is not None
    assert len(message.menu.choices) == 20
    assert len({(choice.verb, choice.index) for choice in message.menu.choices}) == 20
