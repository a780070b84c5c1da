"""Numbers as OSAIS and its AIs write them: as JSON's, as text, or as text of a fraction that is none ("5.0").

Its sample client reads them by JavaScript's `parseInt`; one reading for calls and for answers keeps both of one mind.
"""

from __future__ import annotations

import re
from typing import Any, Final

#: What the database holds.
LARGEST: Final = 2**63 - 1
_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]{1,19})(?:\.0*)?\s*")


def whole(value: Any) -> int | None:
    """A whole number, as number or text; None for anything else."""
    if isinstance(value, bool):
        return None
    number: int | None = None
    if isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, str):
        found = _WHOLE.fullmatch(value)
        number = int(found[1]) if found is not None else None
    elif isinstance(value, int):
        number = value
    return number if number is not None and abs(number) <= LARGEST else None


def uid_of(value: Any) -> int | None:
    """A request's number (milliseconds since 1970), or None for what is none."""
    number = whole(value)
    return number if number is not None and number > 0 else None
