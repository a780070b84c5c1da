"""What people, models and services write stays text: nothing of the corpus runs, and nothing of it becomes markup.

That something ran shows as a dialog, a console message, a violation of the policy, or a request to another address;
each of them fails any browser test (`watch.py`).
"""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from bot.sandbox.fault_spec import fault_from
from tests.browser.visitor import Visitor

#: Ways in: elements, attributes, other namespaces, frames, styles, templates, breaking out of what surrounds a text.
CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<svg/onload=alert(3)><animate onbegin=alert(3) attributeName=x>",
    '"><iframe srcdoc="<script>alert(4)</script>"></iframe>',
    "<a href=javascript:alert(5)>here</a>",
    "<style>@import'//evil.example/x.css';*{display:none}</style>",
    "</textarea></title></style></noscript><body onload=alert(6)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(7)>",
    "<details open ontoggle=alert(8)><video><source onerror=alert(8)></video></details>",
    "{{constructor.constructor('alert(9)')()}}${alert(9)}",
    "' autofocus onfocus='alert(10)' x='",
    "<base href=//evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "\u202etxt.exe\u202c\u0000\ufeff<plaintext>",
)
#: The same through the markdown that messages are written in.
MARKDOWN = (
    "[x](javascript:alert(21)) [y](data:text/html,<script>alert(22)</script>) <javascript:alert(23)>",
    "`</code><img src=x onerror=alert(24)>` ```html\n</pre><script>alert(25)</script>\n```",
    "||<img src=x onerror=alert(26)>|| # <b onclick=alert(27)> <t:99999999999999:R> <t:0:x> <@1> <#2> </x:3>",
    "[a](https://evil.example/%22onmouseover=alert(28)) https://evil.example/'><img/src/onerror=alert(29)>",
    "**" * 200 + "||" * 200 + "`" * 99 + "> " * 150,
)
#: What only markup could have put into the chat.
MARKUP = "#log, #world, dialog, #composer"
FOREIGN = "script, iframe, object, embed, base, link, style, math, template, plaintext, animate, [onerror], [onload]"


async def nothing_became_markup(visitor: Visitor) -> None:
    found = await visitor.page.locator(MARKUP).locator(FOREIGN).count()
    links = await visitor.page.evaluate(
        "[...document.links].map((link) => link.protocol).filter((scheme) => !/^https?:$/.test(scheme))"
    )
    assert (found, links) == (0, [])


async def test_a_prompt_is_never_more_than_text(visitor: Visitor) -> None:
    """On its way through the field, the progress, the edit form, the details, the reply bar and the log of calls."""
    prompt = " ".join(CORPUS).replace("\u0000", "")[:1000]
    message = await visitor.use(f"/imagine {prompt}")
    await expect(message).to_contain_text("<script>alert(1)</script>")
    await visitor.finish(message)

    await visitor.button("Edit", message).click()
    field = visitor.dialog.get_by_role("textbox", name="Prompt *", exact=True)
    await expect(field).to_have_value(prompt)
    await nothing_became_markup(visitor)
    await visitor.keyboard.press("Escape")

    await visitor.button("Details", message).click()
    await expect(visitor.private).to_contain_text("<img src=x onerror=alert(2)>")
    await message.hover()
    await visitor.button("Reply", message).click()
    await expect(visitor.page.locator(".reply-bar")).to_contain_text("Replying to")
    for call in await visitor.page.locator(".call summary").filter(has_text="generate/async").all():
        await call.click()
    await nothing_became_markup(visitor)


@pytest.mark.parametrize("texts", [CORPUS, MARKDOWN], ids=["markup", "markdown"])
async def test_a_message_is_never_more_than_text(texts: tuple[str, ...], visitor: Visitor) -> None:
    for text in texts:
        await visitor.input.fill(text)
        await visitor.keyboard.press("Enter")
    await expect(visitor.messages).to_have_count(len(texts))
    if texts is CORPUS:
        await expect(visitor.messages.nth(1)).to_contain_text("<img src=x onerror=alert(2)>")
    await nothing_became_markup(visitor)

    await visitor.last.hover()
    await visitor.button("More for this message", visitor.last).click()
    await visitor.page.get_by_role("menuitem", name="Reply").click()
    await nothing_became_markup(visitor)


async def test_a_models_answer_is_never_more_than_text(visitor: Visitor) -> None:
    """Workers are strangers' machines: what they hand out is as foreign as anything."""
    text = "\n".join((*CORPUS, *MARKDOWN[:4])).replace("\u0000", "")[:1500]
    worker = {"worker_id": "w", "worker_name": CORPUS[1], "model": "koboldcpp/Strange", "seed": 0, "gen_metadata": []}
    generation = {**worker, "state": "ok", "text": text}
    counts = {"finished": 1, "processing": 0, "restarted": 0, "waiting": 0, "queue_position": 0, "wait_time": 0}
    body = {**counts, "done": True, "faulted": False, "is_possible": True, "kudos": 7.0, "generations": [generation]}
    status = {"service": "horde", "method": "GET", "path": "/generate/text/status", "status": 200, "body": body}
    visitor.stage.sandbox.faults.arm(fault_from({**status, "times": None}))
    try:
        message = await visitor.use("/ask What do you think?")
        await visitor.until(message, "alert(1)")
    finally:
        visitor.stage.sandbox.faults.clear()
    await nothing_became_markup(visitor)


async def test_a_file_name_is_never_more_than_text(visitor: Visitor) -> None:
    names = [
        f"{text.replace('/', '_').replace(chr(0), '')[:80]}.{end}" for text, end in zip(CORPUS, ENDINGS, strict=False)
    ]
    files = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": b"<script>alert(1)</script>"} for name in names
    ]
    chooser = visitor.page.locator("#composer input[type=file]")
    await chooser.set_input_files(files)  # type: ignore[arg-type]
    await expect(visitor.page.locator(".tray .file-name")).to_have_text(names)
    await nothing_became_markup(visitor)
    await visitor.input.focus()
    await visitor.keyboard.press("Enter")

    await expect(visitor.messages).to_have_count(1)
    await expect(visitor.page.locator(".tray .file-name")).to_have_count(0)
    await nothing_became_markup(visitor)


#: One for each file; the simulated Discord takes ten.
ENDINGS = ("txt", "html", "svg", "js", "pdf", "xml", "css", "htm", "mp", "bin")
