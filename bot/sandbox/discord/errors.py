"""What can go wrong: Discord's own refusals of requests, and things that Discord's client does not let people do."""

from __future__ import annotations

from enum import Enum
from typing import Any


class ActRefusedError(ValueError):
    """A person tried what Discord's client would not let them do; the text says what."""


class ApiError(Exception):
    """A request that Discord refuses, with its status, code and sentence (Discord docs, "Opcodes and Status Codes")."""

    def __init__(self, status: int, code: int, message: str, *, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        #: Seconds, for the answers that name a time to wait (429).
        self.retry_after: float | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body that Discord sends with this refusal."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body


class Refusal(Enum):
    """The refusals that the simulator knows: status, code, sentence."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    NOT_FOUND = (404, 0, "404: Not Found")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    UNKNOWN_COMMAND = (404, 10063, "Unknown application command")
    TOO_MANY_CREATES = (400, 30034, "Max number of daily application command creates has been reached (200)")
    OLD_MESSAGE_EDITS = (429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later.")
    TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ANSWERED = (400, 40060, "Interaction has already been acknowledged.")
    TOO_MANY_FOLLOWUPS = (400, 40094, "This interaction has reached the maximum number of follow-up messages")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_IN_A_DM = (403, 50003, "Cannot execute action on this channel type")
    NOT_THE_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    DM_CLOSED = (403, 50007, "Cannot send messages to this user")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    DEAD_TOKEN = (401, 50027, "Invalid Webhook Token")
    ARCHIVED = (400, 50083, "Thread is archived")
    BAD_JSON = (400, 50109, "The request body contains invalid JSON.")
    NO_HISTORY = (403, 160002, "Cannot reply without permission to read message history")
    LOCKED = (403, 160005, "Thread is locked")

    def error(self) -> ApiError:
        """Make the exception of this refusal."""
        status, code, message = self.value
        return ApiError(status, code, message)


class FormErrors:
    """Gathers what is wrong with a body, in Discord's nested shape, and refuses it as a whole (400, 50035)."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._tree: dict[str, Any] = {}

    def add(self, path: str, code: str, message: str) -> None:
        """Note one fault; `path` is dotted ("embeds.0.title"), an empty one means the body itself."""
        node = self._tree
        for part in filter(None, f"{self._prefix}.{path}".split(".")):
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: str) -> None:
        """Note that a field is missing."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def choices(self, path: str, allowed: str) -> None:
        """Note that a value is not one of the allowed ones."""
        self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{allowed}}}.")

    def length(self, path: str, text: Any, low: int, high: int) -> None:
        """Check a string or a list against its bounds; a missing one counts as empty."""
        size = len(text.strip() if isinstance(text, str) else text or ())
        if size > high and low <= 0:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        elif not size and low > 0 and isinstance(text, str | None):
            self.required(path)
        elif not low <= size <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def text(self, path: str, value: Any) -> bool:
        """Check that a value is a string (or absent); say whether it may be looked at further."""
        if value is None or isinstance(value, str):
            return True
        self.add(path, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
        return False

    def raise_if_any(self) -> None:
        """Raise `ApiError` (400, 50035) if anything was noted."""
        if self._tree:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self._tree)


def form_error(path: str, code: str, message: str) -> ApiError:
    """Make the refusal of a body that has one fault."""
    errors = FormErrors()
    errors.add(path, code, message)
    try:
        errors.raise_if_any()
    except ApiError as error:
        return error
    raise AssertionError(path)
