"""Killed during an answer, or between two of them, the bot goes on with the conversation as if nothing had been."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.sandbox.call_log import Call
from tests.flow.lives import Lives, open_lives
from tests.flow.talk import answers_to, ask, form, say, write
from tests.flow.town import Town

SUBMIT = "/generate/text/async$"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_lives(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lives]:
    """The world of this module, in which text workers are tidy."""
    async with open_lives(tmp_path_factory.mktemp("talking-lives")) as lives:
        lives.sandbox.horde.text.set_quirks(False)
        await lives.until(lambda: bool(lives.calls(path="/workers")))
        yield lives


@pytest_asyncio.fixture(loop_scope="session")
async def lives(shared_lives: Lives, request: pytest.FixtureRequest) -> AsyncIterator[Lives]:
    """A bot that is alive in a fresh guild of this module's world; mishaps are undone afterwards."""
    await shared_lives.live()
    await shared_lives.move_to(request.node.name)
    yield shared_lives
    shared_lives.sandbox.horde.text.set_workers(paused=False)
    shared_lives.calm_down()


async def test_killed_while_the_answer_is_awaited_it_arrives_and_is_gone_on_from(lives: Lives) -> None:
    lives.sandbox.horde.text.set_workers(paused=True)
    reply = await ask(lives, "My owl is Archimedes.")
    await reply.until(lambda shown: "◉ Queued" in shown.text)
    await lives.die()
    lives.sandbox.horde.text.set_workers(paused=False)
    await lives.pass_time(10)
    await lives.live()
    await reply.end()
    assert "You said:" in reply.text, reply
    assert len(submissions(lives)) == 1, "asked for once"
    second = await (await say(lives, "What is my owl?", to=reply.message_id)).end()
    assert "Archimedes" in second.text, second


async def test_killed_between_two_turns_it_remembers_by_reply_and_by_button(lives: Lives) -> None:
    first = await (await ask(lives, "My drum is Thunder.")).end()
    await lives.die_and_live()
    second = await (await say(lives, "What is my drum?", to=first.message_id)).end()
    assert "Thunder" in second.text, second
    third = await (await form(lives, first, {"text": "Tell me again: what is my drum?"})).end()
    assert "Thunder" in third.text, third


async def test_killed_while_a_question_waits_for_an_answer_both_arrive_in_order(lives: Lives) -> None:
    first = await (await ask(lives, "Hello.")).end()
    lives.sandbox.horde.text.set_workers(paused=True)
    second = await say(lives, "My harp is Silver.", to=first.message_id)
    await second.until(lambda shown: "◉ Queued" in shown.text)
    third = await say(lives, "What is my harp?", to=second.message_id)
    await third.until(lambda shown: "⏳" in shown.text)
    await lives.die()
    lives.sandbox.horde.text.set_workers(paused=False)
    await lives.live()
    await second.end()
    await third.end()
    assert "Silver" in third.text, "it knows what it waited for"
    assert len(submissions(lives)) == 3


async def test_killed_before_a_mention_is_answered_it_is_answered_once(lives: Lives) -> None:
    first = await (await ask(lives, "My kite is Icarus.")).end()
    posting = lives.arm("discord", method="POST", path="/messages$", action="reset_after")
    looking = lives.arm("discord", method="GET", path="/messages$", action="hang", times=None)
    lives.sandbox.discord.world.honours_nonces = False
    message = await write(lives, "What is my kite?", to=first.message_id)
    await lives.met(posting, step=0.5)
    await lives.met(looking, step=0.5)
    await lives.die_and_live()
    await lives.until(lambda: bool(answers_to(lives, message)))
    found = answers_to(lives, message)
    assert len(found) == 1, "the one that had arrived is found again"
    await found[0].end()
    assert "Icarus" in found[0].text
    lives.sandbox.discord.world.honours_nonces = True


def submissions(town: Town) -> list[Call]:
    """All questions handed to the Horde since the test began."""
    return town.calls(method="POST", path=SUBMIT)
