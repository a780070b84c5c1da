"""Settings: what is read, what is refused, and what never shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.errors import SetupError
from bot.settings import ANONYMOUS_KEY, DEFAULT_MEDIA_HOSTS, Settings, load_settings

TOKEN = "MTE5.sandbox.not-a-real-token"


def problems_of(env: dict[str, str], *, need_token: bool = False) -> tuple[str, ...]:
    with pytest.raises(SetupError) as caught:
        load_settings(env, None, need_token=need_token)
    return caught.value.problems


def test_settings_without_environment_are_the_defaults() -> None:
    settings = load_settings({}, None)

    assert settings == Settings()
    assert settings.discord_api_url == "https://discord.com/api/v10"
    assert settings.horde_url == "https://aihorde.net/api/v2"
    assert settings.horde_is_anonymous
    assert settings.media_hosts == DEFAULT_MEDIA_HOSTS
    assert settings.database_url == "sqlite+aiosqlite:///data/muster.db"
    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 8080)


def test_settings_empty_value_means_unset() -> None:
    blank = dict.fromkeys((name.upper() for name in Settings.model_fields), "")

    assert load_settings(blank, None) == Settings()
    assert load_settings({"WEB_PORT": "  "}, None).web_port == 8080


def test_settings_ignore_the_process_environment_when_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "9999")

    assert load_settings({}, None).web_port == 8080
    assert load_settings(None, None).web_port == 9999


def test_settings_environment_wins_over_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("WEB_PORT=1111\nLOG_FORMAT=json\nSOMEBODY_ELSES=1\n")

    settings = load_settings({"WEB_PORT": "2222"}, file)

    assert (settings.web_port, settings.log_format) == (2222, "json")


def test_settings_file_that_is_not_text_is_a_setup_error(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"DISCORD_TOKEN=\xff\xfe\n")

    with pytest.raises(SetupError, match="UTF-8"):
        load_settings({}, file)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param('DISCORD_TOKEN="hush\nWEB_PORT=1\n', [1], id="quote-left-open"),
        pytest.param("# all mine\n\nhush hush\nWEB_PORT=1\n\nhush\n", [3, 6], id="no-settings-at-all"),
    ],
)
def test_settings_lines_that_cannot_be_read_are_told_by_number(text: str, lines: list[int], tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(text)

    with pytest.raises(SetupError) as caught:
        load_settings({}, file, need_token=True)

    assert [problem.partition(" cannot be read")[0] for problem in caught.value.problems] == [
        f"{file} line {line}" for line in lines
    ]
    assert "hush" not in str(caught.value)


def test_settings_public_url_without_tls_is_told_what_is_wrong_with_it() -> None:
    (problem,) = problems_of({"PUBLIC_URL": "HTTP://muster.example.org"})

    assert "begins with http:// and services need https" in problem


def test_settings_media_hosts_are_added_to_the_defaults() -> None:
    settings = load_settings({"MEDIA_HOSTS": " *.Store.example , http://127.0.0.1:9000/,cdn.discordapp.com,"}, None)

    assert settings.media_hosts == (*DEFAULT_MEDIA_HOSTS, "*.store.example", "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("http://host/path", id="path"),
        pytest.param("*", id="bare-star"),
        pytest.param("cdn.*.example", id="star-inside"),
        pytest.param("ftp://host", id="other-scheme"),
        pytest.param("user@host", id="user"),
        pytest.param("ho st", id="blank"),
    ],
)
def test_settings_media_host_that_means_nothing_is_refused_by_place(host: str) -> None:
    (problem,) = problems_of({"MEDIA_HOSTS": f"fine.example,{host}"})

    assert problem.startswith("MEDIA_HOSTS is not usable: entry 2:")
    assert host not in problem.removeprefix("MEDIA_HOSTS is not usable: entry 2:") or host == "*"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DISCORD_TOKEN", "Bot secretsecret", id="token-with-prefix"),
        pytest.param("DISCORD_API_URL", "discord.invalid/api", id="api-without-scheme"),
        pytest.param("DISCORD_GATEWAY_URL", "https://gateway.invalid", id="gateway-over-http"),
        pytest.param("HORDE_URL", "http://[half", id="broken-address"),
        pytest.param("HORDE_URL", "http://host:99999", id="port-out-of-range"),
        pytest.param("HORDE_API_KEY", "two words", id="key-with-blank"),
        pytest.param("HORDE_CLIENT_AGENT", "My-Project:v0.0.1:My-Contact", id="banned-agent"),
        pytest.param("HORDE_CLIENT_AGENT", "justaname", id="agent-without-parts"),
        pytest.param("DATABASE_URL", "mysql://u:hidden@h/db", id="other-database"),
        pytest.param("ARTIFACT_CAP_MB", "0", id="no-room"),
        pytest.param("WEB_HOST", "my host", id="host-with-blank"),
        pytest.param("WEB_HOST", "http://127.0.0.1", id="host-with-scheme"),
        pytest.param("WEB_HOST", "127.0.0.1:8081", id="host-with-port"),
        pytest.param("WEB_PORT", "eighty", id="port-in-words"),
        pytest.param("WEB_PORT", "65536", id="port-too-high"),
        pytest.param("PUBLIC_URL", "http://muster.example.org", id="public-without-tls"),
        pytest.param("PUBLIC_URL", "https://user@muster.example.org", id="public-with-a-user"),
        pytest.param("PUBLIC_URL", "https://muster.example.org/?a=b", id="public-with-a-query"),
        pytest.param("WEBHOOK_SECRET", "guessable", id="short-webhook-secret"),
        pytest.param("LOG_LEVEL", "chatty", id="unknown-level"),
        pytest.param("LOG_FORMAT", "yaml", id="unknown-format"),
    ],
)
def test_settings_wrong_value_is_named_and_not_repeated(name: str, value: str) -> None:
    (problem,) = problems_of({name: value})

    assert problem.startswith(f"{name} is not usable: ")
    assert len(problem) > len(f"{name} is not usable: ") + 10
    assert value not in problem.replace("WEB_PORT is not usable: give a port number from 1 to 65535, or 0 to", "")


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::", "fe80::1%eth0", "muster_web.internal"])
def test_settings_web_host_is_an_address_or_a_name(host: str) -> None:
    assert load_settings({"WEB_HOST": f" {host} "}, None).web_host == host


def test_settings_every_wrong_media_host_is_named() -> None:
    (problem,) = problems_of({"MEDIA_HOSTS": "http://,fine.example,*"})

    assert problem.startswith("MEDIA_HOSTS is not usable: entries 1, 3: give ")


def test_settings_client_agent_comes_with_an_example_that_works() -> None:
    (problem,) = problems_of({"HORDE_CLIENT_AGENT": "justaname"})
    example = problem.partition("for example ")[2].split()[0]

    assert load_settings({"HORDE_CLIENT_AGENT": example}, None).horde_client_agent == example


def test_settings_every_problem_is_reported_at_once() -> None:
    problems = problems_of({"WEB_PORT": "x", "LOG_LEVEL": "y", "HORDE_URL": "z"}, need_token=True)

    assert [problem.split()[0] for problem in problems] == ["DISCORD_TOKEN", "HORDE_URL", "WEB_PORT", "LOG_LEVEL"]


def test_settings_error_does_not_carry_the_values_along() -> None:
    with pytest.raises(SetupError) as caught:
        load_settings({"WEB_PORT": "hush-hush"}, None)

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "hush-hush" not in str(caught.value)


def test_settings_token_is_needed_only_where_asked() -> None:
    assert problems_of({}, need_token=True)[0].startswith("DISCORD_TOKEN is not set")
    assert load_settings({"DISCORD_TOKEN": TOKEN}, None, need_token=True).discord_token.get_secret_value() == TOKEN


def test_settings_words_are_taken_in_any_case() -> None:
    settings = load_settings({"log_level": "debug", "LOG_FORMAT": "JSON"}, None)

    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")


def test_settings_addresses_lose_their_last_slash() -> None:
    settings = load_settings({"HORDE_URL": "http://127.0.0.1:7001/api/v2/"}, None)

    assert settings.horde_url == "http://127.0.0.1:7001/api/v2"


def test_settings_never_show_secrets() -> None:
    settings = load_settings({"DISCORD_TOKEN": TOKEN, "HORDE_API_KEY": "abcdefghijklmnopqrstuv"}, None)

    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump()}"
    assert "abcdefghijklmnopqrstuv" not in f"{settings!r} {settings}"
    assert settings.secrets() == (TOKEN, "abcdefghijklmnopqrstuv")


def test_settings_password_of_a_database_server_is_a_secret() -> None:
    settings = load_settings({"DATABASE_URL": "postgresql+asyncpg://muster:hidden@db.example/muster"}, None)

    assert settings.secrets() == ("hidden",)
    assert "hidden" not in repr(settings)


def test_settings_anonymous_key_is_no_secret() -> None:
    assert Settings(horde_api_key=SecretStr(ANONYMOUS_KEY)).secrets() == ()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().web_port = 1  # type: ignore[misc]


def test_settings_cap_is_told_in_bytes() -> None:
    assert Settings(artifact_cap_mb=3).artifact_cap_bytes == 3 * 1024 * 1024


def test_settings_templates_are_pairs_of_model_and_template() -> None:
    settings = load_settings({"TEXT_TEMPLATES": "Cydonia-24B-v4.3 = metharme, a=b=chatml", "TEXT_MODELS": "A, B"}, None)
    assert settings.template_overrides == {"Cydonia-24B-v4.3": "metharme", "a=b": "chatml"}
    assert settings.text_models == ("A", "B")
    (problem,) = problems_of({"TEXT_TEMPLATES": "fine=chatml, nothing, =x, y="})
    assert problem.startswith("TEXT_TEMPLATES is not usable: entries 2, 3, 4: give MODEL=TEMPLATE")
