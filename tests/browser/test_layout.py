"""The page on a phone, without a mouse, and on a first visit."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Browse
from tests.browser.visitor import Visitor, shown


async def fits(visitor: Visitor) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_phone_has_drawers_and_room_for_a_picture(browse: Browse) -> None:
    visitor = await browse(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = visitor.page
    assert await fits(visitor)

    opener = page.get_by_role("button", name="Open the list of channels")
    await opener.tap()
    await expect(page.get_by_role("button", name="general")).to_be_in_viewport()
    await page.get_by_role("button", name="Close the list of channels").tap()
    await expect(opener).to_be_focused()

    await page.get_by_role("button", name="Open the world").tap()
    await expect(page.get_by_role("button", name="Kill the bot now")).to_be_in_viewport()
    assert await fits(visitor)
    await visitor.keyboard.press("Escape")
    await expect(page.locator("#toggle-world")).to_be_focused()

    await visitor.input.tap()
    await visitor.keyboard.insert_text("/imagine a red fox")
    assert await fits(visitor)
    await page.get_by_role("button", name="Send").tap()
    await expect(visitor.messages).to_have_count(1)
    await visitor.finish(visitor.last)
    await shown(visitor.last.locator(".shot img"), 1)
    await expect(visitor.button("Delete", visitor.last)).to_be_in_viewport()
    await page.set_viewport_size({"width": 390, "height": 844})
    below = [await visitor.button(name, visitor.last).bounding_box() for name in ("Again", "Edit", "Details", "Delete")]
    assert len({box["y"] for box in below if box}) == 1, "one row of buttons stays one"
    for width in (360, 390, 760, 761):
        await page.set_viewport_size({"width": width, "height": 740})
        assert await fits(visitor), width


async def test_keyboard_alone_is_enough(visitor: Visitor) -> None:
    page, keyboard = visitor.page, visitor.keyboard
    await keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to writing")).to_be_focused()
    await keyboard.press("Enter")
    await visitor.tab_to(visitor.input, most=5)
    await keyboard.type("/im")
    await keyboard.press("Tab")
    await keyboard.type("a harbour at dawn")
    await keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)
    await visitor.finish(visitor.last)
    await expect(visitor.input).to_be_focused()

    picture = visitor.last.locator(".shot")
    await visitor.tab_to(picture, "Shift+Tab")
    await keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await keyboard.press("Escape")
    await expect(picture).to_be_focused()

    await visitor.tab_to(visitor.last, "Shift+Tab")
    await keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await keyboard.press("Escape")
    await expect(visitor.last).to_be_focused()

    details = visitor.button("Details", visitor.last)
    await visitor.tab_to(details)
    await keyboard.press("Enter")
    await expect(visitor.private).to_contain_text("Only you can see this")


async def test_every_stop_of_the_tab_key_is_seen_and_has_a_name(visitor: Visitor) -> None:
    """Focus is never where nobody sees it, and a screen reader always has something to say."""
    seen = set()
    for _ in range(60):
        await visitor.keyboard.press("Tab")
        stop = await visitor.page.evaluate(STOP)
        if stop is None:
            break
        assert stop["ring"], stop
        assert stop["name"], stop
        seen.add(stop["name"])
    assert {"general", "Send", "Kill the bot now", "Horde says 429"} <= seen


STOP = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node);
  const labels = node.labels?.length ? node.labels[0].textContent : "";
  const name = node.ariaLabel || labels || node.textContent.trim() || node.title;
  // The field one writes in shows it by the colour of its frame.
  const frame = node.closest(".write");
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || (frame && getComputedStyle(frame).borderColor !== getComputedStyle(frame.parentElement).borderColor);
  return { name, ring, html: node.outerHTML.slice(0, 120) };
}"""


async def test_first_visit_offers_three_things_and_remembers_that_it_did(browse: Browse) -> None:
    visitor = await browse(first_visit=True)
    hint = visitor.page.get_by_role("region", name="Things to try")
    await expect(hint.get_by_role("listitem")).to_have_count(3)
    ticked = hint.get_by_role("button", name=re.compile("(done)"))

    # Two presses make a picture; the third thing is done at once, and only what really happened is ticked.
    await hint.get_by_role("button", name=re.compile("Make a picture")).click()
    await expect(visitor.page.get_by_role("combobox", name="prompt")).to_be_focused()
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)
    await expect(ticked).to_have_count(0)
    await visitor.finish(visitor.last)
    await expect(ticked).to_have_text(re.compile("Make a picture"))
    await hint.get_by_role("button", name=re.compile("Kill the bot")).click()
    await expect(visitor.button("Kill the bot now")).to_be_focused()
    await visitor.be("Grace")
    await expect(ticked).to_have_count(2)
    await visitor.page.reload()
    await expect(ticked).to_have_count(2)

    await hint.get_by_role("button", name="Put the hint away").click()
    await visitor.page.reload()
    await expect(visitor.page.locator(".beginning")).to_be_visible()
    await expect(hint).to_have_count(0)


async def test_colours_follow_the_system_until_somebody_chooses(browse: Browse) -> None:
    visitor = await browse(color_scheme="light")
    theme = visitor.page.locator("html")
    await expect(theme).to_have_attribute("data-theme", "light")
    await visitor.page.emulate_media(color_scheme="dark")
    await expect(theme).to_have_attribute("data-theme", "dark")

    await visitor.button("Use light colours").click()
    await visitor.page.reload()
    await expect(theme).to_have_attribute("data-theme", "light")
