"""Client tokens: who may log in, where their callbacks go, and the Bearers they were given."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.sandbox.osais.envelope import OsaisError, stamp

#: How long an authToken lasts, as the login says it.
DURATION = "72h"
BEARER_LIFE = timedelta(hours=72)


@dataclass(slots=True, kw_only=True)
class Client:
    """One client token of a subscriber, with the addresses its callbacks go to."""

    token: str
    secret: str
    created_at: datetime
    domain: str = ""
    uri_notify: str = ""
    uri_upload: str = ""
    updated_at: datetime | None = None
    #: When a notification was first acknowledged as it has to be.
    validated_at: datetime | None = None

    def shown(self) -> dict[str, object]:
        """The client as `PATCH notify` answers it."""
        return {
            "token": self.token,
            "domain": self.domain,
            "uriNotify": self.uri_notify,
            "uriUpload": self.uri_upload,
            "created_at": stamp(self.created_at),
            "lastUpdated_at": stamp(self.updated_at or self.created_at),
            "validated_at": stamp(self.validated_at) if self.validated_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bearer:
    client: str
    expires: datetime


class Clients:
    """All client tokens by token, and the Bearers that are out."""

    def __init__(self, clock: Clock, *, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._clients: dict[str, Client] = {}
        self._bearers: dict[str, _Bearer] = {}
        self._numbers = itertools.count(1)

    def add(self, name: str) -> Client:
        """Make a client token; the same name and seed give the same token and secret."""
        client = Client(
            token=self._random(name, "token"), secret=self._random(name, "secret"), created_at=self._clock.now()
        )
        self._clients[client.token] = client
        return client

    def remove(self, token: str) -> None:
        """Delete a client token; its Bearers are good for nothing then."""
        del self._clients[token]

    def all(self) -> list[Client]:
        """Every client there is."""
        return list(self._clients.values())

    def login(self, token: object, secret: object) -> dict[str, object]:
        """Check the pair and hand out a Bearer; the refusals are the documented ones."""
        if not isinstance(token, str) or not token or not isinstance(secret, str) or not secret:
            missing = "Secret" if isinstance(token, str) and token else "Token"
            raise OsaisError(400, f"{missing} required", key="statusText")
        client = self._clients.get(token)
        if client is None:
            raise OsaisError(404, "Could not find client")
        if not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise OsaisError(401, "Invalid secret")
        return {"token": token, "authToken": self._issue(client), "duration": DURATION}

    def holder(self, bearer: str) -> str | None:
        """The client token a living Bearer was given to; None for any other. The client may be gone."""
        found = self._bearers.get(bearer)
        return found.client if found is not None and self._clock.now() < found.expires else None

    def find(self, token: str) -> Client | None:
        """The client with that token."""
        return self._clients.get(token)

    def expire_bearers(self) -> None:
        """End the life of every Bearer that is out."""
        self._bearers.clear()

    def _issue(self, client: Client) -> str:
        now = self._clock.now()
        payload = {
            "username": client.domain,
            "token": client.token,
            "iat": int(now.timestamp()),
            "exp": int((now + BEARER_LIFE).timestamp()),
            # Two logins in one second get two Bearers.
            "jti": next(self._numbers),
        }
        parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, payload)]
        signature = hmac.new(f"osais {self._seed}".encode(), ".".join(parts).encode(), hashlib.sha256).digest()
        bearer = ".".join([*parts, _base64url(signature)])
        self._bearers[bearer] = _Bearer(client=client.token, expires=now + BEARER_LIFE)
        return bearer

    def _random(self, name: str, what: str) -> str:
        """64 hexadecimal digits, as real tokens have."""
        return hashlib.sha256(f"osais {self._seed} {name} {what}".encode()).hexdigest()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
