"""Whether a callback was answered exactly as specified: `{"data": {"token", "uid"}}`, or the right refusal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.osais.plays import Expected
from bot.sandbox.outgoing import Answered

_NOT_FOUND = 404


class Verdict(StrEnum):
    """What to think of an answer."""

    ACKNOWLEDGED = "acknowledged"
    #: Refused, as it had to be.
    REFUSED = "refused"
    #: Not as specified.
    INVALID = "invalid"
    #: Nobody answered: the client is down, or the connection died.
    UNREACHED = "unreached"
    #: Lost on purpose, never sent.
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One call and what came of it."""

    uid: int
    #: `notify 2`, or `upload <name>`.
    what: str
    url: str
    verdict: Verdict
    #: What is wrong, in words; empty when nothing is.
    problem: str = ""
    status: int | None = None
    #: World time, in seconds since the world began.
    at: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """The delivery as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


def judge(answered: Answered, expected: Expected, *, token: str, uid: object) -> tuple[Verdict, str]:
    """Compare an answer with what has to come; `token` is what an acknowledgement has to say, `uid` what was sent."""
    if answered.status is None:
        return Verdict.UNREACHED, answered.error
    if expected.acknowledged:
        problem = _acknowledgement_problem(answered, token, uid)
        return (Verdict.INVALID, problem) if problem else (Verdict.ACKNOWLEDGED, "")
    problem = _refusal_problem(answered, expected)
    return (Verdict.INVALID, problem) if problem else (Verdict.REFUSED, "")


def _acknowledgement_problem(answered: Answered, token: str, uid: object) -> str:
    body = answered.json()
    if answered.status not in {200, 201}:
        return f"status {answered.status} instead of 200 or 201: {_shortened(answered)}"
    if answered.content_type != "application/json":
        return f"content type {answered.content_type or 'missing'} instead of application/json"
    if not isinstance(body, dict) or set(body) != {"data"} or not isinstance(body["data"], dict):
        return f'not {{"data": {{"token": ..., "uid": ...}}}}: {_shortened(answered)}'
    data = body["data"]
    if set(data) != {"token", "uid"}:
        return f"data has {sorted(data)} instead of token and uid"
    if data["token"] != token:
        return "the token is not the one that was sent"
    if type(data["uid"]) is not int or data["uid"] != uid:
        return f"the uid is {data['uid']!r} instead of the number {uid}"
    return ""


def _refusal_problem(answered: Answered, expected: Expected) -> str:
    if answered.status not in expected.refusals:
        wanted = " or ".join(str(status) for status in sorted(expected.refusals))
        return f"status {answered.status} instead of {wanted}: {_shortened(answered)}"
    body = answered.json()
    if answered.status == _NOT_FOUND:
        # An unknown path is answered as unknown paths are; it only must not look like an acknowledgement.
        return "a 404 with data" if isinstance(body, dict) and body.get("data") is not None else ""
    if not isinstance(body, dict) or body.get("data", 0) is not None:
        return f"a refusal without data: null: {_shortened(answered)}"
    if body.get("status") != answered.status or not isinstance(body.get("message"), str):
        return f"a refusal without its status and message: {_shortened(answered)}"
    return ""


def _shortened(answered: Answered) -> str:
    return answered.body[:200].decode(errors="replace")
