"""Services that stumble: nothing is lost, nothing is doubled, and people are told."""

from __future__ import annotations

import pytest

from bot.sandbox.control import Service
from tests.flow.town import Town


async def test_rate_limited_submission_waits_and_goes_through_once(town: Town) -> None:
    town.fault(
        "horde",
        method="POST",
        path="/generate/async",
        status=429,
        headers={"Retry-After": "4"},
        body={"message": "2 per 1 second"},
    )
    reply = await (await town.imagine("a patient fox")).end()
    assert len(reply.hashes) == 1, reply
    assert len(town.calls(method="POST", path="/generate/async")) == 2


async def test_address_in_timeout_pauses_everybody_and_says_so(town: Town) -> None:
    town.sandbox.horde.timeout_ip(60)
    first = await town.imagine("a fox")
    await first.until(lambda shown: "paused this bot" in shown.text)
    second = await town.imagine("a hare", by=town.grace)
    await second.until(lambda shown: "paused this bot" in shown.text)
    assert len(town.calls(method="POST", path="/generate/async")) == 1, "the breaker asks nobody while it is open"
    await first.end()
    await second.end()
    assert len(first.hashes) == len(second.hashes) == 1


async def test_horde_that_is_down_keeps_the_place_and_goes_on_when_it_is_back(town: Town) -> None:
    town.fault("horde", times=None, status=503)
    reply = await town.imagine("a stubborn fox")
    await reply.until(lambda shown: "isn't answering" in shown.text)
    assert "<t:" in reply.text
    town.sandbox.faults.clear()
    await reply.end()
    assert len(reply.hashes) == 1, reply


async def test_horde_that_goes_down_in_the_middle_loses_nothing(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox in the middle")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    town.fault("horde", times=None, action="reset")
    await reply.until(lambda shown: "isn't answering" in shown.text)
    town.sandbox.faults.clear()
    town.sandbox.horde.set_workers(paused=False)
    await reply.end()
    assert set(reply.hashes) <= town.painted()
    assert len(town.calls(method="POST", path="/generate/async")) == 1


async def test_slow_horde_is_waited_for(town: Town) -> None:
    town.fault("horde", path="/generate/check", delay=15, action="respond", status=504, times=2)
    reply = await (await town.imagine("a snail")).end()
    assert len(reply.hashes) == 1, reply


@pytest.mark.parametrize("action", ["garbage", "truncate", "reset_after"])
async def test_lost_answer_to_an_anonymous_submission_is_told_and_never_repeated(town: Town, action: str) -> None:
    town.fault("horde", method="POST", path="/generate/async", action=action)
    reply = await (await town.imagine("a fox on a broken line")).end()
    assert "can't tell whether it arrived" in reply.text
    assert len(town.calls(method="POST", path="/generate/async")) == 1
    assert any("again" in label.lower() for label in reply.buttons)


@pytest.mark.parametrize("action", ["garbage", "truncate", "reset"])
async def test_broken_answers_to_looks_are_only_a_delay(town: Town, action: str) -> None:
    town.fault("horde", method="GET", path="/generate/", action=action, times=4)
    reply = await (await town.imagine("a fox through static")).end()
    assert len(reply.hashes) == 1, reply


@pytest.mark.parametrize("kind", ["expired", "missing"])
async def test_dead_link_is_asked_for_anew_once(town: Town, kind: str) -> None:
    town.sandbox.horde.dead_links(1, kind)
    reply = await (await town.imagine("a fox behind a dead link")).end()
    assert len(reply.hashes) == (1 if kind == "expired" else 0)
    if kind == "missing":
        assert any("again" in label.lower() for label in reply.buttons)


async def test_media_host_that_stumbles_is_tried_again(town: Town) -> None:
    town.fault("media", times=3, status=500)
    reply = await (await town.imagine("a fox from far away")).end()
    assert set(reply.hashes) <= town.painted()
    assert len(reply.hashes) == 1, reply


async def test_discord_rate_limit_delays_an_edit_and_loses_nothing(town: Town) -> None:
    town.sandbox.discord.limit_next("original_edit", times=2, retry_after=0.05)
    reply = await (await town.imagine("a fox", count=2)).end()
    assert len(reply.hashes) == 2, reply


@pytest.mark.parametrize("action", ["reset", "reset_after", "respond"])
async def test_discord_that_stumbles_gets_every_file_exactly_once(town: Town, action: str) -> None:
    town.fault("discord", method="PATCH", action=action, status=403 if action == "none" else 502, times=3)
    reply = await (await town.imagine("a fox", count=3)).end()
    assert len(reply.hashes) == 3, reply
    assert len(set(reply.hashes)) == 3
    assert set(reply.hashes) <= town.painted()


async def test_deleted_message_detaches_the_reply_and_not_the_job(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox nobody sees")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.sandbox.discord.delete_message(town.moderator, reply.message_id)
    town.sandbox.horde.set_workers(paused=False)
    await town.until(lambda: bool(town.calls(path="/generate/status")))
    await town.pass_time(20)
    edits = [call for call in town.calls(service=Service.DISCORD, method="PATCH") if str(call.status) == "404"]
    assert len(edits) <= 1, "nobody keeps editing a message that is gone"


async def test_gateway_that_drops_comes_back_and_takes_commands(town: Town) -> None:
    await town.sandbox.discord.drop_gateway(resumable=True)
    await town.until(lambda: bool(town.sandbox.discord.gateway.connected))
    reply = await (await town.imagine("a fox after the storm")).end()
    assert len(reply.hashes) == 1, reply


async def test_two_people_at_once_get_their_own_pictures(town: Town) -> None:
    first = await town.imagine("a fox", by=town.ada, count=2, seed="1")
    second = await town.imagine("a hare", by=town.grace, count=2, seed="2")
    await first.end()
    await second.end()
    assert len(set(first.hashes + second.hashes)) == 4
    assert "a fox" in first.text
    assert "a hare" in second.text
