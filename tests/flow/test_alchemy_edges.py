"""Alchemy where things are not as usual: hidden, gone, too large, too many, too late, or lost."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.sandbox.control import Service
from bot.sandbox.discord import ActRefusedError, File
from bot.sandbox.horde.alchemy.forms import CHANGING
from tests.flow.conftest import open_town
from tests.flow.town import Json, Reply, Town, sha256, words
from tests.flow.wishes import answer_to, choose, made, mention, picture, post, posted, use_menu, work

HIDDEN = "SPOILER_"
#: Longer than an interaction's token lives, in seconds.
TOKEN_DEAD = 16 * 60


def names(reply: Reply) -> list[str]:
    """The names of a reply's files."""
    return [str(file["filename"]) for file in reply.now["attachments"]]


def noise(side: int) -> bytes:
    """A picture that no format makes small."""
    written = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(written, "PNG")
    return written.getvalue()


# -- hidden -----------------------------------------------------------------------------------------------------------


async def test_what_is_made_of_a_spoiler_stays_a_spoiler(town: Town) -> None:
    told = "caption, tags, describe"
    asked = await mention(town, f"upscale 2x, svg, palette, {told}", picture(), name="SPOILER_secret.png")
    reply = await (await answer_to(town, asked)).end()
    assert len(names(reply)) == 4, reply
    assert all(name.startswith(HIDDEN) for name in names(reply))
    fields = {field["name"]: field["value"] for field in reply.now["embeds"][0]["fields"]}
    for name in ("Caption", "Tags", "Description", "Palette"):
        assert (fields[name][:3], fields[name][-3:]) == ("|| ", " ||"), fields[name]
    assert made(town)["RealESRGAN_x2plus"] in reply.hashes
    cut = await mention(town, "cutout", reply_to=reply.message_id)
    offer = await answer_to(town, cut)
    assert [component["type"] for row in offer.now["components"] for component in row["components"]] == [3]
    assert not any(embed.get("thumbnail") or embed.get("image") for embed in offer.now["embeds"])
    custom_id = str(offer.now["components"][0]["components"][0]["custom_id"])
    larger = reply.hashes.index(str(made(town)["RealESRGAN_x2plus"]))
    chosen = await choose(town, town.ada, offer.message_id, custom_id, [str(larger)])
    again = await Reply(town, chosen).end()
    assert again.hashes == [made(town)["strip_background"]]
    assert names(again)[0].startswith(HIDDEN)


async def test_picture_painted_from_a_spoiler_is_one_and_can_be_worked_on(town: Town) -> None:
    file = File(filename="SPOILER_photo.png", data=picture())
    discord = town.sandbox.discord
    record = await discord.invoke(town.ada, town.channel, "imagine", {"prompt": "a fox"}, attachments={"image": file})
    await discord.wait_answer(record)
    painted = await Reply(town, record).end()
    assert names(painted)[0].startswith(HIDDEN)
    larger = await Reply(town, await painted.press("Upscale")).end()
    assert larger.hashes == [made(town)["RealESRGAN_x4plus"]]
    assert names(larger)[0].startswith(HIDDEN)


# -- gone -------------------------------------------------------------------------------------------------------------


async def test_reply_to_a_message_that_is_gone_is_told_so(town: Town) -> None:
    source = await post(town, picture())
    await town.sandbox.discord.delete_message(town.ada, source.id)
    asked = await mention(town, "caption", reply_to=source)
    assert "is gone" in (await answer_to(town, asked)).text
    assert posted(town) == []


async def test_picture_that_goes_before_it_is_fetched_is_told_so(town: Town) -> None:
    town.fault("media", path="/attachments/", status=404, times=None)
    asked = await mention(town, "caption", picture())
    reply = await (await answer_to(town, asked)).end()
    assert "✖ Caption" in reply.text
    assert "no longer works" in reply.text
    assert posted(town) == []


async def test_submission_without_an_answer_is_told_and_not_repeated(town: Town) -> None:
    town.fault("horde", method="POST", path="/interrogate/async", action="reset_after")
    reply = await (await work(town, "caption")).end()
    assert "no list in which I could look up" in reply.text
    assert len(posted(town)) == 1
    again = await Reply(town, await reply.press("Try again")).end()
    assert "✔ Caption" in again.text
    assert len(posted(town)) == 2


# -- too large, too many, too late ------------------------------------------------------------------------------------


