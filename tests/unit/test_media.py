from __future__ import annotations

import asyncio
import hashlib
import io
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from PIL import Image
from yarl import URL

from bot.errors import MediaError, MediaGone, SetupError, Unavailable
from bot.media import MediaFetcher, MediaLimits, examine
from bot.media_hosts import GuardedResolver, HostList, address_of, is_public

SMALL = MediaLimits(max_bytes=200_000, max_pixels=100_000, timeout=5)


def picture(kind: str = "PNG", size: tuple[int, int] = (32, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 80, 20)).save(out, kind)
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG that promises many pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@dataclass
class Store:
    """A host of pictures: what each path answers."""

    base: str
    fetcher: MediaFetcher
    answers: dict[str, Callable[[web.Request], web.StreamResponse]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def put(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        """Let `path` answer so, and return its URL."""
        self.answers[path] = lambda _: web.Response(status=status, body=body, headers=headers)
        return self.base + path


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    holder: list[Store] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        holder[0].seen.append(request.raw_path)
        return holder[0].answers[request.path](request)

    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    async with TestServer(app) as server:
        base = str(server.make_url("/")).rstrip("/")
        async with MediaFetcher.open([base]) as fetcher:
            holder.append(Store(base, fetcher))
            yield holder[0]


@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        pytest.param("PNG", "png", id="png"),
        pytest.param("JPEG", "jpg", id="jpeg"),
        pytest.param("WEBP", "webp", id="webp"),
        pytest.param("GIF", "gif", id="gif"),
    ],
)
async def test_picture_is_known_by_its_bytes(store: Store, kind: str, extension: str) -> None:
    data = picture(kind)
    found = await store.fetcher.fetch(store.put("/p", data, 200, **{"Content-Type": "text/html"}), SMALL)
    assert (found.data, found.extension, found.width, found.height) == (data, extension, 32, 16)
    assert found.sha256 == hashlib.sha256(data).hexdigest()


async def test_signed_link_is_sent_as_it_was_written(store: Store) -> None:
    url = store.put("/a.webp", picture("WEBP")) + "?Signature=IPn%2FLG%2b8%3D&Expires=1"
    await store.fetcher.fetch(url, SMALL)
    assert store.seen == ["/a.webp?Signature=IPn%2FLG%2b8%3D&Expires=1"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(403, MediaGone, id="signature-expired"),
        pytest.param(404, MediaGone, id="pruned"),
        pytest.param(500, Unavailable, id="server-trouble"),
        pytest.param(429, Unavailable, id="too-fast"),
        pytest.param(204, MediaError, id="nothing"),
    ],
)
async def test_status_decides_whether_trying_again_helps(store: Store, status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        await store.fetcher.fetch(store.put("/p", status=status), SMALL)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html></html>", id="html"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(picture("BMP"), id="other-format"),
        pytest.param(picture("PNG", (200, 200))[:-40], id="cut-png"),
        pytest.param(picture("JPEG", (200, 200))[:300], id="cut-jpeg"),
        pytest.param(picture("WEBP", (200, 200))[:60], id="cut-webp"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 50, id="only-a-signature"),
        pytest.param(b"GIF89a" + b"\xff" * 50, id="gif-of-noise"),
        pytest.param(huge_png(400, 400), id="over-the-pixel-cap"),
        pytest.param(huge_png(10_000, 10_000), id="pillow-warns"),
        pytest.param(huge_png(60_000, 60_000), id="decompression-bomb"),
        pytest.param(b"\xff\xd8\xff" + b"x" * 300_000, id="over-the-byte-cap"),
    ],
)
async def test_what_is_no_picture_is_refused(store: Store, data: bytes) -> None:
    with pytest.raises(MediaError):
        await store.fetcher.fetch(store.put("/p", data), SMALL)


async def test_endless_body_is_cut_off(store: Store) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"\xff\xd8\xff" + b"x" * 60_000)
        except ConnectionError:
            return response

    app = web.Application()
    app.router.add_get("/", flood)
    async with TestServer(app) as server, MediaFetcher.open([str(server.make_url("")).rstrip("/")]) as fetcher:
        with pytest.raises(MediaError):
            await fetcher.fetch(str(server.make_url("/")), SMALL)


async def test_host_that_never_answers_is_given_up() -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/", never)
    limits = MediaLimits(max_bytes=10, max_pixels=10, timeout=0.05)
    async with TestServer(app) as server, MediaFetcher.open([str(server.make_url("")).rstrip("/")]) as fetcher:
        with pytest.raises(Unavailable):
            await fetcher.fetch(str(server.make_url("/")), limits)


@pytest.mark.parametrize("hops", [pytest.param(1, id="one"), pytest.param(3, id="three")])
async def test_redirects_within_the_list_are_followed(store: Store, hops: int) -> None:
    store.put("/0", picture())
    for hop in range(hops):
        store.put(f"/{hop + 1}", status=302, Location=f"/{hop}")
    assert (await store.fetcher.fetch(f"{store.base}/{hops}", SMALL)).extension == "png"


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("/loop", id="for-ever"),
        pytest.param("http://127.0.0.1:1/", id="another-port"),
        pytest.param("http://169.254.169.254/latest/meta-data", id="metadata-service"),
        pytest.param("//evil.example/x", id="another-host"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("", id="nowhere"),
        pytest.param("http://[", id="nonsense"),
    ],
)
async def test_redirect_off_the_list_is_not_followed(store: Store, location: str) -> None:
    with pytest.raises(MediaError):
        await store.fetcher.fetch(store.put("/loop", status=302, Location=location), SMALL)


