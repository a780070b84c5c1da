"""What Discord may refuse, and how a result gets there all the same."""

from __future__ import annotations

import pytest

from bot.sandbox.control import Service
from tests.flow.town import Json, Town


async def test_file_that_discord_finds_too_large_comes_smaller_and_says_so(town: Town) -> None:
    town.fault(
        "discord",
        method="PATCH",
        status=413,
        body={"message": "Request entity too large", "code": 40005},
        body_matches="attachments",
    )
    town.guild.upload_limit = town.ada.upload_limit = 12_000
    reply = await (await town.imagine("a large fox")).end()
    assert len(reply.hashes) == 1, reply
    assert "made smaller" in reply.text


async def test_files_that_are_not_taken_leave_the_words_and_what_to_do(town: Town) -> None:
    town.fault(
        "discord",
        method="PATCH",
        status=403,
        body={"message": "Missing Permissions", "code": 50013},
        body_matches="attachments",
        times=None,
    )
    reply = await (await town.imagine("a fox nobody may attach")).end()
    assert reply.hashes == [], reply
    assert "Attach Files" in reply.text
    assert "Again" in reply.buttons


async def test_refused_bot_token_is_tried_again_slowly_and_the_result_arrives(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox after midnight")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    unauthorized = {"message": "401: Unauthorized", "code": 0}
    town.fault("discord", method="PATCH", path="/channels/", status=401, body=unauthorized, times=3)
    town.sandbox.horde.set_workers(paused=False)
    await reply.end()
    assert len(reply.hashes) == 1, reply
    refused = [c for c in town.calls(service=Service.DISCORD, method="PATCH", path="/channels/") if c.status == 401]
    assert len(refused) == 3


async def test_reply_in_an_archived_thread_is_answered_by_a_new_message(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox in a closed thread")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    archived = {"message": "Thread is archived", "code": 50083}
    path = f"/messages/{reply.message_id}$"
    town.fault("discord", method="PATCH", path=path, status=400, body=archived, times=None)
    town.sandbox.horde.set_workers(paused=False)

    def answers() -> list[Json]:
        return [m for m in town.messages() if m["reply_to"] == str(reply.message_id)]

    await town.until(lambda: any(m["attachments"] for m in answers()))
    [there] = answers()
    assert {file["sha256"] for file in there["attachments"]} <= town.painted()
    assert not there["pings"]["users"]


async def test_message_that_may_not_be_read_can_still_be_edited(town: Town) -> None:
    town.fault("discord", method="PATCH", action="reset_after", body_matches="attachments")
    no_history = {"message": "Missing Access", "code": 50001}
    town.fault("discord", method="GET", path="/messages/", status=403, body=no_history, times=None)
    reply = await (await town.imagine("a fox without history", count=2)).end()
    assert len(reply.hashes) == len(set(reply.hashes)) == 2, reply
    assert set(reply.hashes) <= town.painted()


@pytest.mark.parametrize("locked", [False, True], ids=["archived", "locked"])
async def test_end_in_a_thread_that_was_archived_brings_it_back_unless_that_is_locked(town: Town, locked: bool) -> None:
    thread = await town.sandbox.discord.make_thread(town.channel, "sketches")
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox in an old thread", channel=thread)
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await town.pass_time(16 * 60, step=20)
    await town.sandbox.discord.archive_thread(thread, locked=locked)
    town.sandbox.horde.set_workers(paused=False)
    if not locked:
        await reply.end()
        assert len(reply.hashes) == 1, reply
        assert not thread.archived
        return
    posts = f"/channels/{thread.id}/messages$"
    await town.until(lambda: bool(town.calls(service=Service.DISCORD, method="POST", path=posts)))
    await town.pass_time(60, step=20)
    assert len(town.calls(service=Service.DISCORD, method="PATCH", path=f"/channels/{thread.id}$")) == 1
    assert [m["id"] for m in town.messages(thread)] == [str(reply.message_id)], "it waits in `/jobs show`"
