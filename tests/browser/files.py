"""Files as people bring them to the page: pasted, dropped, or chosen."""

from __future__ import annotations

import array
import base64
import io

from PIL import Image
from playwright.async_api import Locator

from bot.sandbox.osais.films import film
from bot.sandbox.osais.sounds import wav

#: Hands a file to an element as the browser does when somebody pastes or drops one.
_HAND_OVER = """(node, { name, type, data, how }) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true };
  if (how === "paste") node.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: carried }));
  else for (const event of ["dragover", "drop"])
    node.dispatchEvent(new DragEvent(event, { ...options, dataTransfer: carried }));
}"""


async def hand_over(where: Locator, how: str, *, name: str) -> None:
    """Paste or drop a picture."""
    data = base64.b64encode(picture()).decode()
    await where.evaluate(_HAND_OVER, {"name": name, "type": "image/png", "data": data, "how": how})


def picture() -> bytes:
    """A small PNG."""
    written = io.BytesIO()
    Image.new("RGB", (48, 32), "#f2c14e").save(written, "PNG")
    return written.getvalue()


def sound() -> bytes:
    """A second of silence as WAV."""
    return wav(array.array("h", [0] * 16_000))


def moving_picture() -> bytes:
    """A film of a second and a half as MP4."""
    return film(None, index=0)
