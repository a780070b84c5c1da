"""One simulated Horde and the bot's side of it on one clock, over real HTTP: what the contract tests share."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from pydantic import SecretStr

from bot.clock import ManualClock
from bot.domain.jobs import Job
from bot.domain.sources import SourceMedia
from bot.errors import SubmissionUncertain
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.base import Provider
from bot.providers.horde import ANONYMOUS_KEY, HordeCalls, HordeClient, HordeTextClient
from bot.sandbox.horde import HordeSim

StageT = TypeVar("StageT", bound="HordeStage")


@dataclass
class HordeStage:
    """What a test arranges, and how a job goes its way. Each provider's tests add how that provider is made."""

    #: Seconds between two looks at a job.
    looks_every: ClassVar[float] = 2

    clock: ManualClock
    sim: HordeSim
    base: str
    session: aiohttp.ClientSession
    media: MediaFetcher
    #: Remote ids that belong to jobs of ours.
    known: set[str] = field(default_factory=set)
    #: How many of the next answers to a POST are lost on the way.
    lose_answers: int = 0
    #: The filter refuses every prompt; nothing of the API is let near anybody; the object store answers 500.
    refuse_prompts: bool = False
    api_closed: bool = False
    store_down: bool = False
    #: What was asked of the API, and of the object store.
    asked: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)

    def calls(self, key: str) -> HordeCalls:
        """Calls with that key."""
        return HordeCalls(
            http=HttpClient(self.session, self.clock, timeout=5),
            base_url=f"{self.base}/api/v2",
            api_key=SecretStr(key),
            client_agent="muster-tests:1:none",
        )

    def client(self, key: str = ANONYMOUS_KEY) -> HordeClient:
        """A client for pictures and alchemy."""
        return HordeClient(self.calls(key), self.clock, reference_url=f"{self.base}/reference/stable_diffusion.json")

    def text_client(self, key: str = ANONYMOUS_KEY) -> HordeTextClient:
        """A client for texts."""
        return HordeTextClient(
            self.calls(key), self.session, self.clock, reference_url=f"{self.base}/reference/db.json"
        )

    async def known_ids(self, among: Collection[str]) -> Collection[str]:
        """What a provider asks the store for."""
        return self.known.intersection(among)

    async def submitted(self, provider: Provider, job: Job, source: bytes | None = None) -> Job:
        """The job, handed over."""
        now = self.clock.now()
        submission = await provider.submit(job, source=source)
        self.known.add(submission.remote_id)
        return job.submitting(now).submitted(remote_id=submission.remote_id, cost=submission.cost, now=now)

    async def lost(self, provider: Provider, job: Job, source: bytes | None = None) -> None:
        """Have the job handed over, and its answer lost."""
        self.lose_answers = 1
        with pytest.raises(SubmissionUncertain):
            await provider.submit(job, source=source)

    async def looked_at(self, provider: Provider, job: Job) -> Job:
        """The job as the provider tells it, one look later."""
        await self.clock.advance(self.looks_every)
        await self.sim.settled()
        return job.advance(await provider.poll(job), self.clock.now())

    async def followed(self, provider: Provider, job: Job, *, seconds: float = 900) -> Job:
        """The job as it stands when the provider says it is over, with everything fetched."""
        for _ in range(int(seconds / self.looks_every)):
            job = await self.looked_at(provider, job)
            if job.progress and job.progress.over:
                return job.with_artifacts(*(await provider.fetch(job)).artifacts)
        pytest.fail("it never ended")


@asynccontextmanager
async def open_stage(kind: type[StageT]) -> AsyncIterator[StageT]:
    """A Horde with its default workers of all sorts, reachable on the loopback."""
    clock = ManualClock()
    sim = HordeSim(clock, seed=3)
    holder: list[StageT] = []

    @web.middleware
    async def disturb(request: web.Request, handler: Any) -> web.StreamResponse:
        return await _disturbed(holder[0], request, handler)

    app = web.Application(middlewares=[disturb], client_max_size=16 * 1024**2)
    app.add_routes(sim.routes())
    async with AsyncExitStack() as stack:
        server = TestServer(app)
        await stack.enter_async_context(server)
        sim.public_url = str(server.make_url("/")).rstrip("/")
        session = await stack.enter_async_context(aiohttp.ClientSession())
        media = await stack.enter_async_context(MediaFetcher.open([sim.public_url]))
        running = asyncio.create_task(sim.run())
        stage = kind(clock=clock, sim=sim, base=sim.public_url, session=session, media=media)
        holder.append(stage)
        yield stage
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _disturbed(stage: HordeStage, request: web.Request, handler: Any) -> web.StreamResponse:
    (stage.asked if "/api/" in request.path else stage.downloads).append(request.path)
    if stage.refuse_prompts and request.method == "POST":
        return web.json_response({"message": "Sod off!", "rc": "CorruptPrompt"}, status=400)
    if stage.api_closed and "/api/" in request.path:
        return web.json_response({"message": "no"}, status=401)
    if stage.store_down and "/api/" not in request.path:
        return web.Response(status=500)
    response: web.StreamResponse = await handler(request)
    if request.method == "POST" and stage.lose_answers > 0:
        stage.lose_answers -= 1
        assert request.transport is not None
        request.transport.abort()
    return response


def source() -> SourceMedia:
    """A picture that somebody sent, of the size of `picture()`."""
    return SourceMedia(url="https://cdn.discordapp.com/attachments/1/2/cat.png", width=96, height=64)


def picture(size: tuple[int, int] = (96, 64), colour: str = "teal") -> bytes:
    """A small PNG with something on it."""
    image = Image.new("RGB", size, colour)
    image.paste("orange", (8, 8, 40, 40))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
