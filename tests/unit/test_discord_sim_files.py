"""Files: what an edit keeps, what embeds show, and addresses that die."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.discord import File
from tests.unit.discord_sim_world import BotSide, open_world, picture


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


def names(message: Any) -> list[str]:
    """The names of a message's attachments."""
    return [file["filename"] for file in message["attachments"]]


async def test_edit_without_a_list_appends(side: BotSide) -> None:
    record = await side.thinking()
    await side.edit(record, {}, files={"1.png": picture(1)})
    _, message = await side.edit(record, {"content": "two"}, files={"2.png": picture(2)})
    assert names(message) == ["1.png", "2.png"]


async def test_edit_with_a_list_keeps_only_what_it_lists(side: BotSide) -> None:
    record = await side.thinking()
    _, first = await side.edit(record, {}, files={"1.png": picture(1), "2.png": picture(2)})
    kept = {"id": first["attachments"][1]["id"]}
    listed = [kept, {"id": 0, "filename": "3.png", "description": "third"}]
    _, second = await side.edit(record, {"attachments": listed}, files={"3.png": picture(3)})
    assert names(second) == ["2.png", "3.png"]
    assert second["attachments"][0]["id"] == kept["id"]
    assert second["attachments"][1]["description"] == "third"
    _, third = await side.edit(record, {"content": "text only", "attachments": []})
    assert names(third) == []


async def test_edit_drops_uploads_that_it_does_not_list(side: BotSide) -> None:
    record = await side.thinking()
    body = {"content": "x", "attachments": [{"id": "0"}]}
    _, message = await side.edit(record, body, files={"1.png": picture(1), "2.png": picture(2)})
    assert names(message) == ["1.png"]


async def test_edit_that_lists_an_unknown_file_is_refused(side: BotSide) -> None:
    record = await side.thinking()
    status, body = await side.edit(record, {"content": "x", "attachments": [{"id": "0"}]})
    assert (status, body["code"]) == (400, 50035)
    assert "0" in body["errors"]["attachments"]


async def test_embed_shows_an_upload_once(side: BotSide) -> None:
    record = await side.thinking()
    embed = {"title": "t", "image": {"url": "attachment://1.png"}}
    _, message = await side.edit(record, {"embeds": [embed]}, files={"1.png": picture(1)})
    image = message["embeds"][0]["image"]
    assert names(message) == []
    assert message["embeds"][0]["type"] == "rich"
    assert (image["width"], image["height"]) == (16, 8)
    async with side.http.get(image["url"]) as response:
        assert await response.read() == picture(1)
    _, again = await side.edit(record, {"embeds": [{"title": "u", "image": {"url": image["url"]}}]})
    assert names(again) == []
    version = (await side.sim.message_versions(record.original_id or 0))[-1]
    assert [file["in_embed"] for file in version["files"]] == [True]
    # Without the embed pointing at it, the file shows by itself.
    _, bare = await side.edit(record, {"embeds": []})
    assert names(bare) == ["1.png"]


async def test_embed_pointing_at_nothing_is_refused(side: BotSide) -> None:
    record = await side.thinking()
    status, body = await side.edit(record, {"embeds": [{"title": "t", "image": {"url": "attachment://no.png"}}]})
    assert status == 400
    assert "image" in body["errors"]["embeds"]["0"]


async def test_file_over_the_limit_is_too_large(side: BotSide) -> None:
    small = await side.sim.make_guild("Small", upload_limit=100)
    small_user = await side.sim.make_user("Lin", guilds=[small], upload_limit=100)
    record = await side.sim.invoke(small_user, small.channel_ids[0], "imagine", {"prompt": "x"})
    assert record.attachment_size_limit == 100
    await side.answer(record, {"type": 5})
    status, body = await side.edit(record, {}, files={"a.bin": b"x" * 101})
    assert (status, body["code"]) == (413, 40005)


async def test_eleven_files_are_too_many(side: BotSide) -> None:
    record = await side.thinking()
    status, body = await side.edit(record, {}, files={f"{n}.txt": b"x" for n in range(11)})
    assert (status, body["code"]) == (400, 50035)


async def test_address_dies_after_a_day_and_a_new_one_works(side: BotSide) -> None:
    record = await side.shown()
    path = f"/channels/{record.channel_id}/messages/{record.original_id}"
    _, message = await side.call("PATCH", path, {}, files={"1.png": picture(1)})
    url = message["attachments"][0]["url"]
    await side.clock.advance(24 * 3600 + 1)
    async with side.http.get(url) as response:
        assert (response.status, await response.text()) == (404, "This content is no longer available.")
    _, fresh = await side.call("GET", path)
    async with side.http.get(fresh["attachments"][0]["url"]) as response:
        assert hashlib.sha256(await response.read()).hexdigest() == hashlib.sha256(picture(1)).hexdigest()


async def test_address_with_a_wrong_signature_is_dead(side: BotSide) -> None:
    posted = await side.sim.post_message("Ada", "#art", "x", attachments=[File(filename="a.png", data=picture())])
    url = (await side.sim.message_versions(posted))[0]["attachments"][0]["url"]
    async with side.http.get(url.split("hm=")[0] + "hm=00&") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("name", "data", "saved"),
    [
        pytest.param("a.html", b"<script>alert(1)</script>", True, id="page"),
        pytest.param(
            "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", True, id="svg"
        ),
        pytest.param("a.png", picture(), False, id="picture"),
    ],
)
async def test_uploaded_file_cannot_run_where_the_control_api_lies(
    side: BotSide, name: str, data: bytes, saved: bool
) -> None:
    posted = await side.sim.post_message("Ada", "#art", "x", attachments=[File(filename=name, data=data)])
    url = (await side.sim.message_versions(posted))[0]["attachments"][0]["url"]
    async with side.http.get(url) as response:
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("sandbox;")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert ("Content-Disposition" in response.headers) is saved


async def test_option_attachment_is_an_ephemeral_upload(side: BotSide) -> None:
    record = await side.sim.invoke(
        "Ada", "#art", "imagine", {"prompt": "x"}, attachments={"start": File(filename="my cat.png", data=picture())}
    )
    [sent] = record.data["resolved"]["attachments"].values()
    assert sent["filename"] == "my_cat.png"
    assert sent["ephemeral"]
    assert "/ephemeral-attachments/" in sent["url"]
    assert record.data["options"][-1]["value"] == sent["id"]