PUBLIC_LIST = [
    "*.r2.cloudflarestorage.com",
    "cdn.discordapp.com",
    "http://127.0.0.1:9000",
    "https://store.example:8443",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://abc.r2.cloudflarestorage.com/x?Signature=a%2Fb",
        "https://a.b.r2.cloudflarestorage.com/x",
        "https://CDN.DiscordApp.com/x",
        "https://cdn.discordapp.com:443/x",
        "http://127.0.0.1:9000/x",
        "https://store.example:8443/x",
    ],
)
def test_listed_place_is_allowed(url: str) -> None:
    assert HostList.parse(PUBLIC_LIST).allows(URL(url, encoded=True))


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/x",
        "https://cdn.discordapp.com:8443/x",
        "https://r2.cloudflarestorage.com/x",
        "https://evilr2.cloudflarestorage.com/x",
        "https://abc.r2.cloudflarestorage.com.evil.example/x",
        "https://abc.r2.cloudflarestorage.com./x",
        "https://cdn.discordapp.com@evil.example/x",
        "https://evil.example@cdn.discordapp.com/x",
        "https://user:pass@cdn.discordapp.com/x",
        "https://@cdn.discordapp.com/x",
        "https://evil.example\\@cdn.discordapp.com/x",
        "https://evil.example#@cdn.discordapp.com/x",
        "https://evil.example?@cdn.discordapp.com/x",
        "https:/cdn.discordapp.com/x",
        "https:cdn.discordapp.com/x",
        "//cdn.discordapp.com/x",
        "cdn.discordapp.com/x",
        "ftp://cdn.discordapp.com/x",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://127.0.0.1/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:9001/x",
        "https://127.0.0.1:9000/x",
        "http://127.1:9000/x",
        "http://2130706433:9000/x",
        "http://0x7f000001:9000/x",
        "http://0x7f.0.0.1:9000/x",
        "http://0177.0.0.1:9000/x",
        "http://017700000001:9000/x",
        "http://127.0.0.1.:9000/x",
        "http://%31%32%37.0.0.1:9000/x",
        "http://１２７.0.0.1:9000/x",
        "http://[::1]:9000/x",
        "http://[::ffff:127.0.0.1]:9000/x",
        "http://[::ffff:7f00:1]:9000/x",
        "http://[fe80::1%25eth0]:9000/x",
        "http://localhost:9000/x",
        "http://0:9000/x",
        "http://0.0.0.0:9000/x",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "https://[fd00::1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://cdn.discordapp.com\n.evil.example/x",
        "https://cdn.discordapp.com\t/x",
        " https://cdn.discordapp.com/x",
        "https://cdn.discordapp.com /x",
        "https://cdn.dïscordapp.com/x",
        "https://cdn。discordapp。com/x",
        "https://cdn.discordapp.com:99999/x",
        "https://cdn.discordapp.com:x/x",
        "https://[/x",
        "https://",
        "N/A",
        "",
        "https://cdn.discordapp.com/" + "x" * 5000,
    ],
)
async def test_any_other_place_is_refused_before_a_connection(url: str) -> None:
    async with MediaFetcher.open(PUBLIC_LIST) as fetcher:
        with pytest.raises(MediaError):
            await fetcher.fetch(url, SMALL)


class FixedResolver(AbstractResolver):
    """Answers every name with the same addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


async def test_public_name_of_a_private_address_leads_nowhere() -> None:
    resolver = GuardedResolver(HostList.parse(PUBLIC_LIST), FixedResolver("127.0.0.1", "10.1.2.3"))
    with pytest.raises(OSError, match="private"):
        await resolver.resolve("cdn.discordapp.com", 443)


async def test_private_addresses_are_dropped_from_a_mixed_answer() -> None:
    resolver = GuardedResolver(HostList.parse(PUBLIC_LIST), FixedResolver("192.168.0.1", "162.159.135.233"))
    found = await resolver.resolve("cdn.discordapp.com", 443)
    assert [one["host"] for one in found] == ["162.159.135.233"]


async def test_local_store_that_the_operator_spelled_out_may_be_private() -> None:
    resolver = GuardedResolver(HostList.parse(["http://minio:9000"]), FixedResolver("172.18.0.5"))
    assert [one["host"] for one in await resolver.resolve("minio", 9000)] == ["172.18.0.5"]


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_only_public_addresses_are_public(text: str, public: bool) -> None:
    address = address_of(text)
    assert address is not None
    assert is_public(address) is public


def test_bad_entries_are_all_reported() -> None:
    with pytest.raises(SetupError) as caught:
        HostList.parse(["ok.example", "ftp://x.example", "https://x.example/path", "*.com", "a@b.example", ""])
    assert len(caught.value.problems) == 5


def test_examine_leaves_the_bytes_alone() -> None:
    data = picture("WEBP")
    assert examine(data, max_pixels=1000).data is data
