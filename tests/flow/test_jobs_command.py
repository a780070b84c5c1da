"""`/jobs`: one's own requests, whatever became of their messages, and being told of late ones."""

from __future__ import annotations

import pytest

from bot.sandbox.discord import Channel, User
from tests.flow.test_controls import private_answer
from tests.flow.town import Json, Reply, Town, words

#: Longer than a person looks on; longer than an interaction's token lives. Seconds.
LATE, TOKEN_DEAD = 6 * 60, 16 * 60


def job_id(reply: Reply) -> str:
    """The id of the job that a reply shows."""
    return reply.custom_id("Cancel" if "Cancel" in reply.buttons else "Details").split(":")[2]


def new_messages(town: Town, reply: Reply, channel: Channel) -> list[Json]:
    """What the bot wrote beside the reply."""
    return [message for message in town.messages(channel) if message["id"] != str(reply.message_id)]


def pinged(town: Town, message: Json) -> list[str]:
    """Whom a message notified when it was new."""
    first = town.versions(int(message["id"]))[0]
    assert first["notified"]
    assert not first["pings"]["everyone"]
    return list(first["pings"]["users"])


async def late(town: Town, prompt: str, seconds: float, *, private: bool = False) -> Reply:
    """Ask for something that comes after so long."""
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine(prompt, private=private)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(seconds, step=20)
    town.sandbox.horde.set_workers(paused=False)
    return reply


async def test_own_requests_are_listed_shown_and_asked_for_again(town: Town) -> None:
    first = await (await town.imagine("a fox in a list")).end()
    chosen = job_id(first)
    listed = private_answer(town, await town.invoke("jobs list", {}))
    assert "a fox in a list" in listed
    assert chosen in listed
    assert "Nothing yet" in private_answer(town, await town.invoke("jobs list", {}, by=town.grace))
    shown = Reply(town, await town.invoke("jobs show", {"job": chosen}))
    await shown.until(lambda reply: bool(reply.hashes))
    assert shown.hashes == first.hashes
    strange = await town.invoke("jobs show", {"job": chosen}, by=town.grace)
    assert "no longer have" in private_answer(town, strange), "other people's are not told of"
    again = await Reply(town, await town.invoke("jobs retry", {"job": chosen})).end()
    assert len(again.hashes) == 1, again
    assert again.hashes != first.hashes


async def test_all_that_is_in_work_is_cancelled_at_once(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    first, second = await town.imagine("one fox"), await town.imagine("another fox")
    others = await town.imagine("a hare", by=town.grace)
    assert "all 2" in private_answer(town, await town.invoke("jobs cancel", {"job": "all"}))
    await first.end()
    await second.end()
    assert not others.over
    assert "nothing to cancel" in private_answer(town, await town.invoke("jobs cancel", {"job": "all"}))
    town.sandbox.horde.set_workers(paused=False)
    await others.end()


async def test_late_answer_mentions_whoever_wants_that_and_nobody_else(town: Town) -> None:
    await town.invoke("jobs notify", {"how": "ping"})
    early = await (await town.imagine("a quick fox")).end()
    reply = await (await late(town, "a late fox", LATE)).end()
    asked = {str(early.message_id)}
    await town.until(lambda: any("is here" in words(m) for m in new_messages(town, reply, town.channel)))
    [notice] = [m for m in new_messages(town, reply, town.channel) if m["id"] not in asked and not m["ephemeral_for"]]
    assert pinged(town, notice) == [str(town.ada.id)]
    assert str(reply.message_id) in words(notice), "it says where"


async def test_private_late_answer_is_told_by_direct_message(town: Town) -> None:
    await town.invoke("jobs notify", {"how": "ping"})
    reply = await late(town, "a late secret fox", TOKEN_DEAD, private=True)
    direct = await town.sandbox.discord.open_dm(town.ada)
    await town.until(lambda: bool(town.messages(direct)))
    [notice] = town.messages(direct)
    assert "Collect" in words(notice)
    await reply.press("Collect")
    await reply.end()
    assert len(reply.hashes) == 1, reply
    await town.pass_time(20)
    assert len(town.messages(direct)) == 1, "told once"


@pytest.mark.parametrize("how", ["dm", "ping"])
async def test_end_of_a_deleted_reply_comes_in_a_new_message_where_that_was_chosen(town: Town, how: str) -> None:
    await town.invoke("jobs notify", {"how": how})
    reply = await deleted(town, "a fox nobody sees", by=town.moderator)
    place = await town.sandbox.discord.open_dm(town.ada) if how == "dm" else town.channel
    await town.until(lambda: any(m["attachments"] for m in new_messages(town, reply, place)))
    [there] = [m for m in new_messages(town, reply, place) if not m["ephemeral_for"]]
    assert pinged(town, there) == [str(town.ada.id)]
    assert {file["sha256"] for file in there["attachments"]} <= town.painted()


async def test_end_of_a_deleted_reply_is_kept_where_nothing_was_chosen(town: Town) -> None:
    reply = await deleted(town, "a fox in the drawer", by=town.moderator)
    await town.pass_time(20)
    assert new_messages(town, reply, town.channel) == []
    assert "kept for `/jobs show`" in private_answer(town, await town.invoke("jobs list", {}))
    assert town.calls(method="DELETE", path="/generate/status") == []


async def deleted(town: Town, prompt: str, *, by: User) -> Reply:
    """Ask for something whose message somebody deletes before it is done."""
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine(prompt)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.sandbox.discord.delete_message(by, reply.message_id)
    town.sandbox.horde.set_workers(paused=False)
    await town.until(lambda: bool(town.calls(path="/generate/status")))
    return reply
