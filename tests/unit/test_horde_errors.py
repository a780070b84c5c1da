from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
from bot.providers.horde.errors import DEFAULT_TIMEOUT, MAX_TIMEOUT, error_of

RECORDINGS = Path(__file__).parents[1] / "data" / "horde"


def recorded(case: str) -> Answer:
    """A recorded answer as the HTTP client hands it on."""
    response = json.loads((RECORDINGS / f"{case}.json").read_text())["response"]
    body = response["body"]
    return Answer(status=response["status"], data=None if isinstance(body, str) or "_not_json" in body else body)


REFUSALS = [
    pytest.param(file.stem, id=file.stem)
    for file in sorted(RECORDINGS.glob("*.json"))
    if 400 <= json.loads(file.read_text())["response"]["status"] < 500
]


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("image-async-error-bad-apikey", Unauthorized),
        ("find-user-error-bad-apikey", Unauthorized),
        ("image-async-error-corrupt-prompt", ContentRefused),
        ("image-async-error-kudos-upfront-anon", KudosNeeded),
        ("image-async-error-shared-key-empty", KudosNeeded),
        ("image-async-error-maintenance", Maintenance),
        ("image-async-error-timeout-ip", Paused),
        ("image-async-error-too-many-prompts", Busy),
        ("image-async-error-two-schema-errors", Rejected),
        ("image-async-error-broken-json", Rejected),
        ("image-async-error-style-unknown", Rejected),
        ("image-check-after-expiry", RemoteGone),
        ("image-status-error-not-a-uuid", RemoteGone),
    ],
)
def test_recorded_refusal_becomes_its_error(case: str, kind: type[ProviderError]) -> None:
    assert type(error_of(recorded(case))) is kind


@pytest.mark.parametrize("case", REFUSALS)
def test_nothing_of_the_services_wording_is_repeated(case: str) -> None:
    answer = recorded(case)
    error = error_of(answer)
    body = answer.data if isinstance(answer.data, dict) else {}
    message = str(body.get("message", "-"))
    assert message not in error.user_message + error.detail
    assert "not-a-real-key" not in error.user_message + error.detail
    assert error.user_message.endswith((".", "?"))
    if isinstance(error, Rejected):
        assert error.code


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        pytest.param("... timeout for 179 more seconds. ...", 179, id="told"),
        pytest.param("... timeout.", DEFAULT_TIMEOUT, id="not-told"),
        pytest.param("... for 345000 more seconds", MAX_TIMEOUT, id="days"),
    ],
)
def test_timeout_of_the_address_lasts_as_told(message: str, seconds: float) -> None:
    error = error_of(Answer(status=403, data={"rc": "TimeoutIP", "message": message}))
    assert isinstance(error, Paused)
    assert error.retry_after == seconds


def test_price_is_named_if_it_can_be_read() -> None:
    assert "46 kudos" in error_of(recorded("image-async-error-kudos-upfront-anon")).user_message
    changed = Answer(status=403, data={"rc": "KudosUpfront", "message": "Pay!"})
    assert error_of(changed).user_message == KudosNeeded.default_user_message


@pytest.mark.parametrize("code", ["InvalidExtraTexts.", "ControlNetMismatch.", "SomethingNew"])
def test_code_survives_without_its_dot(code: str) -> None:
    error = error_of(Answer(status=400, data={"rc": code, "message": "Sod off!"}))
    assert isinstance(error, Rejected)
    assert error.code == code.rstrip(".")
    assert "Sod" not in error.user_message


def test_web_page_instead_of_an_answer_is_not_taken_for_a_lost_request() -> None:
    assert isinstance(error_of(Answer(status=404)), ProtocolError)


@pytest.mark.parametrize("data", [None, [], "x", {"rc": 7}, {"rc": None, "errors": []}, {"errors": {"a": {"b": 1}}}])
@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 405, 410, 418, 423])
def test_translation_is_total(status: int, data: Any) -> None:
    assert error_of(Answer(status=status, data=data)).user_message