async def test_large_file_is_encoded_anew_and_only_then_made_smaller_with_a_note(town: Town) -> None:
    reply = await (await work(town, "upscale", noise(160))).end()
    as_made = reply.now["attachments"][0]
    assert (as_made["sha256"], as_made["width"]) == (made(town)["RealESRGAN_x4plus"], 640)
    assert "smaller to fit" not in reply.text
    for share, smaller in ((0.9, False), (0.1, True)):
        town.guild.upload_limit = town.ada.upload_limit = int(as_made["size"] * share)
        reply = await Reply(town, await reply.press("Again")).end()
        sent = reply.now["attachments"][0]
        assert sent["size"] <= town.guild.upload_limit
        assert sent["filename"].endswith(".webp")
        assert (sent["width"] < 640) is smaller
        assert "re-encoded or made smaller to fit Discord's limit" in reply.text


async def test_private_result_of_more_than_ten_files_is_collected_after_the_token_died(town: Town) -> None:
    town.sandbox.horde.set_alchemists(paused=True)
    reply = await work(town, ", ".join(CHANGING), picture(size=(32, 32)), private=True)
    await town.until(lambda: bool(town.calls(path="/interrogate/status")))
    await town.pass_time(TOKEN_DEAD, step=20)
    town.sandbox.horde.set_alchemists(paused=False)
    await town.until(lambda: len(made(town)) == len(CHANGING))
    await town.pass_time(20)
    assert reply.hashes == [], "nobody can edit it"
    await reply.press("Collect")
    await reply.end()

    def rest() -> list[Json]:
        return [m for m in town.messages() if m["attachments"] and m["id"] != str(reply.message_id)]

    await town.until(lambda: bool(rest()))
    assert all(message["ephemeral_for"] == str(town.ada.id) for message in rest())
    hashes = [*reply.hashes, *(file["sha256"] for message in rest() for file in message["attachments"])]
    assert (len(reply.hashes), sorted(hashes)) == (10, sorted(map(str, made(town).values())))


IN_CHANNEL, BY_TOKEN = "/channels/[0-9]+/messages$", "/webhooks/[0-9]+/[^/]+$"


@pytest.mark.parametrize(
    ("private", "path", "status", "code", "told"),
    [
        pytest.param(False, f"({IN_CHANNEL}|{BY_TOKEN})", 403, 50001, "not taken by Discord", id="all-closed"),
        pytest.param(True, BY_TOKEN, 500, 0, "didn't say whether it took", id="token-uncertain"),
    ],
)
async def test_files_that_get_no_second_message_are_named_and_can_be_had(
    town: Town, private: bool, path: str, status: int, code: int, told: str
) -> None:
    refusal = {"message": "no", "code": code}
    town.fault("discord", method="POST", path=path, status=status, body=refusal, body_matches="attachments", times=None)
    reply = await work(town, ", ".join(CHANGING), picture(size=(32, 32)), private=private)
    await reply.until(lambda shown: told in shown.text)
    assert len(reply.hashes) == 10, "the reply stays"
    tries = [c for c in town.calls(service=Service.DISCORD, method="POST", path=path) if c.status == status]
    roads = 1 if private else 2
    assert len(tries) == roads, "what may have arrived is not sent again, and what is refused is not asked for again"
    town.sandbox.faults.clear()
    job = reply.custom_id("Details").split(":")[2]
    shown = await town.invoke("jobs show", {"job": job})

    def files() -> list[str]:
        copies = [m for m in town.messages() if int(m["id"]) >= (shown.original_id or 0) and m["ephemeral_for"]]
        return sorted(file["sha256"] for message in copies for file in message["attachments"])

    await town.until(lambda: files() == sorted(map(str, made(town).values())))


async def test_files_are_attached_as_they_land_and_kept_when_the_rest_is_cancelled(town: Town) -> None:
    town.sandbox.horde.silence_alchemy(1, "strip_background")
    reply = await work(town, "upscale 2x, cutout")
    await reply.until(lambda shown: bool(shown.hashes))
    assert not reply.over
    await reply.press("Cancel")
    await reply.end()
    assert reply.hashes == [made(town)["RealESRGAN_x2plus"]]
    assert "✖ Cut out · cancelled" in reply.text


async def test_drawing_that_is_too_intricate_to_be_previewed_is_said_to_be(town: Town) -> None:
    drawing = '<svg viewBox="0 0 9 9"><circle cx="5" cy="5" r="4"/></svg>'
    town.sandbox.horde.odd_alchemy_result("vectorize", drawing)
    reply = await (await work(town, "svg")).end()
    await reply.until(lambda shown: "too intricate for a preview" in shown.text)
    assert reply.hashes == [sha256(drawing.encode())]


