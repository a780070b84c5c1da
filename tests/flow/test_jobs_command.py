"""`/jobs`: one's own requests, whatever became of their messages, and being told of late ones."""

from __future__ import annotations

import re

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
    assert shown.buttons == [label for label in first.buttons if label != "Delete"], "a copy is not the reply"
    for command in ("jobs show", "jobs cancel", "jobs retry"):
        strange = await town.invoke(command, {"job": chosen}, by=town.grace)
        assert "You have no job" in private_answer(town, strange), "other people's are not told of"
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


async def test_end_of_a_deleted_reply_comes_by_direct_message_where_that_was_chosen(town: Town) -> None:
    await town.invoke("jobs notify", {"how": "dm"})
    reply = await deleted(town, "a fox nobody sees", by=town.moderator)
    place = await town.sandbox.discord.open_dm(town.ada)
    await town.until(lambda: any(m["attachments"] for m in town.messages(place)))
    [there] = town.messages(place)
    assert pinged(town, there) == [str(town.ada.id)]
    assert {file["sha256"] for file in there["attachments"]} <= town.painted()
    assert not [m for m in new_messages(town, reply, town.channel) if not m["ephemeral_for"]]


async def test_what_was_deleted_is_told_of_but_not_posted_again(town: Town) -> None:
    await town.invoke("jobs notify", {"how": "ping"})
    reply = await deleted(town, "a fox a moderator minds", by=town.moderator)

    def told() -> list[Json]:
        return [m for m in new_messages(town, reply, town.channel) if not m["ephemeral_for"]]

    await town.until(lambda: bool(told()))
    await town.pass_time(20)
    [there] = told()
    assert pinged(town, there) == [str(town.ada.id)]
    assert not there["attachments"]
    [job] = re.findall(r"/jobs show (\w+)", words(there))
    shown = Reply(town, await town.invoke("jobs show", {"job": job}))
    await shown.until(lambda copy: bool(copy.hashes))
    assert set(shown.hashes) <= town.painted()


async def test_late_is_when_it_is_shown_and_a_stumble_of_discord_loses_no_mention(town: Town) -> None:
    await town.invoke("jobs notify", {"how": "ping"})
    reply = await town.imagine("a fox behind closed doors")
    away = {"message": "away", "code": 0}
    town.fault("discord", method="PATCH", status=503, body=away, times=None)
    await town.until(lambda: bool(town.calls(path="/generate/status")))
    await town.pass_time(LATE, step=20)
    town.sandbox.faults.clear()
    town.fault("discord", method="POST", path="/messages$", status=503, body=away)
    town.fault("discord", method="POST", path="/messages$", action="reset_after")

    def told() -> list[Json]:
        return [m for m in new_messages(town, reply, town.channel) if not m["ephemeral_for"]]

    await town.until(lambda: bool(told()))
    await town.pass_time(90)
    assert len(told()) == 1, "told once, though its first try failed and its second lost its answer"
    assert "is here" in words(told()[0])
    assert len(reply.hashes) == 1


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
