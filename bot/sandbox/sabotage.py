"""Ways to spoil a scenario, each of which has to make it fail: what proves that a passing one means something."""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from bot.sandbox.scenarios.people import World

#: The edit that shows the end: it sets the buttons, and neither a progress bar nor Cancel is left.
FINAL_EDIT = r'^(?!.*[▰▱])(?!.*:cancel).*"components":\[\{'


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """One way to spoil a scenario, done over the control API before it begins."""

    name: str
    summary: str
    spoil: Callable[[World], Awaitable[None]]


async def _lose_a_file(world: World) -> None:
    await world.arm(service="media", method="GET", path=r"^/attachments/.*-[12]\.\w+$", status=404, times=None)


async def _never_finish(world: World) -> None:
    await world.pause_workers()


async def _wrong_picture(world: World) -> None:
    other = base64.b64encode(_other_picture()).decode()
    await world.arm(service="media", method="GET", path=r"^/horde-transient/", status=200, body_base64=other)


async def _drop_the_end(world: World) -> None:
    await world.arm(service="discord", method="PATCH", body_matches=FINAL_EDIT, action="swallow", times=None)


SABOTAGES: Mapping[str, Sabotage] = {
    sabotage.name: sabotage
    for sabotage in (
        Sabotage(
            name="lose-a-file",
            summary="Discord's CDN has lost one of the uploaded files",
            spoil=_lose_a_file,
        ),
        Sabotage(
            name="never-finish",
            summary="the Horde never finishes the request",
            spoil=_never_finish,
        ),
        Sabotage(
            name="wrong-picture",
            summary="the Horde's object store serves another picture than was painted",
            spoil=_wrong_picture,
        ),
        Sabotage(
            name="drop-the-end",
            summary="Discord says yes to the final edit and does not make it",
            spoil=_drop_the_end,
        ),
    )
}


def _other_picture() -> bytes:
    """Make a picture that is in order in itself, and certainly not the one asked for."""
    written = io.BytesIO()
    Image.new("RGB", (512, 512), "#7f1d1d").save(written, "WEBP")
    return written.getvalue()
