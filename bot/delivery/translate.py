"""Discord's refusals, in our words. Sources: Discord's JSON error code table; discord.py 2.7.1's behaviour as tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.errors import DeliveryError, ReplyClosed, ReplyLost

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = 10003, 10008, 10015, 10062
ALREADY_ACKNOWLEDGED, MISSING_ACCESS, MISSING_PERMISSIONS, INVALID_TOKEN = 40060, 50001, 50013, 50027
ARCHIVED_THREAD, TOO_LARGE = 50083, 40005

_LOST = {UNKNOWN_CHANNEL: "channel deleted", UNKNOWN_MESSAGE: "message deleted", MISSING_ACCESS: "channel closed to me"}
_CLOSED = {UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN}


class TooLarge(DeliveryError):
    """Discord found the files too large."""


class Refused(DeliveryError):
    """Discord will not take this message however often it is sent."""


@contextmanager
def discord_errors() -> Iterator[None]:
    """Translate what discord.py and the network raise into the `DeliveryError` tree."""
    try:
        yield
    except discord.HTTPException as error:
        raise _judge(error) from error
    except (aiohttp.ClientError, OSError, TimeoutError, discord.RateLimited) as error:
        raise DeliveryError(f"no answer: {type(error).__name__}") from error


def _judge(error: discord.HTTPException) -> DeliveryError:
    said = f"{error.status} {error.code}"
    if error.code in _LOST:
        return ReplyLost(_LOST[error.code])
    if error.code in _CLOSED or error.status == 401:
        return ReplyClosed(said)
    if error.code == TOO_LARGE or error.status == 413:
        return TooLarge(said)
    if error.status == 429 or error.status >= 500:
        return DeliveryError(said)
    if error.status == 404:
        return ReplyLost(said)
    return Refused(said)
