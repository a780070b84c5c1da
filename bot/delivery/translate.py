"""Discord's refusals, in our words. Sources: Discord's JSON error code table; discord.py 2.7.1's behaviour as tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

import aiohttp
import discord

from bot.errors import DeliveryError, ReplyClosed, ReplyLost

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = 10003, 10008, 10015, 10062
TOO_LARGE, ALREADY_ACKNOWLEDGED, MISSING_ACCESS, INVALID_TOKEN = 40005, 40060, 50001, 50027
THREAD_ARCHIVED, OLD_MESSAGE_EDITS, NO_HISTORY = 50083, 30046, 160002

_LOST = {UNKNOWN_CHANNEL: "channel deleted", UNKNOWN_MESSAGE: "message deleted"}
_CLOSED = {UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN}


class TooLarge(DeliveryError):
    """Discord found the files too large."""


class NoAccess(ReplyLost):
    """The channel is closed to us; a message there may still be one that we can edit but not read."""


class AlreadyAnswered(DeliveryError):
    """The interaction has its answer already."""


class Refused(DeliveryError):
    """Discord will not take this message however often it is sent."""


class Frozen(Refused):
    """The message is there but can't be changed: its thread was archived."""


class NoHistory(Refused):
    """A message there may not refer to another: the bot may not read what was said."""


class NotSent(DeliveryError):
    """It surely did not arrive, but may when it is tried again."""


class TooOften(NotSent):
    """A message older than an hour was changed too often (Discord doesn't say how often that is)."""


@contextmanager
def discord_errors() -> Iterator[None]:
    """Translate what discord.py and the network raise into the `DeliveryError` tree."""
    try:
        yield
    except discord.HTTPException as error:
        raise _judge(error) from error
    except (aiohttp.ClientConnectorError, discord.RateLimited) as error:
        raise NotSent(f"not sent: {type(error).__name__}") from error
    # A body that breaks off in the middle is nonsense, and the library hands on what its parser says of it.
    except (aiohttp.ClientError, OSError, TimeoutError, JSONDecodeError, UnicodeError) as error:
        raise DeliveryError(f"no answer: {type(error).__name__}") from error


def _judge(error: discord.HTTPException) -> DeliveryError:
    said = f"{error.status} {error.code}"
    if error.code in _LOST:
        return ReplyLost(_LOST[error.code])
    if error.code == MISSING_ACCESS:
        return NoAccess("channel closed to me")
    if error.code in _CLOSED or (error.status == 401 and _is_discords(error)):
        return ReplyClosed(said)
    if error.code == NO_HISTORY:
        return NoHistory(said)
    if error.code == ALREADY_ACKNOWLEDGED:
        return AlreadyAnswered(said)
    if error.code == TOO_LARGE or error.status == 413:
        return TooLarge(said)
    if error.code == THREAD_ARCHIVED:
        return Frozen(said)
    if error.code == OLD_MESSAGE_EDITS:
        return TooOften(said)
    if error.status == 429:
        return NotSent(said)
    if error.status >= 500 or not _is_discords(error):
        return DeliveryError(said)
    if error.status == 404:
        return ReplyLost(said)
    return Refused(said)


def _is_discords(error: discord.HTTPException) -> bool:
    """Whether Discord itself said this: a page is that of a proxy on the way, and says nothing of a reply."""
    return error.code != 0 or "json" in error.response.headers.get("Content-Type", "")
