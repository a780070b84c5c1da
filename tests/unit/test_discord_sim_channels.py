"""The bot's own token in channels: access, permissions, nonces, replies, old and lost messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.discord import ActRefusedError
from tests.unit.discord_sim_world import BotSide, Json, open_world, picture


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


def messages(side: BotSide, channel: str = "art") -> str:
    """The path of a channel's messages."""
    return f"/channels/{side.channel_id(channel)}/messages"


async def test_wrong_token_is_unauthorized(side: BotSide) -> None:
    assert await side.call("GET", "/users/@me", token="no") == (401, {"message": "401: Unauthorized", "code": 0})


async def test_unknown_address_is_not_found(side: BotSide) -> None:
    assert (await side.call("GET", "/nowhere"))[0] == 404


async def test_ids_grow_with_the_worlds_time(side: BotSide) -> None:
    _, first = await side.call("POST", messages(side), {"content": "a"})
    await side.clock.advance(3600)
    _, second = await side.call("POST", messages(side), {"content": "b"})
    assert (int(second["id"]) >> 22) - (int(first["id"]) >> 22) == 3_600_000


@pytest.mark.parametrize(
    ("denied", "body", "files", "code"),
    [
        pytest.param("view_channel", {"content": "x"}, None, 50001, id="view"),
        pytest.param("send_messages", {"content": "x"}, None, 50013, id="send"),
        pytest.param("embed_links", {"embeds": [{"title": "x"}]}, None, 50013, id="embed"),
        pytest.param("attach_files", {}, {"a.txt": b"x"}, 50013, id="attach"),
    ],
)
async def test_missing_permission_refuses_a_message(
    side: BotSide, denied: str, body: Json, files: dict[str, bytes] | None, code: int
) -> None:
    await side.sim.set_permissions("#art", denied=[denied])
    status, answer = await side.call("POST", messages(side), body, files=files)
    assert (status, answer["code"]) == (403, code)
    record = await side.imagine()
    payload_permissions = side.sim.world.permissions(side.sim.world.channel("art"), side.sim.bot_user_id)
    assert record.channel_id == side.channel_id()
    assert not payload_permissions & 1 << {"view_channel": 10, "send_messages": 11, "embed_links": 14}.get(denied, 15)


async def test_exact_bits_are_what_the_bot_has(side: BotSide) -> None:
    assert await side.sim.set_permissions("#art", bits=1 << 10 | 1 << 11) == 1 << 10 | 1 << 11


async def test_channel_of_a_guild_without_the_bot_is_out_of_reach(side: BotSide) -> None:
    guild = await side.sim.make_guild("Elsewhere", bot=False)
    assert (await side.call("GET", f"/channels/{guild.channel_ids[0]}"))[1]["code"] == 50001
    assert (await side.call("GET", f"/guilds/{guild.id}"))[1]["code"] == 10004


async def test_removed_bot_loses_its_channels(side: BotSide) -> None:
    await side.sim.remove_bot("Muster Playground")
    assert (await side.call("POST", messages(side), {"content": "x"}))[1]["code"] == 50001


async def test_nonce_makes_a_message_once(side: BotSide) -> None:
    body = {"content": "x", "nonce": "job-1", "enforce_nonce": True}
    _, first = await side.call("POST", messages(side), body)
    _, second = await side.call("POST", messages(side), body)
    assert first["id"] == second["id"]
    await side.clock.advance(3600)
    _, third = await side.call("POST", messages(side), body)
    assert third["id"] != first["id"]


async def test_reply_carries_what_it_replies_to(side: BotSide) -> None:
    asked = await side.sim.post_message("Ada", "#art", "paint!")
    body = {"content": "done", "message_reference": {"message_id": str(asked.id)}}
    _, answer = await side.call("POST", messages(side), body)
    assert answer["type"] == 19
    assert answer["referenced_message"]["id"] == str(asked.id)
    assert answer["mentions"][0]["global_name"] == "Ada"


async def test_reply_to_a_deleted_message_is_refused_unless_told_otherwise(side: BotSide) -> None:
    asked = await side.sim.post_message("Ada", "#art", "paint!")
    await side.sim.delete_message("Ada", asked)
    reference: Json = {"message_id": str(asked.id)}
    status, body = await side.call("POST", messages(side), {"content": "x", "message_reference": reference})
    assert (status, list(body["errors"])) == (400, ["message_reference"])
    reference["fail_if_not_exists"] = False
    assert (await side.call("POST", messages(side), {"content": "x", "message_reference": reference}))[0] == 200


