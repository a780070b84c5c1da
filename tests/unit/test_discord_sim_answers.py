"""How interactions may be answered, and what their tokens are good for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.discord import ActRefusedError, CallbackKind, File, InteractionState
from tests.unit.discord_sim_world import ROW, BotSide, Json, open_world, picture


@pytest.fixture
async def side() -> AsyncIterator[BotSide]:
    """A bot's view of a fresh simulator."""
    async with open_world() as made:
        yield made


async def test_answer_with_a_message_returns_it(side: BotSide) -> None:
    record = await side.imagine()
    status, body = await side.answer(record, {"type": 4, "data": {"content": "hi"}})
    assert status == 200
    assert body["interaction"]["response_message_id"] == body["resource"]["message"]["id"]
    assert body["resource"]["type"] == 4
    assert record.state is InteractionState.ACKNOWLEDGED


async def test_answer_without_response_is_204(side: BotSide) -> None:
    record = await side.imagine()
    path = f"/interactions/{record.id}/{record.token}/callback"
    assert await side.call("POST", path, {"type": 5}) == (204, None)


async def test_deferral_says_that_it_is_loading(side: BotSide) -> None:
    record = await side.imagine()
    _, body = await side.answer(record, {"type": 5, "data": {"flags": 64}})
    assert body["interaction"]["response_message_loading"]
    assert body["interaction"]["response_message_ephemeral"]
    assert "resource" not in body


async def test_second_answer_is_refused(side: BotSide) -> None:
    record = await side.shown()
    status, body = await side.answer(record, {"type": 4, "data": {"content": "again"}})
    assert (status, body["code"]) == (400, 40060)


async def test_answer_after_three_seconds_is_too_late(side: BotSide) -> None:
    record = await side.imagine()
    await side.clock.advance(3.1)
    status, body = await side.answer(record, {"type": 4, "data": {"content": "late"}})
    assert (status, body["code"]) == (404, 10062)
    assert side.sim.reports.interaction(record)["shown"] == "The application did not respond"


async def test_unanswered_interaction_fails_in_the_open(side: BotSide) -> None:
    record = await side.imagine()
    with side.sim.subscribe() as events:
        await side.clock.advance(4)
        async for event in events:
            if event["event"] == "interaction_failed":
                break
    assert record.state is InteractionState.FAILED


async def test_wrong_token_is_an_unknown_interaction(side: BotSide) -> None:
    record = await side.imagine()
    status, body = await side.call("POST", f"/interactions/{record.id}/nonsense/callback", {"type": 5})
    assert (status, body["code"]) == (404, 10062)


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 10], ids=str)
async def test_command_takes_no_such_answer(side: BotSide, kind: int) -> None:
    status, body = await side.answer(await side.imagine(), {"type": kind, "data": {"content": "x", "choices": []}})
    assert (status, body["code"]) == (400, 50035)
    assert body["errors"]["type"]["_errors"][0]["code"] == "BASE_TYPE_CHOICES"


async def test_refused_answer_does_not_use_up_the_interaction(side: BotSide) -> None:
    record = await side.imagine()
    assert (await side.answer(record, {"type": 4, "data": {"content": ""}}))[1]["code"] == 50006
    assert (await side.answer(record, {"type": 4, "data": {"content": "x"}}))[0] == 200


async def test_token_does_nothing_before_the_answer(side: BotSide) -> None:
    record = await side.imagine()
    assert (await side.call("GET", side.original(record)))[1]["code"] == 10015


async def test_token_dies_after_fifteen_minutes(side: BotSide) -> None:
    record = await side.thinking()
    await side.clock.advance(15 * 60 - 1)
    assert (await side.edit(record, {"content": "in time"}))[0] == 200
    await side.clock.advance(1)
    status, body = await side.edit(record, {"content": "late"})
    assert (status, body["code"]) == (401, 50027)


async def test_first_followup_fills_the_thinking_message(side: BotSide) -> None:
    record = await side.thinking()
    _, body = await side.call("POST", side.hook(record), {"content": "done", "flags": 64})
    assert int(body["id"]) == record.original_id
    _, second = await side.call("POST", side.hook(record), {"content": "more"})
    assert int(second["id"]) != record.original_id


