"""OSAIS in Discord: engines by name, everything they can be set to, and their files; here with polling alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.discord import File
from tests.flow.conftest import open_town
from tests.flow.engines import requests, run
from tests.flow.town import Reply, Town, words
from tests.flow.wishes import picture


def given(town: Town) -> dict[str, Any]:
    """What OSAIS was asked for last."""
    request = list(town.sandbox.osais.requests.values())[-1]
    assert request.oddities == ()
    return dict(request.given)


def attached(name: str, data: bytes) -> File:
    """Something to attach."""
    return File(filename=name, data=data)


@pytest.fixture(autouse=True)
def _nominal(town: Town) -> None:
    """Nothing special happens unless a test wants it."""
    town.sandbox.osais.play_always()


async def test_list_names_what_engines_need_and_make(town: Town) -> None:
    record = await town.invoke("osais list", {})
    shown = words(next(m for m in town.messages() if int(m["id"]) == record.original_id))
    for engine in ("ping", "diffusion", "vqgan", "cnet", "vtoonify", "sadtalker", "rembg", "gfpgan", "coquitts"):
        assert engine in shown
    assert "needs a picture and a sound · makes a film" in shown


async def test_picture_film_and_speech_arrive_as_they_were_made(town: Town) -> None:
    face, voice = attached("face.png", picture(size=(320, 320))), attached("voice.wav", b"RIFF0000WAVEfmt ")
    replies = [
        await _run_with(town, "ping", image=face),
        await _run_with(town, "sadtalker", image=face, audio=voice),
        await run(town, "coquitts", prompt="Good evening."),
    ]
    for reply, ending in zip(replies, (".png", ".mp4", ".wav"), strict=True):
        await reply.end()
        assert reply.now["attachments"][0]["filename"].endswith(ending), reply
        assert "Finished: 1 file" in reply.text
    made = list(town.sandbox.osais.made.values())[-3:]
    assert [reply.hashes for reply in replies] == made
    by_engine = {one.name: one.given for one in town.sandbox.osais.requests.values()}
    assert by_engine["ping"]["width"] == 512
    assert "voice.wav" in str(by_engine["sadtalker"]["url_audio"])


async def _run_with(town: Town, engine: str, **files: File) -> Reply:
    record = await town.sandbox.discord.invoke(
        town.ada, town.channel, "osais run", {"engine": engine}, attachments=files
    )
    await town.sandbox.discord.wait_answer(record)
    return Reply(town, record)


async def test_settings_come_in_one_form_and_are_checked(town: Town) -> None:
    record = await town.invoke("osais run", {"engine": "diffusion", "prompt": "a boat", "settings": True})
    discord = town.sandbox.discord
    wrong = await discord.submit_modal(town.ada, record, {"lines": "steps = 30\nguidance = often"})
    await discord.wait_answer(wrong)
    assert "Line 2 of the settings" in words(town.messages()[-1])
    right = await discord.submit_modal(town.ada, record, {"lines": "steps = 30\nseed = random\ncimg = 2"})
    await discord.wait_answer(right)
    reply = await Reply(town, right).end()
    assert len(reply.hashes) == 2
    sent = given(town)
    assert (sent["steps"], sent["cimg"], sent["guidance"]) == (30, 2, 7.5)
    assert 1 <= sent["seed"] <= 1_000_000


async def test_imagine_takes_an_engine_for_a_model_and_names_what_it_has_no_use_for(town: Town) -> None:
    discord = town.sandbox.discord
    choices = await discord.autocomplete(town.ada, town.channel, "imagine", {"model": "osais"}, focused="model")
    assert [choice["value"] for choice in choices] == ["osais:diffusion"]
    assert "OSAIS" in choices[0]["name"]
    reply = await town.imagine(
        "a wide sea", model="osais:diffusion", count=2, aspect="3:2", negative="boats", seed="abc", private=True
    )
    await reply.end()
    assert len(reply.hashes) == 2
    assert "`negative` is of no use" in reply.text
    assert given(town)["width"] > given(town)["height"]
    await reply.press("Again")
    await town.until(lambda: len(requests(town, "a wide sea")) == 2)
    first, second = requests(town, "a wide sea")
    assert first.given == second.given


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param({"engine": "diffusion"}, "needs words", id="no-words"),
        pytest.param({"engine": "rembg"}, "needs a picture", id="no-picture"),
        pytest.param({"engine": "nonsense"}, "no engine of that name", id="unknown-engine"),
        pytest.param({"engine": "rembg", "settings": True}, "needs a picture", id="told-before-the-form"),
    ],
)
async def test_what_is_missing_is_told_before_anything_is_sent(town: Town, options: dict[str, Any], told: str) -> None:
    before = len(town.sandbox.osais.requests)
    await town.invoke("osais run", options)
    assert told in words(town.messages()[-1])
    assert len(town.sandbox.osais.requests) == before


async def test_file_too_large_for_the_channel_is_named_and_not_lost(town: Town) -> None:
    town.sandbox.osais.play_next("big-files")
    reply = await (await run(town, "coquitts", prompt="A long speech.")).end()
    assert reply.hashes == []
    assert "larger than Discord takes here" in reply.text
    assert "12.0 MB" in reply.text
    assert "kept for 24 h" in reply.text


async def test_cancelled_run_ends_and_takes_no_late_files(town: Town) -> None:
    town.sandbox.osais.play_next("silence")
    reply = await run(town, "diffusion", prompt="never mind")
    await town.until(lambda: bool(requests(town, "never mind")))
    await reply.press("Cancel")
    await reply.end()
    assert "Cancelled" in reply.text


async def test_picker_offers_engines_beside_the_forms(town: Town) -> None:
    discord = town.sandbox.discord
    record = await discord.invoke(
        town.ada, town.channel, "alchemy", {}, attachments={"image": attached("cat.png", picture(size=(256, 256)))}
    )
    await discord.wait_answer(record)
    assert record.original_id is not None
    pressed = await discord.select(town.ada, record.original_id, "alchemy:forms", ["osais:rembg"])
    await discord.wait_answer(pressed)
    reply = await Reply(town, pressed).end()
    assert reply.hashes == list(town.sandbox.osais.made.values())[-1]


async def test_without_a_client_token_nothing_of_it_is_offered(tmp_path: Path) -> None:
    async with open_town(tmp_path, settings={"OSAIS_TOKEN": "", "OSAIS_SECRET": ""}) as town:
        names = {command["name"] for command in town.sandbox.discord.world.commands[None].values()}
        assert "imagine" in names
        assert "osais" not in names
        await town.move_to("nowhere")
        discord = town.sandbox.discord
        choices = await discord.autocomplete(town.ada, town.channel, "imagine", {"model": "osais"}, focused="model")
        assert choices == []
        assert not town.sandbox.osais.requests
