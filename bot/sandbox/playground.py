"""The playground: the page at `/` on which people use the bot, and the headers it is served with.

The page is a folder of small files (`page/`) with no build step. It acts on the world through the control API like
anybody else, and hears of it over `/sandbox/events` (`live.py`).

Everything people, models and services write is shown on it, so the policy below is strict: code and styles come from
this folder only, nothing is loaded from or sent to anywhere else, and no string can become markup or code at all
(`require-trusted-types-for`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.control import CONTROL_PREFIX

FOLDER: Final = Path(__file__).parent / "page"

#: What is served, by the end of its name; anything else in the folder is not there for the world.
CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    # Always asked for again: a page of an older version would speak to a newer world.
    "Cache-Control": "no-cache",
}

#: What the page suggests on a first visit. It knows no command by name, so the one to begin with is named here.
TRIES: Final = (
    {
        "kind": "command",
        "title": "Make a picture",
        "text": "Enter sends it",
        "command": "imagine",
        "options": {"prompt": "a lighthouse in a storm, oil on canvas"},
    },
    {"kind": "kill", "title": "Kill the bot", "text": "no job is lost by it"},
    {"kind": "person", "title": "Be someone else", "text": "press their buttons"},
)

#: A request with this header gets refusals as 200, with the real status in the other one.
SOFT_HEADER: Final = "Sandbox-Refusals"
STATUS_HEADER: Final = "Sandbox-Status"


class Playground:
    """Serves the files of the page that were there when it was made, and nothing else."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix in CONTENT_TYPES
        }

    @property
    def names(self) -> list[str]:
        """The files that are served, as their paths below /page/."""
        return sorted(self._files)

    def routes(self) -> list[web.RouteDef]:
        """Return the page's address, those of its files, and what it asks for on a first visit."""
        return [
            web.get("/", self._page),
            web.get("/page/{name:.+}", self._file),
            web.get(f"{CONTROL_PREFIX}/playground", self._suggestions),
        ]

    async def _page(self, _: web.Request) -> web.FileResponse:
        return self._serve("index.html")

    async def _suggestions(self, _: web.Request) -> web.Response:
        return web.json_response({"tries": TRIES})

    async def _file(self, request: web.Request) -> web.FileResponse:
        return self._serve(request.match_info["name"])

    def _serve(self, name: str) -> web.FileResponse:
        # Looked up, never joined to a path: there is no name that leads out of the folder.
        path = self._files.get(name)
        if path is None:
            raise web.HTTPNotFound(headers=HEADERS)
        return web.FileResponse(path, headers={**HEADERS, "Content-Type": CONTENT_TYPES[path.suffix]})


@web.middleware
async def soften_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the control API's refusals with 200 where that is asked for.

    Browsers print every 4xx to the console as if the page were broken. A person who presses what is gone is no error of
    the page's, so it asks for `Sandbox-Refusals: soft` and finds the status in `Sandbox-Status`.
    """
    if not (request.path.startswith(CONTROL_PREFIX) and request.headers.get(SOFT_HEADER) == "soft"):
        return await handler(request)
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        answer = web.Response(status=error.status, body=_as_json(error), content_type="application/json")
    if answer.status >= 400:
        answer.headers[STATUS_HEADER] = str(answer.status)
        answer.set_status(200)
    return answer


def _as_json(error: web.HTTPException) -> bytes:
    if error.content_type == "application/json":
        return (error.text or "").encode()
    return json.dumps({"error": error.reason}).encode()
