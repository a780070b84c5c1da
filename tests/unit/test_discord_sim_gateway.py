"""The gateway, spoken to frame by frame."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.unit.discord_sim_world import BotSide, Json, identify, open_world

ALL_MESSAGES = 1 | 1 << 9 | 1 << 12


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


async def until(socket: ClientWebSocketResponse, event: str) -> Json:
    """Read frames up to an event and return its data, with its number."""
    while True:
        frame: Json = await socket.receive_json()
        if frame["t"] == event:
            return {**frame["d"], "s": frame["s"]}


async def closing_code(socket: ClientWebSocketResponse) -> int | None:
    """Read frames until the server closes."""
    while (message := await socket.receive()).type is WSMsgType.TEXT:
        pass
    assert message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}
    return socket.close_code


async def test_ready_names_shard_session_and_application(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token)
        ready = await until(socket, "READY")
        assert ready["shard"] == [0, 1]
        assert ready["resume_gateway_url"] == side.sim.gateway_url
        assert ready["application"]["id"] == str(side.sim.application_id)
        guild = await until(socket, "GUILD_CREATE")
        assert [member["user"]["id"] for member in guild["members"]] == [str(side.sim.bot_user_id)]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param({"op": 2, "d": {"token": "no", "intents": 1}}, 4004, id="token"),
        pytest.param({"op": 2, "d": {"intents": 1 << 15}}, 4014, id="privileged-intent"),
        pytest.param({"op": 2, "d": {"intents": 1 << 60}}, 4013, id="unknown-intent"),
        pytest.param({"op": 2, "d": {"intents": 1, "shard": [2, 2]}}, 4010, id="shard"),
        pytest.param({"op": 3, "d": {}}, 4003, id="not-identified"),
        pytest.param({"op": 99, "d": {}}, 4001, id="opcode"),
        pytest.param("nonsense", 4002, id="not-an-object"),
    ],
)
async def test_bad_frame_closes_with_its_code(side: BotSide, frame: Any, code: int) -> None:
    if isinstance(frame, dict) and frame["op"] == 2:
        frame = {"op": 2, "d": {"token": side.sim.token, **frame["d"]}}
    async with side.gateway() as socket:
        await socket.send_json(frame)
        assert await closing_code(socket) == code


async def test_heartbeat_is_acknowledged(side: BotSide) -> None:
    async with side.gateway() as socket:
        await socket.receive_json()
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11


async def test_heartbeat_is_not_acknowledged_before_its_sender_can_note_the_time(side: BotSide) -> None:
    async with side.gateway() as socket:
        await socket.receive_json()
        await socket.send_json({"op": 1, "d": None})
        await socket.send_json({"op": 2, "d": {"token": side.sim.token, "intents": 1}})
        frames = [await socket.receive_json() for _ in range(3)]
        assert [frame["t"] or frame["op"] for frame in frames] == ["READY", "GUILD_CREATE", 11]


async def test_heartbeat_of_a_connection_that_is_gone_is_forgotten(side: BotSide) -> None:
    async with side.gateway() as socket:
        await socket.receive_json()
        await socket.send_json({"op": 1, "d": None})
        await socket.send_json({"op": 99, "d": None})
        assert await closing_code(socket) == 4001


async def test_zlib_stream_is_one_stream(side: BotSide) -> None:
    inflate = zlib.decompressobj()
    async with side.gateway("v=10&encoding=json&compress=zlib-stream") as socket:
        await socket.send_json({"op": 2, "d": {"token": side.sim.token, "intents": 1}})
        events = []
        while "GUILD_CREATE" not in events:
            data = (await socket.receive()).data
            assert data.endswith(b"\x00\x00\xff\xff")
            events.append(json.loads(inflate.decompress(data))["t"])
        assert events == [None, "READY", "GUILD_CREATE"]


async def test_resume_repeats_what_was_missed(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token)
        ready = await until(socket, "READY")
        seen = (await until(socket, "GUILD_CREATE"))["s"]
        await side.sim.drop_gateway()
        assert await closing_code(socket) == 4000
    record = await side.imagine()
    resume = {"token": side.sim.token, "session_id": ready["session_id"], "seq": seen}
    async with side.gateway() as socket:
        await socket.send_json({"op": 6, "d": resume})
        assert (await until(socket, "INTERACTION_CREATE"))["id"] == str(record.id)
        await until(socket, "RESUMED")


async def test_void_session_cannot_be_resumed(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token)
        ready = await until(socket, "READY")
        await side.sim.drop_gateway(resumable=False)
    async with side.gateway() as socket:
        await socket.send_json({"op": 6, "d": {"token": side.sim.token, "session_id": ready["session_id"], "seq": 1}})
        await socket.receive_json()
        frame = await socket.receive_json()
        assert (frame["op"], frame["d"]) == (9, False)


async def test_goodbye_ends_the_session(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token)
        ready = await until(socket, "READY")
        await socket.close(code=1000)
    async with side.gateway() as socket:
        await socket.send_json({"op": 6, "d": {"token": side.sim.token, "session_id": ready["session_id"], "seq": 1}})
        await socket.receive_json()
        assert (await socket.receive_json())["op"] == 9


async def test_interaction_goes_to_the_shard_of_its_guild(side: BotSide) -> None:
    guild = side.sim.world.guild("Muster Playground")
    mine, other = ((guild.id >> 22) % 2, 1 - (guild.id >> 22) % 2)
    async with side.gateway() as first, side.gateway() as second:
        await identify(first, side.sim.token, shard=(mine, 2))
        await identify(second, side.sim.token, shard=(other, 2))
        assert len((await until(first, "READY"))["guilds"]) == 1
        assert (await until(second, "READY"))["guilds"] == []
        record = await side.imagine()
        assert (await until(first, "INTERACTION_CREATE"))["id"] == str(record.id)


async def test_interaction_payload_is_complete(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token)
        await until(socket, "GUILD_CREATE")
        await side.imagine()
        payload = await until(socket, "INTERACTION_CREATE")
    needed = {"id", "token", "application_id", "type", "data", "guild_id", "guild", "channel", "channel_id", "member"}
    assert needed <= set(payload)
    assert {"locale", "guild_locale", "app_permissions", "entitlements", "context", "version"} <= set(payload)
    assert payload["authorizing_integration_owners"] == {"0": payload["guild_id"]}
    assert payload["attachment_size_limit"] == 10 * 1024 * 1024
    assert payload["member"]["roles"] == []


@pytest.mark.parametrize(
    ("intents", "privileged", "content"),
    [
        pytest.param(ALL_MESSAGES, 0, "", id="without-intent"),
        pytest.param(ALL_MESSAGES | 1 << 15, 1 << 15, "secret", id="with-intent"),
    ],
)
async def test_content_of_others_needs_the_intent(side: BotSide, intents: int, privileged: int, content: str) -> None:
    side.sim.world.privileged_intents = privileged
    async with side.gateway() as socket:
        await identify(socket, side.sim.token, intents=intents)
        await until(socket, "GUILD_CREATE")
        await side.sim.post_message("Ada", "#art", "secret")
        assert (await until(socket, "MESSAGE_CREATE"))["content"] == content


async def test_reply_with_a_mention_shows_itself_but_not_its_target(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token, intents=ALL_MESSAGES)
        await until(socket, "GUILD_CREATE")
        target = await side.sim.post_message("Grace", "#art", "my picture")
        await until(socket, "MESSAGE_CREATE")
        await side.sim.post_message("Ada", "#art", "use it", reply_to=target, mentions=[side.sim.bot_user_id])
        seen = await until(socket, "MESSAGE_CREATE")
    assert seen["content"].endswith("use it")
    assert seen["referenced_message"]["content"] == ""


async def test_bot_hears_of_its_own_edits_and_deletions(side: BotSide) -> None:
    async with side.gateway() as socket:
        await identify(socket, side.sim.token, intents=ALL_MESSAGES)
        record = await side.shown("first")
        assert (await until(socket, "MESSAGE_CREATE"))["content"] == "first"
        await side.edit(record, {"content": "second"})
        assert (await until(socket, "MESSAGE_UPDATE"))["content"] == "second"
        await side.sim.delete_message("Margaret", record.original_id or 0)
        assert (await until(socket, "MESSAGE_DELETE"))["id"] == str(record.original_id)
