"""Bodies that Discord refuses, each with the place of its fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.discord_sim_world import BUTTON, ROW, BotSide, Json, open_world


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


def row(*components: Json) -> Json:
    """An action row."""
    return {"type": 1, "components": list(components)}


def menu(**more: Any) -> Json:
    """A string select."""
    return {"type": 3, "custom_id": "s", "options": [{"label": "A", "value": "a"}], **more}


BAD = [
    pytest.param({"content": "x" * 2001}, "content", id="content-too-long"),
    pytest.param({"content": 5}, "content", id="content-not-text"),
    pytest.param({"embeds": [{"title": "x" * 257}]}, "embeds.0.title", id="embed-title"),
    pytest.param({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description", id="embed-description"),
    pytest.param({"embeds": [{"description": "x" * 3001}] * 2}, "embeds", id="embed-total"),
    pytest.param({"embeds": [{"title": "x"}] * 11}, "embeds", id="eleven-embeds"),
    pytest.param({"embeds": [{}]}, "embeds.0.description", id="empty-embed"),
    pytest.param({"embeds": [{"fields": [{"name": "", "value": "x"}]}]}, "embeds.0.fields.0.name", id="field-name"),
    pytest.param({"embeds": [{"title": "x", "url": "nowhere"}]}, "embeds.0.url", id="embed-url"),
    pytest.param({"embeds": [{"title": "x", "color": 1 << 24}]}, "embeds.0.color", id="embed-color"),
    pytest.param({"components": [ROW] * 6}, "components", id="six-rows"),
    pytest.param(
        {"components": [row(*[BUTTON | {"custom_id": str(n)} for n in range(6)])]}, "components.0", id="six-buttons"
    ),
    pytest.param({"components": [row(BUTTON, BUTTON)]}, "components.0.components.1.custom_id", id="custom-id-twice"),
    pytest.param({"components": [row(BUTTON | {"custom_id": "x" * 101})]}, "components.0", id="custom-id-long"),
    pytest.param({"components": [row(BUTTON | {"label": "x" * 81})]}, "components.0", id="label"),
    pytest.param({"components": [row(menu(), BUTTON)]}, "components.0", id="select-with-button"),
    pytest.param({"components": [row(menu(options=[]))]}, "components.0", id="select-without-options"),
    pytest.param({"components": [{"type": 10, "content": "x"}]}, "components.0.type", id="v2-without-flag"),
    pytest.param({"content": "x", "flags": 32768}, "content", id="v2-with-content"),
    pytest.param(
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "allowed_mentions", id="mentions"
    ),
]


@pytest.mark.parametrize(("body", "place"), BAD)
async def test_body_is_refused_with_its_place(side: BotSide, body: Json, place: str) -> None:
    status, answer = await side.call("POST", f"/channels/{side.channel_id()}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    node = answer["errors"]
    for part in place.split("."):
        node = node[part]


async def test_callback_faults_lie_under_data(side: BotSide) -> None:
    _, body = await side.answer(await side.imagine(), {"type": 4, "data": {"content": "x" * 2001}})
    assert body["errors"]["data"]["content"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"


async def test_broken_json_is_refused(side: BotSide) -> None:
    url = f"{side.sim.public_url}/api/v10/channels/{side.channel_id()}/messages"
    async with side.http.post(url, data="{", headers={"Authorization": f"Bot {side.sim.token}"}) as response:
        assert (await response.json())["code"] == 50109


async def test_components_message_stays_one(side: BotSide) -> None:
    record = await side.shown()
    text = {"type": 10, "content": "shown"}
    assert (await side.edit(record, {"flags": 32768, "components": [text]}))[0] == 400
    changed = {"flags": 32768, "content": None, "components": [text]}
    assert (await side.edit(record, changed))[0] == 200
    assert (await side.edit(record, {"content": "back"}))[0] == 400


async def test_components_get_numbers(side: BotSide) -> None:
    record = await side.shown(components=[ROW])
    [shown] = (await side.sim.message_versions(record.original_id or 0))[-1]["components"]
    assert (shown["id"], shown["components"][0]["id"]) == (1, 2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, {"users": ["1"], "everyone": True}, id="default-of-channels"),
        pytest.param({"allowed_mentions": {"parse": []}}, {"users": [], "everyone": False}, id="none"),
        pytest.param({"allowed_mentions": {"parse": ["everyone"]}}, {"users": [], "everyone": True}, id="everyone"),
        pytest.param({"allowed_mentions": {"users": ["1"]}}, {"users": ["1"], "everyone": False}, id="listed"),
    ],
)
async def test_pings_are_recorded(side: BotSide, body: Json, expected: Json) -> None:
    ada = str(side.sim.world.user("Ada").id)
    text = json_with(body, ada)
    content = {"content": f"<@{ada}> @everyone"}
    _, message = await side.call("POST", f"/channels/{side.channel_id()}/messages", content | text)
    [version] = await side.sim.message_versions(message["id"])
    assert version["pings"]["users"] == ([ada] if expected["users"] else [])
    assert version["pings"]["everyone"] is expected["everyone"]
    assert version["notified"] == bool(expected["users"] or expected["everyone"])


def json_with(body: Json, ada: str) -> Json:
    """Put Ada's id where the case says 1."""
    allowed = dict(body.get("allowed_mentions") or {})
    if "users" in allowed:
        allowed["users"] = [ada]
    return {"allowed_mentions": allowed} if "allowed_mentions" in body else {}


async def test_answers_ping_users_only_and_edits_notify_nobody(side: BotSide) -> None:
    ada = side.sim.world.user("Ada").id
    record = await side.shown(f"<@{ada}> @everyone")
    await side.edit(record, {"content": f"<@{ada}>!"})
    first, second = await side.sim.message_versions(record.original_id or 0)
    assert first["pings"] == {"users": [str(ada)], "roles": [], "everyone": False}
    assert (second["pings"]["users"], second["notified"]) == ([str(ada)], False)
