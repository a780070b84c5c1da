"""The Horde's three error shapes (server 5.1.5), told in our own tree and our own words.

Its texts are informal, sometimes rude, and once repeat the key that was sent: none reaches a `user_message`, and none
is kept in `detail` either, which may be logged.
"""

from __future__ import annotations

import re
from typing import Any

from bot.errors import (
    Busy,
    ContentRefused,
    KudosNeeded,
    Maintenance,
    Paused,
    ProtocolError,
    ProviderError,
    Rejected,
    RemoteGone,
    Unauthorized,
)
from bot.http import Answer

#: Seconds a timeout of our address is taken to last when it does not say; the first one lasts three minutes.
DEFAULT_TIMEOUT = 300.0
#: Longest it is believed to last: it may be lifted, and one refused request an hour does no harm.
MAX_TIMEOUT = 3600.0
#: Seconds between tries while the account has too many pictures waiting.
TOO_MANY_PAUSE = 10.0

_MORE_SECONDS = re.compile(r"for (\d{1,9}) more seconds")
_PRICE = re.compile(r"requires (\d{1,9}(?:\.\d{1,4})?) kudos")

_OPERATOR = "Please tell whoever runs the bot."
_OPTIONS = "Please change that and try again."

#: What to say for refusals for good, by code (a trailing dot stripped: some codes arrive with one).
_REFUSALS: dict[str, str] = {
    "MissingPrompt": "The prompt is empty. Tell me what to paint, for example `a lighthouse`.",
    "InvalidPromptSize": "The prompt is too long for the AI Horde. Please shorten it and try again.",
    "InvalidSize": f"The AI Horde doesn't paint that size. {_OPTIONS}",
    "TooManySteps": "That is more steps than the AI Horde takes. Please use fewer and try again.",
    "UnsupportedSampler": f"The AI Horde doesn't know that sampler. {_OPTIONS}",
    "UnsupportedModel": "That model can't do what was asked. Please choose another one and try again.",
    "BadCFGDecimals": "`guidance` takes at most two decimals. Please round it and try again.",
    "BadCFGNumber": "`guidance` has to be a number. Please change it and try again.",
    "TooManyLoras": "That is more LoRAs than the AI Horde takes. Please use fewer and try again.",
    "TooManyTIs": "That is more embeddings than the AI Horde takes. Please use fewer and try again.",
    "BadLoraVersion": f"A LoRA version has to be a number. {_OPTIONS}",
    "TooManyUpscalers": "Only one upscaler can be used at a time. Please leave the others out and try again.",
    "HiResMismatch": "That model can't be combined with the hires fix. Please leave one out and try again.",
    "NulByteInPayload": "The prompt holds a character the AI Horde can't take. Please retype it and try again.",
    "RequiresTrust": f"The AI Horde allows that to trusted accounts only. {_OPTIONS}",
    "StyleNotFound": "The AI Horde doesn't know that style. Please choose another one and try again.",
    "WorkerNotFound": "The AI Horde doesn't know that worker. Please leave it out and try again.",
    "SourceImageRequiredForModel": "That model only works from a picture. Please attach one, or choose another model.",
    "SourceImageResolutionExceeded": "That picture has too many pixels for the AI Horde. Please use a smaller one.",
    "SourceImageSizeExceeded": "That picture is too large a file for the AI Horde. Please use a smaller one.",
    "BannedClientAgent": f"The AI Horde refuses this bot's client name. {_OPERATOR}",
    "Forbidden": f"The AI Horde doesn't allow this bot to do that. {_OPERATOR}",
    "AnonForbidden": f"The AI Horde doesn't allow that without an account of the bot's own. {_OPERATOR}",
    "SharedKeyAssignedStyles": f"The bot's shared key can only be used with its own styles. {_OPERATOR}",
}
#: Families of codes that share a sentence.
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("SourceImage", "The AI Horde can't use that source picture. Please try another file (PNG, JPEG, or WebP)."),
    ("SourceMask", f"A mask needs a source picture. {_OPTIONS}"),
    ("ImageValidation", "The AI Horde can't read that source picture. Please try another file (PNG, JPEG, or WebP)."),
    ("Inpainting", f"Painting inside a picture needs a mask or a transparent area. {_OPTIONS}"),
    ("ControlNet", f"That control can't be combined with this model or picture. {_OPTIONS}"),
    ("InvalidTransparency", f"A transparent background can't be combined with this model or picture. {_OPTIONS}"),
)
#: Codes about the key, not about the request.
_KEY_TROUBLE = frozenset({"InvalidAPIKey", "UserNotFound", "DeletedUser", "SharedKeyExpired"})
#: The key is fine, its purse is not.
_PURSE_EMPTY = frozenset({"SharedKeyEmpty", "SharedKeyInsufficientKudos"})
_PURSE_MESSAGE = f"The bot's key has too few kudos left for this. Please choose something smaller. {_OPERATOR}"


