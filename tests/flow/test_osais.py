"""OSAIS in Discord: engines by name, everything they can be set to, and their files; here with polling alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.sandbox.discord import File
from bot.sandbox.outgoing import AddressMap
from bot.web.addresses import PublicAddress
from tests.flow.conftest import open_town
from tests.flow.engines import PUBLIC_URL, requests, run, run_with
from tests.flow.town import Reply, Town, words
from tests.flow.wishes import answer_to, choose, mention, picture, work

#: Discord's number for a select.
SELECT = 3


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
        await run_with(town, "ping", image=face),
        await run_with(town, "sadtalker", image=face, audio=voice),
        await run(town, "coquitts", prompt="Good evening."),
    ]
    made_of = {".png": "1 picture", ".mp4": "1 film", ".wav": "1 sound"}
    for reply, (ending, told) in zip(replies, made_of.items(), strict=True):
        await reply.end()
        assert reply.now["attachments"][0]["filename"].endswith(ending), reply
        assert f"Done: {told}" in reply.text
        assert ("Upscale" in reply.buttons) is (ending == ".png")
    made = list(town.sandbox.osais.made.values())[-3:]
    assert [reply.hashes for reply in replies] == made
    by_engine = {one.name: one.given for one in town.sandbox.osais.requests.values()}
    assert by_engine["ping"]["width"] == 512
    assert "voice.wav" in str(by_engine["sadtalker"]["url_audio"])


async def test_settings_come_in_one_form_and_are_checked(town: Town) -> None:
    record = await town.invoke("osais run", {"engine": "diffusion", "prompt": "a boat", "settings": True})
    discord = town.sandbox.discord
    typed = {"prompt": "a red boat", "lines": "steps = 900\nguidance = often"}
    wrong = await discord.submit_modal(town.ada, record, typed)
    await discord.wait_answer(wrong)
    told = Reply(town, wrong)
    assert "Line 1 of the settings" in told.text
    assert "Line 2 of the settings" in told.text
    reopened = await told.press("Edit again")
    assert all(json.dumps(text) in json.dumps(reopened.modal) for text in typed.values()), "nothing typed is lost"
    right = await discord.submit_modal(town.ada, reopened, {"lines": "steps = 30\nseed = random\ncimg = 2"})
    await discord.wait_answer(right)
    reply = await Reply(town, right).end()
    assert "a red boat" in reply.text
    assert len(reply.hashes) == 2
    sent = given(town)
    assert (sent["steps"], sent["cimg"], sent["guidance"]) == (30, 2, 7.5)
    assert 1 <= sent["seed"] <= 1_000_000
    changed = await discord.submit_modal(town.ada, await reply.press("Edit"), {"prompt": "a blue boat"})
    await discord.wait_answer(changed)
    edited = await Reply(town, changed).end()
    assert given(town)["steps"] == 30
    assert len(edited.hashes) == 2
    larger = await edited.press("U2")
    await discord.wait_answer(larger)
    assert len((await Reply(town, larger).end()).hashes) == 1, "pictures of engines are worked on like others"


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


async def test_cancelled_run_ends_and_takes_no_late_files(town: Town) -> None:
    town.sandbox.osais.play_next("silence")
    reply = await run(town, "diffusion", prompt="never mind")
    await town.until(lambda: bool(requests(town, "never mind")))
    await reply.press("Cancel")
    await reply.end()
    assert "Cancelled" in reply.text


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        pytest.param("POST", "/client/login", 401, "doesn't accept this bot's token", id="login-refused"),
        pytest.param("GET", "/request/", 500, "isn't answering", id="trouble"),
    ],
)
async def test_run_ends_although_osais_refuses_to_be_asked(
    town: Town, method: str, path: str, status: int, told: str
) -> None:
    town.sandbox.osais.play_next("silence")
    reply = await run(town, "diffusion", prompt=f"refused with {status}")
    await town.until(lambda: bool(requests(town, f"refused with {status}")))
    body = {"data": None, "status": status, "message": "no"}
    town.fault("osais", method=method, path=path, status=status, times=10_000, body=body)
    town.sandbox.osais.expire_bearers()
    await reply.until(lambda shown: told in shown.text, step=2.0)
    assert reply.text.count("⚠") == 1
    await reply.until(lambda shown: shown.over, step=5.0)
    assert "Nothing more was heard" in reply.text


async def test_engines_are_offered_wherever_alchemy_does_the_same(town: Town) -> None:
    discord, painted = town.sandbox.discord, await (await town.imagine("a fox")).end()
    (menu,) = (one for row in painted.now["components"] for one in row["components"] if one["type"] == SELECT)
    tagged = {option["label"]: option["value"] for option in menu["options"] if "(OSAIS)" in option["label"]}
    assert list(tagged) == ["Cut out (OSAIS)", "Fix faces (OSAIS)"]
    picker = await discord.invoke(
        town.ada, town.channel, "alchemy", {}, attachments={"image": attached("cat.png", picture(size=(256, 256)))}
    )
    await discord.wait_answer(picker)
    replies = [
        Reply(town, await choose(town, town.ada, picker.original_id, "alchemy:forms", ["osais:rembg"])),
        Reply(town, await choose(town, town.ada, painted.message_id, menu["custom_id"], [tagged["Fix faces (OSAIS)"]])),
        await work(town, "osais:rembg"),
    ]
    for reply in replies:
        await reply.end()
    asked = await mention(town, "osais:gfpgan please", picture())
    answer = await (await answer_to(town, asked)).end()
    made = list(town.sandbox.osais.made.values())[-4:]
    assert sorted([*(reply.hashes for reply in replies), answer.hashes]) == sorted(made)
    by_engine = sorted(one.name for one in list(town.sandbox.osais.requests.values())[-4:])
    assert by_engine == ["gfpgan", "gfpgan", "rembg", "rembg"]


async def test_without_token_and_secret_nothing_of_it_is_offered(tmp_path: Path) -> None:
    secret, proxy = "w" * 32, AddressMap.to_free_port(PUBLIC_URL)
    settings = {"OSAIS_SECRET": "", "WEBHOOK_SECRET": secret}
    async with open_town(tmp_path, settings=settings, address_map=proxy) as town, aiohttp.ClientSession() as session:
        names = {command["name"] for command in town.sandbox.discord.world.commands[None].values()}
        assert "imagine" in names
        assert "osais" not in names
        await town.move_to("nowhere")
        discord = town.sandbox.discord
        choices = await discord.autocomplete(town.ada, town.channel, "imagine", {"model": "osais"}, focused="model")
        assert choices == []
        assert not town.sandbox.osais.requests
        path = PublicAddress(PUBLIC_URL, SecretStr(secret)).notify_uri
        async with session.post(f"{proxy[PUBLIC_URL]}/{path}", json={"uid": 1}) as answer:
            assert answer.status == 404
