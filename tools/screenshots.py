"""`make screenshots`: take the pictures in docs/images from the playground itself, with the real bot in it.

The world's clock stands still while a picture is taken and is moved on step by step in between, so that each shows the
moment it is meant to show. Wants Debian's Chromium on the PATH.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.serve import Sandbox
from bot.sandbox.world import WorldClock

FOLDER: Final = Path(__file__).parents[1] / "docs" / "images"
#: Bytes; a page with a few pictures should still come quickly.
LARGEST: Final = 300_000
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)
#: The same world each time: its pictures, seeds and workers come from here, and its clock begins on a fine morning.
SEED, MORNING = 7, datetime(2026, 6, 6, 10, 24, tzinfo=UTC)

DESKTOP: Final = {"width": 1200, "height": 960}
PANEL: Final = {"width": 620, "height": 1000}
PHONE: Final = {"width": 390, "height": 780}

WISH, PHONE_WISH = "low moon over a still lake, pine trees, stars", "a quiet lake at nightfall, pines, full moon"
SURVIVOR = "evening light on the mountains, seen from the far shore"


class Stage:
    """A world, a bot in it, and pages to look at them."""

    def __init__(self, sandbox: Sandbox, bot: BotProcess, browser: Browser) -> None:
        self.sandbox = sandbox
        self.bot = bot
        self._browser = browser

    async def start_bot(self) -> None:
        """Start the bot and wait until it takes commands; the world has no event for that."""
        await self.bot.start()
        discord = self.sandbox.discord
        while not (discord.world.commands[None] and discord.gateway.connected):  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def page(
        self, viewport: dict[str, int], *, channel: str, scale: float = 1, **more: object
    ) -> AsyncIterator[Page]:
        """Open the playground as somebody who was here before."""
        kept = [{"name": "muster.hint", "value": "seen"}, {"name": "muster.channel", "value": channel}]
        context = await self._browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            device_scale_factor=scale,
            reduced_motion="reduce",
            timezone_id="UTC",
            storage_state={"cookies": [], "origins": [{"origin": self.sandbox.url, "localStorage": kept}]},  # type: ignore[arg-type]
            **more,  # type: ignore[arg-type]
        )
        page = await context.new_page()
        await page.goto(f"{self.sandbox.url}/")
        await expect(page.locator(".beginning")).to_be_visible()
        yield page
        await context.close()

    async def ask(self, page: Page, wish: str, *, count: int) -> Locator:
        """Use /imagine and return the message that answers it."""
        message = page.locator(".message[data-id]")
        before = await message.count()
        await page.locator("#composer textarea").click()
        await page.keyboard.insert_text(f"/imagine {wish}")
        await page.get_by_role("button", name="count", exact=True).click()
        await page.keyboard.insert_text(str(count))
        await page.keyboard.press("Enter")
        await expect(message).to_have_count(before + 1)
        return message.last

    async def until(self, what: Locator) -> None:
        """Move time on in small steps until something can be seen, and let everybody come to rest."""
        for _ in range(600):
            if await what.count():
                break
            self.sandbox.clock.advance(0.25)
            await asyncio.sleep(0.05)
        await expect(what.first).to_be_visible()
        await asyncio.sleep(1)  # pictures are decoded, the panel hears of the last calls


async def main() -> int:
    """Take all pictures; 0 if each of them came and is small enough."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.stderr.write("There is no chromium on the PATH. On Debian: apt-get install chromium\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        async with _stage(browser) as stage:
            await _desktop(stage)
            await _phone(stage)
            await _survival(stage)
        await browser.close()
    sizes = {path.name: path.stat().st_size for path in sorted(FOLDER.glob("*.png"))}
    sys.stdout.writelines(f"{name}\t{size // 1000} KB\n" for name, size in sizes.items())
    return int(any(size > LARGEST for size in sizes.values()))