async def test_deleted_message_is_unknown(side: BotSide) -> None:
    record = await side.shown()
    await side.sim.delete_message("Margaret", record.original_id or 0)
    status, body = await side.call("PATCH", f"{messages(side)}/{record.original_id}", {"content": "x"})
    assert (status, body["code"]) == (404, 10008)
    [version] = await side.sim.message_versions(record.original_id or 0)
    assert version["content"] == "hello"


async def test_plain_member_may_not_delete_the_bots_message(side: BotSide) -> None:
    record = await side.shown()
    with pytest.raises(ActRefusedError, match="Manage Messages"):
        await side.sim.delete_message("Ada", record.original_id or 0)
    moderator = await side.sim.make_user("Mod", moderator=True)
    await side.sim.delete_message(moderator, record.original_id or 0)


async def test_message_of_another_author_cannot_be_edited(side: BotSide) -> None:
    posted = await side.sim.post_message("Ada", "#art", "mine")
    assert (await side.call("PATCH", f"{messages(side)}/{posted.id}", {"content": "x"}))[1]["code"] == 50005


async def test_archived_thread_takes_no_edits_until_it_is_brought_back_and_a_locked_one_no_messages(
    side: BotSide,
) -> None:
    thread = await side.sim.make_thread("#art", "sketches")
    channel, path = f"/channels/{thread.id}", f"/channels/{thread.id}/messages"
    _, message = await side.call("POST", path, {"content": "x"})
    edit = f"{path}/{message['id']}"
    for method, where, body in (("POST", path, {"content": "y"}), ("PATCH", channel, {"archived": False})):
        await side.sim.archive_thread(thread)
        assert (await side.call("PATCH", edit, {"content": "z"}))[1]["code"] == 50083
        assert (await side.call(method, where, body))[0] == 200
        assert (await side.call("PATCH", edit, {"content": "z"}))[0] == 200
    await side.sim.archive_thread(thread, locked=True)
    assert (await side.call("POST", path, {"content": "x"}))[1]["code"] == 160005
    assert (await side.call("PATCH", channel, {"archived": False}))[1]["code"] == 50013


async def test_closed_dm_refuses(side: BotSide) -> None:
    user = await side.sim.make_user("Shy", dms_closed=True)
    _, channel = await side.call("POST", "/users/@me/channels", {"recipient_id": str(user.id)})
    assert (await side.call("POST", f"/channels/{channel['id']}/messages", {"content": "x"}))[1]["code"] == 50007


async def test_old_message_takes_a_limited_number_of_edits(side: BotSide) -> None:
    side.sim.world.old_message_edits = 1
    record = await side.shown()
    await side.clock.advance(3601)
    path = f"{messages(side)}/{record.original_id}"
    assert (await side.call("PATCH", path, {"content": "late"}))[0] == 200
    status, body = await side.call("PATCH", path, {"content": "later"})
    assert (status, body["code"]) == (429, 30046)


async def test_history_hides_ephemeral_messages(side: BotSide) -> None:
    await side.shown("public")
    await side.shown("private", flags=64)
    _, listed = await side.call("GET", messages(side))
    assert [message["content"] for message in listed] == ["public"]


async def test_limits_send_all_headers_and_a_429_with_via(side: BotSide) -> None:
    side.sim.limits.enabled, side.sim.limits.window = True, 30.0
    url = f"{side.sim.public_url}/api/v10/channels/{side.channel_id()}"
    headers = {"Authorization": f"Bot {side.sim.token}"}
    for left in (4, 3, 2, 1, 0):
        async with side.http.get(url, headers=headers) as response:
            assert response.headers["X-RateLimit-Remaining"] == str(left)
            assert {"X-RateLimit-Reset", "X-RateLimit-Reset-After", "X-RateLimit-Bucket"} <= set(response.headers)
    async with side.http.get(url, headers=headers) as response:
        assert response.status == 429
        assert response.headers["Via"]
        assert (await response.json())["retry_after"] > 0


async def test_scripted_limit_can_look_like_a_ban(side: BotSide) -> None:
    side.sim.limit_next("message_create", times=2, retry_after=1.5, via=False)
    for status in (429, 429, 200):
        assert (await side.call("POST", messages(side), {"content": "x"}))[0] == status


async def test_late_edit_may_bring_files(side: BotSide) -> None:
    record = await side.shown()
    await side.clock.advance(20 * 60)
    path = f"{messages(side)}/{record.original_id}"
    status, message = await side.call("PATCH", path, {}, files={"a.png": picture()})
    assert (status, message["attachments"][0]["filename"]) == (200, "a.png")
    assert (await side.sim.message_versions(record.original_id or 0))[-1]["route"] == "bot"
