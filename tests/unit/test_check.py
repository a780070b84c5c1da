"""`check` against small servers on loopback: one line each, a next step, and no secret ever."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.check import Finding, Verdict, invite_link, run_check
from bot.check.env_side import check_env_file, check_words
from bot.check.web_side import check_public
from bot.settings import Settings

TOKEN = "not-a-real-token"
KEY = "abcdEFGH1234-_abcdEFGH"


class Services:
    """Discord, the Horde and the reference as three or four canned answers, changeable by a test."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "/api/v10/users/@me": (200, {"id": "7", "username": "Muster"}),
            "/api/v10/oauth2/applications/@me": (200, {"id": "42", "flags": 0, "bot_public": True}),
            "/api/v2/status/heartbeat": (200, {"message": "OK", "version": "5"}),
            "/api/v2/find_user": (200, {"username": "painter#12", "kudos": 1234.6}),
            "/reference.json": (200, {"Some Model": {}, "Another": {}}),
            "/texts.json": (200, {"koboldcpp/Some-7B": {}}),
        }
        self.seen: dict[str, dict[str, str]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        self.seen[request.path] = dict(request.headers)
        status, body = self.answers.get(request.path, (404, {"message": "no such route"}))
        return web.json_response(body, status=status)


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
async def settings(services: Services, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings that point at `services` and at a data folder which is not there yet."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", services.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Settings(
        discord_token=SecretStr(TOKEN),
        discord_api_url=f"{url}/api/v10",
        horde_url=f"{url}/api/v2",
        horde_api_key=SecretStr(KEY),
        horde_image_reference_url=f"{url}/reference.json",
        horde_text_reference_url=f"{url}/texts.json",
        database_url=f"sqlite+aiosqlite:///{tmp_path}/data/muster.db",
        artifact_cap_mb=1,
        web_port=0,
    )
    await runner.cleanup()


async def check(settings: Settings) -> tuple[int, dict[str, str], str]:
    """The exit code, the lines by name, and everything printed."""
    printed: list[str] = []
    code = await run_check(settings, timeout=5, say=printed.append)
    text = "\n".join(printed)
    assert TOKEN not in text
    assert KEY not in text
    return code, {line[8:].partition(":")[0]: line for line in printed if ":" in line}, text


async def test_check_when_all_is_well(settings: Settings, services: Services, tmp_path: Path) -> None:
    code, lines, text = await check(settings)

    assert code == 0
    assert list(lines)[:9] == [
        "Discord token",
        "Discord application",
        "AI Horde",
        "AI Horde key",
        "Image model list",
        "Text model list",
        "Data folder",
        "Database",
        "Health server",
    ]
    assert "FAILED" not in text
    assert "painter#12, 1235 kudos" in lines["AI Horde key"]
    assert invite_link(42) in text
    assert not (tmp_path / "data").exists()
    assert "made at the first start" in lines["Data folder"]
    assert "does not exist yet" in lines["Database"]
    assert services.seen["/api/v10/users/@me"]["Authorization"] == f"Bot {TOKEN}"
    assert services.seen["/api/v2/find_user"]["Client-Agent"] == settings.horde_client_agent


@pytest.mark.parametrize(
    ("path", "answer", "name", "words"),
    [
        pytest.param("/api/v10/users/@me", (401, {}), "Discord token", "reset the token", id="token-refused"),
        pytest.param("/api/v10/users/@me", (200, []), "Discord token", "DISCORD_API_URL", id="not-discord"),
        pytest.param(
            "/api/v10/oauth2/applications/@me",
            (200, {"id": "42", "interactions_endpoint_url": "https://x.example"}),
            "Discord application",
            "empty that field",
            id="interactions-go-elsewhere",
        ),
        pytest.param(
            "/api/v10/oauth2/applications/@me",
            (200, {"id": "42", "bot_require_code_grant": True}),
            "Discord application",
            "switch that off",
            id="code-grant",
        ),
        pytest.param("/api/v2/status/heartbeat", (200, {}), "AI Horde", "/api/v2", id="not-a-horde"),
        pytest.param(
            "/api/v2/find_user", (404, {"message": f"User with api key '{KEY}' not found."}), "AI Horde key",
            "valid HORDE_API_KEY", id="unknown-key",
        ),
    ],
)  # fmt: skip
async def test_check_failure_says_what_to_do(
    settings: Settings, services: Services, path: str, answer: tuple[int, Any], name: str, words: str
) -> None:
    services.answers[path] = answer

    code, lines, _ = await check(settings)

    assert code == 1
    assert lines[name].startswith("FAILED")
    assert words in lines[name]


@pytest.mark.parametrize(
    ("path", "answer", "name"),
    [
        pytest.param("/reference.json", (404, {}), "Image model list", id="no-reference"),
        pytest.param("/texts.json", (200, []), "Text model list", id="no-text-reference"),
        pytest.param("/api/v2/status/heartbeat", (200, {"message": "OVERLOADED"}), "AI Horde", id="overloaded"),
        pytest.param(
            "/api/v10/oauth2/applications/@me", (200, {"id": "42", "bot_public": False}), "Discord application",
            id="private",
        ),
    ],
)  # fmt: skip
async def test_check_note_is_no_failure(
    settings: Settings, services: Services, path: str, answer: tuple[int, Any], name: str
) -> None:
    services.answers[path] = answer

    code, lines, _ = await check(settings)

    assert code == 0
    assert lines[name].startswith("note")


async def test_check_anonymous_key_is_fine_and_said(settings: Settings, services: Services) -> None:
    code, lines, _ = await check(settings.model_copy(update={"horde_api_key": Settings().horde_api_key}))

    assert code == 0
    assert "anonymous" in lines["AI Horde key"]
    assert "/api/v2/find_user" not in services.seen


async def test_check_goes_on_without_token_and_without_services(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    settings = Settings(
        discord_api_url=f"{nowhere}/api/v10",
        horde_url=f"{nowhere}/api/v2",
        horde_api_key=SecretStr(KEY),
        horde_image_reference_url=f"{nowhere}/reference.json",
        horde_text_reference_url=f"{nowhere}/texts.json",
        database_url=f"sqlite+aiosqlite:///{tmp_path}/muster.db",
        web_port=0,
    )

    code, lines, text = await check(settings)

    assert code == 1
    assert "DISCORD_TOKEN is not set" in lines["Discord token"]
    assert lines["AI Horde"].startswith("FAILED")
    assert lines["Image model list"].startswith("note")
    assert lines["Text model list"].startswith("note")
    assert lines["Database"].startswith("ok")
    assert "oauth2/authorize" not in text


async def test_check_folder_that_cannot_be_made(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    code, lines, _ = await check(
        settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/file/muster.db"})
    )

    assert code == 1
    assert lines["Data folder"].startswith("FAILED")
    assert "Database" not in lines


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="wants a folder that nobody can write to")
async def test_check_folder_that_only_seems_writable(settings: Settings) -> None:
    code, lines, _ = await check(
        settings.model_copy(update={"database_url": "sqlite+aiosqlite:////proc/muster/muster.db"})
    )

    assert code == 1
    assert lines["Data folder"].startswith("FAILED  Data folder: /proc is not writable")


@pytest.mark.parametrize(
    ("changes", "name", "line"),
    [
        pytest.param({"text_templates": ("foo=bar",)}, "Chat templates", "FAILED", id="unknown-template"),
        pytest.param({"text_templates_file": "/nope"}, "Chat templates", "FAILED", id="no-template-file"),
        pytest.param({"chat_threads": True}, "Plain words in threads", "note", id="threads-without-intent"),
        pytest.param({"chat_threads": True, "message_content_intent": True}, "", "", id="threads-with-intent"),
    ],
)
def test_check_finds_what_run_would_refuse_or_leave_out(changes: dict[str, object], name: str, line: str) -> None:
    found = check_words(Settings().model_copy(update=changes))

    assert [(each.name, each.verdict) for each in found] == ([(name, line)] if name else [])


async def test_check_tells_of_the_file_and_of_misspelt_names(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DISCORD_TOKN=hush\nDISCORD_TOKEN.x.y=hush\nCOMPOSE_PROJECT_NAME=muster\nWEB_PORT=1\n")
    file.chmod(0o644)
    printed: list[str] = []
    await run_check(settings, say=printed.append, env_file=file, env={"HORDE_API_KEYS": "hush", "LANGUAGE": "en"})

    told = [line for line in printed if "  Settings" in line]
    assert told == [
        f"note    Settings file: others on this machine can read {file}, secrets included -> chmod 600 {file}",
        "note    Settings: DISCORD_TOKN is no setting, and is ignored -> did you mean DISCORD_TOKEN?",
        "note    Settings: HORDE_API_KEYS is no setting, and is ignored -> did you mean HORDE_API_KEY?",
    ]
    file.chmod(0o600)
    assert check_env_file(file) == []


async def test_check_port_that_is_taken(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code, lines, _ = await check(settings.model_copy(update={"web_port": port}))

    assert code == 1
    assert f"127.0.0.1:{port} is taken" in lines["Health server"]
    assert "another WEB_PORT" in lines["Health server"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param("no-such-host.invalid", "does not resolve", id="unknown-name"),
        pytest.param("192.0.2.1", "not on this machine", id="elsewhere"),
    ],
)
async def test_check_host_that_cannot_be_listened_on(settings: Settings, host: str, words: str) -> None:
    code, lines, _ = await check(settings.model_copy(update={"web_host": host}))

    assert code == 1
    assert lines["Health server"].startswith("FAILED")
    assert words in lines["Health server"]


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        pytest.param({}, "note", "PUBLIC_URL is not set", id="none"),
        pytest.param({"public_url": "https://192.168.1.5"}, "FAILED", "of this machine or network only", id="private"),
        pytest.param({"public_url": "https://muster"}, "FAILED", "reverse proxy or tunnel", id="no-domain"),
        pytest.param({"public_url": "https://muster.example.org"}, "ok", "none for OSAIS", id="horde-alone"),
        pytest.param({"public_url": "https://bot.example.org", "web_port": 0}, "note", "WEB_PORT", id="any-port"),
        pytest.param(
            {"public_url": "https://a.example.org", "osais_token": SecretStr("t"), "osais_secret": SecretStr("s")},
            "ok",
            "/cb/ and /source/ for OSAIS",
            id="all-doors",
        ),
    ],
)
async def test_check_of_the_public_address(
    settings: Settings, changes: dict[str, object], verdict: str, words: str
) -> None:
    (found,) = await check_public(settings.model_copy(update={"web_port": 8080, **changes}))
    assert found.verdict == verdict
    assert words in str(found)


def test_invite_link_asks_for_exactly_what_is_needed() -> None:
    bits = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 38

    assert invite_link(42) == (
        f"https://discord.com/oauth2/authorize?client_id=42&scope=bot+applications.commands&permissions={bits}"
    )


def test_finding_reads_as_one_line() -> None:
    finding = Finding(name="AI Horde", verdict=Verdict.FAILED, text="is not there", fix="wait")

    assert str(finding) == "FAILED  AI Horde: is not there -> wait"


async def test_check_without_a_client_token_says_how_to_get_one(settings: Settings) -> None:
    code, lines, _ = await check(settings)

    assert code == 0
    assert lines["OSAIS"].startswith("note")
    assert "Add a Client Token" in lines["OSAIS"]


async def test_check_logs_in_at_osais_and_never_shows_the_secret(settings: Settings, services: Services) -> None:
    mine = {"osais_token": SecretStr("a" * 64), "osais_secret": SecretStr("not-for-logs")}
    there = settings.model_copy(update={**mine, "osais_url": settings.horde_url.removesuffix("/api/v2")})
    services.answers["/api/v1/public/client/login"] = (401, {"data": None, "message": "Invalid secret not-for-logs"})

    code, lines, text = await check(there)

    assert code == 1
    assert lines["OSAIS"].startswith("FAILED")
    assert "not-for-logs" not in text
    login = {"token": "a" * 64, "authToken": "x.y.z", "duration": "72h"}
    services.answers["/api/v1/public/client/login"] = (201, {"data": login})

    code, lines, _ = await check(there)

    assert code == 0
    assert "no address to call" in lines["OSAIS"]
    half = there.model_copy(update={"osais_secret": SecretStr("")})
    line = (await check(half))[1]["OSAIS"]
    assert "OSAIS_SECRET is not set" in line
    assert "add the secret shown with this token" in line
    nowhere = there.model_copy(update={"osais_url": "http://127.0.0.1:9"})
    assert "it does not answer (cannot connect: connection refused)" in (await check(nowhere))[1]["OSAIS"]
