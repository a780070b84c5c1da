"""The control API: what scripts and the page can do over HTTP."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import AsyncIterator

import pytest

from tests.unit.discord_sim_world import ROW, BotSide, open_world, picture


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


async def test_state_shows_the_start_content(side: BotSide) -> None:
    _, state = await side.control("state")
    [guild] = state["guilds"]
    assert guild["name"] == "Muster Playground"
    assert [(c["name"], c["nsfw"]) for c in guild["channels"]] == [
        ("general", False),
        ("art", False),
        ("after-dark", True),
    ]
    assert {user["name"] for user in state["users"]} >= {"Ada", "Grace"}
    assert [command["name"] for command in state["commands"]] == ["imagine", "help", "Use this"]


async def test_command_with_an_attachment_is_invoked_and_read_back(side: BotSide) -> None:
    file = {"filename": "a.png", "data": base64.b64encode(picture()).decode()}
    body = {"user": "Ada", "channel": "#art", "command": "imagine", "options": {"prompt": "x"}}
    status, record = await side.control("invoke", body | {"attachments": {"start": file}})
    assert (status, record["state"], record["label"]) == (200, "pending", "/imagine")
    known = side.sim.world.interaction(record["id"])
    await side.answer(known, {"type": 5})
    await side.edit(known, {"content": "done"}, files={"p.png": picture(5)})
    _, answered = await side.control(f"interactions/{record['id']}")
    assert (answered["state"], answered["answer_kind"]) == ("acknowledged", "deferred_message")
    _, versions = await side.control(f"messages/{answered['message_id']}/versions")
    assert [(v["route"], v["loading"]) for v in versions] == [("callback", True), ("token", False)]
    assert versions[1]["files"][0]["sha256"] == hashlib.sha256(picture(5)).hexdigest()
    _, shown = await side.control("channels/art/messages?as_user=Grace")
    assert [message["content"] for message in shown] == ["done"]


async def test_press_by_label(side: BotSide) -> None:
    record = await side.shown(components=[ROW])
    body = {"user": "Grace", "message": str(record.original_id), "custom_id": "Again"}
    status, pressed = await side.control("press", body)
    assert (status, pressed["label"]) == (200, "press again")


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        pytest.param("invoke", {"user": "Ada"}, 400, "The field 'channel' is missing.", id="missing-field"),
        pytest.param("messages", {"user": "Bob", "channel": "#art"}, 404, "There is no user 'Bob'.", id="unknown-user"),
        pytest.param(
            "invoke", {"user": "Ada", "channel": "#art", "command": "fly"}, 404, "There is no command", id="command"
        ),
        pytest.param(
            "permissions", {"channel": "#art", "denied": ["x"]}, 400, "There is no permission", id="permission"
        ),
    ],
)
async def test_mistake_is_explained(
    side: BotSide, path: str, body: dict[str, object], status: int, sentence: str
) -> None:
    got, answer = await side.control(path, body)
    assert got in {status, 404}
    assert answer["error"].startswith(sentence)


async def test_world_can_be_built(side: BotSide) -> None:
    _, guild = await side.control("guilds", {"name": "Second", "bot": False})
    assert not guild["has_bot"]
    _, channel = await side.control("channels", {"guild": guild["id"], "name": "dark", "nsfw": True})
    assert channel["nsfw"]
    _, user = await side.control("users", {"name": "Lin", "moderator": True})
    _, dm = await side.control("dms", {"user": user["id"]})
    _, posted = await side.control("messages", {"user": "Lin", "channel": dm["id"], "content": "hello"})
    assert posted["content"] == "hello"
    _, permissions = await side.control("permissions", {"channel": "art", "denied": ["Attach Files"]})
    assert "attach_files" not in permissions["channel"]["bot_permissions"]


async def test_events_tell_the_page_what_happens(side: BotSide) -> None:
    url = f"{side.sim.public_url}/sandbox/discord/events"
    async with side.http.ws_connect(url) as socket:
        record = await side.shown()
        await side.edit(record, {"content": "new"})
        await side.sim.delete_message("Margaret", record.original_id or 0)
        seen = [(await socket.receive_json())["event"] for _ in range(5)]
    assert seen == [
        "interaction_created",
        "message_created",
        "interaction_answered",
        "message_updated",
        "message_deleted",
    ]


async def test_settings_change_the_rules(side: BotSide) -> None:
    _, settings = await side.control("settings", {"answer_within": 60, "privileged_intents": ["message_content"]})
    assert settings["privileged_intents"] == 1 << 15
    record = await side.imagine()
    await side.clock.advance(30)
    assert (await side.answer(record, {"type": 5}))[0] == 200


async def test_limit_is_scripted(side: BotSide) -> None:
    await side.control("limit", {"kind": "any", "times": 1, "retry_after": 2})
    status, body = await side.call("GET", "/users/@me")
    assert (status, body["retry_after"]) == (429, 2.0)


async def test_waiting_too_long_for_an_answer_says_so(side: BotSide) -> None:
    body = {"user": "Ada", "channel": "#art", "command": "help", "wait": 0.01}
    status, answer = await side.control("invoke", body)
    assert (status, answer["error"]) == (504, "The bot did not answer while you waited.")


async def test_big_upload_passes_the_control_api(side: BotSide) -> None:
    file = {"filename": "big.bin", "data": base64.b64encode(bytes(3 << 20)).decode()}
    body = json.dumps({"user": "Ada", "channel": "#art", "attachments": [file]}).encode()
    async with side.http.post(f"{side.sim.public_url}/sandbox/discord/messages", data=io.BytesIO(body)) as response:
        posted = await response.json()
    assert posted["attachments"][0]["size"] == 3 << 20
