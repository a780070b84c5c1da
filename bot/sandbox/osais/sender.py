"""Makes the calls to a client and keeps what was answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bot.clock import Clock
from bot.sandbox.osais import wire as wires
from bot.sandbox.osais.acknowledgements import Delivery, Verdict, judge
from bot.sandbox.osais.clients import Client
from bot.sandbox.osais.plays import Expected
from bot.sandbox.osais.wire import Body, Damage, FilePart, TokenSent, Wire
from bot.sandbox.outgoing import Outgoing

#: What a stranger would write as token.
WRONG_TOKEN = "f" * 64
_PIECE = 1400
_WRONG_URI = "cb/0000000000000000000000000000000000/notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One call before it is written: whom, what about, and how it has to be answered."""

    client: Client
    uid: int
    fields: Mapping[str, object]
    #: None for a notification.
    file: FilePart | None
    wire: Wire
    expected: Expected
    what: str


class Sender:
    """Sends calls one at a time as asked; `deliveries` has all of them in order."""

    def __init__(self, clock: Clock, outgoing: Outgoing, *, seed: int) -> None:
        self._clock = clock
        self._outgoing = outgoing
        self._rng = Random(f"osais sender {seed}")
        self.deliveries: list[Delivery] = []

    async def send(self, message: Message, *, retries: int = 0, loss: float = 0.0) -> Delivery:
        """Send one call, again if it was not acknowledged and the service is one that does that."""
        if not message.client.domain:
            return self._noted(message, url="", verdict=Verdict.LOST, problem="the client never gave an address")
        if loss and self._rng.random() < loss:
            delivery = self._noted(message, url="", verdict=Verdict.LOST)
        else:
            delivery = await self._sent(message)
        for _ in range(retries):
            if delivery.verdict not in {Verdict.UNREACHED, Verdict.LOST, Verdict.INVALID}:
                break
            delivery = await self._sent(message)
        return delivery

    async def _sent(self, message: Message) -> Delivery:
        url = _address(message)
        token = _token(message)
        fields = _fields(message, token)
        body = _written(message, fields)
        headers = {} if body.content_type is None else {"Content-Type": body.content_type}
        said = {**fields, "file": f"{message.file.name}, {len(message.file.data)} bytes"} if message.file else fields
        answered = await self._outgoing.post(url, _damaged(body, message.wire.damage), headers=headers, said=said)
        expected_token = token if token not in {None, "0"} else message.client.token
        uid = fields.get("uid", message.uid)
        verdict, problem = judge(answered, message.expected, token=str(expected_token), uid=uid)
        if verdict is Verdict.ACKNOWLEDGED and message.file is None and message.client.validated_at is None:
            message.client.validated_at = self._clock.now()
        return self._noted(message, url=url, verdict=verdict, problem=problem, status=answered.status)

    def _noted(self, message: Message, **found: Any) -> Delivery:
        delivery = Delivery(uid=message.uid, what=message.what, at=round(self._clock.monotonic(), 3), **found)
        self.deliveries.append(delivery)
        return delivery


def _address(message: Message) -> str:
    client = message.client
    uri = client.uri_notify if message.file is None else client.uri_upload
    if message.wire.wrong_path:
        uri = _WRONG_URI
    return f"{client.domain}{message.wire.slashes}{uri}"


def _token(message: Message) -> str | None:
    wire = message.wire
    match wire.notify_token if message.file is None else wire.upload_token:
        case TokenSent.OWN:
            return message.client.token
        case TokenSent.ZERO:
            return "0"
        case TokenSent.ABSENT:
            return None
        case TokenSent.WRONG:
            return WRONG_TOKEN


def _fields(message: Message, token: str | None) -> dict[str, object]:
    wire = message.wire
    omitted = wire.omit if message.file is None else wire.omit | wire.omit_upload
    fields = dict(message.fields) | ({} if token is None else {"token": token})
    return {name: value for name, value in fields.items() if name not in omitted}


def _written(message: Message, fields: Mapping[str, object]) -> Body:
    if message.file is None:
        return wires.notification(fields, message.wire.notify)
    body = wires.upload(fields, message.file, message.wire)
    if message.wire.damage is Damage.TRUNCATED:
        return replace(body, content=body.content[: max(1, len(body.content) - len(message.file.data) // 2 - 60)])
    return body


def _damaged(body: Body, damage: Damage) -> bytes | AsyncIterator[bytes]:
    match damage:
        case Damage.CUT:
            return _dying(body.content[: len(body.content) // 2])
        case Damage.PIECES:
            return _pieces(body.content)
        case _:
            return body.content


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


async def _dying(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ConnectionResetError("the connection was meant to die here")
