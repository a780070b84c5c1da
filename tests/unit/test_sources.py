"""Sources: fetched over the loopback once, made ready, and kept in a real database."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from bot.clock import ManualClock
from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.jobs import Job, JobId
from bot.domain.sources import SourceMedia
from bot.errors import MediaError, MediaGone, Unavailable
from bot.media import ATTACHMENT, MediaFetcher
from bot.services.sources import FACTS_INDEX, SOURCE_INDEX, KeptSources
from bot.store.artifacts import SqlArtifactStore
from bot.store.engine import open_database
from bot.store.jobs import SqlJobStore
from tests.factories import NOW, OWNER, make_job, make_request

SOURCE = SourceMedia(url="", message_id=11, channel_id=12, attachment_id=13)


def picture(size: tuple[int, int] = (32, 16), kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind)
    return buffer.getvalue()


class Discord:
    """Gives out fresh addresses."""

    def __init__(self) -> None:
        self.asked: list[SourceMedia] = []
        self.answer: str | Exception | None = None

    async def fresh_url(self, source: SourceMedia) -> str | None:
        self.asked.append(source)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Bench:
    """Sources in front of a file host that answers as told (404 for what it does not have)."""

    sources: KeptSources
    artifacts: SqlArtifactStore
    store: SqlJobStore
    discord: Discord
    base: str = ""
    files: dict[str, bytes | int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    async def job(self, source: SourceMedia) -> Job:
        job = make_job(request=AlchemyRequest(source=source, forms=(Form.CAPTION,)))
        await self.store.add(job)
        return job

    def put(self, path: str, content: bytes | int) -> str:
        self.files[path] = content
        return self.base + path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    holder: list[Bench] = []

    async def serve(request: web.Request) -> web.Response:
        bench = holder[0]
        bench.seen.append(request.path)
        found = bench.files.get(request.path, 404)
        return web.Response(status=found) if isinstance(found, int) else web.Response(body=found)

    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    url = f"sqlite+aiosqlite:///{tmp_path / 'muster.db'}"
    async with TestServer(app) as server, open_database(url) as database:
        base = str(server.make_url("/")).rstrip("/")
        async with MediaFetcher.open([base]) as media:
            artifacts, discord = SqlArtifactStore(database), Discord()
            sources = KeptSources(
                media=media, artifacts=artifacts, clock=ManualClock(), process=OWNER, refetcher=discord
            )
            store = SqlJobStore(database)
            holder.append(Bench(sources=sources, artifacts=artifacts, store=store, discord=discord, base=base))
            yield holder[0]


async def test_job_without_a_source_has_none(bench: Bench) -> None:
    assert await bench.sources.first(make_job(request=make_request())) is None


async def test_source_is_fetched_once_and_kept_ready(bench: Bench) -> None:
    job = await bench.job(replace(SOURCE, url=bench.put("/a.jpg", picture())))
    assert await bench.sources.about(job.id) is None
    first = await bench.sources.first(job)
    assert first is not None
    assert first.startswith(b"\x89PNG")
    assert await bench.sources.first(job) == first == await bench.artifacts.get(job.id, SOURCE_INDEX)
    assert bench.seen == ["/a.jpg"]


async def test_source_of_a_picture_to_start_from_is_kept_too(bench: Bench) -> None:
    source = replace(SOURCE, url=bench.put("/a.jpg", picture()))
    job = make_job(request=make_request(source=source))
    await bench.store.add(job)
    assert await bench.sources.first(job) == await bench.artifacts.get(job.id, SOURCE_INDEX)


async def test_what_was_learned_outlives_a_restart(bench: Bench) -> None:
    frames = [Image.new("RGB", (32, 16), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    job = await bench.job(replace(SOURCE, url=bench.put("/a.gif", buffer.getvalue())))
    await bench.sources.first(job)
    facts = await bench.sources.about(job.id)
    assert facts is not None
    assert (facts.width, facts.height, facts.animated, facts.shrunk) == (32, 16, True, False)


async def test_facts_that_cannot_be_read_count_as_none(bench: Bench) -> None:
    job = await bench.job(SOURCE)
    await bench.artifacts.put(job.id, FACTS_INDEX, b"{}", owner=OWNER, now=NOW)
    assert await bench.sources.about(job.id) is None


async def test_dead_link_is_replaced_by_a_fresh_one(bench: Bench) -> None:
    bench.discord.answer = bench.put("/fresh.jpg", picture())
    source = replace(SOURCE, url=bench.base + "/dead.jpg")
    job = await bench.job(source)
    assert await bench.sources.first(job)
    assert bench.seen == ["/dead.jpg", "/fresh.jpg"]
    assert bench.discord.asked == [source]


@pytest.mark.parametrize(
    ("source", "asked"),
    [pytest.param(SOURCE, 1, id="message-deleted"), pytest.param(SourceMedia(url=""), 0, id="message-not-known")],
)
async def test_dead_link_without_a_fresh_one_is_told(bench: Bench, source: SourceMedia, asked: int) -> None:
    job = await bench.job(replace(source, url=bench.base + "/dead.jpg"))
    with pytest.raises(MediaGone):
        await bench.sources.first(job)
    assert len(bench.discord.asked) == asked


@pytest.mark.parametrize("status", [pytest.param(500, id="host"), pytest.param(404, id="discord")])
async def test_trouble_that_may_pass_is_told_as_such(bench: Bench, status: int) -> None:
    bench.discord.answer = Unavailable("discord is down")
    job = await bench.job(replace(SOURCE, url=bench.put("/a.jpg", status)))
    with pytest.raises(Unavailable):
        await bench.sources.first(job)
    assert await bench.artifacts.get(job.id, SOURCE_INDEX) is None


async def test_file_that_is_too_large_is_refused_with_the_limit(bench: Bench) -> None:
    job = await bench.job(replace(SOURCE, url=bench.put("/a.jpg", picture() + bytes(ATTACHMENT.max_bytes))))
    with pytest.raises(MediaError) as caught:
        await bench.sources.first(job)
    assert "up to 8 MB" in caught.value.user_message


async def test_our_own_picture_may_be_larger_than_what_people_bring(bench: Bench) -> None:
    large = picture() + bytes(ATTACHMENT.max_bytes)
    job = await bench.job(replace(SOURCE, own=True, url=bench.put("/a.jpg", large)))
    assert await bench.sources.first(job)


async def test_our_own_result_is_taken_from_our_store_while_it_is_there(bench: Bench) -> None:
    earlier = await bench.job(SOURCE)
    await bench.artifacts.put(earlier.id, 2, picture((40, 20), "WEBP"), owner=OWNER, now=NOW)
    url = bench.put("/posted.webp", picture((32, 16), "WEBP"))
    kept = await bench.job(replace(SOURCE, url=url, own=True, job_id=earlier.id, index=2))
    await bench.sources.first(kept)
    assert bench.seen == []
    purged = await bench.job(replace(SOURCE, url=url, own=True, job_id=JobId("long-gone"), index=2))
    await bench.sources.first(purged)
    assert bench.seen == ["/posted.webp"]
    lost = await bench.job(SourceMedia(url="", own=True, job_id=JobId("long-gone"), index=2))
    with pytest.raises(MediaGone):
        await bench.sources.first(lost)
