"""Keep strangers' web pages away from the control API.

It listens on loopback without a password, and any page in a browser on this machine can send requests there. So a
request that a page of another origin makes is refused, and so is one for a host name that is not ours (a name that
its owner has pointed at 127.0.0.1 would make his page the same origin).
"""

from __future__ import annotations

import ipaddress
import json

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from bot.sandbox.control import CONTROL_PREFIX


@web.middleware
async def guard_control(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse control requests of other origins with 403."""
    if request.path.startswith(CONTROL_PREFIX) and not (_is_our_name(request) and _is_our_origin(request)):
        reason = json.dumps({"error": "the control API takes no requests from other origins"})
        raise web.HTTPForbidden(text=reason, content_type="application/json")
    return await handler(request)


def _is_our_name(request: web.Request) -> bool:
    host = request.url.host or ""
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_our_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or URL(origin).authority == request.url.authority
