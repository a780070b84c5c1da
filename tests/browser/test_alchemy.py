"""A picture worked on, as somebody sees it who uses the page: by a mention, by the Apps menu, before and after."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.browser.files import hand_over
from tests.browser.visitor import Visitor, shown


async def asked_with_a_picture(visitor: Visitor, words: str) -> Locator:
    """Write a message with a picture, and return the bot's answer."""
    await hand_over(visitor.input, "paste", name="photo.png")
    await visitor.input.focus()
    await visitor.keyboard.insert_text(words)
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(2)
    return await visitor.newest()


async def test_mention_upscales_a_picture_and_shows_it_before_and_after(visitor: Visitor) -> None:
    answer = await asked_with_a_picture(visitor, "@Muster upscale")
    await visitor.finish(answer)
    await shown(answer.locator(".shot img"), 1)

    await answer.locator(".shot").click()
    large, before = visitor.dialog.locator("img"), visitor.button("Before")
    after = await large.get_attribute("src") or ""
    await before.click()
    await expect(before).to_have_attribute("aria-pressed", "true")
    await expect(visitor.dialog).to_contain_text("photo.png")
    await expect(large).not_to_have_attribute("src", after)
    await before.click()
    await expect(large).to_have_attribute("src", after)


async def test_menu_of_a_message_opens_a_private_picker_that_does_what_is_chosen(visitor: Visitor) -> None:
    answer = await asked_with_a_picture(visitor, "@Muster score")
    await visitor.finish(answer)
    source = visitor.messages.first
    await source.hover()
    await visitor.button("More for this message", source).click()
    await visitor.page.get_by_role("menuitem", name="Alchemy…").click()
    await expect(visitor.private).to_contain_text("What shall I do with it?")
    await visitor.private.get_by_role("button", name="What shall I do with it?").click()
    await visitor.page.get_by_role("option", name="Caption").click()
    await visitor.keyboard.press("Escape")
    await expect(visitor.messages).to_have_count(4)
    result = await visitor.newest()
    await visitor.finish(result)
    await expect(result).to_contain_text("✔ Caption")
