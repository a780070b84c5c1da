"""`/ask`, then a reply to the answer: the second answer knows what was said in the first turn. A long one is a file."""

from __future__ import annotations

from bot.sandbox.scenarios.checks import check_buttons, check_under_way, download
from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import Version
from bot.sandbox.scenarios.transcript import Transcript

PERSON, CHANNEL, NAME = "Ada", "#general", "Augusta"
BOT = "Muster"
FIRST = f"My name is {NAME}. Please remember it."
SECOND = "What is my name?"
#: Longer than a message; where only one may be sent, as in private, the whole of it is attached.
LONG = "Tell me a story of 20 paragraphs."
#: Buttons under an answer: again, reply, delete.
CONTROLS = frozenset({"reask", "reply", "delete"})


class Ask:
    """Tell the bot a name, get an answer, reply with a question that only the first turn answers; ask for a story."""

    name = "ask"
    summary = (
        "/ask gets an answer in plain words; a reply to it is answered from what was said before; a long one is a file"
    )

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("ask")
        transcript.begin(await world.now())
        transcript.say(f'{PERSON} in {CHANNEL}: /ask prompt:"{FIRST}"', at=await world.now())
        asked = await world.invoke("ask", user=PERSON, channel=CHANNEL, options={"prompt": FIRST})
        versions = await world.follow_reply(asked, transcript)
        _check(versions, of="first")
        answer = await world.message_of(asked)
        transcript.say(f'{PERSON} in {CHANNEL}, replying to that: @Muster "{SECOND}"', at=await world.now())
        written = await world.write(user=PERSON, channel=CHANNEL, content=SECOND, reply_to=answer, mentions=[BOT])
        versions = await world.follow_answer(written, channel=CHANNEL, transcript=transcript)
        _check(versions, of="second")
        require(any(NAME in line for line in versions[-1].lines), f"the second answer does not know {NAME}")
        transcript.say("the second answer used the first turn", at=await world.now())
        await _ask_for_a_story(world, transcript)


async def _ask_for_a_story(world: World, transcript: Transcript) -> None:
    """Ask in private for more than a message holds, and download what is attached."""
    transcript.say(f'{PERSON} in {CHANNEL}: /ask prompt:"{LONG}" length:long private:True', at=await world.now())
    options: dict[str, object] = {"prompt": LONG, "length": "long", "private": True}
    asked = await world.invoke("ask", user=PERSON, channel=CHANNEL, options=options)
    end = (await world.follow_reply(asked, transcript))[-1]
    require(len(end.files) == 1, f"{len(end.files)} files are attached to the long answer instead of one")
    [file] = end.files
    await download(world, file)
    transcript.say(f"the whole answer is a file of {file.size} bytes", at=await world.now())


def _check(versions: list[Version], *, of: str) -> None:
    end = versions[-1]
    check_under_way(versions, of=f"{of} answer")
    check_buttons(end, CONTROLS)
    require(any("kudos" in line for line in end.lines), f"the {of} answer does not say what it cost")
