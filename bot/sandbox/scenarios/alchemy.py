"""A reply that mentions the bot: `@Muster caption upscale`, from the picture to words and a larger file."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageDraw

from bot.sandbox.scenarios.checks import check_buttons, check_under_way, download
from bot.sandbox.scenarios.failure import require
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import Version
from bot.sandbox.scenarios.transcript import Transcript

PERSON, CHANNEL, BOT = "Ada", "#art", "Muster"
WORDS = "caption upscale"
FORMS = ("caption", "RealESRGAN_x4plus")
#: Buttons under a result: imagine this, again, details, delete.
CONTROLS = frozenset({"words", "again", "details", "delete"})


class Alchemy:
    """Post a picture, mention the bot with two words; see each form's state, then exactly what the Horde made."""

    name = "alchemy"
    summary = f"a reply with @{BOT} {WORDS}: words and file both arrive, after each form's state was seen"

    async def play(self, world: World, transcript: Transcript) -> None:
        """Play it in the guild that the simulator comes with."""
        await world.until_bot_is_up("alchemy")
        transcript.begin(await world.now())
        picture = {"filename": "lighthouse.png", "data": base64.b64encode(_picture()).decode()}
        source = await world.write(user=PERSON, channel=CHANNEL, attachments=[picture])
        transcript.say(f"{PERSON} in {CHANNEL}: (posts {picture['filename']})", at=await world.now())
        # Without the message-content intent only what hangs on the mention itself can be seen.
        asked = await world.write(
            user=PERSON, channel=CHANNEL, content=WORDS, reply_to=source, mentions=[BOT], attachments=[picture]
        )
        transcript.say(f"{PERSON} replies to it: @{BOT} {WORDS}", at=await world.now())
        versions = await world.follow_answer(asked, channel=CHANNEL, transcript=transcript)
        _check_stages(versions)
        await _check_end(world, versions[-1], transcript)


def _check_stages(versions: list[Version]) -> None:
    running = check_under_way(versions)
    waiting = [line for version in running for line in version.lines if line.startswith("⏳")]
    require(
        len({line.split(" · ")[0] for line in waiting}) == len(FORMS), f"not every form was seen waiting: {waiting}"
    )


async def _check_end(world: World, end: Version, transcript: Transcript) -> None:
    made = await world.alchemy_results()
    require(set(made) == set(FORMS), f"the Horde made {sorted(made)} instead of {sorted(FORMS)}")
    require(any(str(made["caption"]) in line for line in end.lines), "the caption that the Horde made is not shown")
    require(len(end.files) == 1, f"{len(end.files)} files are attached instead of one")
    sha256 = await download(world, end.files[0])
    require(sha256 == made["RealESRGAN_x4plus"], f"not what the Horde painted: {end.files[0].name}")
    check_buttons(end, CONTROLS)
    transcript.say("the caption is the Horde's, and the file is byte for byte what it made", at=await world.now())


def _picture() -> bytes:
    """A lighthouse, roughly."""
    image = Image.new("RGB", (160, 120), "#24344d")
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 90, 160, 120), fill="#1b4d5c")
    canvas.polygon(((72, 95), (88, 95), (84, 35), (76, 35)), fill="#e8e2d0")
    canvas.ellipse((74, 24, 86, 36), fill="#f2c14e")
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
