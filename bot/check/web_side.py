"""Check of our own side: can the health server listen where the settings say."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence

from bot.check.findings import Finding, failed, ok
from bot.settings import Settings

_NAME = "Health server"


async def check_web(settings: Settings) -> Sequence[Finding]:
    """Whether `WEB_HOST` and `WEB_PORT` can be listened on, by doing so for a moment."""
    host, port = settings.web_host, settings.web_port
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        return [_trouble(error, place)]
    server.close()
    await server.wait_closed()
    return [ok(_NAME, f"{place} is free" if port else f"{host} can be listened on, any free port is taken")]


def _trouble(error: OSError, place: str) -> Finding:
    if isinstance(error, socket.gaierror):
        return failed(_NAME, f"WEB_HOST does not resolve ({place})", "give an address of this machine, or localhost")
    match error.errno:
        case errno.EADDRINUSE:
            fix = "stop what listens there (a Muster that runs already?), choose another WEB_PORT, or 0 for a free one"
            return failed(_NAME, f"{place} is taken", fix)
        case errno.EADDRNOTAVAIL:
            return failed(_NAME, f"{place} is not on this machine", "set WEB_HOST to an address of this machine")
        case errno.EACCES:
            return failed(_NAME, f"{place} is not allowed to the bot's user", "choose a WEB_PORT from 1024 on")
        case _:
            reason = error.strerror or type(error).__name__
            return failed(_NAME, f"{place} cannot be listened on ({reason})", "change WEB_HOST or WEB_PORT")
