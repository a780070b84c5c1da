"""A world, a bot and a browser for all browser tests; a fresh channel and a watched page for each.

They run Debian's Chromium, which Playwright drives in the event loop that the world lives in. Where there is none they
are skipped.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

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
)
DESKTOP = {"width": 1280, "height": 800}
#: Real milliseconds after which something that never showed fails a test.
GUARD = 20_000

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Opens the page as somebody new; the arguments are those of a browser context.
Browse = Callable[..., Awaitable[Visitor]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests, skip them where there is no browser, and run them in the world's loop."""
    for item in items:
        if "tests/browser" not in item.path.as_posix():
            continue
        item.add_marker("browser")
        if CHROMIUM is None:
            item.add_marker(
                pytest.mark.skip(reason="there is no chromium on the PATH (Debian: apt-get install chromium)")
            )
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
    expect.set_options(timeout=GUARD)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    """The world with everything in order and a channel of the test's own."""
    await shared_stage.clear()
    yield shared_stage
    shared_stage.lives.calm_down()
    await asyncio.sleep(0)


@pytest_asyncio.fixture(loop_scope="session")
async def browse(stage: Stage, browser: Browser) -> AsyncIterator[Browse]:
    """Open the page as often as needed; a complaint of any of them fails the test."""
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    async def open_page(*, first_visit: bool = False, **options: Any) -> Visitor:
        context = await browser.new_context(
            **{
                "viewport": DESKTOP,
                "reduced_motion": "reduce",
                "storage_state": _visited(stage, first_visit),
                **options,
            }
        )
        contexts.append(context)
        context.set_default_timeout(GUARD)
        await context.add_init_script(REPORT_VIOLATIONS)
        page = await context.new_page()
        watches.append(Watch(page, stage.url))
        visitor = Visitor(page, stage)
        await visitor.arrive()
        return visitor

    yield open_page
    for context in contexts:
        await context.close()
    complaints = [complaint for watch in watches for complaint in watch.complaints]
    assert complaints == [], json.dumps(complaints, indent=1)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browse: Browse) -> Visitor:
    """Ada in front of a wide page."""
    return await browse()


def _visited(stage: Stage, first_visit: bool) -> Any:
    """What the browser kept from an earlier visit: the test's channel was open, and perhaps the hint was put away."""
    kept = {"channel": stage.channel.name, **({} if first_visit else {"hint": "seen"})}
    entries = [{"name": f"muster.{name}", "value": value} for name, value in kept.items()]
    return {"cookies": [], "origins": [{"origin": stage.sandbox.url, "localStorage": entries}]}
