"""Checks of OSAIS's side: is it there, does it know the client token, can it call us."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bot.check.findings import Finding, failed, note, ok
from bot.clock import SystemClock
from bot.errors import ProviderError, Unauthorized, Unavailable
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
    if missing := settings.osais_lacks:
        ours, theirs = ("secret", "token") if missing == "OSAIS_SECRET" else ("token", "secret")
        fix = f"add the {ours} shown with this {theirs} on its site, or a new pair of both (docs/osais.md)"
        return [failed(_NAME, f"{missing} is not set, so nothing of OSAIS is offered", fix)]
    if not settings.osais_offered:
        return [note(_NAME, "not offered: there is no client token", _HOW)]
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
    except Unavailable as error:
        reason = error.detail.removeprefix("login: ")
        return [failed(_NAME, f"it does not answer ({reason})", "check the network and OSAIS_URL, or try again later")]
    except ProviderError as error:
        return [failed(_NAME, f"it does not let us log in ({error.detail})", "check the network and OSAIS_URL")]
    if not settings.public_url:
        fix = "set PUBLIC_URL (docs/webhooks.md) to see every stage; without it OSAIS is asked every few seconds"
        return [note(_NAME, "takes the client token, and has no address to call", fix)]
    return [ok(_NAME, "takes the client token")]