def error_of(answer: Answer) -> ProviderError:
    """Translate an answer that is not 2xx. Total: an unknown code survives in `Rejected.code`."""
    body: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
    code = str(body.get("rc") or "").rstrip(".")[:64]
    message = str(body.get("message") or "")
    if not code:
        return _without_code(answer.status, body)
    return _by_code(code, answer.status, message)


def _by_code(code: str, status: int, message: str) -> ProviderError:
    detail = f"HTTP {status} {code}"
    if code == "TimeoutIP":
        return Paused(detail, retry_after=_timeout_in(message))
    if code == "UntrustedUnsafeIP":
        return Paused(detail, retry_after=DEFAULT_TIMEOUT)
    if code == "MaintenanceMode":
        return Maintenance(detail)
    if code == "TooManyPrompts":
        return Busy(detail, retry_after=TOO_MANY_PAUSE)
    if code == "CorruptPrompt":
        return ContentRefused(detail, code=code)
    if code == "KudosUpfront":
        return KudosNeeded(detail, code=code, user_message=_price_sentence(message))
    if code in _PURSE_EMPTY:
        return KudosNeeded(detail, code=code, user_message=_PURSE_MESSAGE)
    if code in _KEY_TROUBLE:
        return Unauthorized(detail)
    if code in {"RequestNotFound", "RequestExpired"}:
        return RemoteGone(detail)
    return Rejected(detail, code=code, user_message=_sentence(code))


def _without_code(status: int, body: dict[str, Any]) -> ProviderError:
    errors = body.get("errors")
    if isinstance(errors, dict) and errors:
        fields = ", ".join(sorted(str(name)[:40] for name in errors)[:5])
        return Rejected(f"HTTP {status}: the schema refuses {fields}", code="schema")
    if status == 401:
        return Unauthorized(f"HTTP {status}")
    if status == 404 and not body:  # an HTML page: the address in the settings is wrong, not the request gone
        return ProtocolError("HTTP 404 without a code: is the address of the AI Horde right?", path="$")
    return Rejected(f"HTTP {status} without a code", code=f"http-{status}")


def _sentence(code: str) -> str | None:
    if code in _REFUSALS:
        return _REFUSALS[code]
    return next((sentence for prefix, sentence in _FAMILIES if code.startswith(prefix)), None)


def _timeout_in(message: str) -> float:
    found = _MORE_SECONDS.search(message)
    return min(max(float(found[1]), 1.0), MAX_TIMEOUT) if found else DEFAULT_TIMEOUT


def _price_sentence(message: str) -> str | None:
    """Name the price if the text still has its known form (there is no field for it)."""
    found = _PRICE.search(message)
    if not found:
        return None
    return (
        f"The AI Horde asks for {round(float(found[1]))} kudos in advance for a request this large. "
        "Please choose a smaller size, fewer steps, or fewer pictures."
    )
