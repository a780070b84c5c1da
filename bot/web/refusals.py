"""What a call is refused with."""

from __future__ import annotations

from bot.errors import BotError


class Refused(BotError):
    """The call is not acknowledged: an HTTP status, and words for whoever runs the service that called.

    It never leaves `bot/web`: the listener turns it into an answer.
    """

    def __init__(self, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


def too_large(limit: int) -> Refused:
    """A call of more than `limit` bytes."""
    return Refused(f"more than {limit} bytes", status=413)
