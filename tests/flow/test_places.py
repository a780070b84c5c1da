"""Where people ask: servers, age-restricted channels, direct messages, places where the bot may do little."""

from __future__ import annotations

import pytest

from tests.flow.test_controls import private_answer
from tests.flow.town import Reply, Town


@pytest.mark.parametrize(
    ("denied", "label"),
    [
        pytest.param("EMBED_LINKS", "Embed Links", id="embed"),
        pytest.param("ATTACH_FILES", "Attach Files", id="attach"),
        pytest.param("SEND_MESSAGES", "Send Messages", id="send"),
        pytest.param("VIEW_CHANNEL", "View Channel", id="view"),
    ],
)
async def test_missing_permission_is_named_before_a_job_is_made(town: Town, denied: str, label: str) -> None:
    channel = await town.sandbox.discord.make_channel(town.guild, "quiet", denied=[denied])
    record = await town.invoke("imagine", {"prompt": "a fox"}, channel=channel)
    message = next(m for m in town.messages(channel) if m["id"] == str(record.original_id))
    assert message["ephemeral_for"]
    assert label in str(message["embeds"])
    assert town.calls(method="POST") == []


async def test_imagine_works_in_direct_messages(town: Town) -> None:
    dm = await town.sandbox.discord.open_dm(town.ada)
    reply = await (await town.imagine("a fox in private", channel=dm)).end()
    assert set(reply.hashes) <= town.painted()
    assert len(reply.hashes) == 1, reply


@pytest.mark.parametrize(("nsfw", "asked"), [(False, False), (True, True)], ids=["ordinary", "age-restricted"])
async def test_nsfw_is_only_asked_for_in_age_restricted_channels(town: Town, nsfw: bool, asked: bool) -> None:
    channel = await town.sandbox.discord.make_channel(town.guild, "place", nsfw=nsfw)
    await (await town.imagine("a fox", channel=channel)).end()
    payload = town.calls(method="POST", path="/generate/async")[-1].request
    assert payload["nsfw"] is asked  # type: ignore[index]
    assert payload["censor_nsfw"] is not asked  # type: ignore[index]


async def test_private_reply_is_seen_by_its_asker_only_and_offers_to_be_collected(town: Town) -> None:
    reply = await town.imagine("a secret fox", private=True)
    assert "Collect" in reply.buttons
    await reply.end()
    assert len(reply.hashes) == 1, reply
    seen_by_grace = await town.sandbox.discord.read_channel(town.channel, as_user=town.grace)
    assert str(reply.message_id) not in {message["id"] for message in seen_by_grace}


async def test_private_result_that_comes_after_fifteen_minutes_waits_to_be_collected(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a late secret fox", private=True)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    town.sandbox.horde.set_workers(paused=False)
    await town.until(lambda: bool(town.calls(path="/generate/status")))
    await town.pass_time(20)
    assert reply.hashes == [], reply
    await reply.press("Collect")
    await reply.end()
    assert len(reply.hashes) == 1, reply
    assert set(reply.hashes) <= town.painted()


async def test_press_on_collect_while_it_is_drawn_brings_another_quarter_of_an_hour(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a patient secret fox", private=True)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    await reply.press("Collect")
    assert "Collect" in reply.buttons, "again, for this token dies as well"
    town.sandbox.horde.set_workers(paused=False)
    await reply.end()
    assert len(reply.hashes) == 1, reply


async def test_public_result_that_comes_after_fifteen_minutes_arrives_by_the_bots_own_token(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a late fox")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    town.sandbox.horde.set_workers(paused=False)
    await reply.end()
    assert set(reply.hashes) <= town.painted()
    assert len(reply.hashes) == 1, reply
    assert reply.now["route"] == "bot"


async def test_help_is_told_to_the_one_who_asks(town: Town) -> None:
    record = await town.invoke("help", {})
    told = private_answer(town, record)
    assert "imagine" in told


async def test_models_are_offered_while_typing(town: Town) -> None:
    choices = await town.sandbox.discord.autocomplete(
        town.ada, town.channel, "imagine", {"prompt": "x", "model": "albedo"}, "model"
    )
    assert any(choice["value"] == "AlbedoBase XL (SDXL)" for choice in choices)
    assert "worker" in choices[0]["name"]


async def test_picture_too_large_for_the_channel_is_made_smaller_with_a_note(town: Town) -> None:
    discord = town.sandbox.discord
    town.guild.upload_limit = town.ada.upload_limit = 4_000
    record = await discord.invoke(town.ada, town.channel, "imagine", {"prompt": "a large fox"})
    await discord.wait_answer(record)
    reply = await Reply(town, record).end()
    assert len(reply.hashes) == 1, reply
    assert reply.now["attachments"][0]["size"] <= 4_000
    assert "re-encoded" in reply.text
