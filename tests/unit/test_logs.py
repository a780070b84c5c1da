"""Log lines: their two forms, and what never stands in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from bot.logs import JsonFormatter, Redactor, TextFormatter, setup_logging
from bot.settings import Settings

# Made up, and put together here so that no scanner takes them for real ones.
BOT_TOKEN = ".".join(("MTE5NzQ4ODg4ODg4ODg4ODg4", "GaBcDe", "f" * 38))
INTERACTION_TOKEN = "aW50ZXJhY3Rpb246" + "MTIzNDU2Nzg5" * 12
HORDE_KEY = "abcdEFGH1234-_abcdEFGH"


@pytest.fixture
def _restored_loggers() -> Iterator[None]:
    """Put the root logger's handlers and every level back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    known = {
        name: each.level for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)
    }
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, each in logging.root.manager.loggerDict.items():
        if isinstance(each, logging.Logger):
            each.setLevel(known.get(name, logging.NOTSET))


def record(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("bot.tests", logging.INFO, __file__, 1, message, args, None)
    made.created = 1_795_262_400.5
    made.__dict__.update(extra)
    return made


def test_text_line_is_key_value() -> None:
    line = TextFormatter(Redactor()).format(record("job %s", "finished", action="job.finished", job_id="k7", took=1.5))

    assert line == (
        'time=2026-11-21T12:00:00.500Z level=info logger=bot.tests message="job finished" '
        "action=job.finished job_id=k7 took=1.5"
    )


def test_text_line_stays_one_line_whatever_is_in_it() -> None:
    line = TextFormatter(Redactor()).format(record("first\nsecond", note='say "hi"', empty=""))

    assert "\n" not in line
    assert r"first\nsecond" in line
    assert r'note="say \"hi\""' in line
    assert 'empty=""' in line


def test_json_line_keeps_numbers_and_names() -> None:
    fields = json.loads(JsonFormatter(Redactor()).format(record("höher", action="x", count=3, flag=True, none=None)))

    assert fields["message"] == "höher"
    assert (fields["action"], fields["count"], fields["flag"], fields["none"]) == ("x", 3, True, None)


@pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter], ids=["text", "json"])
def test_line_with_traceback_hides_secrets_in_it(formatter: type[TextFormatter | JsonFormatter]) -> None:
    made = record("failed")
    error = RuntimeError(f"key {HORDE_KEY} refused")
    made.exc_info = (type(error), error, None)

    line = formatter(Redactor([HORDE_KEY])).format(made)

    assert "RuntimeError" in line
    assert HORDE_KEY not in line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(f"login with {BOT_TOKEN} done", BOT_TOKEN, id="bot-token"),
        pytest.param(f"Authorization: Bot {BOT_TOKEN}", BOT_TOKEN, id="bot-header"),
        pytest.param("{'apikey': 'short-key', 'x': 1}", "short-key", id="apikey-in-dict"),
        pytest.param('{"apikey": "short-key"}', "short-key", id="apikey-in-json"),
        pytest.param("apikey=short-key", "short-key", id="apikey-assigned"),
        pytest.param("PATCH https://d.example/api/webhooks/12/toktok/messages/@original", "toktok", id="webhook"),
        pytest.param("POST /api/v10/interactions/99/tik.tok/callback", "tik.tok", id="interaction-path"),
        pytest.param(f"token={INTERACTION_TOKEN}", INTERACTION_TOKEN, id="interaction-token"),
        pytest.param("x" * 160, "x" * 160, id="anything-so-long"),
        pytest.param("GET https://a.r2.example/p.webp?X-Amz-Signature=s3cr3t&Expires=1", "s3cr3t", id="signed-s3"),
        pytest.param("https://cdn.example/a/b.png?ex=1&is=2&hm=abcdef", "abcdef", id="signed-cdn"),
    ],
)
def test_redactor_hides_what_looks_like_a_secret(text: str, secret: str) -> None:
    cleaned = Redactor()(text)

    assert secret not in cleaned
    assert "***" in cleaned


def test_redactor_hides_known_secrets_wherever_they_stand() -> None:
    assert Redactor([HORDE_KEY, "", HORDE_KEY[:12]])(f"a{HORDE_KEY}b {HORDE_KEY[:12]}") == "a***b ***"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("job finished action=job.finished job_id=k7m2p9 url=https://host.example/a?page=2", id="plain"),
        pytest.param("PATCH /channels/1234/messages/5678", id="channel-route"),
        pytest.param("9f0c3c64-6a5e-4f3a-9b7b-0e5f0a0d7f6e", id="request-id"),
        pytest.param("sha256=" + "0f" * 32, id="hash"),
    ],
)
def test_redactor_leaves_the_rest(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.usefixtures("_restored_loggers")
def test_setup_writes_each_line_once_even_when_called_twice() -> None:
    stream = io.StringIO()
    settings = Settings(log_format="json", horde_api_key=SecretStr(HORDE_KEY))

    setup_logging(settings, io.StringIO())
    setup_logging(settings, stream)
    logging.getLogger("bot.tests").info("with %s", HORDE_KEY, extra={"action": "tests.line"})

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "with ***"
    assert json.loads(line)["action"] == "tests.line"


@pytest.mark.usefixtures("_restored_loggers")
def test_setup_keeps_payloads_of_other_libraries_out_even_at_debug() -> None:
    stream = io.StringIO()

    setup_logging(Settings(log_level="DEBUG"), stream)
    logging.getLogger("discord.http").debug("payload with a prompt")
    logging.getLogger("discord.gateway").debug("event with a prompt")
    logging.getLogger("sqlalchemy.engine").info("parameters with a prompt")
    logging.getLogger("discord.client").warning("PyNaCl is not installed, voice will NOT be supported")
    logging.getLogger("discord.gateway").warning("rate limited")
    logging.getLogger("bot.tests").debug("ours")

    assert "prompt" not in stream.getvalue()
    assert "voice" not in stream.getvalue()
    assert "rate limited" in stream.getvalue()
    assert "ours" in stream.getvalue()
