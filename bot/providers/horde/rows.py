"""Reading a JSON list of objects piece by piece: `/workers` is megabytes, of which we keep a few fields of each row."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from bot.errors import ProtocolError

#: One row is never larger than this, in characters.
MAX_ROW = 1024 * 1024

_BETWEEN = " \t\r\n,"


class RowReader:
    """Takes bytes as they arrive and gives rows as soon as they are whole; holds no more than one row at a time."""

    def __init__(self, *, max_row: int = MAX_ROW) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._held = ""
        self._begun = False
        self._max_row = max_row
        #: Whether the list's end has been read.
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Give the rows that `chunk` completes. Raises `ProtocolError` for what is no list of rows."""
        try:
            self._held += self._utf8.decode(chunk)
        except UnicodeDecodeError:
            raise ProtocolError("the list is not UTF-8", path="$") from None
        yield from self._rows()
        if len(self._held) > self._max_row:
            raise ProtocolError("a row of the list is too large", path="$")

    def _rows(self) -> Iterator[Any]:
        at = 0
        while not self.ended:
            at = self._next(at)
            if at >= len(self._held):
                break
            if not self._begun:
                if self._held[at] != "[":
                    raise ProtocolError("not a list", path="$")
                self._begun, at = True, at + 1
            elif self._held[at] == "]":
                self.ended = True
            elif self._held[at] != "{":
                raise ProtocolError("a row of the list is no object", path="$")
            else:
                try:
                    row, at = self._json.raw_decode(self._held, at)
                except ValueError:  # not whole yet
                    break
                except RecursionError:
                    raise ProtocolError("a row of the list is nested too deeply", path="$") from None
                yield row
        self._held = self._held[at:]

    def _next(self, at: int) -> int:
        while at < len(self._held) and self._held[at] in _BETWEEN:
            at += 1
        return at
