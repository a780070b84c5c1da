"""The HTTP statuses that no source states: one table, to be corrected by whoever tries the live service.

What the documentation does state (the four login answers, 400 without a client token, 403 for somebody else's request)
stands where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Assumed(StrEnum):
    """An answer whose status is assumed."""

    ACCEPTED = "accepted"
    PATCHED = "patched"
    CHECKED = "checked"
    CONFIG = "config"
    NO_BEARER = "no-bearer"
    BAD_BEARER = "bad-bearer"
    BAD_BODY = "bad-body"
    BAD_PARAMETER = "bad-parameter"
    UNKNOWN_ENGINE = "unknown-engine"
    UNKNOWN_REQUEST = "unknown-request"
    INNER_ERROR = "inner-error"


#: The statuses a new simulator answers with; `OsaisSim.set_status` changes one.
STATUSES: Mapping[Assumed, int] = {
    Assumed.ACCEPTED: 201,  # what the author's route helper answers to every POST
    Assumed.PATCHED: 200,
    Assumed.CHECKED: 200,
    Assumed.CONFIG: 200,
    Assumed.NO_BEARER: 401,
    Assumed.BAD_BEARER: 401,  # or 403
    Assumed.BAD_BODY: 400,
    Assumed.BAD_PARAMETER: 400,
    Assumed.UNKNOWN_ENGINE: 404,
    Assumed.UNKNOWN_REQUEST: 404,
    Assumed.INNER_ERROR: 500,
}
