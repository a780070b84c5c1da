"""A picture from the first press to the last button, as somebody sees it who uses the page."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.visitor import Visitor, shown

WISH = "a lighthouse in a storm, oil on canvas"


async def painted(visitor: Visitor, prompt: str = WISH) -> Locator:
    """Use `/imagine` and let it come to its end."""
    message = await visitor.use(f"/imagine {prompt}")
    await visitor.finish(message)
    return message


async def test_imagine_shows_every_stage_and_then_four_pictures(visitor: Visitor) -> None:
    horde = visitor.stage.sandbox.horde
    horde.set_workers(paused=True)
    await visitor.begin(f"/imagine {WISH}")
    await visitor.set_option("count", "4")
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)
    message = visitor.last

    await expect(message).to_contain_text("◉ Accepted")
    await expect(message).to_contain_text(WISH)
    await visitor.until(message, re.compile(r"◉ Queued.*○ Painting 0/4"))
    # Slow enough to be seen in a world that runs fast, on any machine.
    horde.set_workers(paused=False, speed=0.25)
    await visitor.until(message, re.compile(r"◉ Painting \d/4 ─ ○ Done"))
    await visitor.finish(message)
    await shown(message.locator(".shot img"), 4)
    await expect(visitor.button("Cancel", message)).to_have_count(0)


async def test_again_paints_the_same_wish_anew_and_edit_another(visitor: Visitor) -> None:
    first = await painted(visitor)
    await visitor.button("Again", first).click()
    await expect(visitor.messages).to_have_count(2)
    await visitor.finish(visitor.last)
    await shown(visitor.last.locator(".shot img"), 1)
    assert len(visitor.stage.lives.painted_for(WISH)) >= 2

    await visitor.button("Edit", first).click()
    prompt = visitor.dialog.get_by_role("textbox", name="Prompt *", exact=True)
    await expect(prompt).to_be_focused()
    await expect(prompt).to_have_value(WISH)

    await prompt.fill("")
    await visitor.button("Submit", visitor.dialog).click()
    await expect(visitor.dialog).to_be_visible()
    await expect(prompt).to_have_attribute("aria-invalid", "true")

    await prompt.fill("a lighthouse by day")
    await visitor.button("Submit", visitor.dialog).click()
    await expect(visitor.messages).to_have_count(3)
    await expect(visitor.last).to_contain_text("a lighthouse by day")
    await visitor.finish(visitor.last)


async def test_cancel_stops_a_job_that_waits(visitor: Visitor) -> None:
    visitor.stage.sandbox.horde.set_workers(paused=True)
    message = await visitor.use(f"/imagine {WISH}")
    await visitor.until(message, "◉ Queued")
    await visitor.button("Cancel", message).click()

    await visitor.until(message, "Cancelled before a picture was done")
    await expect(message.locator(".shot")).to_have_count(0)


async def test_who_pressed_sees_the_details_and_only_some_may_delete(visitor: Visitor) -> None:
    message = await painted(visitor)
    await visitor.button("Details", message).click()
    await expect(visitor.private).to_contain_text("Only you can see this")
    await expect(visitor.private).to_contain_text("/imagine prompt:")

    await visitor.be("Grace")
    await expect(visitor.messages).to_have_count(1)
    await visitor.button("Delete", message).click()
    await expect(visitor.private).to_contain_text("Only the person who asked for this")
    await visitor.button("Dismiss message", visitor.private).click()
    await expect(visitor.messages).to_have_count(1)

    await visitor.be("Ada")
    await visitor.button("Dismiss message", visitor.private).click()
    await expect(visitor.messages).to_have_count(1)

    await visitor.be("Margaret")
    await visitor.button("Delete", visitor.last).click()
    await expect(visitor.messages).to_have_count(0)


async def test_a_job_survives_the_kill_of_the_bot(visitor: Visitor) -> None:
    """Killed while it is painted, started again: every picture arrives in the same message, each once."""
    prompt = f"a lighthouse that outlives its keeper, {visitor.stage.channel.name}"
    horde = visitor.stage.sandbox.horde
    usual = horde.world.speed
    horde.set_workers(speed=0.25)
    await visitor.begin(f"/imagine {prompt}")
    await visitor.set_option("count", "4")
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)
    await visitor.until(visitor.last, "◉ Painting")

    await visitor.button("Kill the bot now").click()
    horde.set_workers(speed=usual)
    state = visitor.page.locator("#bot-state")
    await expect(state).to_have_text("The bot is not running")
    await expect(visitor.last).to_contain_text("◉ Painting")
    await visitor.button("Start the bot").click()
    await expect(state).to_be_hidden()

    await visitor.finish(visitor.last)
    await expect(visitor.messages).to_have_count(1)
    await shown(visitor.last.locator(".shot img"), 4)
    discord = visitor.stage.sandbox.discord
    (message_id,) = visitor.stage.channel.message_ids
    came = [file["sha256"] for file in discord.reports.message(discord.world.messages[message_id])["attachments"]]
    assert sorted(came) == visitor.stage.lives.painted_for(prompt)
