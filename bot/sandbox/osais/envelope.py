"""The envelope of every OSAIS answer: `{data: ...}`, or `{data: null, status, message}` (sometimes `statusText`)."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

#: What the author's route helper puts on every GET; a client that caches by it would never see a request move.
CACHED_FOR_A_YEAR = "public, max-age=31557600"


class OsaisError(Exception):
    """A refusal: HTTP status and English text, under the key that this refusal uses."""

    def __init__(self, status: int, text: str, *, key: str = "message") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.key = key

    def response(self) -> web.Response:
        """The answer."""
        return web.json_response({"data": None, "status": self.status, self.key: self.text}, status=self.status)


def success(data: object, *, status: int, cached: bool = False) -> web.Response:
    """The answer that something worked."""
    headers = {"Cache-Control": CACHED_FOR_A_YEAR} if cached else None
    return web.json_response({"data": data}, status=status, headers=headers)


def stamp(moment: datetime) -> str:
    """A time as the service writes it: ISO 8601 in UTC with milliseconds and a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
