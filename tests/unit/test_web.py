"""The health server: what supervisors read."""

from __future__ import annotations

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.errors import SetupError
from bot.web.health import Health
from bot.web.server import serve_web


async def ask(url: str) -> tuple[int, dict[str, bool]]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_healthz_while_loops_beat() -> None:
    clock = ManualClock()
    health = Health(clock)
    beat = health.heartbeat("tracker", within=30)

    async with serve_web(health, "127.0.0.1", 0) as url:
        await clock.advance(29)
        assert await ask(f"{url}/healthz") == (200, {"tracker": True})
        beat()
        await clock.advance(29)
        assert await ask(f"{url}/healthz") == (200, {"tracker": True})


async def test_healthz_names_the_loop_that_stopped() -> None:
    clock = ManualClock()
    health = Health(clock)
    health.heartbeat("tracker", within=30)
    health.add_loop("delivery", clock.monotonic, within=1)

    async with serve_web(health, "127.0.0.1", 0) as url:
        await clock.advance(31)
        assert await ask(f"{url}/healthz") == (503, {"tracker": False, "delivery": True})


async def test_readyz_says_what_is_missing() -> None:
    health = Health(ManualClock())
    up = {"gateway": False, "store": True, "provider": True}
    health.add_part("gateway", lambda: up["gateway"])
    health.add_part("store", lambda: up["store"])
    health.add_part("provider", lambda: up["provider"])

    async with serve_web(health, "127.0.0.1", 0) as url:
        assert await ask(f"{url}/readyz") == (503, up)
        up["gateway"] = True
        assert await ask(f"{url}/readyz") == (200, up)


async def test_web_port_in_use_is_a_setup_error() -> None:
    health = Health(ManualClock())

    async with serve_web(health, "127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(SetupError, match=f"127.0.0.1:{port} is taken: .*another WEB_PORT"):
            async with serve_web(health, "127.0.0.1", port):
                pytest.fail("listened twice")


async def test_web_host_that_does_not_resolve_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="WEB_HOST does not resolve"):
        async with serve_web(Health(ManualClock()), "nowhere.invalid", 0):
            pytest.fail("listened nowhere")


@pytest.mark.parametrize("path", ["/cb/secret/notify", "/hook/horde/token", "/source/token", "/"])
async def test_without_a_listener_only_health_is_served(path: str) -> None:
    async with (
        serve_web(Health(ManualClock()), "127.0.0.1", 0) as url,
        aiohttp.ClientSession() as session,
        session.post(url + path) as answer,
    ):
        assert answer.status == 404


async def test_web_server_is_gone_afterwards() -> None:
    async with serve_web(Health(ManualClock()), "127.0.0.1", 0) as url:
        pass

    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(f"{url}/healthz")
