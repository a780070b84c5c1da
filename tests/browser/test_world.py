"""The panel of the world: the calls of a job, mishaps in reach, and what is arranged for the services."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from bot.sandbox.control import Service
from bot.sandbox.outgoing import Answered, OutgoingCall
from tests.browser.visitor import Visitor


async def show_calls(visitor: Visitor, message: Locator) -> Locator:
    """Filter the log by the job of a message; returns the rows."""
    await message.click(button="right")
    await visitor.page.get_by_role("menuitem", name="Show its calls").click()
    return visitor.page.locator(".call")


async def test_the_calls_of_a_job_are_told_apart_from_its_first_moment(visitor: Visitor) -> None:
    """While it is refused, while it waits, and once it is there; a text's as well as a picture's."""
    horde = visitor.stage.sandbox.horde
    horde.set_workers(paused=True)
    await visitor.button("Horde says 429").click()
    other = await visitor.use("/imagine somebody else's lighthouse")
    rows = await show_calls(visitor, other)
    refused = rows.filter(has_text="generate/async").filter(has_text="429")
    await expect(refused).to_have_count(1)

    message = await visitor.use("/imagine a lighthouse")
    await visitor.until(message, "◉ Queued")
    await show_calls(visitor, message)
    await expect(refused).to_have_count(0)
    await expect(rows.filter(has_text="interactions/callback")).to_have_count(1)
    await expect(rows.filter(has_text="generate/async").filter(has_text="202")).to_have_count(1)
    horde.set_workers(paused=False)
    await visitor.finish(message)
    await expect(rows.filter(has_text="horde-transient")).to_have_count(1)

    answer = await visitor.use("/ask What is a lighthouse?")
    await show_calls(visitor, answer)
    await visitor.until(answer, "You said")
    await expect(rows.filter(has_text="generate/text/async")).to_have_count(1)
    await expect(rows.filter(has_text="generate/text/status")).not_to_have_count(0)
    await expect(rows.filter(has_text="horde-transient")).to_have_count(0)


async def test_calls_of_a_service_show_how_they_were_acknowledged(visitor: Visitor) -> None:
    answered = Answered(status=201, body=b'{"data": {"token": "t", "uid": 1678361974000}}')
    url = "https://muster.test/cb/0123456789abcdef0123456789abcdef/notify"
    said = {"uid": 1678361974000, "stage": 2}
    call = OutgoingCall(service=Service.OSAIS, method="POST", url=url, said=said, answered=answered, seconds=0.1)
    visitor.stage.sandbox.calls.note(call)
    row = visitor.page.locator(".call").filter(has_text="/notify")
    await row.locator("summary").click()
    await expect(row.get_by_label("What was sent")).to_contain_text('"stage": 2')
    await expect(row.get_by_label("How it was answered")).to_contain_text('"uid": 1678361974000')


async def test_parts_fold_and_stay_so_and_every_mishap_is_in_reach(visitor: Visitor) -> None:
    page = visitor.page
    await page.set_viewport_size({"width": 1280, "height": 900})
    await expect(visitor.button("Drop the gateway")).to_be_in_viewport(ratio=1)
    for below in ("AI Horde", "OSAIS"):
        await expect(visitor.button(below)).to_be_in_viewport(ratio=1)
    await expect(page.get_by_label("Remote calls, newest first")).to_be_in_viewport()

    await visitor.button("Remote calls").click()
    await visitor.button("Mishaps").click()
    await visitor.button("AI Horde").click()
    await page.reload()
    await expect(visitor.button("Drop the gateway")).to_be_hidden()
    await expect(page.get_by_label("Remote calls, newest first")).to_be_hidden()
    await expect(page.get_by_label("Other people's pictures")).to_be_visible()


async def test_texts_alchemy_and_osais_are_shown_and_changed(visitor: Visitor) -> None:
    page, sandbox = visitor.page, visitor.stage.sandbox
    await visitor.button("AI Horde").click()
    await visitor.button("OSAIS").click()
    await page.get_by_label("Other people's texts").fill("9")
    await page.get_by_label("Alchemists", exact=True).fill("5")
    # Not `check()`: news of before the press may draw the box anew, for a moment, as it was.
    await page.get_by_label("writers take nothing").click()
    await expect(page.get_by_label("writers take nothing")).to_be_checked()
    await page.get_by_label("The next request goes like this").select_option("nominal")
    await visitor.button("Arrange").click()
    await visitor.button("Stop while at work").click()
    await expect(page.get_by_role("region", name="OSAIS")).to_contain_text("stopped")

    await expect(page.get_by_role("region", name="AI Horde")).to_contain_text("of 5 busy")
    assert all(scribe.paused for scribe in sandbox.horde.world.text.hall.scribes)
    assert sandbox.horde.world.text.background_length == 9
    assert sandbox.osais.state()["next"] == [["nominal"]]
    await visitor.button("Let them go on").click()
    await expect(page.get_by_role("region", name="OSAIS")).to_contain_text("0 running")


async def test_every_mishap_is_arranged_with_one_press_and_put_right_with_another(visitor: Visitor) -> None:
    mishaps, armed = visitor.page.locator(".mishaps button"), visitor.page.locator(".armed li")
    for mishap in await mishaps.all():
        await mishap.click()
        await expect(mishap).not_to_have_attribute("aria-busy", "true")
    await expect(visitor.page.locator(".toast.error")).to_have_count(0)
    # All but the outage, which was ended by the next press, the end of it, and the gateway's, which happens at once.
    await expect(armed).to_have_count(await mishaps.count() - 3)
    await visitor.button("Put everything right").click()
    await expect(armed).to_have_count(0)
