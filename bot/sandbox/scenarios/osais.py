"""Two engines of OSAIS: diffusion with four files by `/imagine`, ping by `/osais run`, every call acknowledged."""

from __future__ import annotations

import base64
import io

from PIL import Image

from bot.sandbox.scenarios.checks import check_buttons, check_under_way, download
from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.imagine import CHANNEL, PERSON, imagine
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import Version, mapping, sequence
from bot.sandbox.scenarios.transcript import Transcript

PROMPT, COUNT = "a lighthouse in a storm", 4
#: Buttons under a result: again, details, delete.
CONTROLS = frozenset({"rerun", "details", "delete"})
_FINE = frozenset({"acknowledged", "refused"})


class Osais:
    """Have diffusion paint four files, then ping send a picture back; see the stages, the files, and every call."""

    name = "osais"
    summary = f"diffusion paints {COUNT} files and ping returns one; all arrive, and every call is acknowledged"

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("osais")
        transcript.begin(await world.now())
        asked = await imagine(world, transcript, PROMPT, model="osais:diffusion", count=COUNT)
        versions = await world.follow_reply(asked, transcript)
        require(any(version.has_bar for version in check_under_way(versions)), "no progress bar was seen")
        await _check_files(world, versions[-1], COUNT)
        await _check_calls(world)
        transcript.say(f"{PERSON} in {CHANNEL}: /osais run engine:ping image:lighthouse.png", at=await world.now())
        attached = {"image": {"filename": "lighthouse.png", "data": base64.b64encode(_picture()).decode()}}
        asked = await world.invoke(
            "osais run", user=PERSON, channel=CHANNEL, options={"engine": "ping"}, attachments=attached
        )
        versions = await world.follow_reply(asked, transcript)
        await _check_files(world, versions[-1], 1)
        transcript.say("OSAIS called about:", at=await world.now())
        for line in await _check_calls(world):
            transcript.add(line)
        transcript.say(f"{COUNT + 1} files downloaded; each is byte for byte what OSAIS made", at=await world.now())


async def _check_files(world: World, end: Version, count: int) -> None:
    """Compare what a person can download with what OSAIS made for the newest request."""
    made = list(mapping(await world.get("/osais/made")).values())
    require(made, "OSAIS was never asked")
    wanted = sorted(map(str, sequence(made[-1])))
    require(len(wanted) == count, f"OSAIS made {len(wanted)} files instead of {count}")
    require(len(end.files) == count, f"{len(end.files)} of {count} files are attached: {' / '.join(end.lines)}")
    downloaded = [await download(world, file) for file in end.files]
    require(sorted(downloaded) == wanted, "what is attached is not what OSAIS made")
    check_buttons(end, CONTROLS)


async def _check_calls(world: World) -> list[str]:
    """Return every stage and file that OSAIS called about, and how it was answered."""
    deliveries = [mapping(one) for one in sequence(await world.get("/osais/deliveries"))]
    require(deliveries, "OSAIS never called")
    bad = [f"{one.get('what')}: {one.get('problem')}" for one in deliveries if one.get("verdict") not in _FINE]
    require(not bad, f"not every call was acknowledged: {'; '.join(bad[:3])}")
    return [f"{one.get('uid')} {one.get('what')}: {one.get('verdict')}" for one in deliveries]


def _picture() -> bytes:
    """A picture of two colours."""
    image = Image.new("RGB", (320, 320), "#24344d")
    image.paste("#e8e2d0", (140, 60, 180, 300))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
