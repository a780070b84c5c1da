"""The small web server: `/healthz` for supervisors, `/readyz` for load balancers and people, and the listener.

Without a public address there is no listener, and nothing but health is served.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from bot.errors import SetupError
from bot.network_words import listening_words
from bot.web.health import Health
from bot.web.listener import Listener
from bot.web.receiving import no_expectations

log = logging.getLogger(__name__)

#: Seconds that the rest of a refused body is still read, and thrown away, so that its sender gets to see why.
LINGER: Final = 2.0
HEALTH: Final = web.AppKey("health", Health)


def make_web_app(health: Health, listener: Listener | None = None) -> web.Application:
    """Build the application; it holds nothing but the ways to `health` and, with a public address, the listener."""
    app = web.Application()
    app[HEALTH] = health
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    if listener is not None:
        # Every other path is the listener's, so that a wrong secret and a wrong path get the very same answer.
        app.router.add_route("*", "/{path:.*}", listener.handle, expect_handler=no_expectations)
    return app


@asynccontextmanager
async def serve_web(health: Health, host: str, port: int, listener: Listener | None = None) -> AsyncIterator[str]:
    """Serve until the block ends; yields the address. Port 0 picks one. Raises `SetupError` when it cannot listen."""
    # No access log: paths hold secrets, and health would fill it.
    runner = web.AppRunner(make_web_app(health, listener), access_log=None, lingering_time=LINGER)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        url = f"http://{_authority(runner)}"
        log.info("web server listens", extra={"action": "web.started", "url": url, "callbacks": listener is not None})
        yield url
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise SetupError([": ".join(listening_words(error, host, port))]) from error


def _authority(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _healthz(request: web.Request) -> web.Response:
    return _answer(request.app[HEALTH].liveness())


async def _readyz(request: web.Request) -> web.Response:
    return _answer(request.app[HEALTH].readiness())


def _answer(parts: Mapping[str, bool]) -> web.Response:
    """200 when everything is well, else 503; the body says which part is not."""
    return web.json_response(dict(parts), status=200 if all(parts.values()) else 503)
