"""The operator's settings: one frozen value, read once by `__main__` and passed on by constructor.

Nothing here reads the environment at import, and `Settings(...)` itself never does: `load_settings` names its sources
(the environment, then the `.env` file) explicitly, so tests and child processes hand in a plain mapping. What each
setting is for stands in docs/settings.md; a test compares that page and `.env.example` with these fields.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot import __version__
from bot.env_file import names_in
from bot.errors import SetupError
from bot.media_hosts import HostEntry

#: The key that everybody may use, at the end of the queue.
ANONYMOUS_KEY: Final = "0000000000"
#: Where results and attachments come from unless the operator adds hosts: the public Horde's store, Discord's two.
DEFAULT_MEDIA_HOSTS: Final = ("*.r2.cloudflarestorage.com", "cdn.discordapp.com", "media.discordapp.net")
#: The public Horde's own list of image models.
IMAGE_REFERENCE_URL: Final = (
    "https://raw.githubusercontent.com/Haidra-Org/AI-Horde-image-model-reference/main/stable_diffusion.json"
)
#: The public Horde's own list of text models.
TEXT_REFERENCE_URL: Final = "https://raw.githubusercontent.com/Haidra-Org/AI-Horde-text-model-reference/main/db.json"
#: The example of the Horde's documentation; the server refuses it (403, `BannedClientAgent`).
_BANNED_AGENT: Final = "My-Project:v0.0.1:My-Contact"

#: Fewer characters could be guessed.
SHORTEST_SECRET: Final = 16
_NOT_PUBLIC: Final = (
    "give the https:// address under which services reach the bot, without ? or a user name, or leave it empty"
)
_NOT_SECURE: Final = f"it begins with http:// and services need https; {_NOT_PUBLIC}"

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")

#: What to do about a value whose type or range is wrong (pydantic's own sentences may repeat the value).
_FIXES: Final = {
    "artifact_cap_mb": "give a whole number of megabytes, at least 1",
    "message_content_intent": "give true or false",
    "chat_threads": "give true or false",
    "conversation_days": "give a whole number of days, at least 1",
    "jobs_per_person": "give a whole number of jobs, at least 1",
    "jobs_waiting_per_person": "give a whole number of jobs, 0 for none",
    "job_days": "give a whole number of days, at least 1",
    "web_port": "give a port number from 1 to 65535, or 0 to pick a free one",
    "log_level": "give one of DEBUG, INFO, WARNING, ERROR",
    "log_format": "give text or json",
}
_UNSET: Final = (
    "DISCORD_TOKEN is not set: create an application on https://discord.com/developers/applications, "
    "copy the token from its Bot page, and put it into .env"
)


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]*", text):
        raise ValueError("it holds blanks or characters that no key has; copy it again, alone on its line")
    return SecretStr(text)


def _http_url(value: str) -> str:
    return _url(value, {"http", "https"}, "give an address that starts with https:// (or http:// for a local server)")


def _gateway_url(value: str) -> str:
    return _url(value, {"ws", "wss"}, "give an address that starts with wss://, or leave it empty") if value else value


def _url(value: str, schemes: Iterable[str], fix: str) -> str:
    try:
        parts = urlsplit(value.strip())
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # urlsplit's own sentence repeats the value
        usable = False
    if not usable:
        raise ValueError(fix)
    return value.strip().rstrip("/")


def _client_agent(value: str) -> str:
    text = value.strip()
    if text == _BANNED_AGENT or not re.fullmatch(r"[ -~]+", text) or len(text.split(":", 2)) != 3:
        raise ValueError(
            "give NAME:VERSION:CONTACT in plain ASCII, for example muster:0.1.0:me@example.org "
            "(the example in the Horde's own documentation is refused)"
        )
    return text


def _web_host(value: str) -> str:
    text = value.strip()
    if not _HOST_NAME.fullmatch(text) and not _is_address(text):
        raise ValueError("give an address such as 127.0.0.1, 0.0.0.0 or ::1, or a host name, without a port")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _public_url(value: str) -> str:
    if value.strip().lower().startswith("http://"):
        raise ValueError(_NOT_SECURE)
    text = _url(value, {"https"}, _NOT_PUBLIC) if value.strip() else ""
    if not re.fullmatch(r"[!-~]*", text) or any(mark in text for mark in "?#@"):
        raise ValueError(_NOT_PUBLIC)
    return text


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"give at least {SHORTEST_SECRET} characters, for example what `openssl rand -hex 32` prints")
    return value


def _database_url(value: str) -> str:
    text = value.strip()
    if not re.fullmatch(r"sqlite(\+aiosqlite)?:///.+|postgres(ql)?(\+asyncpg)?://.+", text):
        raise ValueError(
            "give sqlite+aiosqlite:///PATH (four slashes for an absolute path), or postgresql+asyncpg://..."
        )
    return text


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _media_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [str(place) for place, host in enumerate(value, 1) if not _is_media_host(host)]
    if wrong:
        places = f"{'entry' if len(wrong) == 1 else 'entries'} {', '.join(wrong)}"
        raise ValueError(f"{places}: give host.example, *.host.example, or http://host:port, without a path")
    return tuple(dict.fromkeys((*DEFAULT_MEDIA_HOSTS, *(host.lower().rstrip("/") for host in value))))


def _is_media_host(text: str) -> bool:
    if text.endswith(":"):  # a scheme or a port that somebody left out
        return False
    try:
        HostEntry.parse(text.lower())
    except ValueError:
        return False
    return True


def _assignments(value: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [str(place) for place, text in enumerate(value, 1) if not all(map(str.strip, _parted(text)))]
    if wrong:
        places = f"{'entry' if len(wrong) == 1 else 'entries'} {', '.join(wrong)}"
        raise ValueError(f"{places}: give MODEL=TEMPLATE, for example Cydonia-24B-v4.3=metharme")
    return value


def _parted(text: str) -> tuple[str, str]:
    model, _, template = text.rpartition("=")
    return model.strip(), template.strip()


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Secret = Annotated[SecretStr, AfterValidator(_secret)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


class Settings(BaseSettings):
    """What the operator decides; secrets are `SecretStr`, so `repr` never shows them."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=False)

    #: The bot's token. Empty: not set (`run` needs it, `check` and `sandbox` do not).
    discord_token: Secret = SecretStr("")
    #: Where Discord's REST API lies, with its version.
    discord_api_url: HttpUrl = "https://discord.com/api/v10"
    #: Where Discord's gateway lies; empty: discord.py's own.
    discord_gateway_url: Annotated[str, AfterValidator(_gateway_url)] = ""
    #: Whether to ask for the privileged message-content intent: pictures in everybody's messages can then be read.
    message_content_intent: bool = False
    #: Whether plain words in threads of `/chat` are answered; needs the message-content intent.
    chat_threads: bool = False
    #: How many days of conversations are remembered.
    conversation_days: Annotated[int, Field(ge=1)] = 30
    #: How many jobs one person may have in work at once; further ones wait for their turn.
    jobs_per_person: Annotated[int, Field(ge=1)] = 2
    #: How many more of one person's jobs may wait.
    jobs_waiting_per_person: Annotated[int, Field(ge=0)] = 8
    #: How many days jobs are kept that are done with; afterwards their buttons say that they are gone.
    job_days: Annotated[int, Field(ge=1)] = 30
    #: Where the AI Horde's API lies, with its version.
    horde_url: HttpUrl = "https://aihorde.net/api/v2"
    #: Whose kudos pay.
    horde_api_key: Secret = SecretStr(ANONYMOUS_KEY)
    #: How the bot introduces itself to the Horde: NAME:VERSION:CONTACT.
    horde_client_agent: Annotated[str, AfterValidator(_client_agent)] = f"muster:{__version__}:self-hosted"
    #: The list that says what each image model is; a compact copy inside Muster stands in when it is not reachable.
    horde_image_reference_url: HttpUrl = IMAGE_REFERENCE_URL
    #: The list that says what each text model is; a compact copy stands in likewise.
    horde_text_reference_url: HttpUrl = TEXT_REFERENCE_URL
    #: Text models to take when nobody chose one; the first that is served wins.
    text_models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    #: Which chat template a model reads, where the reference or its name mislead: MODEL=TEMPLATE.
    text_templates: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_assignments)] = ()
    #: A file of chat templates laid over the ones that ship; empty: none.
    text_templates_file: str = ""
    #: Words that answers of text models are shown without.
    blocked_words: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    #: Where OSAIS lies; its API begins below that.
    osais_url: HttpUrl = "https://opensourceais.com"
    #: The client token that the bot logs in at OSAIS with, and its secret; without both, OSAIS is not offered.
    osais_token: Secret = SecretStr("")
    osais_secret: Secret = SecretStr("")
    #: Where jobs are written down; not in `repr`, since a server's address may hold a password.
    database_url: Annotated[str, AfterValidator(_database_url), Field(repr=False)] = (
        "sqlite+aiosqlite:///data/muster.db"
    )
    #: Hosts that pictures may be fetched from: the defaults and, after them, those given.
    media_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_media_hosts)] = (
        DEFAULT_MEDIA_HOSTS
    )
    #: How many megabytes of results may lie in the database at once.
    artifact_cap_mb: Annotated[int, Field(ge=1)] = 2048
    #: The https address under which services reach the web server; empty: they cannot, and are asked for news instead.
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    #: What makes the addresses that services call unguessable; empty: made at the first start, and kept.
    webhook_secret: Annotated[Secret, AfterValidator(_long_enough)] = SecretStr("")
    #: The address that the web server listens on.
    web_host: Annotated[str, AfterValidator(_web_host)] = "127.0.0.1"
    #: Its port; 0 picks a free one.
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    #: The least important line that is logged.
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    #: `text` for people (key=value), `json` for machines: one object a line.
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = "text"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only: which environment is read is `load_settings`' business."""
        return (init_settings,)

    @property
    def artifact_cap_bytes(self) -> int:
        """The cap on kept results, in bytes."""
        return self.artifact_cap_mb * 1024 * 1024

    @property
    def template_overrides(self) -> Mapping[str, str]:
        """The operator's chat templates: the model's name to the template's."""
        return dict(map(_parted, self.text_templates))

    @property
    def horde_is_anonymous(self) -> bool:
        """Whether the key is the one that everybody shares."""
        return self.horde_api_key.get_secret_value() == ANONYMOUS_KEY

    @property
    def osais_offered(self) -> bool:
        """Whether there is what it takes to use OSAIS."""
        return bool(self.osais_token.get_secret_value() and self.osais_secret.get_secret_value())

    @property
    def osais_lacks(self) -> str:
        """The setting that OSAIS is not offered for want of, although the other of the two is there; else empty."""
        token, secret = self.osais_token.get_secret_value(), self.osais_secret.get_secret_value()
        return "" if bool(token) is bool(secret) else "OSAIS_SECRET" if token else "OSAIS_TOKEN"

    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be seen in a log line."""
        keys: tuple[str, ...] = (self.discord_token.get_secret_value(), self.horde_api_key.get_secret_value())
        keys += (self.osais_token.get_secret_value(), self.osais_secret.get_secret_value())
        held = (*keys, self.webhook_secret.get_secret_value(), _password(self.database_url))
        return tuple(value for value in held if value and value != ANONYMOUS_KEY)


class _MappingSource(EnvSettingsSource):
    """An environment handed in as a mapping; blank values count as unset."""

    def __init__(self, settings_cls: type[BaseSettings], env: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self.env_vars = {name.lower(): value for name, value in env.items() if value.strip()}


def load_settings(
    env: Mapping[str, str] | None = None, env_file: str | Path | None = ".env", *, need_token: bool = False
) -> Settings:
    """Read the settings from `env` (default: the process's environment), then from `env_file` where it exists.

    Raises `SetupError` that lists every problem with its fix and repeats none of the values. `need_token` makes a
    missing Discord token one of them.
    """
    found = _read_file(env_file) | _MappingSource(Settings, os.environ if env is None else env)()
    problems = [] if found.get("discord_token") or not need_token else [_UNSET]
    try:
        settings = Settings(**found)
    except ValidationError as error:
        problems += [_problem(line) for line in error.errors(include_url=False, include_input=False)]
        raise SetupError(problems) from None  # the ValidationError's own text shows the values
    if problems:
        raise SetupError(problems)
    return settings


def _read_file(env_file: str | Path | None) -> dict[str, Any]:
    if env_file is None:
        return {}
    names_in(env_file)  # before the library reads it: that skips a line it cannot read, and logs a riddle
    return DotEnvSettingsSource(Settings, env_file=Path(env_file), env_file_encoding="utf-8")()


def _problem(line: Mapping[str, Any]) -> str:
    """One validation error as "NAME is not usable: fix", from our own sentences only."""
    field = str(line["loc"][0])
    ours = line["type"] == "value_error"
    fix = str(line["ctx"]["error"]) if ours else _FIXES.get(field, "give a value as docs/settings.md describes it")
    return f"{field.upper()} is not usable: {fix}"
