"""Ways to spoil a scenario, each of which has to make it fail: what proves that a passing one means something.

Not every one can hurt every scenario: one that has its pictures within 15 minutes never needs the bot's own token, and
one whose service is asked for news does not miss its calls. `Sabotage.hurts` names those that have to fail; with any
other it is refused, so that no scenario passes although something was to be broken.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from PIL import Image

from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import mapping

#: The edit that shows the end: it sets the buttons, and neither a progress bar nor Cancel is left.
FINAL_EDIT = r'^(?!.*[▰▱])(?!.*:cancel).*"components":\[\{'


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """One way to spoil a scenario, done over the control API before it begins."""

    name: str
    summary: str
    spoil: Callable[[World], Awaitable[None]]
    #: The scenarios, by name, that fail with it.
    hurts: Collection[str]


async def _lose_a_file(world: World) -> None:
    await world.arm(
        service="media", method="GET", path=r"^/attachments/.*-(?:\d+|answer)\.\w+$", status=404, times=None
    )


async def _never_finish(world: World) -> None:
    await world.pause_workers()
    # For scenarios that pause the painters themselves, and let them go on.
    await world.post("/horde/workers", {"speed": 0.001})
    await world.post("/osais/speed", {"speed": 0.001})


async def _wrong_result(world: World) -> None:
    other = base64.b64encode(_other_picture()).decode()
    await world.arm(service="media", method="GET", path=r"^/horde-transient/", status=200, body_base64=other)
    await world.arm(
        service="horde", method="GET", path="/generate/text/status", status=200, body=_other_answer(), times=None
    )
    # OSAIS tells of its files and leaves them to be fetched: on that way they are changed.
    await world.post("/osais/scenario", {"names": ["notify-without-upload"], "times": None})
    await world.arm(service="media", method="GET", path=r"^/uploads/", status=200, body_base64=other)


async def _drop_the_end(world: World) -> None:
    await world.arm(service="discord", method="PATCH", body_matches=FINAL_EDIT, action="swallow", times=None)


async def _close_the_channel(world: World) -> None:
    refusal = {"message": "Missing Access", "code": 50001}
    path = r"/channels/\d+/messages/\d+$"
    await world.arm(service="discord", method="PATCH", path=path, status=403, body=refusal, times=None)


async def _lead_calls_astray(world: World) -> None:
    for public in mapping(await world.get("/map")):
        await world.post("/map", {public: _NOWHERE})


#: Of this machine; nobody listens there.
_NOWHERE = "http://127.0.0.1:9"

_ALL = frozenset({"imagine", "alchemy", "ask", "restart", "late", "osais"})

SABOTAGES: Mapping[str, Sabotage] = {
    sabotage.name: sabotage
    for sabotage in (
        Sabotage(
            name="lose-a-file",
            summary="Discord's CDN has lost what was uploaded",
            spoil=_lose_a_file,
            hurts=_ALL,
        ),
        Sabotage(
            name="never-finish",
            summary="the Horde, or OSAIS, never finishes the request",
            spoil=_never_finish,
            hurts=_ALL,
        ),
        Sabotage(
            name="wrong-result",
            summary="the service hands out another picture, or another answer, than was made",
            spoil=_wrong_result,
            hurts=_ALL,
        ),
        Sabotage(
            name="drop-the-end",
            summary="Discord says yes to the final edit and does not make it",
            spoil=_drop_the_end,
            hurts=_ALL,
        ),
        Sabotage(
            name="close-the-channel",
            summary="Discord refuses edits with the bot's own token: answers to messages, and all after 15 minutes",
            spoil=_close_the_channel,
            # Those that answer a message, or an interaction whose token is dead.
            hurts=frozenset({"alchemy", "ask", "late"}),
        ),
        Sabotage(
            name="lead-calls-astray",
            summary="the bot's public address leads nowhere: no call of a service arrives",
            spoil=_lead_calls_astray,
            # The AI Horde is asked for news as well.
            hurts=frozenset({"osais"}),
        ),
    )
}


def _other_answer() -> dict[str, object]:
    """Write the status of a request whose answer has nothing to do with what was asked."""
    generation = {
        "worker_id": "00000000-0000-0000-0000-000000000001",
        "worker_name": "Somebody else",
        "model": "koboldcpp/Another-7B-Instruct",
        "state": "ok",
        "text": "The tide comes in at noon.",
        "seed": 0,
        "gen_metadata": [],
    }
    counts = {"finished": 1, "processing": 0, "restarted": 0, "waiting": 0, "queue_position": 0, "wait_time": 0}
    state = {"done": True, "faulted": False, "is_possible": True, "kudos": 1.0}
    return {**counts, **state, "generations": [generation]}


def _other_picture() -> bytes:
    """Make a picture that is in order in itself, and certainly not the one asked for."""
    written = io.BytesIO()
    Image.new("RGB", (512, 512), "#7f1d1d").save(written, "WEBP")
    return written.getvalue()
