"""Checks of OSAIS's side: is it there, does it know the client token, can it call us."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bot.check.findings import Finding, failed, note, ok
from bot.clock import SystemClock
from bot.errors import ProviderError, Unauthorized
from bot.http import HttpClient
from bot.providers.osais import OsaisClient
from bot.settings import Settings

_NAME = "OSAIS"
_HOW = (
    "subscribe at https://opensourceais.com, then Profile > Settings > Add a Client Token gives OSAIS_TOKEN and "
    "OSAIS_SECRET (docs/osais.md)"
)


async def check_osais(settings: Settings, session: aiohttp.ClientSession, *, timeout: float) -> Sequence[Finding]:
    """Whether OSAIS takes the client token; a note on how to get one where there is none."""
    token, secret = settings.osais_token.get_secret_value(), settings.osais_secret.get_secret_value()
    if not token and not secret:
        return [note(_NAME, "not offered: there is no client token", _HOW)]
    if not token or not secret:
        missing = "OSAIS_SECRET" if token else "OSAIS_TOKEN"
        return [failed(_NAME, f"{missing} is not set, so nothing of OSAIS is offered", _HOW)]
    clock = SystemClock()
    client = OsaisClient(
        HttpClient(session, clock, timeout=timeout),
        clock,
        base_url=settings.osais_url,
        token=settings.osais_token,
        secret=settings.osais_secret,
    )
    try:
        await client.log_in()
    except Unauthorized:
        return [failed(_NAME, "it does not accept the client token", f"copy both once more; {_HOW}")]
    except ProviderError as error:
        return [failed(_NAME, f"it does not let us log in ({error.detail})", "check the network and OSAIS_URL")]
    if not settings.public_url:
        fix = "set PUBLIC_URL (docs/webhooks.md) to see every stage; without it OSAIS is asked every few seconds"
        return [note(_NAME, "takes the client token, and has no address to call", fix)]
    return [ok(_NAME, "takes the client token")]