async def test_ephemeral_answer_is_out_of_the_bot_tokens_reach(side: BotSide) -> None:
    record = await side.thinking(ephemeral=True)
    assert (await side.edit(record, {"content": "psst"}))[0] == 200
    path = f"/channels/{record.channel_id}/messages/{record.original_id}"
    for method in ("GET", "PATCH", "DELETE"):
        assert (await side.call(method, path, {"content": "x"}))[1]["code"] == 10008


async def test_deleted_original_is_unknown(side: BotSide) -> None:
    record = await side.shown()
    assert await side.call("DELETE", side.original(record)) == (204, None)
    assert (await side.edit(record, {"content": "x"}))[1]["code"] == 10008


async def test_lost_channel_is_unknown(side: BotSide) -> None:
    record = await side.shown()
    waiting = await side.thinking()
    await side.sim.delete_channel("#art")
    assert (await side.edit(record, {"content": "x"}))[1]["code"] == 10003
    for late in (record, waiting):
        assert (await side.call("POST", side.hook(late), {"content": "x"}))[1]["code"] == 10003


async def test_button_press_may_update_its_message(side: BotSide) -> None:
    record = await side.shown(components=[ROW])
    press = await side.sim.press("Grace", record.original_id or 0, "again")
    status, body = await side.answer(press, {"type": 7, "data": {"content": "pressed", "components": []}})
    assert status == 200
    assert body["resource"]["type"] == 7
    assert int(body["resource"]["message"]["id"]) == record.original_id


async def test_press_brings_a_fresh_token_for_the_same_message(side: BotSide) -> None:
    record = await side.shown(components=[ROW])
    await side.clock.advance(16 * 60)
    press = await side.sim.press("Ada", record.original_id or 0, "again")
    assert (await side.answer(press, {"type": 6}))[0] == 200
    status, body = await side.edit(press, {"content": "collected"})
    assert (status, int(body["id"])) == (200, record.original_id)


async def test_ephemeral_message_cannot_be_pressed_by_others(side: BotSide) -> None:
    record = await side.shown(components=[ROW], flags=64)
    with pytest.raises(ActRefusedError):
        await side.sim.press("Grace", record.original_id or 0, "again")


async def test_modal_cannot_answer_a_modal(side: BotSide) -> None:
    field = {"type": 4, "custom_id": "p", "style": 1, "max_length": 5, "value": "old"}
    modal: Json = {"custom_id": "m", "title": "M", "components": [{"type": 18, "label": "P", "component": field}]}
    record = await side.imagine()
    assert (await side.answer(record, {"type": 9, "data": modal}))[0] == 200
    with pytest.raises(ActRefusedError, match="takes 0 to 5"):
        await side.sim.submit_modal("Ada", "m", {"P": "far too long"})
    sent = await side.sim.submit_modal("Ada", record)
    assert sent.data["components"][0]["component"]["value"] == "old"
    assert (await side.answer(sent, {"type": 9, "data": modal}))[0] == 400
    assert (await side.answer(sent, {"type": 4, "data": {"content": "ok"}}))[0] == 200
    assert sent.answer is CallbackKind.MESSAGE


async def test_user_install_has_five_followups(side: BotSide) -> None:
    guild = await side.sim.make_guild("Elsewhere", bot=False)
    record = await side.sim.invoke("Ada", guild.channel_ids[0], "imagine", {"prompt": "x"})
    assert record.owners == {"1": str(record.user_id)}
    assert (await side.answer(record, {"type": 4, "data": {"content": "x"}}))[0] == 200
    codes = [(await side.call("POST", side.hook(record), {"content": "x"}))[0] for _ in range(6)]
    assert codes == [200] * 5 + [400]
    path = f"/channels/{record.channel_id}/messages/{record.original_id}"
    assert (await side.call("PATCH", path, {"content": "x"}))[1]["code"] == 50001


async def test_user_install_speaks_with_the_persons_permission(side: BotSide) -> None:
    guild = await side.sim.make_guild("Elsewhere", bot=False)
    place = guild.channel_ids[0]
    await side.sim.set_permissions(place, denied=["send_messages"], who="Ada")
    record = await side.sim.invoke("Ada", place, "imagine", {"prompt": "x"})
    assert (await side.answer(record, {"type": 4, "data": {"content": "x"}}))[1]["code"] == 50013
    assert (await side.answer(record, {"type": 4, "data": {"content": "x", "flags": 64}}))[0] == 200


