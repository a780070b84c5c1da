"""One GET for a check: its status and JSON object, or a few plain words on why there is none."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from bot.errors import Unavailable
from bot.network_words import words_of

#: The model reference is about 1 MB; anything far larger is something else.
_LARGEST_ANSWER: Final = 16 * 1024 * 1024

#: Returns the status and the JSON (None when it is not an object) of one GET.
Get = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, Mapping[str, Any] | None]]]


def getter(session: aiohttp.ClientSession) -> Get:
    """Build the `Get` that asks through `session`; it raises `Unavailable`, its text a few words of our own."""

    async def get(url: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, Any] | None]:
        try:
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                body = await answer.content.read(_LARGEST_ANSWER)
                while not answer.content.at_eof() and len(body) < _LARGEST_ANSWER:
                    body += await answer.content.read(_LARGEST_ANSWER - len(body))
                return answer.status, _json_object(body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(words_of(error)) from error

    return get


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
