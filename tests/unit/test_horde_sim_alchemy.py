"""The alchemists of the simulated horde: what they make of pictures, how long it takes, and how it goes wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from aiohttp import web
from PIL import Image, ImageDraw

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.alchemy.changing import MAX_RESULT_PIXELS, enlarged_size
from bot.sandbox.horde.alchemy.forms import CHANGING, DESCRIBING, FORMS, price, tiles
from bot.sandbox.horde.alchemy.pixels import opened
from bot.sandbox.horde.alchemy.results import make
from bot.sandbox.horde.alchemy.sources import source_from
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.post_processors import POST_PROCESSORS
from bot.sandbox.horde.serving import served

KEY = "robin-rich-key-0000001"
POOR = "petra-poor-key-0000001"
TWICE = ("RealESRGAN_x2plus", "2xModernSpanimationV1")
SAME_SIZE = ("GFPGAN", "GFPGANv1.3", "CodeFormers", "RestoreFormer", "strip_background")


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def still_life(mode: str = "RGB") -> Image.Image:
    """An orange disc on a blue ground, 96x64."""
    image = Image.new("RGB", (96, 64), (40, 120, 200))
    ImageDraw.Draw(image).ellipse([30, 14, 66, 50], fill=(240, 140, 20))
    return image.convert(mode)


def flat(colour: str) -> bytes:
    return encoded(Image.new("RGB", (40, 40), colour))


PICTURE = encoded(still_life())


@dataclass
class Laboratory:
    """A simulator with one alchemist, its clock, and a client."""

    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    id: str = ""

    async def post(self, *forms: str, key: str = KEY, data: bytes = PICTURE, **body: Any) -> tuple[int, Any]:
        payload = {"forms": [{"name": name} for name in forms], "source_image": base64.b64encode(data).decode(), **body}
        url = f"{self.url}/api/v2/interrogate/async"
        async with self.session.post(url, json=payload, headers={"apikey": key}) as answer:
            got = await answer.json()
            self.id = got.get("id", self.id)
            return answer.status, got

    async def status(self, method: str = "GET") -> tuple[int, Any]:
        async with self.session.request(method, f"{self.url}/api/v2/interrogate/status/{self.id}") as answer:
            return answer.status, await answer.json()

    async def states(self) -> dict[str, str]:
        _, body = await self.status()
        return {form["form"]: form["state"] for form in body["forms"]} | {"": body["state"]}

    async def results(self) -> dict[str, Any]:
        _, body = await self.status()
        return {form["form"]: form["result"][form["form"]] for form in body["forms"] if "result" in form}

    async def until(self, wanted: Callable[[dict[str, str]], bool]) -> None:
        for _ in range(300):
            if wanted(await self.states()):
                return
            await self.clock.advance(0.5)
        raise AssertionError("the request never looked as wanted")

    async def fetch(self, url: str) -> tuple[int, bytes]:
        async with self.session.get(url) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.url}{path}") as answer:
            return await answer.json()

    async def control(self, operation: str, **body: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/sandbox/horde/{operation}", json=body) as answer:
            return answer.status, await answer.json()


def ended(states: dict[str, str]) -> bool:
    return not {"waiting", "processing"} & set(states.values())


@pytest.fixture
async def laboratory() -> AsyncIterator[Laboratory]:
    """One alchemist, no rate limits, and files that come and go."""
    clock = ManualClock()
    sim = HordeSim(clock, rate_limits=False)
    sim.world.background_length = 0
    sim.set_alchemists(count=1)
    files: dict[str, bytes] = {}

    async def file(request: web.Request) -> web.Response:
        data = files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    extra = [web.get("/files/{name}", file)]
    async with served(sim, extra=extra) as url, aiohttp.ClientSession() as session:
        yield Laboratory(sim, clock, session, url, files)


# --- results --------------------------------------------------------------------------------------------------------


def test_forms_are_the_seven_and_all_post_processors() -> None:
    assert len(FORMS) == 23
    assert set(FORMS) == {*DESCRIBING, *POST_PROCESSORS}


@pytest.mark.parametrize("form", CHANGING)
def test_changed_picture_has_the_size_it_should_have(form: str) -> None:
    made = make(form, PICTURE)

    assert isinstance(made, bytes)
    image = Image.open(BytesIO(made))
    factor = 1 if form in SAME_SIZE else 2 if form in TWICE else 4
    assert (image.format, image.size) == ("WEBP", (96 * factor, 64 * factor))
    red, green, blue = image.convert("RGB").resize((3, 3), Image.Resampling.BOX).tobytes()[12:15]
    assert red > 150 > blue, "the disc is still orange"
    assert green > 100


def test_post_processors_all_differ() -> None:
    noisy = encoded(Image.effect_noise((64, 64), 80).convert("RGB"))

    assert len({hashlib.sha256(bytes(str(make(form, noisy)), "utf-8")).digest() for form in CHANGING}) == len(CHANGING)


def test_cut_out_keeps_the_thing_and_drops_the_ground() -> None:
    image = opened(bytes(make("strip_background", PICTURE)))  # type: ignore[call-overload]

    assert image.mode == "RGBA"
    alpha = image.getchannel("A")
    assert (alpha.getpixel((0, 0)), alpha.getpixel((48, 32))) == (0, 255)


@pytest.mark.parametrize("form", ["RealESRGAN_x2plus", "GFPGAN", "strip_background"])
def test_transparent_part_stays_transparent(form: str) -> None:
    source = still_life("RGBA")
    source.paste((0, 0, 0, 0), (30, 0, 66, 64))

    image = opened(bytes(make(form, encoded(source))))  # type: ignore[call-overload]

    assert image.getchannel("A").getpixel((image.width // 2, image.height // 2)) == 0


def test_huge_source_grows_by_less() -> None:
    width, height = enlarged_size(3072, 3072, 4)

    assert width * height <= MAX_RESULT_PIXELS
    assert width == height > 3072
    assert enlarged_size(1000, 1000, 4) == (4000, 4000)
    assert enlarged_size(9000, 10, 4)[0] <= 16_383


def test_caption_speaks_of_what_is_seen() -> None:
    text = str(make("caption", PICTURE))

    assert text.startswith("a wide soft picture of 96 by 64 pixels, mostly blue with a touch of orange")
    assert make("caption", PICTURE) == text


def test_describe_is_the_caption_and_more() -> None:
    assert str(make("caption", PICTURE)) in str(make("describe", PICTURE))


@pytest.mark.parametrize(
    ("colour", "expected"), [("hotpink", False), ("#ee30a0", True), ("orange", False), ("#c08060", False)]
)
def test_nsfw_is_a_picture_mostly_of_hot_pink(colour: str, expected: bool) -> None:
    data = flat("#ff9ecf" if colour == "hotpink" else colour)

    assert make("nsfw", data) is expected


def test_palette_lists_the_dominant_colours_first() -> None:
    palette = make("palette", PICTURE)

    assert isinstance(palette, list)
    assert palette[0] == "#2878c8"
    assert any(colour.startswith("#f08") for colour in palette)
    assert make("palette", flat("#336699")) == ["#336699"]


def test_interrogation_has_seven_groups_in_order_of_confidence() -> None:
    groups = make("interrogation", PICTURE)

    assert isinstance(groups, dict)
    assert set(groups) == {"tags", "sites", "artists", "flavors", "mediums", "movements", "techniques"}
    for ranked in groups.values():
        confidences = [one["confidence"] for one in ranked]
        assert len(ranked) == 5
        assert confidences == sorted(confidences, reverse=True)
    assert "blue" in [one["text"] for one in groups["tags"]]


def test_aesthetic_prefers_colour_to_darkness() -> None:
    colourful, black = make("aesthetic", PICTURE), make("aesthetic", flat("black"))

    assert isinstance(colourful, float)
    assert isinstance(black, float)
    assert 1 <= black < colourful <= 10


def test_vectorize_draws_a_small_valid_svg() -> None:
    noise = encoded(Image.effect_noise((300, 200), 90).convert("RGB"))

    for data in (PICTURE, noise):
        text = str(make("vectorize", data))
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert 2 <= len(root) <= 6
        assert {child.tag for child in root} == {"{http://www.w3.org/2000/svg}path"}
        assert len(text) < 20_000


def gif() -> bytes:
    frames = [Image.new("P", (20, 10), index) for index in range(3)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(still_life("CMYK"), "JPEG"), id="cmyk-jpeg"),
        pytest.param(encoded(still_life("L").convert("I;16"), "PNG"), id="16-bit-png"),
        pytest.param(encoded(still_life("1"), "PNG"), id="1-bit-png"),
        pytest.param(encoded(still_life("LA"), "PNG"), id="grey-with-alpha"),
        pytest.param(encoded(still_life("P"), "PNG", transparency=0), id="palette-with-transparency"),
        pytest.param(gif(), id="animated-gif"),
        pytest.param(encoded(Image.new("RGBA", (9, 7), (0, 0, 0, 0))), id="wholly-transparent"),
        pytest.param(encoded(Image.new("RGB", (1, 1))), id="one-pixel"),
    ],
)
async def test_any_kind_of_picture_can_be_sent_and_worked_on(data: bytes) -> None:
    source = await source_from(base64.b64encode(data).decode())

    assert (source.width, source.height) == Image.open(BytesIO(data)).size
    for form in ("caption", "palette", "vectorize", "interrogation", "strip_background", "RealESRGAN_x4plus", "GFPGAN"):
        assert make(form, source.data)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    image = opened(encoded(Image.new("I;16", (4, 4), 0x8000)))

    assert image.getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no picture", id="wrong-type"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(PICTURE[: len(PICTURE) // 2], id="truncated"),
        pytest.param(b"", id="empty"),
    ],
)
async def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(HordeError) as refusal:
        await source_from(base64.b64encode(data).decode())

    assert refusal.value.rc == "ImageValidationFailed"


# --- a request's life -----------------------------------------------------------------------------------------------


async def test_all_forms_are_done_and_files_are_what_the_simulator_says(laboratory: Laboratory) -> None:
    status, body = await laboratory.post(*FORMS)
    assert (status, set(body)) == (202, {"id"})

    await laboratory.until(ended)

    results = await laboratory.results()
    assert set(results) == set(FORMS)
    noted = laboratory.sim.alchemy_results[laboratory.id]
    for form, value in results.items():
        if form in CHANGING:
            status, data = await laboratory.fetch(value)
            assert (status, noted[form]) == (200, hashlib.sha256(data).hexdigest())
        else:
            assert noted[form] == value
    assert (await laboratory.get("/sandbox/horde/alchemy"))[laboratory.id] == noted


async def test_forms_land_one_by_one_and_their_order_changes(laboratory: Laboratory) -> None:
    await laboratory.post("caption", "nsfw", "palette", "describe")
    seen, orders = [], set()
    for _ in range(40):
        _, body = await laboratory.status()
        orders.add(tuple(form["form"] for form in body["forms"]))
        seen.append(sum(form["state"] == "done" for form in body["forms"]))
        await laboratory.clock.advance(0.5)

    assert set(seen) == {0, 1, 2, 3, 4}
    assert seen == sorted(seen)
    assert len(orders) > 3


async def test_link_is_made_once_and_dies_after_half_an_hour(laboratory: Laboratory) -> None:
    await laboratory.post("GFPGAN")
    await laboratory.until(ended)
    first = (await laboratory.results())["GFPGAN"]
    await laboratory.clock.advance(15 * 60)

    assert (await laboratory.results())["GFPGAN"] == first
    assert (await laboratory.fetch(first))[0] == 200
    await laboratory.clock.advance(16 * 60)
    assert (await laboratory.fetch(first))[0] == 403


async def test_result_is_readable_for_twenty_minutes(laboratory: Laboratory) -> None:
    await laboratory.post("caption")
    await laboratory.until(ended)
    await laboratory.clock.advance(19 * 60)
    assert (await laboratory.status())[0] == 200

    await laboratory.clock.advance(2 * 60)

    status, body = await laboratory.status()
    assert (status, body["rc"]) == (404, "RequestNotFound")
    assert (await laboratory.status("DELETE"))[0] == 404


async def test_form_nobody_offers_waits_until_it_is_forgotten(laboratory: Laboratory) -> None:
    await laboratory.control("alchemists", without=["palette"])
    await laboratory.post("caption", "palette")
    await laboratory.clock.advance(60)

    assert await laboratory.states() == {"caption": "done", "palette": "waiting", "": "waiting"}
    await laboratory.clock.advance(21 * 60)
    assert (await laboratory.status())[0] == 404


async def test_faulted_form_is_tried_four_times(laboratory: Laboratory) -> None:
    laboratory.sim.fault_alchemy(4, "nsfw")
    await laboratory.post("caption", "nsfw")

    await laboratory.until(ended)

    assert await laboratory.states() == {"caption": "done", "nsfw": "faulted", "": "partial"}


async def test_three_faults_are_survived(laboratory: Laboratory) -> None:
    await laboratory.control("alchemy-fault", next=3)
    await laboratory.post("caption")

    await laboratory.until(ended)

    assert await laboratory.states() == {"caption": "done", "": "done"}
    assert laboratory.sim.alchemy_request(laboratory.id).forms[0].aborts == 3


async def test_silent_alchemist_is_given_up_after_three_minutes(laboratory: Laboratory) -> None:
    await laboratory.control("alchemy-silence", next=1, form="caption")
    await laboratory.post("caption")
    await laboratory.clock.advance(170)
    assert (await laboratory.states())["caption"] == "processing"

    await laboratory.clock.advance(90)

    assert (await laboratory.states())["caption"] == "done"


async def test_cancelled_request_keeps_what_is_done(laboratory: Laboratory) -> None:
    await laboratory.post("caption", "nsfw", "palette")
    await laboratory.until(lambda states: states["caption"] == "done" and states["nsfw"] == "processing")
    before = laboratory.sim.alchemy_request(laboratory.id).kudos

    status, body = await laboratory.status("DELETE")

    assert status == 200
    assert body["state"] == "partial"
    states = {form["form"]: form["state"] for form in body["forms"]}
    assert states == {"caption": "done", "nsfw": "cancelled", "palette": "cancelled"}
    await laboratory.clock.advance(60)
    assert await laboratory.states() == {**states, "": "partial"}
    charged = laboratory.sim.alchemy_request(laboratory.id).kudos - before
    assert charged == price("nsfw", 1, slow_workers=True), "the form at the worker is charged, the waiting one is not"


async def test_repeated_form_is_done_and_charged_twice(laboratory: Laboratory) -> None:
    await laboratory.post("caption", "caption")
    kudos = laboratory.sim.user("robin_rich").kudos

    await laboratory.until(ended)

    _, body = await laboratory.status()
    assert [form["form"] for form in body["forms"]] == ["caption", "caption"]
    assert kudos - laboratory.sim.user("robin_rich").kudos == 2 * price("caption", 1, slow_workers=True)


@pytest.mark.parametrize(
    ("form", "size", "slow_workers", "expected"),
    [
        ("caption", (3000, 3000), True, 3),
        ("interrogation", (64, 64), True, 5),
        ("GFPGAN", (512, 512), True, 5),
        ("GFPGAN", (513, 512), True, 8),
        ("GFPGAN", (513, 512), False, 9),
    ],
)
def test_price_counts_tiles(form: str, size: tuple[int, int], slow_workers: bool, expected: float) -> None:
    assert price(form, tiles(*size), slow_workers=slow_workers) == expected


async def test_ten_times_the_concurrency_may_wait(laboratory: Laboratory) -> None:
    laboratory.sim.set_user("petra_poor", concurrency=1)
    laboratory.sim.set_alchemists(paused=True)
    assert (await laboratory.post(*["caption"] * 9, key=POOR))[0] == 202

    status, body = await laboratory.post("caption", "nsfw", key=POOR)

    assert (status, body["rc"]) == (429, "TooManyPrompts")
    assert body["message"].startswith("Parallel requests (11) exceeded user limit (10).")
    assert (await laboratory.post("caption", key=POOR))[0] == 202


async def test_webhook_is_kept(laboratory: Laboratory) -> None:
    await laboratory.post("caption", webhook="https://example.org/hook")

    assert laboratory.sim.alchemy_request(laboratory.id).webhook == "https://example.org/hook"


# --- sources by URL -------------------------------------------------------------------------------------------------


async def test_url_is_downloaded_again_by_the_worker(laboratory: Laboratory) -> None:
    laboratory.files["a.png"] = PICTURE
    await laboratory.post("caption", source_image=f"{laboratory.url}/files/a.png")
    laboratory.files["a.png"] = encoded(Image.new("RGB", (32, 32), "white"))

    await laboratory.until(ended)

    assert "square bright picture of 32 by 32 pixels" in (await laboratory.results())["caption"]


async def test_url_that_has_expired_faults_later(laboratory: Laboratory) -> None:
    laboratory.files["a.png"] = PICTURE
    assert (await laboratory.post("caption", source_image=f"{laboratory.url}/files/a.png"))[0] == 202
    laboratory.files.clear()

    await laboratory.until(ended)

    assert (await laboratory.states())[""] == "faulted"


# --- levers and lists -----------------------------------------------------------------------------------------------


async def test_alchemists_are_listed_and_counted(laboratory: Laboratory) -> None:
    await laboratory.control("alchemists", count=3, paused=True, forms=["caption", "nsfw"])
    await laboratory.post("caption", "palette")

    workers = await laboratory.get("/api/v2/workers?type=interrogation")
    performance = await laboratory.get("/api/v2/status/performance")

    assert [worker["forms"] for worker in workers] == [["caption", "nsfw"]] * 3
    assert (performance["interrogator_count"], performance["interrogator_thread_count"]) == (3, 3)
    assert performance["queued_forms"] == 2.0
    assert len((await laboratory.get("/sandbox/horde/state"))["alchemy"]) == 1


async def test_nobody_is_online(laboratory: Laboratory) -> None:
    laboratory.sim.set_alchemists(online=False)

    assert await laboratory.get("/api/v2/workers?type=interrogation") == []
    assert (await laboratory.get("/api/v2/status/performance"))["interrogator_count"] == 0


async def test_picture_too_large_for_an_alchemist_waits_for_another(laboratory: Laboratory) -> None:
    laboratory.sim.set_alchemists(max_tiles=1)
    await laboratory.post("GFPGAN", "caption", data=encoded(Image.new("L", (600, 600))))
    await laboratory.clock.advance(60)
    assert await laboratory.states() == {"GFPGAN": "waiting", "caption": "done", "": "waiting"}

    laboratory.sim.set_alchemists(max_tiles=4)

    await laboratory.until(ended)
    assert (await laboratory.states())["GFPGAN"] == "done"


async def test_odd_result_is_passed_on(laboratory: Laboratory) -> None:
    await laboratory.control("alchemy-result", form="caption", value={"text": ["x"] * 3})
    await laboratory.post("caption")
    await laboratory.until(ended)

    assert await laboratory.results() == {"caption": {"text": ["x"] * 3}}


async def test_maintenance_drops_what_waits(laboratory: Laboratory) -> None:
    await laboratory.post("caption", "nsfw")
    await laboratory.until(lambda states: states["caption"] == "processing")
    laboratory.sim.set_maintenance()
    await laboratory.clock.advance(10)

    assert await laboratory.states() == {"caption": "done", "nsfw": "cancelled", "": "partial"}
    assert (await laboratory.post("caption"))[1]["rc"] == "MaintenanceMode"


async def test_lost_upload_and_dead_link_stay_dead(laboratory: Laboratory) -> None:
    laboratory.sim.dead_links(1, "missing")
    await laboratory.post("GFPGAN")
    await laboratory.until(ended)
    assert (await laboratory.fetch((await laboratory.results())["GFPGAN"]))[0] == 404

    laboratory.sim.dead_links(1, "expired")
    await laboratory.post("GFPGAN")
    await laboratory.until(ended)
    link = (await laboratory.results())["GFPGAN"]
    assert [(await laboratory.fetch(link))[0] for _ in range(2)] == [403, 403]


async def test_forgotten_request_is_gone(laboratory: Laboratory) -> None:
    await laboratory.post("caption")
    await laboratory.control("expire", id=laboratory.id)

    assert (await laboratory.status())[0] == 404


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        pytest.param("alchemists", {"forms": ["nope"]}, id="unknown-form"),
        pytest.param("alchemists", {"wings": True}, id="unknown-feature"),
        pytest.param("alchemy-fault", {"form": "nope"}, id="fault-of-unknown-form"),
        pytest.param("alchemy-result", {"form": "caption"}, id="no-value"),
    ],
)
async def test_nonsense_on_a_lever_is_refused(laboratory: Laboratory, operation: str, body: dict[str, Any]) -> None:
    status, answer = await laboratory.control(operation, **body)

    assert status == 400
    assert "error" in answer


async def test_status_has_a_limit_of_ten_a_second_for_each_id(laboratory: Laboratory) -> None:
    laboratory.sim.set_rate_limits(True)
    await laboratory.post("caption")

    statuses = [(await laboratory.status())[0] for _ in range(11)]

    assert statuses == [200] * 10 + [429]
    assert (await laboratory.status("DELETE"))[0] == 200
