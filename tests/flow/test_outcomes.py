"""Every way a job can end, each with its own plain sentence and what to do next."""

from __future__ import annotations

import pytest

from tests.flow.town import Town


async def test_partial_set_keeps_what_came_and_says_so(town: Town) -> None:
    town.sandbox.horde.censor_next(1)
    reply = await (await town.imagine("two boats", count=2)).end()
    assert len(reply.hashes) == 1, reply
    assert set(reply.hashes) <= town.painted()
    assert "1 of 2" in reply.text


async def test_faulted_job_says_so_and_offers_another_try(town: Town) -> None:
    town.sandbox.horde.fault_next(50)
    reply = await (await town.imagine("a fox", count=4)).until(lambda shown: shown.over, step=2.0)
    assert reply.hashes == [], reply
    assert "gave up" in reply.text or "failed" in reply.text.lower()
    assert any("again" in label.lower() for label in reply.buttons)


async def test_job_done_without_faulted_and_without_pictures_has_failed(town: Town) -> None:
    town.sandbox.horde.fault_next(2)
    reply = await (await town.imagine("a fox")).end()
    assert reply.hashes == [], reply
    assert "worker" in reply.text.lower()
    assert any("again" in label.lower() for label in reply.buttons)


@pytest.mark.parametrize("kind", ["nsfw", "csam"])
async def test_censored_picture_is_never_shown(town: Town, kind: str) -> None:
    town.sandbox.horde.censor_next(1, kind)
    reply = await (await town.imagine("a beach")).end()
    assert reply.hashes == [], reply
    assert all(not version["attachments"] for version in reply.versions)
    assert "filter" in reply.text.lower()
    offered = any("again" in label.lower() for label in reply.buttons)
    assert offered is (kind == "nsfw")


async def test_request_that_the_horde_forgot_has_expired(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a slow boat")
    await reply.until(lambda shown: "expected" in shown.text or "Queued" in shown.text)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    for request_id in list(town.sandbox.horde.world.requests):
        town.sandbox.horde.expire(request_id)
    await reply.end()
    assert reply.hashes == [], reply
    assert "let go of this request" in reply.text


async def test_impossible_request_is_explained_after_twenty_seconds(town: Town) -> None:
    town.sandbox.horde.set_impossible(True)
    reply = await town.imagine("a castle")
    await reply.until(lambda shown: "No worker online" in shown.text, step=1.0)
    assert reply.buttons == ["Cancel"]
    await reply.press("Cancel")
    await reply.end()


async def test_size_beyond_the_free_tier_is_refused_with_a_way_out(town: Town) -> None:
    reply = await (await town.imagine("a panorama", size="large", aspect="16:9")).end()
    assert reply.hashes == [], reply
    assert "kudos" in reply.text.lower()
    assert "smaller" in reply.text.lower()
    assert "requires" not in reply.text, "the service's own words stay away from people"


async def test_unknown_model_is_refused_before_a_job_is_made(town: Town) -> None:
    record = await town.invoke("imagine", {"prompt": "a fox", "model": "no such model at all"})
    message = town.messages()[-1]
    assert record.original_id == int(message["id"])
    assert message["ephemeral_for"] is not None
    assert town.calls(method="POST") == []


async def test_prompt_refused_by_the_safety_filter_shuts_the_door_for_a_while(town: Town) -> None:
    town.fault(
        "horde",
        method="POST",
        path="/generate/async",
        status=400,
        body={"message": "This prompt appears to violate our terms.", "rc": "CorruptPrompt"},
    )
    reply = await (await town.imagine("something terrible")).end()
    assert "safety filter" in reply.text
    assert "violate" not in reply.text
    waiting = await town.imagine("something nice")
    await waiting.until(lambda shown: "paused" in shown.text.lower())
    assert len(town.calls(method="POST", path="/generate/async")) == 1
    await waiting.until(lambda shown: shown.over, step=2.0)
    assert len(waiting.hashes) == 1, waiting
