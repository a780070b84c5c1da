"""The bot is killed in the middle of an image job; started again, it brings the pictures, each once."""

from __future__ import annotations

from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.imagine import check_files, imagine
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.transcript import Transcript

PROMPT = "a lighthouse in a power cut"
COUNT = 4
#: World seconds without a bot: longer than the pictures need.
DARK = 120.0
SUBMIT = "/generate/async"


class Restart:
    """Ask for pictures, kill the bot once they are being painted, start it again when they are long done."""

    name = "restart"
    summary = f"the bot is killed in the middle of {COUNT} pictures and started again; all of them arrive, once"

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("imagine")
        transcript.begin(await world.now())
        asked = await imagine(world, transcript, PROMPT, count=COUNT)
        before = await world.follow_reply(asked, transcript, until=lambda version: version.step.startswith("Painting"))
        await world.kill_bot()
        transcript.say(
            "kill -9: the bot is gone, and knows nothing any more but what it wrote down", at=await world.now()
        )
        await world.pass_time(DARK, step=10.0)
        require(len(await world.versions_of_reply(asked)) == len(before), "the reply changed without a bot")
        transcript.say("the bot is started again", at=await world.now())
        await world.start_bot()
        await world.until_bot_is_up("imagine")
        versions = await world.follow_reply(asked, transcript, seen=before)
        await check_files(world, versions[-1], transcript, prompt=PROMPT, count=COUNT)
        posted = await world.calls(service="horde", method="POST")
        submitted = [call for call in posted if str(call["path"]).endswith(SUBMIT)]
        require(len(submitted) == 1, f"it was handed over {len(submitted)} times instead of once")
        transcript.say("the request was handed over once, in the first life", at=await world.now())
