"""What a scripted fault is, and how one is read from a control request."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bot.sandbox import control
from bot.sandbox.control import Service

_Enum = TypeVar("_Enum", bound=StrEnum)


class FaultAction(StrEnum):
    """What becomes of a request that meets a fault."""

    #: Answer with `status`, `headers` and `body`; the service never hears of the request.
    RESPOND = "respond"
    #: Cut the connection; the service never hears of the request.
    RESET = "reset"
    #: Let the service do it, then cut the connection before it can say so.
    RESET_AFTER = "reset_after"
    #: Let the service do it and cut the connection after half of the answer.
    TRUNCATE = "truncate"
    #: Answer 200 with bytes that are not what the content type says.
    GARBAGE = "garbage"
    #: Never answer.
    HANG = "hang"
    #: Do nothing, but answer as if it had been done: with what a GET at the same address answers.
    SWALLOW = "swallow"
    #: Let the service answer as ever; with a `delay` it is only late.
    PASS = "pass"  # noqa: S105 - a word, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a `respond` fault answers; its headers hold the exact Content-Type."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault as it was scripted."""

    service: Service
    action: FaultAction
    #: Upper case; None matches every method.
    method: str | None
    #: Searched for in the path; None matches every path.
    path: re.Pattern[str] | None
    #: Searched for in the request's JSON (of a multipart request its `payload_json`), written compactly, not escaped.
    body_matches: re.Pattern[str] | None
    #: How many requests it meets; None is all of them.
    times: int | None
    #: World seconds before the action.
    delay: float
    answer: Answer

    def to_dict(self) -> dict[str, object]:
        """Return the fault as the control API shows it."""
        return {
            "service": self.service.value,
            "action": self.action.value,
            "method": self.method,
            "path": self.path.pattern if self.path else None,
            "body_matches": self.body_matches.pattern if self.body_matches else None,
            "times": self.times,
            "delay": self.delay,
            "status": self.answer.status,
        }


_FIELDS = frozenset(
    {
        "service", "action", "method", "path", "body_matches", "times", "delay", "status", "headers", "body",
        "body_base64",
    }
)  # fmt: skip


def fault_from(body: Mapping[str, object]) -> Fault:
    """Read a fault from a control request; answers 400 with the reason if it is none."""
    if unknown := sorted(body.keys() - _FIELDS):
        control.refuse(f"unknown: {', '.join(unknown)}; a fault has {', '.join(sorted(_FIELDS))}")
    service = _choice(Service, body, "service", default=None)
    method = control.text(body, "method")
    return Fault(
        service=service,
        action=_choice(FaultAction, body, "action", default=FaultAction.RESPOND),
        method=method.upper() if method else None,
        path=_pattern(body, "path"),
        body_matches=_pattern(body, "body_matches"),
        times=_times(body),
        delay=max(0.0, control.number(body, "delay") or 0.0),
        answer=_answer(service, body),
    )


def content_type_of(service: Service) -> str:
    """Name the content type a service answers with: Discord's has no charset, and clients look at it exactly."""
    match service:
        case Service.DISCORD | Service.GATEWAY:
            return "application/json"
        case Service.HORDE | Service.OSAIS:
            return "application/json; charset=utf-8"
        case Service.MEDIA:
            return "image/webp"


def _answer(service: Service, body: Mapping[str, object]) -> Answer:
    status = int(control.number(body, "status") or 503)
    if not 200 <= status <= 599:
        control.refuse("status has to lie between 200 and 599")
    given = _headers(body)
    content, content_type = _content(service, status, body, given)
    headers = {"Content-Type": content_type, **_usual_headers(service, status), **given}
    return Answer(status=status, headers=headers, body=content)


def _content(
    service: Service, status: int, body: Mapping[str, object], headers: Mapping[str, str]
) -> tuple[bytes, str]:
    """Return the answer's bytes and type: the scripted ones, or what such a service says with such a status."""
    if (encoded := control.text(body, "body_base64")) is not None:
        try:
            return base64.b64decode(encoded, validate=True), content_type_of(service)
        except ValueError:
            control.refuse("body_base64 is not base64")
    scripted = body.get("body")
    if isinstance(scripted, str):
        return scripted.encode(), content_type_of(service)
    if scripted is not None:
        return json.dumps(scripted).encode(), content_type_of(service)
    if service is Service.MEDIA or status in {502, 503, 504}:
        # These come from what stands in front of a service, and that does not speak JSON.
        return f"<html><body><h1>{status}</h1></body></html>".encode(), "text/html"
    return json.dumps(_usual_body(service, status, headers)).encode(), content_type_of(service)


def _usual_body(service: Service, status: int, headers: Mapping[str, str]) -> dict[str, object]:
    if service is Service.HORDE:
        return {"message": "2 per 1 second" if status == 429 else f"scripted fault {status}"}
    if service is Service.OSAIS:
        return {"data": None, "status": status, "message": f"scripted fault {status}"}
    if status == 429:
        retry_after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
        return {"message": "You are being rate limited.", "retry_after": float(retry_after), "global": False}
    return {"message": f"{status}: scripted fault", "code": 0}


def _usual_headers(service: Service, status: int) -> dict[str, str]:
    if status != 429:
        return {}
    if service in {Service.HORDE, Service.OSAIS}:
        return {"Retry-After": "1"}
    # Without Via, discord.py takes a 429 for a ban by Cloudflare and gives up.
    return {"Retry-After": "1", "Via": "1.1 google", "X-RateLimit-Scope": "user"}


def _headers(body: Mapping[str, object]) -> dict[str, str]:
    headers = body.get("headers") or {}
    if not isinstance(headers, dict):
        control.refuse("headers has to be an object")
    return {str(name): str(value) for name, value in headers.items()}


def _times(body: Mapping[str, object]) -> int | None:
    if "times" in body and body["times"] is None:
        return None
    times = control.number(body, "times")
    if times is not None and times < 1:
        control.refuse("times has to be 1 or more, or null for every request")
    return 1 if times is None else int(times)


def _pattern(body: Mapping[str, object], key: str) -> re.Pattern[str] | None:
    pattern = control.text(body, key)
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        control.refuse(f"{key} is not a regular expression: {error}")


def _choice(kind: type[_Enum], body: Mapping[str, object], key: str, *, default: _Enum | None) -> _Enum:
    value = body.get(key, default)
    try:
        return kind(str(value))
    except ValueError:
        control.refuse(f"{key} has to be one of {', '.join(kind)}")
