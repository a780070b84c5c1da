"""`/imagine` from the prompt to four pictures in the channel."""

from __future__ import annotations

from bot.sandbox.scenarios.checks import check_buttons, check_under_way, download
from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import Version
from bot.sandbox.scenarios.transcript import Transcript

PERSON, CHANNEL = "Ada", "#art"
PROMPT = "a lighthouse in a storm"
COUNT = 4
#: Buttons under a result: again, edit, details, delete.
CONTROLS = frozenset({"again", "edit", "details", "delete"})


class Imagine:
    """Ask for four pictures; see the stages, then exactly what the Horde painted, attached, with its buttons."""

    name = "imagine"
    summary = f"/imagine asks for {COUNT} pictures; all of them arrive, after every stage was seen, pinging nobody"

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("imagine")
        transcript.begin(await world.now())
        asked = await imagine(world, transcript, PROMPT, count=COUNT)
        versions = await world.follow_reply(asked, transcript)
        _check_stages(versions)
        _check_end(versions[-1])
        await check_files(world, versions[-1], transcript, prompt=PROMPT, count=COUNT)


async def imagine(world: World, transcript: Transcript, prompt: str, **options: object) -> str:
    """Use the command; returns the interaction."""
    told = " ".join([f'prompt:"{prompt}"', *(f"{name}:{value}" for name, value in options.items())])
    transcript.say(f"{PERSON} in {CHANNEL}: /imagine {told}", at=await world.now())
    return await world.invoke("imagine", user=PERSON, channel=CHANNEL, options={"prompt": prompt, **options})


def _check_stages(versions: list[Version]) -> None:
    running = check_under_way(versions)
    steps = [version.step.split()[0] for version in running if version.step]
    require(any(step in {"Queued", "Painting"} for step in steps), f"neither waiting nor painting was seen: {steps}")
    require(any(version.has_bar for version in running), "no progress bar was seen")


def _check_end(end: Version) -> None:
    names = [file.name for file in end.files]
    require(len(names) == COUNT, f"{len(names)} of {COUNT} pictures are attached: {', '.join(names) or 'none'}")
    require(len(set(names)) == COUNT, f"files share a name: {', '.join(names)}")
    check_buttons(end, CONTROLS)


async def check_files(world: World, end: Version, transcript: Transcript, *, prompt: str, count: int) -> None:
    """Compare what a person can download with what the Horde painted for this very request."""
    painted = await world.painted_for(prompt)
    require(len(painted) == count, f"the Horde painted {len(painted)} pictures for this request instead of {count}")
    downloaded = [await download(world, file) for file in end.files]
    strange = [file.name for file, sha256 in zip(end.files, downloaded, strict=True) if sha256 not in painted]
    require(not strange, f"not what the Horde painted: {', '.join(strange)}")
    require(sorted(downloaded) == sorted(painted), f"{len(downloaded)} of {count} pictures, not each of them once")
    transcript.say(f"{count} files downloaded; each is byte for byte what the Horde painted", at=await world.now())
