"""Slash commands as people know them: the picker, options, checks, and suggestions while typing."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.visitor import Visitor


async def test_the_picker_opens_filters_and_is_gone_through_with_arrows(visitor: Visitor) -> None:
    options = visitor.picker.get_by_role("option")
    await visitor.begin("/")
    await expect(options.filter(has_text="/imagine")).to_be_visible()
    await expect(options.filter(has_text="/help")).to_be_visible()

    await visitor.keyboard.type("ima")
    await expect(options).to_have_count(1)
    await expect(options.first).to_have_attribute("aria-selected", "true")

    await visitor.keyboard.type("gination")
    await expect(visitor.picker).to_contain_text("No command fits")

    await visitor.page.set_viewport_size({"width": 1280, "height": 320})
    await visitor.input.fill("/")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await visitor.keyboard.press("ArrowUp")
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await expect(options.last).to_be_in_viewport(ratio=1)
    await expect(visitor.input).to_be_focused()


async def test_a_command_asks_for_what_it_needs_and_checks_what_it_gets(visitor: Visitor) -> None:
    await visitor.begin("/ima")
    await visitor.keyboard.press("Tab")
    await expect(visitor.page.get_by_role("combobox", name="prompt")).to_be_focused()
    await expect(visitor.page.locator(".picker-head")).to_contain_text("required")
    await visitor.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("alert").filter(has_text="This option is required")).to_be_visible()

    await visitor.keyboard.insert_text("a lighthouse")
    await visitor.set_option("count", "9")
    await visitor.keyboard.press("Enter")
    await expect(visitor.page.locator(".pill[data-option=count]")).to_contain_text(
        re.compile(r"Enter a number from 1 to \d")
    )
    await visitor.keyboard.press("Backspace")
    await visitor.keyboard.press("Backspace")
    await visitor.set_option("aspect", "16")
    await expect(visitor.picker.get_by_role("option").first).to_contain_text("16:9")
    assert await visitor.messages.count() == 0


async def test_models_are_suggested_while_typing_and_the_chosen_one_is_used(visitor: Visitor) -> None:
    await visitor.begin("/imagine a lighthouse")
    await visitor.set_option("model", "deliberate")
    suggestion = visitor.picker.get_by_role("option").first
    await expect(suggestion).to_contain_text("Deliberate")
    await visitor.keyboard.press("ArrowDown")
    await visitor.keyboard.press("Enter")
    await visitor.keyboard.press("Enter")

    await expect(visitor.last).to_contain_text("Deliberate")


async def test_a_bot_that_is_gone_is_told_as_discord_tells_it(visitor: Visitor) -> None:
    await visitor.stage.lives.die()
    await visitor.begin("/imagine a lighthouse")
    await visitor.set_option("model", "a")
    async with visitor.stage.hurrying(past_deadlines=True):
        await expect(visitor.page.locator(".picker-empty")).to_have_text("Loading options failed")

    await visitor.button("Leave /imagine").click()
    await visitor.begin("/imagine a lighthouse")
    await visitor.keyboard.press("Enter")
    failed = visitor.page.get_by_role("alert").filter(has_text="The application did not respond")
    async with visitor.stage.hurrying(past_deadlines=True):
        await expect(failed).to_be_visible()
    await visitor.button("Dismiss message").click()
    await expect(failed).to_have_count(0)
