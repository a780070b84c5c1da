"""What people choose for themselves."""

from __future__ import annotations

from enum import StrEnum


class Notify(StrEnum):
    """How somebody wants to be told that an answer came late; edits of a message never notify."""

    OFF = "off"
    #: By a direct message.
    DM = "dm"
    #: By a message in the same channel that mentions them; by a direct one where that would show something private.
    PING = "ping"
