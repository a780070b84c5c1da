"""Results that come after 15 minutes, when an interaction's token is dead: in a channel, and in private."""

from __future__ import annotations

from operator import attrgetter

from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.imagine import PERSON, check_files, imagine
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.transcript import Transcript

OPEN, PRIVATE = "a lighthouse that takes its time", "a lighthouse nobody else may see"
#: World seconds until the Horde has somebody to paint it: longer than a token lives, shorter than a request.
LATE = 16 * 60.0
COLLECT = "Collect"


class Late:
    """Ask for two pictures, one of them in private; both are painted after 16 minutes, and both arrive."""

    name = "late"
    summary = "after 16 minutes a guild reply is edited by its channel, a private one at the press of 📬 Collect"

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("imagine")
        transcript.begin(await world.now())
        await world.pause_painters(True)
        shared = await _ask(world, transcript, OPEN, private=False)
        secret = await _ask(world, transcript, PRIVATE, private=True)
        await world.pass_time(LATE, step=10.0)
        transcript.say(
            f"{LATE / 60:.0f} minutes have passed: both tokens are dead. The painters go on", at=await world.now()
        )
        before = await world.versions_of_reply(shared)
        await world.pause_painters(False)
        versions = await world.follow_reply(shared, transcript, seen=before)
        await check_files(world, versions[-1], transcript, prompt=OPEN, count=1)
        await _collect(world, transcript, secret)


async def _ask(world: World, transcript: Transcript, prompt: str, *, private: bool) -> str:
    asked = await imagine(world, transcript, prompt, private=private)
    await world.follow_reply(asked, transcript, until=attrgetter("can_be_cancelled"))
    return asked


async def _collect(world: World, transcript: Transcript, asked: str) -> None:
    """Nobody can edit a private reply by now; a press brings a new token, and with it the picture."""
    while len(await world.painted_for(PRIVATE)) < 1:
        await world.pass_time(10.0, step=1.0)
    versions = await world.versions_of_reply(asked)
    require(any(COLLECT in label for label in versions[-1].buttons), f"there is no 📬 {COLLECT} to press")
    require(not versions[-1].files, "the private reply shows its picture, and nobody could have edited it")
    transcript.say(f"{PERSON} presses [📬 {COLLECT}]", at=await world.now())
    await world.press(COLLECT, user=PERSON, message=await world.message_of(asked))
    versions = await world.follow_reply(asked, transcript, seen=versions)
    await check_files(world, versions[-1], transcript, prompt=PRIVATE, count=1)
