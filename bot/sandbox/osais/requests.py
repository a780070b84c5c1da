"""Requests in the simulated OSAIS: what was asked, what came of it, and what a check shows of it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.osais.clients import Client
from bot.sandbox.osais.engines import Engine, Kind, load_engine
from bot.sandbox.osais.envelope import stamp
from bot.sandbox.osais.plays import Play, ReplyKind, nominal


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file an engine made."""

    name: str
    data: bytes
    #: False for a forgery, which no client should show to anybody.
    good: bool = True

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True, kw_only=True)
class OsaisRequest:
    """One accepted request."""

    uid: int
    client: Client
    engine: Engine
    #: As the client sent them.
    given: dict[str, object]
    #: As the AI gets them.
    params: dict[str, object]
    started_at: datetime
    play: Play
    #: What a careful client would not have sent.
    oddities: tuple[str, ...] = ()
    #: OSAIS's own copy of the input file.
    source: bytes | None = None
    files: dict[int, MadeFile] = field(default_factory=dict)
    ended_at: datetime | None = None
    #: How many times it was looked at.
    checks: int = 0
    #: How the call that made it is to be answered; set once it is known.
    reply: asyncio.Future[ReplyKind]
    #: What happened so far, in words.
    story: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The engine's."""
        return self.engine.name

    @property
    def accepted(self) -> dict[str, object]:
        """What the call is answered when all goes well."""
        return {"uid": self.uid, "created_at": stamp(self.started_at)}

    @property
    def kind(self) -> Kind:
        """What sort of files it makes."""
        return self.play.kind or self.engine.kind

    def file_name(self, index: int) -> str:
        """What the AI calls file `index`; the numbers come from a counter of its machine."""
        return self.play.naming.file_name(self.uid, index, self.kind.value)

    def checked(self, base: str) -> dict[str, object]:
        """What a check shows, with files below `base`."""
        where = "s3://osais/output" if self.play.poll.s3_names else f"{base}/uploads/ai"
        found: dict[str, object] = {
            "client_token": self.client.token,
            "uid_backlog": self.uid,
            "ai_engine": self.name,
            "params": self._params(base),
            "started_at": stamp(self.started_at),
            "response": [{"filename": f"{where}/{made.name}", "cycle": 0} for made in self.files.values()],
        }
        if self.ended_at is not None:
            seconds = round((self.ended_at - self.started_at).total_seconds())
            return {**found, "cost_in_sec": seconds, "ended_at": stamp(self.ended_at)}
        if self.play.poll.nulls:
            return {**found, "response": found["response"] or None, "ended_at": None}
        return found

    def _params(self, base: str) -> dict[str, object]:
        params = {
            "username": self.client.domain,
            **self.params,
            "uid_backlog": self.uid,
            "client_token": self.client.token,
        }
        if self.source is not None:
            params["url"] = f"{base}/uploads/client/{self.uid}.jpg"
            params.pop("url_upload", None)
        return params


def phantom(uid: int, client: Client, moment: datetime) -> OsaisRequest:
    """A request that nobody made: somebody else's, or one that forged calls are about."""
    return OsaisRequest(
        uid=uid,
        client=client,
        engine=load_engine("diffusion"),
        given={},
        params={},
        started_at=moment,
        play=nominal(0, cost_ms=0, seed=0),
        reply=asyncio.get_running_loop().create_future(),
    )
