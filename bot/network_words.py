"""What the network says when it fails, in plain words: the same in a check, in the log, and when a start is refused.

No sentence holds an address that was called: it may hold a secret.
"""

from __future__ import annotations

import errno
import os
import socket

import aiohttp


def words_of(error: aiohttp.ClientError | OSError) -> str:
    """Say in a few words why a call got no answer."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "no such host"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "no trusted TLS certificate"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "it hung up amid the answer"
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number).lower()
        case _:
            return "the connection broke"


def listening_words(error: OSError, host: str, port: int) -> tuple[str, str]:
    """Say why the web server cannot listen at `WEB_HOST` and `WEB_PORT`, and what to do about it."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(error, socket.gaierror):
        return f"WEB_HOST does not resolve ({place})", "give an address of this machine, or localhost"
    match error.errno:
        case errno.EADDRINUSE:
            fix = "stop what listens there (a Muster that runs already?), choose another WEB_PORT, or 0 for a free one"
            return f"{place} is taken", fix
        case errno.EADDRNOTAVAIL:
            return f"{place} is not on this machine", "set WEB_HOST to an address of this machine"
        case errno.EACCES:
            return f"{place} is not allowed to the bot's user", "choose a WEB_PORT from 1024 on"
        case _:
            reason = words_of(error)
            return f"{place} cannot be listened on ({reason})", "change WEB_HOST or WEB_PORT"