@asynccontextmanager
async def _stage(browser: Browser) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="muster-screenshots-") as name:
        folder = Path(name)
        async with Sandbox(speed=3, seed=SEED, clock=WorldClock(start=MORNING, rate=0)) as sandbox:
            settings = sandbox.settings_env(f"sqlite+aiosqlite:///{folder / 'muster.db'}")
            bot = BotProcess.following(sandbox.control_url, folder=folder, settings=settings)
            sandbox.bot_control.adopt(bot)
            stage = Stage(sandbox, bot, browser)
            try:
                await stage.start_bot()
                yield stage
            finally:
                await bot.kill()


async def _desktop(stage: Stage) -> None:
    horde = stage.sandbox.horde
    horde.set_queue(24)
    horde.set_workers(paused=True)
    async with stage.page(DESKTOP, channel="art", color_scheme="dark") as page:
        message = await stage.ask(page, WISH, count=4)
        await stage.until(message.get_by_text("◉ Queued"))
        await _keep(page, "desktop-waiting")
        horde.set_queue(0)
        horde.set_workers(paused=False)
        await stage.until(message.get_by_text("✅ Done"))
        await _keep(page, "desktop-finished", show=message)


async def _phone(stage: Stage) -> None:
    options = {"has_touch": True, "is_mobile": True, "color_scheme": "light", "scale": 2}
    async with stage.page(PHONE, channel="general", **options) as page:  # type: ignore[arg-type]
        message = await stage.ask(page, PHONE_WISH, count=2)
        await stage.until(message.get_by_text("◉ Painting"))
        await _keep(page, "phone-waiting")
        await stage.until(message.get_by_text("✅ Done"))
        await _keep(page, "phone-finished", show=message)


async def _survival(stage: Stage) -> None:
    """Two steps: killed with some of four pictures there; started again, and all four."""
    stage.sandbox.horde.set_workers(speed=1)  # so that pictures come one after the other
    channel = await stage.sandbox.discord.make_channel("Muster Playground", "survival")
    async with stage.page(PANEL, channel=channel.name, color_scheme="dark") as page:
        message = await stage.ask(page, SURVIVOR, count=4)
        await stage.until(message.locator(".shot"))
        await stage.bot.kill()
        await stage.until(page.locator("#bot-state").get_by_text("not running"))
        before = await page.screenshot()
        await stage.start_bot()
        await stage.until(message.get_by_text("✅ Done"))
        await _begin_with(message)
        after = await page.screenshot()
    _save(_side_by_side(before, after), "survives-a-kill")


async def _keep(page: Page, name: str, *, show: Locator | None = None) -> None:
    """Take a picture of the page; what is to be shown from its beginning is scrolled there."""
    if show is not None:
        await _begin_with(show)
    _save(Image.open(io.BytesIO(await page.screenshot())).convert("RGB"), name)


async def _begin_with(message: Locator) -> None:
    await message.page.mouse.move(0, 0)  # what it is over looks different
    await message.evaluate("(node) => node.scrollIntoView({ block: 'start' })")


def _save(picture: Image.Image, name: str) -> None:
    """Write it, with slightly coarser colours where its skies would take too many bytes (a palette shows in them)."""
    path = FOLDER / f"{name}.png"
    for mask in (0xFF, 0xFE, 0xFC, 0xF8):
        picture.point([value & mask for value in range(256)] * 3).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            return


def _side_by_side(before: bytes, after: bytes) -> Image.Image:
    """Put two screenshots under their captions."""
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in (before, after)]
    captions = ("1  The bot is killed while it paints", "2  Started again: nothing is lost, nothing is painted twice")
    width, height = pictures[0].size
    gap, head = 24, 56
    sheet = Image.new("RGB", (width * 2 + gap, height + head), "#ffffff")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = number * (width + gap)
        sheet.paste(picture, (left, head))
        draw.text((left + 4, 12), caption, fill="#1d2129", font=ImageFont.load_default(24))
    return sheet


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
