"""Registering commands, and what the client checks before a person's command is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.discord import ActRefusedError, File
from tests.unit.discord_sim_world import COMMANDS, BotSide, Json, open_world


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


def path(side: BotSide) -> str:
    """The path of the global commands."""
    return f"/applications/{side.sim.application_id}/commands"


def option(**more: Any) -> Json:
    """A string option."""
    return {"type": 3, "name": "o", "description": "d", **more}


async def test_bulk_put_keeps_ids_of_commands_that_stay(side: BotSide) -> None:
    _, before = await side.call("GET", path(side))
    _, after = await side.call("PUT", path(side), COMMANDS[:1])
    assert [command["id"] for command in after] == [before[0]["id"]]
    assert after[0]["version"] != before[0]["version"]


BAD = [
    pytest.param({"name": "Upper", "description": "d"}, "name", id="upper-case"),
    pytest.param({"name": "a b", "description": "d"}, "name", id="space"),
    pytest.param({"name": "x" * 33, "description": "d"}, "name", id="long-name"),
    pytest.param({"name": "x"}, "description", id="no-description"),
    pytest.param({"name": "x", "description": "d" * 101}, "description", id="long-description"),
    pytest.param({"name": "x", "description": "d", "options": [option()] * 2}, "options.1.name", id="option-twice"),
    pytest.param({"name": "x", "description": "d", "options": [option(type=99)]}, "options.0.type", id="option-type"),
    pytest.param(
        {"name": "x", "description": "d", "options": [option(), option(name="p", required=True)]},
        "options.1",
        id="required-after-optional",
    ),
    pytest.param(
        {"name": "x", "description": "d", "options": [option(name=f"o{n}") for n in range(26)]},
        "options",
        id="26-options",
    ),
    pytest.param(
        {
            "name": "x",
            "description": "d",
            "options": [option(autocomplete=True, choices=[{"name": "a", "value": "a"}])],
        },
        "options.0.autocomplete",
        id="choices-and-autocomplete",
    ),
    pytest.param({"name": "Menu", "type": 3, "description": "d"}, "description", id="menu-with-description"),
]


@pytest.mark.parametrize(("command", "place"), BAD)
async def test_bad_command_is_refused_with_its_place(side: BotSide, command: Json, place: str) -> None:
    status, body = await side.call("PUT", path(side), [command])
    assert (status, body["code"]) == (400, 50035)
    node = body["errors"]["0"]
    for part in place.split("."):
        node = node[part]


async def test_command_over_8000_characters_is_refused(side: BotSide) -> None:
    choices = [{"name": f"{n}" + "x" * 98, "value": f"{n}" + "y" * 98} for n in range(25)]
    big = {"name": "x", "description": "d", "options": [option(name=f"o{n}", choices=choices) for n in range(2)]}
    assert (await side.call("POST", path(side), big))[0] == 400


async def test_guild_command_is_known_in_its_guild_only(side: BotSide) -> None:
    guild = side.sim.world.guild("Muster Playground")
    here = f"/applications/{side.sim.application_id}/guilds/{guild.id}/commands"
    status, made = await side.call("POST", here, {"name": "local", "description": "d"})
    assert (status, made["guild_id"]) == (200, str(guild.id))
    assert (await side.sim.invoke("Ada", "#art", "local")).data["guild_id"] == str(guild.id)
    other = await side.sim.make_guild("Other")
    with pytest.raises(ActRefusedError, match="no command"):
        await side.sim.invoke("Ada", other.channel_ids[0], "local")
    assert await side.call("DELETE", f"{here}/{made['id']}") == (204, None)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({}, "required", id="required"),
        pytest.param({"prompt": "x" * 21}, "21 characters", id="too-long"),
        pytest.param({"prompt": "x", "count": 5}, "1 to 4", id="out-of-range"),
        pytest.param({"prompt": "x", "count": "many"}, "whole number", id="not-a-number"),
        pytest.param({"prompt": "x", "size": "huge"}, "one of s", id="not-a-choice"),
        pytest.param({"prompt": "x", "colour": "red"}, "no option 'colour'", id="unknown"),
        pytest.param({"prompt": "x", "friend": "999"}, "nobody", id="nobody"),
    ],
)
async def test_option_that_does_not_fit_is_not_sent(side: BotSide, options: Json, reason: str) -> None:
    with pytest.raises(ActRefusedError, match=reason):
        await side.sim.invoke("Ada", "#art", "imagine", options)
    assert side.sim.interactions() == []


async def test_options_arrive_typed_and_resolved(side: BotSide) -> None:
    grace = side.sim.world.user("Grace").id
    record = await side.imagine(count="3", size="Small", friend=grace)
    sent = {o["name"]: o["value"] for o in record.data["options"]}
    assert sent == {"prompt": "a lighthouse", "count": 3, "size": "s", "friend": str(grace)}
    assert record.data["resolved"]["users"][str(grace)]["global_name"] == "Grace"


async def test_attachment_over_the_persons_limit_is_not_sent(side: BotSide) -> None:
    guild = await side.sim.make_guild("Small", upload_limit=10)
    user = await side.sim.make_user("Lin", guilds=[guild], upload_limit=10)
    with pytest.raises(ActRefusedError, match="may upload 10"):
        await side.sim.invoke(
            user,
            guild.channel_ids[0],
            "imagine",
            {"prompt": "x"},
            attachments={"start": File(filename="a.png", data=b"x" * 11)},
        )


async def test_command_without_user_install_is_not_offered_elsewhere(side: BotSide) -> None:
    guild = await side.sim.make_guild("Elsewhere", bot=False)
    with pytest.raises(ActRefusedError, match="Known: /imagine"):
        await side.sim.invoke("Ada", guild.channel_ids[0], "help")


async def test_age_restricted_command_needs_the_place_for_it(side: BotSide) -> None:
    await side.call("POST", path(side), {"name": "spicy", "description": "d", "nsfw": True})
    with pytest.raises(ActRefusedError):
        await side.sim.invoke("Ada", "#art", "spicy")
    await side.sim.invoke("Ada", "#after-dark", "spicy")


async def test_command_for_moderators_is_not_offered_to_members(side: BotSide) -> None:
    body = {"name": "clean", "description": "d", "default_member_permissions": str(1 << 13)}
    await side.call("POST", path(side), body)
    with pytest.raises(ActRefusedError):
        await side.sim.invoke("Ada", "#art", "clean")
    await side.sim.invoke("Margaret", "#art", "clean")


async def test_subcommand_is_nested(side: BotSide) -> None:
    sub = {"type": 1, "name": "start", "description": "d", "options": [option(required=True)]}
    group = {
        "name": "chat",
        "description": "d",
        "options": [{"type": 2, "name": "g", "description": "d", "options": [sub]}],
    }
    assert (await side.call("POST", path(side), group))[0] == 200
    record = await side.sim.invoke("Ada", "#art", "chat g start", {"o": "x"})
    inner = record.data["options"][0]["options"][0]
    assert (inner["name"], inner["options"][0]["value"]) == ("start", "x")
    assert record.label == "/chat g start"


async def test_autocomplete_marks_what_is_typed(side: BotSide) -> None:
    with side.sim.subscribe() as events:
        waiting = side.sim.autocomplete("Ada", "#art", "imagine", {"model": "fl"}, "model")

        task = asyncio.create_task(waiting)
        await events.get()
        [record] = side.sim.interactions()
        assert record.data["options"] == [{"name": "model", "type": 3, "value": "fl", "focused": True}]
        await side.answer(record, {"type": 8, "data": {"choices": [{"name": "Flux", "value": "flux"}]}})
        assert await task == [{"name": "Flux", "value": "flux"}]
