"""Pressing 📬 Collect, as the one who asked would; it is the only way to an end that nobody could show in private."""

from __future__ import annotations

from bot.sandbox.discord import User
from bot.sandbox.discord.kinds import InteractionState
from tests.crash.records import Record
from tests.flow.lives import Lives
from tests.flow.town import GUARD, Json, buttons

#: How often somebody presses where the bot was not there to hear it.
PRESSES = 5
#: World seconds in a real one while somebody waits for the answer: at the usual pace Discord's three seconds are less
#: than one of ours, in which a busy machine may not turn to the bot at all.
RATE = 0.25


async def collect(lives: Lives, asker: User, record: Record) -> bool:
    """Press it, and again only where the bot could not hear; False where it could, and left a press unanswered."""
    gateway = lives.sandbox.discord.gateway
    for _ in range(PRESSES):
        await lives.until(lambda: bool(gateway.connected))
        ears = gateway.connected
        if await _pressed(lives, asker, record.original_id or 0):
            return True
        if lives.bot.running and gateway.connected == ears:
            return False
    return False


def collect_button(version: Json) -> str:
    """The custom id of 📬 Collect; empty where it is not shown."""
    found = (str(button["custom_id"]) for button in buttons(version) if "Collect" in (button.get("label") or ""))
    return next(found, "")


async def _pressed(lives: Lives, asker: User, message_id: int) -> bool:
    """Press it once; tells whether that was answered in time."""
    discord, clock = lives.sandbox.discord, lives.sandbox.clock
    usual = clock.rate
    clock.set_rate(RATE)
    try:
        button = collect_button(lives.latest_version(message_id))
        pressed = await discord.wait_answer(await discord.press(asker, message_id, button), guard=GUARD)
    finally:
        clock.set_rate(usual)
    return pressed.state is not InteractionState.FAILED
