"""A world, a bot and a browser for all browser tests; a fresh channel and a watched page for each.

They run Debian's Chromium, which Playwright drives in the event loop that the world lives in. Where there is none they
are skipped, but in CI they fail.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.visitor import Visitor
from tests.browser.watch import REPORT_VIOLATIONS, Watch
from tests.browser.world import Stage, open_stage

#: As root and without a screen; the rest keeps it from looking for its maker's servers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # All pages of a context in one process: to start one for each visit is what costs most here.
    "--renderer-process-limit=1",
    "--process-per-site",
)
DESKTOP = {"width": 1280, "height": 800}
#: Real milliseconds after which something that never showed fails a test.
GUARD = 20_000

NO_CHROMIUM = "there is no chromium on the PATH (Debian: apt-get install chromium)"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Opens the page as somebody new; the arguments are those of a browser context.
Browse = Callable[..., Awaitable[Visitor]]


def in_ci() -> bool:
    """Whether a missing tool is a failure: CI has to see every test run, people need not install everything."""
    return os.environ.get("CI") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests, skip them where there is no browser, and run them in the world's loop."""
    for item in items:
        if "tests/browser" not in item.path.as_posix():
            continue
        item.add_marker("browser")
        if CHROMIUM is None and not in_ci():
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The world that the browser tests share."""
    async with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    assert CHROMIUM is not None, NO_CHROMIUM
    expect.set_options(timeout=GUARD)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def everyday(browser: Browser, shared_stage: Stage) -> AsyncIterator[BrowserContext]:
    """The context of all visits that ask for nothing special: its cache spares each of them the loading of the page.

    A page that nobody looks at stays open in it, so that the process which all of them share never has to start anew.
    """
    context = await _context(browser)
    keeper = await context.new_page()
    await keeper.goto(f"{shared_stage.url}page/style.css")
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    """The world with everything in order and a channel of the test's own."""
    await shared_stage.clear()
    yield shared_stage
    shared_stage.lives.calm_down()
    await asyncio.sleep(0)


@pytest_asyncio.fixture(loop_scope="session")
async def browse(stage: Stage, browser: Browser, everyday: BrowserContext) -> AsyncIterator[Browse]:
    """Open the page as often as needed; a complaint of any of them fails the test."""
    pages: list[Page] = []
    watches: list[Watch] = []

    async def open_page(*, first_visit: bool = False, **options: Any) -> Visitor:
        context = await _context(browser, **options) if options else everyday
        page = await context.new_page()
        pages.append(page)
        await page.add_init_script(_visited(stage, first_visit))
        watches.append(Watch(page, stage.url))
        visitor = Visitor(page, stage)
        await visitor.arrive()
        return visitor

    yield open_page
    for page in pages:
        await (page.close() if page.context is everyday else page.context.close())
    complaints = [complaint for watch in watches for complaint in watch.complaints]
    assert complaints == [], json.dumps(complaints, indent=1)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browse: Browse) -> Visitor:
    """Ada in front of a wide page."""
    return await browse()


async def _context(browser: Browser, **options: Any) -> BrowserContext:
    context = await browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
    context.set_default_timeout(GUARD)
    await context.add_init_script(REPORT_VIOLATIONS)
    return context


def _visited(stage: Stage, first_visit: bool) -> str:
    """Leave what an earlier visit would have: the test's channel was open, and perhaps the hint was put away.

    Once for a page, before it is loaded the first time; what it remembers itself stays when it is loaded again.
    """
    kept = {"channel": stage.channel.name, **({} if first_visit else {"hint": "seen"})}
    entries = {f"muster.{name}": value for name, value in kept.items()}
    return f"""if (!sessionStorage.visited) {{
      localStorage.clear();
      Object.assign(localStorage, {json.dumps(entries)});
      sessionStorage.visited = "yes";
    }}"""
