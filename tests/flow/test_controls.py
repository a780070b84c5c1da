"""Buttons: who may press them, what they do, and that they never end in silence."""

from __future__ import annotations

from bot.sandbox.discord import Interaction
from tests.flow.town import Reply, Town, words


def private_answer(town: Town, record: Interaction) -> str:
    """What only the one who acted was told."""
    message = next(m for m in town.messages() if m["id"] == str(record.original_id))
    assert message["ephemeral_for"], "nobody else needs to see this"
    return words(message)


async def test_cancel_while_waiting_stops_the_request_at_the_horde(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    await reply.press("Cancel")
    await reply.end()
    assert "cancelled" in reply.text.lower()
    assert len(town.calls(method="DELETE", path="/generate/status")) == 1
    assert reply.hashes == [], reply


async def test_cancel_while_painting_keeps_the_pictures_that_exist(town: Town) -> None:
    before = len(town.painted())
    only_one_worker_has_it = "AlbedoBase XL 3.1"
    reply = await town.imagine("a row of foxes", count=4, model=only_one_worker_has_it)
    await town.until(lambda: len(town.painted()) > before)
    town.sandbox.horde.set_workers(paused=True)
    await reply.until(lambda shown: len(shown.hashes) >= 1)
    await reply.press("Cancel")
    await reply.end()
    assert 1 <= len(reply.hashes) < 4
    assert set(reply.hashes) <= town.painted()


async def test_cancel_pressed_twice_is_harmless(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox")
    await town.until(lambda: bool(town.calls(path="/generate/check")))
    discord, custom_id = town.sandbox.discord, reply.custom_id("Cancel")
    first = await discord.press(town.ada, reply.message_id, custom_id)
    second = await discord.press(town.ada, reply.message_id, custom_id, stale=True)
    await discord.wait_answer(first)
    await discord.wait_answer(second)
    await reply.end()
    assert len(town.calls(method="DELETE", path="/generate/status")) == 1


async def test_stranger_cannot_cancel(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox", by=town.ada)
    record = await reply.press("Cancel", by=town.grace)
    assert "Only the person who asked" in private_answer(town, record)
    await reply.press("Cancel", by=town.ada)
    await reply.end()


async def test_moderator_can_cancel(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox", by=town.ada)
    await reply.press("Cancel", by=town.moderator)
    await reply.end()
    assert "cancelled" in reply.text.lower()


async def test_again_paints_the_same_wish_with_another_seed(town: Town) -> None:
    first = await (await town.imagine("a fox", seed="7")).end()
    second = Reply(town, await first.press("Again", by=town.grace))
    await second.end()
    assert second.message_id != first.message_id
    assert len(second.hashes) == 1, second
    assert second.hashes != first.hashes
    payloads = [call.request for call in town.calls(method="POST", path="/generate/async")]
    assert payloads[0]["prompt"] == payloads[1]["prompt"]  # type: ignore[index]
    assert payloads[0]["params"]["seed"] == "7"  # type: ignore[index]
    assert payloads[1]["params"]["seed"] != "7"  # type: ignore[index]


async def test_edit_opens_a_filled_in_form_and_paints_what_was_changed(town: Town) -> None:
    first = await (await town.imagine("a fox", negative="fog", steps=20)).end()
    opened = await first.press("Edit")
    assert opened.modal is not None
    record = await town.sandbox.discord.submit_modal(town.ada, opened.id, {"prompt": "a hare", "numbers": "12 / 5.5"})
    await town.sandbox.discord.wait_answer(record)
    second = await Reply(town, record).end()
    assert "a hare" in second.text
    payload = town.calls(method="POST", path="/generate/async")[-1].request
    assert payload["prompt"] == "a hare ### fog"  # type: ignore[index]
    assert (payload["params"]["steps"], payload["params"]["cfg_scale"]) == (12, 5.5)  # type: ignore[index]


async def test_edit_form_with_nonsense_is_answered_kindly(town: Town) -> None:
    first = await (await town.imagine("a fox")).end()
    opened = await first.press("Edit")
    record = await town.sandbox.discord.submit_modal(town.ada, opened.id, {"numbers": "many"})
    await town.sandbox.discord.wait_answer(record)
    assert "25 / 7" in private_answer(town, record)


async def test_details_are_told_to_the_one_who_asks(town: Town) -> None:
    reply = await (await town.imagine("a fox", seed="77")).end()
    record = await reply.press("Details", by=town.grace)
    told = private_answer(town, record)
    assert "77" in told
    assert "/imagine" in told


async def test_delete_by_a_stranger_is_refused_and_by_the_asker_works(town: Town) -> None:
    reply = await (await town.imagine("a fox")).end()
    record = await reply.press("Delete", by=town.grace)
    assert "Only the person who asked" in private_answer(town, record)
    await reply.press("Delete", by=town.ada)
    await town.until(lambda: str(reply.message_id) not in {m["id"] for m in town.messages() if not m["deleted_at"]})
