"""axe-core looks at the page in the states people meet, dark and light, and finds nothing serious."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse, in_ci
from tests.browser.visitor import Visitor

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
MISSING = "axe-core is not installed (npm ci --prefix tests/browser --ignore-scripts)"
#: `.ci/run` says so when npm could not reach its registry, which is no fault of ours; it warns loudly by itself.
OUT_OF_REACH = os.environ.get("MUSTER_AXE") == "unavailable"

pytestmark = pytest.mark.skipif(not AXE.exists() and (OUT_OF_REACH or not in_ci()), reason=MISSING)

#: Long lists of suggestions scroll with the arrow keys that the field passes on, while the focus stays there
#: (`aria-activedescendant`). Axe knows that of comboboxes; the field is a text area, which may not call itself one.
RUN = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .flatMap((one) => one.nodes
    .filter((node) => one.id !== "scrollable-region-focusable"
      || !document.querySelector(node.target[0]).matches(".picker-list"))
    .map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`))"""
#: Colours alone differ between the themes.
COLOURS = RUN.replace("{ resultTypes:", '{ runOnly: ["color-contrast"], resultTypes:')


class Findings:
    """What axe finds that keeps people out, by the state of the page; in the second theme it looks at colours only."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.found: dict[str, list[str]] = {}

    async def look(self, state: str) -> None:
        """Look at the page as it is, dark and light."""
        assert AXE.exists(), MISSING
        if not await self._page.evaluate("'axe' in window"):
            await self._page.evaluate(AXE.read_text(encoding="utf-8"))
        for theme, run in (("dark", RUN), ("light", COLOURS)):
            await self._page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            faults = await self._page.evaluate(run)
            if faults:
                self.found[f"{state}, {theme}"] = faults


async def test_nothing_serious_on_a_wide_page(browse: Browse) -> None:
    visitor = await browse(first_visit=True)
    page, findings = visitor.page, Findings(visitor.page)
    for part in ("AI Horde", "OSAIS"):
        await visitor.button(part).click()
    await visitor.button("Clear").click()
    message = await visitor.use("/imagine a lighthouse")
    await visitor.begin("/")
    await findings.look("waiting, picker")
    await visitor.input.fill("# Title\n> quote `code` ||spoiler|| @Grace\n-# small https://example.org <t:0:R>")
    await visitor.keyboard.press("Enter")
    await visitor.finish(message)
    await visitor.button("Details", message).click()
    await expect(visitor.private).to_be_visible()
    await visitor.button("Horde says 429").click()
    await visitor.begin("/imagine a lighthouse")
    await visitor.set_option("count", "9")
    await visitor.keyboard.press("Enter")
    await expect(page.locator(".armed li")).to_have_count(1)
    await findings.look("finished, mishap, wrong option")

    await visitor.button("Edit", message).click()
    await expect(visitor.dialog).to_be_visible()
    await findings.look("form")
    await visitor.keyboard.press("Escape")
    await message.locator(".shot").click()
    await expect(visitor.dialog).to_be_visible()
    await findings.look("picture")

    assert findings.found == {}


async def test_nothing_serious_on_a_phone(browse: Browse) -> None:
    visitor: Visitor = await browse(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, first_visit=True
    )
    page, findings = visitor.page, Findings(visitor.page)
    await page.get_by_role("button", name="Open the list of channels").tap()
    await findings.look("places")
    await visitor.keyboard.press("Escape")
    await findings.look("chat")
    await page.get_by_role("button", name="Open the world").tap()
    await findings.look("world")

    assert findings.found == {}
