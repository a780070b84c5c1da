"""What is remembered of runs from one look to the next; one that was forgotten is asked about once more."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeVar

V = TypeVar("V")
#: How many runs, or files, are remembered.
REMEMBERED: Final = 1000


class Memory(OrderedDict[str, V]):
    """Forgets what was noted longest ago."""

    def __setitem__(self, key: str, value: V) -> None:
        """Note it as the newest."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > REMEMBERED:
            self.popitem(last=False)
