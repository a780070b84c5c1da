"""Checks of our own side: can the web server listen where the settings say, and do services find it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from bot.check.findings import Finding, failed, note, ok
from bot.network_words import listening_words
from bot.settings import Settings

_NAME = "Health server"
_PUBLIC: Final = "Public address"


async def check_web(settings: Settings) -> Sequence[Finding]:
    """Whether `WEB_HOST` and `WEB_PORT` can be listened on, by doing so for a moment."""
    host, port = settings.web_host, settings.web_port
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        return [failed(_NAME, *listening_words(error, host, port))]
    server.close()
    await server.wait_closed()
    return [ok(_NAME, f"{place} is free" if port else f"{host} can be listened on, any free port is taken")]


async def check_public(settings: Settings) -> Sequence[Finding]:
    """Whether `PUBLIC_URL` has a form that services can call, and which doors stand open behind it."""
    if not settings.public_url:
        text = "PUBLIC_URL is not set: no service can call, so all are asked for news"
        return [note(_PUBLIC, text, "set it to an https address that leads to the web server (docs/webhooks.md)")]
    host = urlsplit(settings.public_url).hostname or ""
    if not _is_public(host):
        text = f"PUBLIC_URL leads to {host}, which is of this machine or network only"
        return [failed(_PUBLIC, text, "give the name under which a reverse proxy or tunnel is reached from outside")]
    doors = "/cb/ and /source/ for OSAIS" if settings.osais_offered else "none for OSAIS, which is not set up"
    text = f"{settings.public_url} (https); open to services: /hook/ for the AI Horde, {doors}"
    if settings.web_port == 0:
        return [note(_PUBLIC, text, "set WEB_PORT: a proxy cannot follow a port that is picked anew each time")]
    return [ok(_PUBLIC, f"{text}; try {settings.public_url}/healthz from outside once the bot runs")]


def _is_public(host: str) -> bool:
    """Whether the name or address could be reached from elsewhere."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".localhost", ".local", ".internal", ".lan"))
