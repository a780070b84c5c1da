"""Somebody in front of the page: what they do, by the names they read there."""

from __future__ import annotations

from re import Pattern

from playwright.async_api import Locator, Page, expect

from tests.browser.world import Stage


class Visitor:
    """A page that is open, in the channel that the test has for itself."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page = page
        self.stage = stage
        self.keyboard = page.keyboard
        self.input = page.locator("#composer textarea")
        self.picker = page.get_by_role("listbox", name="Suggestions")
        self.messages = page.locator(".message[data-id]")
        self.dialog = page.get_by_role("dialog")

    async def arrive(self) -> None:
        """Open the page and wait until it shows the channel and hears of the world."""
        await self.page.goto(self.stage.url)
        await expect(self.page.locator(".beginning h2")).to_have_text(f"Welcome to #{self.stage.channel.name}")
        await expect(self.page.locator("html")).to_have_attribute("data-link", "up")

    @property
    def last(self) -> Locator:
        """Whichever message is the last one."""
        return self.messages.last

    @property
    def private(self) -> Locator:
        """The newest message that only this person sees."""
        return self.page.locator(".message.ephemeral[data-id]").last

    def button(self, name: str | Pattern[str], within: Locator | None = None) -> Locator:
        """A button by exactly what it says."""
        return (within or self.page).get_by_role("button", name=name, exact=True)

    async def begin(self, command: str) -> None:
        """Type a command's name and what belongs to its first option, without sending it."""
        await self.input.click()
        await self.keyboard.insert_text(command)

    async def use(self, command: str) -> Locator:
        """Type a command, send it, and return the message that answers it."""
        before = await self.messages.count()
        await self.begin(command)
        await self.keyboard.press("Enter")
        await expect(self.messages).to_have_count(before + 1)
        return await self.newest()

    async def newest(self) -> Locator:
        """The message that is the last one now, also once others have followed it."""
        return self.page.locator(f'.message[data-id="{await self.last.get_attribute("data-id")}"]')

    async def set_option(self, name: str, value: str) -> None:
        """Add an option to the command that is being filled in."""
        await self.button(name).click()
        await self.keyboard.insert_text(value)

    async def until(self, what: Locator, text: str | Pattern[str], *, past_deadlines: bool = False) -> None:
        """Let the world's time pass until it says so."""
        async with self.stage.hurrying(past_deadlines=past_deadlines):
            await expect(what).to_contain_text(text)

    async def finish(self, message: Locator) -> None:
        """Let the world's time pass until a job's pictures are there; what it replies to may say so long before."""
        await self.until(message.locator(".embed"), "✅ Done")

    async def be(self, person: str) -> None:
        """Become somebody else."""
        await self.page.get_by_role("radio", name=person).click()
        await expect(self.page.get_by_role("radio", name=person)).to_be_checked()

    async def focused(self) -> str:
        """What has the focus, as one reads it."""
        return str(await self.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))

    async def tab_to(self, what: Locator, key: str = "Tab", *, most: int = 40) -> None:
        """Press a key until the focus is there, as somebody without a mouse would."""
        for _ in range(most):
            if await what.evaluate("(node) => node === document.activeElement"):
                return
            await self.keyboard.press(key)
        await expect(what).to_be_focused()


async def shown(pictures: Locator, count: int) -> None:
    """Check that so many pictures are there and that the browser could read each of them."""
    await expect(pictures).to_have_count(count)
    for number in range(count):
        await expect(pictures.nth(number)).to_have_js_property("complete", value=True)
        assert await pictures.nth(number).evaluate("(picture) => picture.naturalWidth") > 0
