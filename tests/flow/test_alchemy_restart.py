"""Killed in the middle of alchemy and started again: nothing is done twice, nothing is forgotten, nothing goes dead."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.sandbox.control import Service
from bot.sandbox.discord import Message
from bot.sandbox.horde.alchemy.forms import CHANGING
from tests.flow.lives import WITH_FILES, Lives, open_lives
from tests.flow.town import Json, Reply
from tests.flow.wishes import Answer, answer_to, choose, made, mention, picture, posted, work

#: In the call log and for faults: writing a message with the bot's own token.
WRITE = "/channels/[0-9]+/messages$"
#: … and looking in a channel for a message whose fate is not known.
LOOK = "/channels/[0-9]+/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_lives(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lives]:
    """The world of this module."""
    async with open_lives(tmp_path_factory.mktemp("alchemy-lives")) as lives:
        yield lives


@pytest_asyncio.fixture(loop_scope="session")
async def lives(shared_lives: Lives, request: pytest.FixtureRequest) -> AsyncIterator[Lives]:
    """A bot that is alive in a fresh guild of this module's world; mishaps are undone afterwards."""
    await shared_lives.live()
    await shared_lives.move_to(request.node.name)
    yield shared_lives
    shared_lives.sandbox.horde.set_alchemists(count=2)
    shared_lives.calm_down()


def answers(lives: Lives, asked: Message) -> list[int]:
    """The bot's messages that refer to this one."""
    return [int(m["id"]) for m in lives.messages() if m["reply_to"] == str(asked.id) and m["author"]["bot"]]


async def test_killed_with_one_form_told_it_adds_the_others(lives: Lives) -> None:
    lives.sandbox.horde.set_alchemists(count=1)
    asked = await mention(lives, "caption, upscale, palette, svg", picture())
    reply = await answer_to(lives, asked)
    await reply.until(lambda shown: "✔ Caption" in shown.text and not shown.over)
    await lives.die_and_live()
    await reply.end()
    assert "✖" not in reply.text
    assert str(made(lives)["caption"]) in reply.text
    names = [str(file["filename"]).partition("-")[2].partition("-")[2] for file in reply.now["attachments"]]
    assert sorted(names) == ["", "", "palette.png", "preview.png"]
    assert made(lives)["RealESRGAN_x4plus"] in reply.hashes
    assert len(posted(lives)) == 1
    assert answers(lives, asked) == [reply.message_id]


async def test_killed_while_it_answers_mentions_each_is_answered_once(lives: Lives) -> None:
    lives.arm("discord", method="POST", path=WRITE, action="reset_after")
    lives.arm("discord", method="POST", path=WRITE, action="hang", times=None)
    looks = lives.arm("discord", method="GET", path=LOOK, action="hang", times=None)
    arrived = await mention(lives, "caption", picture("#aa3333"))
    await lives.met(looks)
    assert len(answers(lives, arrived)) == 1, "Discord has it, the bot does not know"
    lost = await mention(lives, "caption", picture("#3333aa"))
    await lives.until(lambda: lives.row(lost) is not None)
    assert posted(lives) == []
    await lives.die_and_live()
    for asked, colour in ((arrived, "red"), (lost, "blue")):
        reply = await (await answer_to(lives, asked)).end()
        assert colour in reply.text
        assert answers(lives, asked) == [reply.message_id]
        await lives.settled(asked)
    assert len(posted(lives)) == 2


async def test_mention_that_was_not_answered_for_minutes_still_is_and_only_once(lives: Lives) -> None:
    hangs = lives.arm("discord", method="POST", path=WRITE, action="hang", times=None)
    asked = await mention(lives, "caption", picture())
    await lives.met(hangs)
    await lives.die()
    await lives.pass_time(4 * 60, step=20)  # Discord has forgotten the nonce: now it is looked for first
    await lives.live()
    reply = await (await answer_to(lives, asked)).end()
    assert "✔ Caption" in reply.text
    assert answers(lives, asked) == [reply.message_id]


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_killed_while_it_sends_the_second_message_there_is_one_of_it(lives: Lives, private: bool) -> None:
    path = "/webhooks/[0-9]+/[^/]+$" if private else WRITE
    lives.arm("discord", method="POST", path=path, action="reset_after", body_matches=WITH_FILES)
    looks = lives.arm("discord", method="GET", path=LOOK, action="hang", times=None)
    reply = await work(lives, ", ".join(CHANGING), picture(size=(32, 32)), private=private)
    if private:  # an uncertain end is not tried again by that road, so the process has to die just after its row knows
        await lives.until(lambda: bool(further(lives, reply)))
    else:
        await lives.met(looks, step=0.5)
    await lives.die()
    await lives.pass_time(4 * 60, step=20)  # Discord has forgotten the nonce
    await lives.live()
    await lives.settled(reply.record)
    [second] = further(lives, reply)
    assert (len(reply.hashes), len(second["attachments"])) == (10, len(CHANGING) - 10)
    assert ("didn't say whether" in reply.text) is private, "nobody can look it up"


def further(lives: Lives, reply: Reply) -> list[Json]:
    """The messages beside a reply that carry files."""
    return [m for m in lives.messages() if m["attachments"] and m["id"] != str(reply.message_id) and m["author"]["bot"]]


async def test_pickers_and_buttons_of_an_earlier_life_work(lives: Lives) -> None:
    offer = await answer_to(lives, await mention(lives, "", picture()))
    which = await answer_to(lives, await mention(lives, "caption", picture("#aa3333"), picture("#3333aa")))
    opened = await offer.press("Choose")
    assert opened.original_id is not None
    await lives.die_and_live()
    by_picker = await choose(lives, lives.ada, opened.original_id, "alchemy:forms", ["nsfw"])
    assert "safe for work" in (await Reply(lives, by_picker).end()).text
    by_number = await choose(lives, lives.ada, which.message_id, _select_of(which), ["1"])
    assert "blue" in (await Reply(lives, by_number).end()).text


async def test_result_of_yesterday_is_taken_from_its_message(lives: Lives) -> None:
    painted = await (await lives.imagine("a fox of yesterday", count=2)).end()
    job = str((await lives.settled(painted.record))["id"])
    await lives.die()
    lives.sandbox.clock.advance(25 * 3600)
    await lives.live()
    await lives.until(lambda: lives.kept(job) == 0, step=60)  # our own copies are purged
    larger = await Reply(lives, await painted.press("U2", by=lives.grace)).end()
    assert larger.hashes == [made(lives)["RealESRGAN_x4plus"]]
    chosen = await choose(lives, lives.ada, painted.message_id, f"menu:{job}", ["describe:0"])
    told = await Reply(lives, chosen).end()
    assert str(made(lives)["caption"]) in told.text
    assert len(lives.calls(service=Service.MEDIA, path="^/attachments/")) == 2


def _select_of(answer: Answer) -> str:
    """The custom id of the select below a message."""
    rows = [component for row in answer.now["components"] for component in row["components"]]
    return next(str(component["custom_id"]) for component in rows if component["type"] == 3)
