"""Performs the plays of accepted requests, each as a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bot.clock import Clock
from bot.sandbox.osais.making import forge, make
from bot.sandbox.osais.plays import (
    Ended,
    ExpireBearers,
    Made,
    Notify,
    Pause,
    Reply,
    ReplyKind,
    Step,
    Upload,
    error,
)
from bot.sandbox.osais.requests import MadeFile, OsaisRequest
from bot.sandbox.osais.sender import Message, Sender
from bot.sandbox.osais.wire import FilePart
from bot.sandbox.outgoing import Outgoing

#: Largest source file loaded.
LARGEST_SOURCE = 64 * 1024 * 1024
#: Which parameter names the file an engine works on.
_SOURCE = "url_upload"


@dataclass(slots=True)
class Stillness:
    """Counts what is going on besides waiting for the clock, so that a test can wait for the end of it."""

    _busy: int = 0
    _still: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._still.set()

    def begin(self) -> None:
        """Something goes on."""
        self._busy += 1
        self._still.clear()

    def end(self) -> None:
        """It has ended."""
        self._busy -= 1
        if not self._busy:
            self._still.set()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Inside, whoever began does nothing but wait."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    async def wait(self) -> None:
        """Return when nothing goes on."""
        await self._still.wait()


class Hold:
    """Stops every play after its notification of a stage, until released."""

    def __init__(self) -> None:
        self.stage: int | None = None
        self._released = asyncio.Event()
        self._released.set()

    def after(self, stage: int) -> None:
        """Hold plays after that stage from now on."""
        self.stage = stage
        self._released.clear()

    def release(self) -> None:
        """Let them go on, and hold no more."""
        self.stage = None
        self._released.set()

    async def wait(self) -> None:
        """Return once released."""
        await self._released.wait()


class Runner:
    """Takes requests and performs their plays until cancelled."""

    def __init__(
        self,
        clock: Clock,
        *,
        sender: Sender,
        outgoing: Outgoing,
        speed: float,
        expire_bearers: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._sender = sender
        self._outgoing = outgoing
        self._expire_bearers = expire_bearers
        self._waiting: asyncio.Queue[OsaisRequest] = asyncio.Queue()
        self.speed = speed
        self.stillness = Stillness()
        self.hold = Hold()

    def take(self, request: OsaisRequest) -> None:
        """Have a request's play begin."""
        self.stillness.begin()
        self._waiting.put_nowait(request)

    async def run(self) -> None:
        """Perform what is taken, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                request = await self._waiting.get()
                group.create_task(self._perform(request), name=f"osais request {request.uid}")

    async def _perform(self, request: OsaisRequest) -> None:
        try:
            source, reachable = await self._load_source(request)
            steps = request.play.steps if reachable else _unreachable(request.play.steps)
            for step in steps:
                await self._step(request, step, source)
        finally:
            if not request.reply.done():
                request.reply.set_result(ReplyKind.NEVER)
            self.stillness.end()

    async def _load_source(self, request: OsaisRequest) -> tuple[bytes | None, bool]:
        """The file to work on, and whether there was no trouble in getting it."""
        url = request.params.get(_SOURCE)
        if not isinstance(url, str) or not url:
            return None, True
        answered = await self._outgoing.get(url, largest=LARGEST_SOURCE)
        request.story.append(f"source: {answered.status or answered.error}, {len(answered.body)} bytes")
        if answered.status != 200:
            return None, False
        request.source = answered.body
        return answered.body, True

    async def _step(self, request: OsaisRequest, step: Step, source: bytes | None) -> None:
        match step:
            case Reply():
                if not request.reply.done():
                    request.reply.set_result(step.kind)
            case Pause():
                with self.stillness.resting():
                    await self._clock.sleep(step.seconds / self.speed if step.scaled else step.seconds)
            case Made():
                await self._make(request, step, source)
            case Ended():
                request.ended_at = self._clock.now()
            case ExpireBearers():
                self._expire_bearers()
            case Notify():
                await self._send(request, notify_message(request, step))
                if self.hold.stage == step.stage:
                    with self.stillness.resting():
                        await self.hold.wait()
            case Upload():
                await self._send(request, await upload_message(request, step))

    async def _make(self, request: OsaisRequest, step: Made, source: bytes | None) -> None:
        name = request.file_name(step.file)
        if step.forgery is not None:
            data = await forge(step.forgery)
        else:
            data = await make(
                request.name,
                request.kind,
                request.params,
                source,
                index=step.file,
                title=f"{request.uid}/{step.file}",
                big=step.big,
            )
        request.files[step.file] = MadeFile(name=name, data=data, good=step.forgery is None)
        request.story.append(f"made {name}, {len(data)} bytes")

    async def _send(self, request: OsaisRequest, message: Message) -> None:
        play = request.play
        delivery = await self._sender.send(message, retries=play.retries, loss=play.loss)
        request.story.append(f"{delivery.what}: {delivery.verdict} {delivery.problem}".strip())


def notify_message(request: OsaisRequest, step: Notify) -> Message:
    """The call of a notification."""
    wire = replace(request.play.wire, **step.wire)
    filename = "default" if step.file is None else step.prefix + request.file_name(step.file)
    fields: dict[str, object] = {
        "uid": request.uid,
        "stage": step.stage,
        "cycle": 0,
        "engine": request.name,
        "username": request.client.domain,
        "filename": filename,
        "descr": step.descr,
        "cost": step.cost_ms,
        "qty": 0,
        **step.fields,
        **wire.fields,
    }
    return Message(
        client=request.client,
        uid=request.uid,
        fields={name: value for name, value in fields.items() if name not in step.omit},
        file=None,
        wire=wire,
        expected=step.expected,
        what=f"notify {step.stage}",
    )


async def upload_message(request: OsaisRequest, step: Upload) -> Message:
    """The call of an upload."""
    made = request.files.get(step.file)
    data = await forge(step.forgery) if step.forgery is not None else made.data if made else b""
    name = step.name or request.file_name(step.file)
    return Message(
        client=request.client,
        uid=request.uid,
        fields={"uid": request.uid, "cycle": 0, "engine": request.name, **step.fields},
        file=FilePart(name=name, data=data),
        wire=replace(request.play.wire, **step.wire),
        expected=step.expected,
        what=f"upload {name}",
    )


def _unreachable(steps: tuple[Step, ...]) -> list[Step]:
    """What happens instead when the file to work on cannot be loaded."""
    replies = [step for step in steps if isinstance(step, Reply)]
    begun: list[Step] = [Pause(seconds=0.3), Notify(stage=1, descr="Acknowledged request")]
    return [*replies, *begun, error("the input file could not be loaded"), Ended()]