# -- other places, other people ---------------------------------------------------------------------------------------


async def test_direct_message_with_a_picture_needs_no_mention(town: Town) -> None:
    discord = town.sandbox.discord
    town.channel = await discord.open_dm(town.ada)
    asked = await discord.post_message(
        town.ada, town.channel, "caption", attachments=[File(filename="photo.png", data=picture())]
    )
    reply = await (await answer_to(town, asked)).end()
    assert str(made(town)["caption"]) in reply.text


async def test_direct_message_with_a_picture_and_no_words_offers_everything(town: Town) -> None:
    discord = town.sandbox.discord
    town.channel = await discord.open_dm(town.ada)
    file = File(filename="photo.png", data=picture())
    asked = await discord.post_message(town.ada, town.channel, "", attachments=[file])
    assert (await answer_to(town, asked)).buttons == ["Choose what to do"]


async def test_mention_where_nothing_may_be_referred_to_is_answered_all_the_same(town: Town) -> None:
    town.channel = await town.sandbox.discord.make_channel(town.guild, "new", denied=["read_message_history"])
    await mention(town, "caption", picture())
    await town.until(lambda: any("✔ Caption" in words(town.versions(int(m["id"]))[-1]) for m in town.messages()))
    assert [m["reply_to"] for m in town.messages() if m["author"]["bot"]] == [None]


async def test_shared_key_is_told_to_be_no_good_for_this(tmp_path: Path) -> None:
    key = "886e5109-7573-4bab-ac4c-4586e2b82062"
    async with open_town(tmp_path, settings={"HORDE_API_KEY": key}) as town:
        horde = town.sandbox.horde
        horde.add_shared_key(horde.world.people.users[-1].alias, key=key)
        await town.move_to("shared key")
        reply = await (await work(town, "caption")).end()
        assert "✖ Caption · not done" in reply.text
        assert "takes no shared keys for work on a picture" in reply.text
        assert len((await (await town.imagine("a fox")).end()).hashes) == 1, "for painting it is good"


async def test_price_is_shown_before_anything_is_asked(town: Town) -> None:
    town.fault("horde", method="POST", path="/interrogate/async", status=503, times=2)
    reply = await (await work(town, "caption, tags, upscale 2x", picture(size=(600, 300)))).end()
    assert "≈ 16 kudos" in words(reply.versions[0]), "1 + 3 + 3 for each of two tiles, and 2 for each form"
    submission = town.calls(method="POST", path="/interrogate/async")[0]
    assert town.calls(service=Service.DISCORD, path="/callback")[0].number < submission.number


async def test_what_was_asked_in_private_stays_private_through_the_list_and_the_buttons(town: Town) -> None:
    discord = town.sandbox.discord
    file = {"image": File(filename="photo.png", data=picture())}
    record = await discord.invoke(town.ada, town.channel, "alchemy", {"private": True}, attachments=file)
    await discord.wait_answer(record)
    chosen = await choose(town, town.ada, record.original_id, "alchemy:forms:private", ["nsfw"])
    replies = [await Reply(town, chosen).end()]
    painted = await (await town.imagine("a secret fox", private=True)).end()
    job = painted.custom_id("Details").split(":")[2]
    described = await choose(town, town.ada, painted.message_id, f"menu:{job}", ["describe:0"])
    replies += [painted, await Reply(town, described).end()]
    assert "✔ Caption" in replies[-1].text
    private = {int(m["id"]): m["ephemeral_for"] for m in town.messages()}
    assert [private[reply.message_id] for reply in replies] == [str(town.ada.id)] * 3


async def test_menu_imagine_from_this_asks_which_of_several(town: Town) -> None:
    source = await post(town, picture("#aa3333"), picture("#3333aa"))
    record = await use_menu(town, town.grace, "Imagine from this", source)
    which = await choose(town, town.grace, record.original_id, f"alchemy:which:{town.grace.id}:+", ["1"])
    captioned = Reply(town, await Reply(town, which).press("Caption it first", by=town.grace))
    assert "blue" in (await captioned.end()).text


async def test_private_picker_cannot_be_used_by_a_stranger(town: Town) -> None:
    discord = town.sandbox.discord
    source = await post(town, picture())
    record = await use_menu(town, town.ada, "Alchemy…", source)
    assert record.original_id is not None
    with pytest.raises(ActRefusedError):
        await discord.select(town.grace, record.original_id, "alchemy:forms", ["caption"])
