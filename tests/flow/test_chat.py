"""Threads and direct messages to talk in: who is spoken with, what is heard there, and what belongs together."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.discord import Channel
from tests.flow.conftest import open_town
from tests.flow.talk import Said, answers_to, asked, body_of, prompts, say, threads_of, write
from tests.flow.test_controls import private_answer
from tests.flow.town import Town, words

pytestmark = pytest.mark.usefixtures("texts")


async def test_a_thread_of_its_own(town: Town) -> None:
    thread = await started(town, title="Ships", persona="tutor")
    assert thread.name == "Ships"
    greeting = int(town.messages(thread)[0]["id"])
    first = await (await say(town, "My ship is Argo.", to=greeting, channel=thread)).end()
    assert "tutor" in first.text, "a reply to the greeting is heard like any other words"
    assert "patient tutor" in prompts(town)[-1]
    second = await (await say(town, "What is my ship?", channel=thread)).end()
    assert "Argo" in second.text
    await town.invoke("chat end", {}, channel=thread)
    over = await write(town, "What is my ship?", channel=thread)
    await town.pass_time(6)
    assert not any("Argo" in said.text for said in answers_to(town, over, thread)), "its owner ended it"


async def test_the_persona_of_a_chat_can_be_changed_and_put_back(town: Town) -> None:
    thread = await started(town)
    first = await (await say(town, "My cook is Rémy.", channel=thread)).end()
    chosen = await town.invoke("chat persona set", {"persona": "concise"}, channel=thread)
    assert "Concise" in shown_by(town, chosen.original_id)
    second = await (
        await say(town, "Who is my cook? I mean: what is my cook?", to=first.message_id, channel=thread)
    ).end()
    assert "concise" in second.text, second
    assert "as few words as" in prompts(town)[-1]
    assert "Rémy" in second.text, "what was said before still counts"
    strange = await town.invoke("chat persona clear", {}, channel=thread, by=town.grace)
    assert "Only the person who began" in shown_by(town, strange.original_id)
    await town.invoke("chat persona clear", {}, channel=thread)
    third = await (await say(town, "And now?", channel=thread)).end()
    assert "concise" not in third.text
    assert "as few words as" not in prompts(town)[-1]


async def test_a_persona_for_direct_messages_forgets_nothing(town: Town) -> None:
    direct = await town.sandbox.discord.open_dm(town.ada)
    await (await say(town, "My bird is Robin.", channel=direct)).end()
    await town.invoke("chat persona set", {"persona": "coder"}, channel=direct)
    second = await (await say(town, "What is my bird?", channel=direct)).end()
    assert "Robin" in second.text
    assert "coder" in second.text
    assert "no chat here" in private_answer(town, await town.invoke("chat persona clear", {})), "nor in a channel"


async def test_a_question_opens_a_thread_and_goes_on_there(town: Town) -> None:
    record = await town.invoke("ask", {"prompt": "My inn is the Prancing Pony.", "thread": True, "persona": "editor"})
    await town.until(lambda: any(len(thread.message_ids) > 1 for thread in threads_of(town)))
    thread = threads_of(town)[-1]
    question, reply = town.messages(thread)[0], Said(town, int(town.messages(thread)[1]["id"]))
    assert "Prancing Pony" in question["content"]
    assert question["pings"] == {"users": [], "roles": [], "everyone": False}
    await reply.end()
    assert "editor" in reply.text
    assert f"<#{thread.id}>" in private_answer(town, record)
    second = await (await say(town, "What is my inn?", channel=thread)).end()
    assert "Prancing Pony" in second.text
    assert "editor" in second.text, "as it began"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param({"private": True}, "either `thread` or `private`", id="private"),
        pytest.param({"persona": "nobody"}, "no such persona", id="unknown-persona"),
        pytest.param({"model": "nothing-7b"}, "don't know a text model", id="unknown-model"),
    ],
)
async def test_no_thread_is_opened_for_what_cannot_be_asked(town: Town, options: dict[str, object], told: str) -> None:
    record = await town.invoke("ask", {"prompt": "Hello", "thread": True, **options})
    assert told in private_answer(town, record)
    assert threads_of(town) == []


async def test_what_is_said_in_one_go_is_answered_once(town: Town) -> None:
    direct = await town.sandbox.discord.open_dm(town.ada)
    said = []
    for text in ("My lamp is Genie.", "My rug is Magic.", "What is my lamp?"):
        said.append(await write(town, text, channel=direct))
        await town.pass_time(1)
    await town.until(lambda: bool(answers_to(town, said[-1], direct)))
    reply = await answers_to(town, said[-1], direct)[0].end()
    assert "Genie" in body_of(reply)
    assert not any(answers_to(town, message, direct) for message in said[:-1])
    assert len(asked(town)) == 1
    assert "Magic" in prompts(town)[-1]
    later = await (await say(town, "What is my rug?", channel=direct)).end()
    assert "Magic" in later.text
    assert len(asked(town)) == 2, "after a pause it is another question"


async def test_plain_words_in_a_thread_are_left_alone_by_default(town: Town) -> None:
    thread = await started(town)
    message = await town.sandbox.discord.post_message(town.ada, thread, "Is anybody there?")
    await town.pass_time(6)
    assert answers_to(town, message, thread) == []
    assert asked(town) == []


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
async def test_plain_words_in_threads_are_answered_where_the_operator_says_so(tmp_path: Path, on: bool) -> None:
    settings = {"CHAT_THREADS": "true"} if on else {}
    async with open_town(tmp_path, message_content=True, settings=settings) as town:
        town.sandbox.horde.text.set_quirks(False)
        await town.move_to("threads")
        await town.until(lambda: bool(town.calls(path="/workers")))
        thread = await started(town)
        discord = town.sandbox.discord
        message = await discord.post_message(town.ada, thread, "My door is red. What is my door?")
        elsewhere = await discord.post_message(town.ada, town.channel, "What is my door?")
        if on:
            await town.until(lambda: bool(answers_to(town, message, thread)))
            reply = await answers_to(town, message, thread)[0].end()
            assert "red" in reply.text
        await town.pass_time(6)
        assert len(asked(town)) == int(on)
        assert answers_to(town, elsewhere) == [], "only what is said in such a thread is heard"


async def started(town: Town, **options: object) -> Channel:
    """Use `/chat start` and return the thread once it has been greeted in."""
    await town.invoke("chat start", options)
    await town.until(lambda: any(thread.message_ids for thread in threads_of(town)))
    return threads_of(town)[-1]


def shown_by(town: Town, message_id: int | None) -> str:
    """The words of a message, wherever it is."""
    assert message_id is not None
    return words(town.versions(message_id)[-1])
