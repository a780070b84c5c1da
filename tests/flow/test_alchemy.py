"""Alchemy end to end: every way to ask, every group of forms, and what goes wrong; files compared with the Horde's."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from bot.sandbox.control import Service
from bot.sandbox.discord import File
from bot.sandbox.horde.alchemy.forms import FORMS
from tests.flow.conftest import open_town
from tests.flow.test_controls import private_answer
from tests.flow.town import Json, Reply, Town, words
from tests.flow.wishes import answer_to, choose, made, mention, picture, post, posted, use_menu, work

# -- the ways to ask --------------------------------------------------------------------------------------------------


async def test_command_describes_and_changes_a_picture(town: Town) -> None:
    reply = await (await work(town, "caption, upscale 2x")).end()
    assert str(made(town)["caption"]) in reply.text
    assert reply.hashes == [made(town)["RealESRGAN_x2plus"]]
    assert "96×64 → 192×128" in reply.text
    assert [form["name"] for form in posted(town)[0]["forms"]] == ["caption", "RealESRGAN_x2plus"]
    assert posted(town)[0]["source_image"] != ""
    assert "http" not in posted(town)[0]["source_image"]


async def test_command_without_words_offers_everything_in_private(town: Town) -> None:
    discord = town.sandbox.discord
    file = File(filename="photo.png", data=picture())
    record = await discord.invoke(town.ada, town.channel, "alchemy", {}, attachments={"image": file})
    await discord.wait_answer(record)
    picker = next(m for m in town.messages() if m["id"] == str(record.original_id))
    assert picker["ephemeral_for"] == str(town.ada.id)
    chosen = await choose(town, town.ada, int(picker["id"]), "alchemy:forms", ["aesthetic", "GFPGAN"])
    reply = await Reply(town, chosen).end()
    assert reply.hashes == [made(town)["GFPGAN"]]
    assert f"{made(town)['aesthetic']:.1f}/10" in reply.text


@pytest.mark.parametrize(
    ("command", "form"),
    [("caption", "caption"), ("cutout", "strip_background"), ("upscale", "RealESRGAN_x4plus")],
)
async def test_short_commands(town: Town, command: str, form: str) -> None:
    file = File(filename="photo.png", data=picture())
    record = await town.sandbox.discord.invoke(town.ada, town.channel, command, {}, attachments={"image": file})
    await town.sandbox.discord.wait_answer(record)
    reply = await Reply(town, record).end()
    assert list(made(town)) == [form]
    assert str(made(town)[form]) in (reply.text if form == "caption" else reply.hashes[0])


async def test_words_and_files_that_mean_nothing_are_told_in_private(town: Town) -> None:
    reply = await work(town, "fly me to the moon")
    assert "Try words such as" in private_answer(town, reply.record)
    text = await work(town, "caption", b"hello, I am a text", name="notes.txt")
    assert "`notes.txt` is no picture" in private_answer(town, text.record)
    assert posted(town) == []


async def test_mention_with_the_picture_attached_to_it(town: Town) -> None:
    asked = await mention(town, "caption upscale", picture())
    reply = await (await answer_to(town, asked)).end()
    assert str(made(town)["caption"]) in reply.text
    assert reply.hashes == [made(town)["RealESRGAN_x4plus"]]
    assert reply.now["pings"] == {"users": [], "roles": [], "everyone": False}


async def test_mention_in_a_reply_to_the_bots_own_picture(town: Town) -> None:
    painted = await (await town.imagine("a fox")).end()
    asked = await mention(town, "cutout", reply_to=painted.message_id)
    reply = await (await answer_to(town, asked)).end()
    assert reply.hashes == [made(town)["strip_background"]]


async def test_reply_to_the_bots_picture_without_a_mention_is_heard_when_it_is_nothing_but_a_wish(town: Town) -> None:
    painted = await (await town.imagine("a fox")).end()
    discord = town.sandbox.discord
    await discord.post_message(town.grace, town.channel, "what a lovely face!", reply_to=painted.message_id)
    asked = await discord.post_message(town.grace, town.channel, "faces", reply_to=painted.message_id)
    reply = await (await answer_to(town, asked)).end()
    assert reply.hashes == [made(town)["GFPGAN"]]
    assert len(posted(town)) == 1


async def test_mention_without_the_intent_says_how_to_do_it(town: Town) -> None:
    source = await post(town, picture())
    asked = await mention(town, "caption", reply_to=source)
    reply = await answer_to(town, asked)
    assert "Apps" in reply.text
    assert "/alchemy" in reply.text
    assert posted(town) == []


async def test_mention_with_the_intent_works_on_anybodys_picture(tmp_path: Path) -> None:
    async with open_town(tmp_path, message_content=True) as town:
        await town.move_to("intent")
        source = await post(town, picture())
        asked = await mention(town, "tags, palette", reply_to=source, by=town.grace)
        reply = await (await answer_to(town, asked)).end()
        tags = made(town)["interrogation"]
        assert isinstance(tags, dict)
        assert tags["tags"][0]["text"] in reply.text
        assert len(reply.hashes) == 1, "the swatch"
        assert all(str(colour) in reply.text for colour in list(made(town)["palette"]))  # type: ignore[call-overload]


async def test_mention_of_a_deleted_picture_says_so(town: Town) -> None:
    painted = await (await town.imagine("a fox")).end()
    asked = await mention(town, "", reply_to=painted.message_id)
    offer = await answer_to(town, asked)
    await town.sandbox.discord.delete_message(town.moderator, painted.message_id)
    later = await mention(town, "caption", reply_to=painted.message_id)
    assert "is gone" in (await answer_to(town, later)).text
    # What the picker shows lives on with Discord's file, or else is told to be gone.
    opened = await offer.press("Choose")
    chosen = await choose(town, town.ada, opened.original_id, "alchemy:forms", ["nsfw"])
    assert (await Reply(town, chosen).end()).over


async def test_mention_without_words_opens_a_private_picker_for_the_asker_only(town: Town) -> None:
    asked = await mention(town, "", picture())
    offer = await answer_to(town, asked)
    stranger = await offer.press("Choose", by=town.grace)
    assert "Only the person who asked" in private_answer(town, stranger)
    opened = await offer.press("Choose")
    chosen = await choose(town, town.ada, opened.original_id, "alchemy:forms", ["nsfw"])
    reply = await Reply(town, chosen).end()
    assert "looks safe for work" in reply.text


async def test_mention_with_several_pictures_lets_the_asker_choose(town: Town) -> None:
    asked = await mention(town, "caption wibble", picture("#aa3333"), picture("#3333aa"))
    offer = await answer_to(town, asked)
    assert "Not understood, and left out: `wibble`" in offer.text
    custom_id = next(
        str(c["custom_id"]) for row in offer.now["components"] for c in row["components"] if c["type"] == 3
    )
    stranger = await choose(town, town.grace, offer.message_id, custom_id, ["1"])
    assert "Only the person who asked" in private_answer(town, stranger)
    chosen = await choose(town, town.ada, offer.message_id, custom_id, ["1"])
    reply = await Reply(town, chosen).end()
    assert "blue" in reply.text


async def test_mention_of_the_bots_role_gets_a_hint(town: Town) -> None:
    discord = town.sandbox.discord
    role = next(role for role in town.guild.roles.values() if role.managed_by)
    asked = await discord.post_message(town.ada, town.channel, f"<@&{role.id}> caption", attachments=[])
    assert "my role" in (await answer_to(town, asked)).text


async def test_mention_where_the_bot_may_not_write_is_left_alone(town: Town) -> None:
    channel = await town.sandbox.discord.make_channel(town.guild, "quiet", denied=["send_messages"])
    town.channel = channel
    await mention(town, "caption", picture())
    await town.pass_time(2)
    assert posted(town) == []
    assert town.calls(service=Service.DISCORD, method="POST", path=f"/channels/{channel.id}/messages") == []


async def test_chatter_and_other_bots_are_left_alone(town: Town) -> None:
    await town.sandbox.discord.post_message(town.ada, town.channel, "caption upscale")
    await town.pass_time(2)
    assert posted(town) == []


@pytest.mark.parametrize(
    ("menu", "forms"),
    [("Describe picture", ["caption", "interrogation"]), ("Upscale ×4", ["RealESRGAN_x4plus"])],
)
async def test_menu_of_a_message_works_without_the_intent(town: Town, menu: str, forms: list[str]) -> None:
    source = await post(town, picture())
    record = await use_menu(town, town.grace, menu, source)
    reply = await Reply(town, record).end()
    assert sorted(made(town)) == sorted(forms)
    assert "✖" not in reply.text


async def test_menu_alchemy_lets_choose_picture_and_forms(town: Town) -> None:
    source = await post(town, picture("#aa3333"), picture("#3333aa"))
    record = await use_menu(town, town.grace, "Alchemy…", source)
    which = await choose(town, town.grace, record.original_id, f"alchemy:which:{town.grace.id}:-", ["0"])
    chosen = await choose(town, town.grace, which.original_id, "alchemy:forms", ["caption"])
    assert "red" in (await Reply(town, chosen).end()).text


async def test_menu_on_a_message_without_a_picture_says_so(town: Town) -> None:
    source = await town.sandbox.discord.post_message(town.ada, town.channel, "hello")
    record = await use_menu(town, town.grace, "Upscale ×4", source)
    assert "no picture" in private_answer(town, record)


async def test_menu_imagine_from_this_by_its_caption(town: Town) -> None:
    source = await post(town, picture())
    record = await use_menu(town, town.ada, "Imagine from this", source)
    offer = Reply(town, record)
    captioned = await Reply(town, await offer.press("Caption it first")).end()
    opened = await captioned.press("Imagine this")
    assert opened.modal is not None
    assert str(made(town)["caption"]) in json.dumps(opened.modal)
    sent = await town.sandbox.discord.submit_modal(town.ada, opened.id, {})
    await town.sandbox.discord.wait_answer(sent)
    painted = await Reply(town, sent).end()
    assert len(painted.hashes) == 1
    call = town.calls(method="POST", path="/generate/async")[-1]
    assert str(made(town)["caption"])[:20] in call.request["prompt"]  # type: ignore[index]


async def test_menu_imagine_from_this_with_the_picture_as_source(town: Town) -> None:
    source = await post(town, picture())
    record = await use_menu(town, town.ada, "Imagine from this", source)
    opened = await Reply(town, record).press("Start from the picture")
    values = {"prompt": "a stormy sea", "strength": "40 %"}
    sent = await town.sandbox.discord.submit_modal(town.ada, opened.id, values)
    await town.sandbox.discord.wait_answer(sent)
    assert len((await Reply(town, sent).end()).hashes) == 1
    call = town.calls(method="POST", path="/generate/async")[-1].request
    assert isinstance(call, dict)
    assert call["source_image"]
    assert call["params"]["denoising_strength"] == 0.4
    assert call["params"]["width"] > call["params"]["height"]


async def test_imagine_takes_a_picture_to_start_from(town: Town) -> None:
    file = File(filename="photo.png", data=picture(size=(64, 128)))
    record = await town.sandbox.discord.invoke(
        town.ada, town.channel, "imagine", {"prompt": "a fox", "strength": 30}, attachments={"image": file}
    )
    await town.sandbox.discord.wait_answer(record)
    reply = await Reply(town, record).end()
    assert len(reply.hashes) == 1, reply
    call = town.calls(method="POST", path="/generate/async")[-1].request
    assert isinstance(call, dict)
    assert call["params"]["denoising_strength"] == 0.3
    assert call["params"]["height"] > call["params"]["width"]


# -- results of /imagine ----------------------------------------------------------------------------------------------


async def test_buttons_and_select_of_a_result_work_on_its_pictures(town: Town) -> None:
    painted = await (await town.imagine("foxes", count=2)).end()
    assert painted.buttons[:2] == ["U1", "U2"]
    larger = await Reply(town, await painted.press("U2", by=town.grace)).end()
    assert larger.hashes == [made(town)["RealESRGAN_x4plus"]]
    job = painted.custom_id("Details").split(":")[2]
    chosen = await choose(town, town.grace, painted.message_id, f"menu:{job}", ["cutout:0"])
    cut = await Reply(town, chosen).end()
    assert cut.hashes == [made(town)["strip_background"]]


async def test_result_as_source_of_the_next(town: Town) -> None:
    painted = await (await town.imagine("a fox")).end()
    discord = town.sandbox.discord
    job = painted.custom_id("Details").split(":")[2]
    opened = await choose(town, town.ada, painted.message_id, f"menu:{job}", ["source:0"])
    sent = await discord.submit_modal(town.ada, opened.id, {"prompt": "a fox in snow"})
    await discord.wait_answer(sent)
    assert len((await Reply(town, sent).end()).hashes) == 1
    call = town.calls(method="POST", path="/generate/async")[-1].request
    assert isinstance(call, dict)
    assert call["source_image"]


# -- what comes of it -------------------------------------------------------------------------------------------------


async def test_every_describing_form_at_once(town: Town) -> None:
    reply = await (await work(town, "everything")).end()
    assert len(made(town)) == 7
    assert "✖" not in reply.text
    names = sorted(file["filename"].partition("-")[2].partition("-")[2] or "svg" for file in reply.now["attachments"])
    assert names == ["palette.png", "preview.png", "svg"]
    all_tags = await reply.press("All tags", by=town.grace)
    message = next(m for m in town.messages() if m["id"] == str(all_tags.original_id))
    assert message["attachments"][0]["filename"].endswith("-tags.json")
    details = await reply.press("Details", by=town.grace)
    assert "interrogation" in private_answer(town, details)


async def test_more_than_ten_files_go_on_in_a_second_message(town: Town) -> None:
    discord = town.sandbox.discord
    file = File(filename="photo.png", data=picture(size=(32, 32)))
    record = await discord.invoke(town.ada, town.channel, "alchemy", {}, attachments={"image": file})
    await discord.wait_answer(record)
    assert record.original_id is not None
    changing = [form for form in town.sandbox.horde.state()["alchemists"][0]["forms"] if form[0] not in "acdinpv"]  # type: ignore[index]
    chosen = await choose(town, town.ada, record.original_id, "alchemy:forms", changing)
    reply = await Reply(town, chosen).end()

    def rest() -> list[Json]:
        return [m for m in town.messages() if m["reply_to"] == str(reply.message_id)]

    await town.until(lambda: bool(rest()))
    hashes = [*reply.hashes, *(file["sha256"] for message in rest() for file in message["attachments"])]
    assert len(reply.hashes) == 10
    assert sorted(hashes) == sorted(map(str, made(town).values()))
    assert "files do not fit into this message" in reply.text


async def test_faulted_form_is_told_beside_what_came(town: Town) -> None:
    town.sandbox.horde.fault_alchemy(4, "caption")
    reply = await (await work(town, "caption, score")).end()
    assert "✖ Caption · the workers gave up on it" in reply.text
    assert "✔ Aesthetic score" in reply.text
    assert "1 of 2" in reply.text
    again = await Reply(town, await reply.press("Again", by=town.grace)).end()
    assert "✖" not in again.text


async def test_all_faulted_is_told_kindly(town: Town) -> None:
    town.sandbox.horde.fault_alchemy(4, "caption")
    reply = await (await work(town, "caption")).end()
    assert "gave up" in reply.text
    assert any("Try again" in label for label in reply.buttons)


async def test_cancel_keeps_what_was_done(town: Town) -> None:
    town.sandbox.horde.set_alchemists(paused=True)
    reply = await work(town, "caption, upscale")
    await town.until(lambda: bool(town.calls(path="/interrogate/status")))
    stranger = await reply.press("Cancel", by=town.grace)
    assert "Only the person who asked" in private_answer(town, stranger)
    await reply.press("Cancel")
    await reply.end()
    assert "Cancelled" in reply.text
    assert reply.text.count("✖") == 2
    assert len(town.calls(method="DELETE", path="/interrogate/status")) == 1


async def test_form_that_nobody_does_is_told_before_it_is_asked(town: Town) -> None:
    town.sandbox.horde.set_alchemists(without=["palette"])
    try:
        await town.pass_time(70, step=5)
        refused = await work(town, "palette")
        assert "Nobody online does this" in private_answer(town, refused.record)
        assert posted(town) == []
        reply = await (await work(town, "palette, caption")).end()
        assert list(made(town)) == ["caption"]
        assert all("Palette · left out: nobody online" in words(version) for version in reply.versions)
    finally:
        town.sandbox.horde.set_alchemists(forms=list(FORMS))
        await town.pass_time(70, step=5)


@pytest.mark.parametrize("value", [[1, 2], {"x": None}, "a" * 3000, 7])
async def test_odd_results_are_shown_for_what_they_are(town: Town, value: object) -> None:
    town.sandbox.horde.odd_alchemy_result("describe", value)
    reply = await (await work(town, "describe, score")).end()
    assert "Description" in reply.text
    assert "✔ Aesthetic score" in reply.text


async def test_odd_pictures_are_worked_on(town: Town) -> None:
    frames = [Image.new("RGB", (48, 48), colour) for colour in ("#aa3333", "#3333aa")]
    moving, cmyk, deep = io.BytesIO(), io.BytesIO(), io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=50)
    frames[0].convert("CMYK").save(cmyk, "JPEG")
    Image.new("I;16", (48, 48), 40000).save(deep, "PNG")
    replies = [
        await work(town, "caption", moving.getvalue(), name="moving.gif"),
        await work(town, "caption", cmyk.getvalue(), name="print.jpg"),
        await work(town, "caption", deep.getvalue(), name="deep.png"),
    ]
    for reply in replies:
        await reply.end()
        assert "✔ Caption" in reply.text, reply
    assert "only its first frame" in replies[0].text
    assert "red" in replies[1].text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("notes.png", b"hello, I am a text", id="not-a-picture"),
        pytest.param("cut.png", picture()[:80], id="truncated"),
        pytest.param("vector.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param("bomb.png", picture(size=(6000, 5000)), id="too-many-pixels"),
    ],
)
async def test_what_is_no_picture_is_refused_with_a_sentence(town: Town, name: str, data: bytes) -> None:
    reply = await (await work(town, "caption", data, name=name)).end()
    assert "✖ Caption" in reply.text
    assert "SVG" in reply.text if name.endswith("svg") else "picture" in reply.text
    assert posted(town) == []


async def test_private_results_are_private(town: Town) -> None:
    reply = await (await work(town, "caption", private=True)).end()
    message = next(m for m in town.messages() if m["id"] == str(reply.message_id))
    assert message["ephemeral_for"] == str(town.ada.id)