async def test_select_sends_what_is_offered(side: BotSide) -> None:
    options = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
    menu = {"type": 3, "custom_id": "pick", "options": options, "max_values": 2}
    record = await side.shown(components=[{"type": 1, "components": [menu]}])
    chosen = await side.sim.select("Ada", record.original_id or 0, "pick", ["b", "a"])
    assert (chosen.data["component_type"], chosen.data["values"]) == (3, ["b", "a"])
    with pytest.raises(ActRefusedError, match="not offered"):
        await side.sim.select("Ada", record.original_id or 0, "pick", ["c"])
    with pytest.raises(ActRefusedError, match="1 to 2 values"):
        await side.sim.select("Ada", record.original_id or 0, "pick", [])


async def test_select_of_people_is_resolved(side: BotSide) -> None:
    grace = str(side.sim.world.user("Grace").id)
    menu = {"type": 5, "custom_id": "who"}
    record = await side.shown(components=[{"type": 1, "components": [menu]}])
    chosen = await side.sim.select("Ada", record.original_id or 0, "who", [grace])
    assert chosen.data["resolved"]["users"][grace]["global_name"] == "Grace"
    assert "user" not in chosen.data["resolved"]["members"][grace]


async def test_button_that_is_gone_or_grey_cannot_be_pressed_unless_stale(side: BotSide) -> None:
    record = await side.shown(components=[ROW])
    assert record.original_id is not None
    grey = {"type": 1, "components": [{**ROW["components"][0], "disabled": True}]}
    await side.edit(record, {"components": [grey]})
    with pytest.raises(ActRefusedError, match="greyed out"):
        await side.sim.press("Ada", record.original_id, "again")
    await side.edit(record, {"components": []})
    with pytest.raises(ActRefusedError, match="does not show"):
        await side.sim.press("Ada", record.original_id, "again")
    press = await side.sim.press("Ada", record.original_id, "again", stale=True)
    assert press.data["custom_id"] == "again"


async def test_modal_takes_files(side: BotSide) -> None:
    upload = {"type": 19, "custom_id": "f", "min_values": 1, "max_values": 2}
    modal: Json = {"custom_id": "m", "title": "M", "components": [{"type": 18, "label": "Files", "component": upload}]}
    record = await side.imagine()
    assert (await side.answer(record, {"type": 9, "data": modal}))[0] == 200
    with pytest.raises(ActRefusedError, match="takes 1 to 2"):
        await side.sim.submit_modal("Ada", record)
    files = [File(filename="a.png", data=picture())]
    sent = await side.sim.submit_modal("Ada", record, attachments={"Files": files})
    [file_id] = sent.data["components"][0]["component"]["values"]
    assert sent.data["resolved"]["attachments"][file_id]["filename"] == "a.png"


async def test_context_menu_of_a_person(side: BotSide) -> None:
    path = f"/applications/{side.sim.application_id}/commands"
    assert (await side.call("POST", path, {"name": "Wave", "type": 2}))[0] == 200
    record = await side.sim.context_menu("Ada", "Wave", "Grace", channel="#art")
    assert record.data["target_id"] == str(side.sim.world.user("Grace").id)
    assert list(record.data["resolved"]) == ["users", "members"]
    with pytest.raises(ActRefusedError, match="Known: Wave"):
        await side.sim.context_menu("Ada", "Use this", "Grace", channel="#art")


async def test_outsider_sees_and_does_nothing(side: BotSide) -> None:
    stranger = await side.sim.make_user("Stranger", guilds=[])
    with pytest.raises(ActRefusedError, match="not a member"):
        await side.sim.invoke(stranger, "#art", "imagine", {"prompt": "x"})
    with pytest.raises(ActRefusedError, match="not a member"):
        await side.sim.read_channel("#art", stranger)
    dm = await side.sim.open_dm("Ada")
    with pytest.raises(ActRefusedError, match="not part"):
        await side.sim.post_message("Grace", dm, "hi")
