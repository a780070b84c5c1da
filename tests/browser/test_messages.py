"""Messages with files, and the connection over which the page hears of them."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import FilePayload, Locator, Route, expect

from tests.browser.files import hand_over, moving_picture, sound
from tests.browser.visitor import Visitor, shown

#: Keeps a promise that the connection was lost and is back.
WATCH_LINK = """() => {
  const root = document.documentElement;
  let lost = false;
  window.back = new Promise((is) => new MutationObserver(() => {
    lost ||= root.dataset.link === "down";
    if (lost && root.dataset.link === "up") is(true);
  }).observe(root, { attributeFilter: ["data-link"] }));
}"""


async def test_a_lost_connection_comes_back_and_nothing_is_missed(visitor: Visitor) -> None:
    page, sandbox = visitor.page, visitor.stage.sandbox
    await page.evaluate(WATCH_LINK)
    await sandbox.hang_up_on_pages()
    await sandbox.discord.post_message("Grace", visitor.stage.channel, "said while nobody listened")

    assert await page.evaluate("window.back")
    await expect(page.locator("#offline")).to_be_hidden()
    await expect(visitor.last).to_contain_text("said while nobody listened")
    await sandbox.discord.post_message("Grace", visitor.stage.channel, "and this afterwards")
    await expect(visitor.last).to_contain_text("and this afterwards")


async def test_what_comes_too_late_for_the_last_person_is_not_shown_to_the_next(visitor: Visitor) -> None:
    await visitor.begin("/help")
    await visitor.keyboard.press("Enter")  # takes the command
    await visitor.keyboard.press("Enter")  # sends it
    await expect(visitor.private).to_be_visible()
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    grace = visitor.stage.sandbox.discord.world.user("Grace").id
    await visitor.page.route(f"**/messages?as_user={grace}", hold)
    await visitor.be("Grace")
    await visitor.be("Ada")
    await expect(visitor.private).to_be_visible()
    async with visitor.page.expect_event("requestfinished", lambda request: f"as_user={grace}" in request.url):
        released.set()
    await visitor.stage.sandbox.discord.post_message("Grace", visitor.stage.channel, "and on it goes")
    await expect(visitor.last).to_contain_text("and on it goes")
    await expect(visitor.private).to_be_visible()


async def test_pictures_are_pasted_and_dropped_into_messages_and_options(visitor: Visitor) -> None:
    tray = visitor.page.locator(".tray .file-name")
    await hand_over(visitor.input, "paste", name="pasted.png")
    await hand_over(visitor.page.locator("#log"), "drop", name="dropped.png")
    await expect(tray).to_have_text(["pasted.png", "dropped.png"])
    await visitor.input.focus()
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)
    await shown(visitor.last.locator(".shot img"), 2)

    await visitor.begin("/imagine a lighthouse")
    await hand_over(visitor.page.get_by_role("combobox", name="prompt"), "paste", name="source.png")
    await expect(visitor.page.locator(".pill[data-option=image]")).to_contain_text("source.png")
    await expect(tray).to_have_count(0)


async def plays(player: Locator) -> None:
    """Check that the browser can play it, not only that it is there."""
    await player.evaluate("(player) => { player.muted = true; return player.play(); }")
    await player.evaluate("(player) => new Promise((go) => player.addEventListener('timeupdate', go, { once: true }))")
    assert await player.evaluate("(player) => player.duration") > 0.5


async def test_sound_and_film_play_and_other_files_are_offered(visitor: Visitor) -> None:
    files: list[FilePayload] = [
        {"name": "speech.wav", "mimeType": "audio/wav", "buffer": sound()},
        {"name": "talking.mp4", "mimeType": "video/mp4", "buffer": moving_picture()},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"a lighthouse"},
    ]
    await visitor.page.locator("#composer input[type=file]").set_input_files(files)
    await visitor.input.focus()
    await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(1)

    await plays(visitor.last.get_by_label("speech.wav", exact=True))
    await plays(visitor.last.get_by_label("talking.mp4", exact=True))
    await expect(visitor.last.get_by_role("link", name="Download notes.txt")).to_be_visible()


MARKDOWN = "**bold** *slanted* `code` ||hidden||\n```py\nprint(1)\n```\n- one\n- two\n> said\n-# small print"


async def test_a_message_looks_as_at_discords_and_its_times_count_down(visitor: Visitor) -> None:
    soon = int(visitor.stage.sandbox.clock.now().timestamp()) + 20 * 60
    await visitor.input.fill(f"{MARKDOWN} <t:{soon}:R>")
    await visitor.keyboard.press("Enter")
    message = visitor.last
    for drawn, text in {
        "strong": "bold",
        "em": "slanted",
        "p code": "code",
        "pre code": "print(1)",
        "blockquote": "said",
        "ul li >> nth=1": "two",
    }.items():
        await expect(message.locator(f".markdown {drawn}")).to_have_text(text)
    small, stamp = message.locator("small.small-print"), message.locator("time.stamp")
    await expect(small).to_contain_text("small print")
    await expect(message.locator(".spoiler")).to_have_text("hidden")
    await visitor.button("Spoiler, press to show", message).click()
    await expect(message.locator(".spoiler.open")).to_have_text("hidden")

    await expect(stamp).to_have_text(re.compile("in (19|20) minutes"))
    await visitor.button("+15 minutes").click()
    await expect(stamp).to_have_text(re.compile("in [345] minutes"))


async def test_whoever_reads_further_up_is_told_of_what_comes(visitor: Visitor) -> None:
    discord, channel = visitor.stage.sandbox.discord, visitor.stage.channel
    more = visitor.button("New messages")
    for number in range(30):
        await discord.post_message("Grace", channel, f"line {number}")
    await expect(visitor.last).to_contain_text("line 29")
    await expect(visitor.last).to_be_in_viewport()

    await visitor.page.locator("#log").evaluate("(log) => (log.scrollTop = 0)")
    await expect(visitor.messages.first).to_be_in_viewport()
    await expect(more).to_be_hidden()
    await discord.post_message("Grace", channel, "said below")
    await expect(more).to_be_visible()
    await expect(visitor.last).not_to_be_in_viewport()
    await more.click()
    await expect(visitor.last).to_be_in_viewport()
    await expect(more).to_be_hidden()

    # An entry of the Apps menu is answered at the end, and leads there.
    first = visitor.messages.first
    await first.click(button="right")
    await visitor.page.get_by_role("menuitem", name="Alchemy…").click()
    await expect(visitor.private).to_be_in_viewport()


async def test_direct_messages_and_the_age_restricted_channel_are_places_of_their_own(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.button(re.compile("after-dark")).click()
    await expect(page.locator(".beginning")).to_contain_text("An age-restricted channel")
    await visitor.button(re.compile("Muster.*App")).click()
    await expect(page.locator(".beginning")).to_contain_text("Just you and the bot")
    await visitor.begin("/help")
    await visitor.keyboard.press("Enter")  # takes the command
    await visitor.keyboard.press("Enter")  # sends it
    await expect(visitor.last).to_contain_text("/imagine")
    await visitor.be("Grace")
    await expect(visitor.messages).to_have_count(0)
