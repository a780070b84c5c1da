"""How the simulated server says no: one exception that becomes one of the AI Horde's error shapes."""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA_MESSAGE = "Input payload validation failed"
UNREADABLE_MESSAGE = "The browser (or proxy) sent a request that this server could not understand."


class HordeError(Exception):
    """A refusal: HTTP status, English message, and either an `rc` (business rule) or an `errors` map (schema)."""

    def __init__(
        self, status: int, message: str, rc: str | None = None, *, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.rc = rc
        self.errors = errors

    def body(self) -> dict[str, object]:
        """The JSON body, with only the fields that this kind of refusal has."""
        body: dict[str, object] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = dict(self.errors)
        if self.rc is not None:
            body["rc"] = self.rc
        return body


def invalid_key() -> HordeError:
    """The 401 for a key nobody owns."""
    return HordeError(
        401,
        "No user matching sent API Key. Have you remembered to register at https://stablehorde.net/register ?",
        "InvalidAPIKey",
    )


def not_found(what: str, identity: str, rc: str) -> HordeError:
    """A 404 in the server's wording."""
    return HordeError(404, f"{what} with ID '{identity}' not found.", rc)


def unreadable_body() -> HordeError:
    """The 400 for a body that is not JSON: no `rc`, no `errors`."""
    return HordeError(400, UNREADABLE_MESSAGE)


def crash() -> HordeError:
    """The 500 of an unhandled exception; the real server has two known ones on odd input."""
    return HordeError(500, "Internal Server Error")
