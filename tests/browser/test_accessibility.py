"""axe-core looks at the page in the states people meet, dark and light, and finds nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci --prefix tests/browser)")

#: Long lists of suggestions scroll with the arrow keys that the field passes on, while the focus stays there
#: (`aria-activedescendant`). Axe knows that of comboboxes; the field is a text area, which may not call itself one.
RUN = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .flatMap((one) => one.nodes
    .filter((node) => one.id !== "scrollable-region-focusable"
      || !document.querySelector(node.target[0]).matches(".picker-list"))
    .map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`))"""


async def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(RUN)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_serious_on_a_wide_page(theme: str, browse: Browse) -> None:
    visitor = await browse(color_scheme=theme, first_visit=True)
    page, found = visitor.page, {}
    await visitor.button("Clear").click()
    message = await visitor.use("/imagine a lighthouse")
    await visitor.begin("/")
    found["waiting, picker"] = await serious(page)
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
    found["finished, mishap, wrong option"] = await serious(page)

    await visitor.button("Edit", message).click()
    await expect(visitor.dialog).to_be_visible()
    found["form"] = await serious(page)
    await visitor.keyboard.press("Escape")
    await message.locator(".shot").click()
    await expect(visitor.dialog).to_be_visible()
    found["picture"] = await serious(page)

    assert {state: faults for state, faults in found.items() if faults} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_serious_on_a_phone(theme: str, browse: Browse) -> None:
    visitor = await browse(
        color_scheme=theme, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, first_visit=True
    )
    page, found = visitor.page, {}
    await page.get_by_role("button", name="Open the list of channels").tap()
    found["places"] = await serious(page)
    await visitor.keyboard.press("Escape")
    found["chat"] = await serious(page)
    await page.get_by_role("button", name="Open the world").tap()
    found["world"] = await serious(page)

    assert {state: faults for state, faults in found.items() if faults} == {}
