"""Log lines: key=value for people or JSON for machines, with secrets taken out of both.

Call as `log.info("job finished", extra={"action": "job.finished", "job_id": job.id})`: the sentence is for people,
`action` for machines. Redaction works on the finished line, so it covers tracebacks and other libraries' lines too.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from bot.settings import Settings

_HIDDEN: Final = "***"
#: What every record has; the rest came in through `extra`.
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
#: A value that needs no quotes in key=value.
_PLAIN: Final = re.compile(r"[^\s\"=\\]+")

#: What looks like a secret whoever it belongs to, and what is left of it.
_PATTERNS: Final = (
    # A bot token: the id in base64, a time, a signature.
    (re.compile(r"\b[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}"), _HIDDEN),
    # Interaction and webhook tokens in Discord's paths; they are passwords for fifteen minutes, webhooks' for ever.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?\"'\\<>]+"), rf"\1{_HIDDEN}"),
    # The unguessable parts of our own addresses: whoever has them can call us in a service's name.
    (re.compile(r"((?:\bcb|/hook/horde|/source)/)[^/\s?\"'\\<>]+"), rf"\1{_HIDDEN}"),
    # An interaction token by itself: "interaction:" in base64, or anything base64-like of such a length.
    (re.compile(r"\baW50ZXJhY3Rpb2[\w=+/-]{16,}"), _HIDDEN),
    (re.compile(r"(?<![\w+-])[\w+-]{100,}={0,2}"), _HIDDEN),
    # Keys in headers and JSON bodies, quoted or not.
    (
        re.compile(r"(?i)(\b(?:apikey|authorization)\b[\"'\\]*\s*[:=,]\s*[\"'\\]*(?:bot |bearer )?)[^\s\"'\\,;)}]+"),
        rf"\1{_HIDDEN}",
    ),
    # The query of a signed link (S3, Discord's CDN): whoever has it has the file.
    (
        re.compile(r"(?i)(https?://[^\s\"'\\<>?]+)\?[^\s\"'\\<>]*(?:signature|hm|token|key)=[^\s\"'\\<>]*"),
        rf"\1?{_HIDDEN}",
    ),
)

#: Other libraries' loggers and the level they never go below: at DEBUG they log whole payloads, prompts included.
_QUIET: Final = {
    "discord": logging.INFO,
    "discord.http": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "PIL": logging.WARNING,
    "sqlalchemy": logging.WARNING,
}


class Redactor:
    """Takes secrets out of text: the given ones, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first, so that a secret which contains another leaves no tail behind.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, left in _PATTERNS:
            text = pattern.sub(left, text)
        return text


class _Formatter(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def _fields(self, record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
        moment = datetime.fromtimestamp(record.created, UTC)
        yield "time", moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield "level", record.levelname.lower()
        yield "logger", record.name
        yield "message", record.getMessage()
        for name, value in record.__dict__.items():
            if name not in _STANDARD and not name.startswith("_"):
                yield name, value

    def _trace(self, record: logging.LogRecord) -> str:
        lines = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        return "\n".join(lines)


class TextFormatter(_Formatter):
    """`time=… level=… logger=… message="…" action=…`, a traceback on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of key=value, secrets taken out."""
        line = " ".join(f"{name}={_quoted(value)}" for name, value in self._fields(record))
        trace = self._trace(record)
        return self._redact(f"{line}\n{trace}" if trace else line)


class JsonFormatter(_Formatter):
    """One JSON object a line, a traceback in `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object, secrets taken out of every value."""
        fields: dict[str, Any] = {name: self._clean(value) for name, value in self._fields(record)}
        trace = self._trace(record)
        if trace:
            fields["exception"] = self._redact(trace)
        return json.dumps(fields, ensure_ascii=False)

    def _clean(self, value: Any) -> Any:
        return value if isinstance(value, bool | int | float | None) else self._redact(str(value))


def _quoted(value: Any) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


class _Handler(logging.StreamHandler[TextIO]):
    """Our own handler, told apart from those that tests and debuggers put beside it."""


def _wanted(record: logging.LogRecord) -> bool:
    """Drop discord.py's two warnings about voice, which Muster never uses."""
    return "voice will NOT be supported" not in record.getMessage()


def setup_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every logger's lines to `stream` (default: standard error) as the settings say; safe to call again."""
    redact = Redactor(settings.secrets())
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(redact) if settings.log_format == "json" else TextFormatter(redact))
    handler.addFilter(_wanted)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.log_level]
    root.setLevel(level)
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, floor))
