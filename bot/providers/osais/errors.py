"""Refusals and troubles of OSAIS in our own tree, with sentences that name OSAIS.

OSAIS decides by `data`, not by the status: an answer whose `data` is null is a refusal, whatever its status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.errors import (
    Busy,
    ProtocolError,
    ProviderError,
    Rejected,
    RemoteGone,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.http import Answer, retry_after_of

#: Most of its own words that are kept of a refusal.
MAX_SAID = 200

UNAVAILABLE = "OSAIS isn't answering right now. Your place is kept; I'll go on once it is back."
LOGIN_SILENT = "OSAIS isn't letting me log in right now. Your place is kept; I'll go on once it does."
UNAUTHORIZED = "OSAIS doesn't accept this bot's token and secret. Please tell whoever runs the bot."
GONE = "OSAIS no longer knows this request. Please try again."
UNCERTAIN = (
    "The connection broke just as I was handing this to OSAIS, so I can't tell whether it arrived, and OSAIS has no "
    "way to look it up. I haven't sent it a second time, for each request is charged; press **Try again** if you'd "
    "like me to."
)
REFUSED = "OSAIS refused this request. Please change it and try again."
SAME_NUMBER = (
    "OSAIS gave this request the number of another one, so their files can't be told apart. "
    "I let go of it rather than mix them up. Please try again."
)
NONSENSE = "OSAIS gave an answer I can't use. Please try again in a moment."

_SENTENCES: Mapping[type[ProviderError], str] = {
    Unavailable: UNAVAILABLE,
    Busy: "OSAIS is taking no more requests from me this moment. Yours is kept here and goes in as soon as it can.",
    SubmissionUncertain: UNCERTAIN,
    ProtocolError: NONSENSE,
}


@contextmanager
def told_of_osais() -> Iterator[None]:
    """Have what goes wrong inside speak of OSAIS: the sentences of the shared HTTP client speak of the Horde."""
    try:
        yield
    except ProviderError as error:
        error.user_message = _SENTENCES.get(type(error), NONSENSE)
        raise


def said_by(answer: Answer) -> str:
    """The service's own words for why it refused, cut short; a stranger's text. Empty where it gave none."""
    body = answer.data if isinstance(answer.data, dict) else {}
    said = body.get("message") or body.get("statusText") or ""
    return str(said)[:MAX_SAID] if isinstance(said, str) else ""


def refusal_of(answer: Answer) -> ProviderError:
    """The error an answer without `data` stands for."""
    said = said_by(answer) or f"HTTP {answer.status} without a word"
    if answer.status in {401, 403}:
        return Unauthorized(said, user_message=UNAUTHORIZED)
    if answer.status == 429:
        return Busy(said, retry_after=retry_after_of(answer.headers, default=10.0), user_message=_SENTENCES[Busy])
    return Rejected(said, code=said_by(answer), user_message=REFUSED)


def gone(detail: str) -> RemoteGone:
    """The request is not ours, or not known."""
    return RemoteGone(detail, user_message=GONE)
