"""Gateway intents: what a client may ask to be told (Discord docs, "Gateway Intents")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

GUILDS: Final = 1 << 0
GUILD_MEMBERS: Final = 1 << 1
GUILD_PRESENCES: Final = 1 << 8
GUILD_MESSAGES: Final = 1 << 9
DIRECT_MESSAGES: Final = 1 << 12
MESSAGE_CONTENT: Final = 1 << 15

#: Intents that the application's owner has to switch on.
PRIVILEGED: Final = {"members": GUILD_MEMBERS, "presences": GUILD_PRESENCES, "message_content": MESSAGE_CONTENT}
PRIVILEGED_BITS: Final = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
#: Every bit that has a meaning; others close the connection with 4013.
KNOWN: Final = (1 << 26) - 1

_FLAGS: Final = {GUILD_PRESENCES: 1 << 13, GUILD_MEMBERS: 1 << 15, MESSAGE_CONTENT: 1 << 19}


def privileged_bits(names: Iterable[str]) -> int:
    """Add up privileged intents by name: members, presences, message_content (`ValueError` for others)."""
    names = list(names)
    if unknown := [name for name in names if name not in PRIVILEGED]:
        raise ValueError(f"Not a privileged intent: {unknown[0]!r}; they are {', '.join(PRIVILEGED)}.")
    return sum(PRIVILEGED[name] for name in names)


def application_flags(enabled: int) -> int:
    """Return the application flags of a small bot with these privileged intents."""
    return sum(flag for intent, flag in _FLAGS.items() if enabled & intent)
