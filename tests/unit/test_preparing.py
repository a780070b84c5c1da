"""Pictures as people really have them, made fit to be sent."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.alchemy import tiles
from bot.errors import MediaError
from bot.media import ATTACHMENT
from bot.services.preparing import MAX_BYTES, MAX_PIXELS, MAX_SIDE, MAX_TILES, Prepared, fitting, prepare

RED, BLUE = (250, 10, 10), (10, 10, 250)
#: EXIF's number for the orientation, and for who made the picture.
ORIENTATION, ARTIST = 0x0112, 0x013B


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def made(data: bytes) -> tuple[Prepared, Image.Image]:
    """What is sent, and how it looks."""
    prepared = prepare(data, max_pixels=ATTACHMENT.max_pixels)
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    assert image.size == (prepared.facts.width, prepared.facts.height)
    return prepared, image


def near(shown: Any, wanted: tuple[int, ...]) -> bool:
    """Whether a pixel has that colour, but for what a lossy format makes of it."""
    return all(abs(one - other) < 40 for one, other in zip(shown, wanted, strict=True))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand, for what Pillow does not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved(halves(), "PNG"), id="png"),
        pytest.param(saved(halves(), "JPEG"), id="jpeg"),
        pytest.param(saved(halves(), "WEBP"), id="webp"),
        pytest.param(saved(halves().quantize(4), "GIF"), id="gif"),
        pytest.param(saved(halves().quantize(4), "PNG"), id="png-palette"),
        pytest.param(saved(halves("CMYK"), "JPEG"), id="jpeg-cmyk"),
        pytest.param(saved(halves("RGBA"), "PNG"), id="png-alpha-unused"),
        pytest.param(
            png(60, 40, 16, 2, (b"\0" + b"\xfa\0\x0a\0\x0a\0" * 30 + b"\x0a\0\x0a\0\xfa\0" * 30) * 40), id="png-16-bit"
        ),
    ],
)
def test_picture_keeps_its_colours(data: bytes) -> None:
    prepared, image = made(data)
    assert image.mode == "RGB"
    assert near(image.getpixel((10, 20)), RED)
    assert near(image.getpixel((50, 20)), BLUE)
    assert not prepared.facts.shrunk
    assert not prepared.facts.animated


def test_grey_of_16_bits_is_scaled_not_clipped() -> None:
    rows = (b"\0" + struct.pack(">H", 0x4000) * 30 + struct.pack(">H", 0xC000) * 30) * 40
    _, image = made(png(60, 40, 16, 0, rows))
    assert near(image.getpixel((10, 20)), (64, 64, 64))
    assert near(image.getpixel((50, 20)), (192, 192, 192))


@pytest.mark.parametrize("mode", [pytest.param(mode, id=mode) for mode in ("1", "L")])
def test_black_and_white_becomes_colour(mode: str) -> None:
    _, image = made(saved(Image.new(mode, (20, 20), 1 if mode == "1" else 255), "PNG"))
    assert (image.mode, image.getpixel((5, 5))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved(Image.new("RGBA", (20, 20), (*RED, 90)), "PNG"), id="png"),
        pytest.param(saved(Image.new("RGBA", (20, 20), (*RED, 90)), "WEBP", lossless=True), id="webp"),
        pytest.param(saved(Image.new("LA", (20, 20), (76, 90)), "PNG"), id="grey"),
        pytest.param(saved(halves().quantize(4), "PNG", transparency=0), id="palette"),
        pytest.param(saved(halves().quantize(4), "GIF", transparency=0), id="gif"),
    ],
)
def test_what_can_be_seen_through_stays_so(data: bytes) -> None:
    _, image = made(data)
    assert image.mode == "RGBA"
    assert min(image.getchannel("A").tobytes()) <= 90


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.lower()) for kind in ("JPEG", "PNG", "WEBP")])
def test_photo_is_turned_upright_and_tells_nothing_else(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[ARTIST] = 6, "somebody"
    prepared, image = made(saved(halves(), kind, exif=exif))
    assert image.size == (40, 60)
    assert near(image.getpixel((20, 10)), RED)
    assert near(image.getpixel((20, 50)), BLUE)
    assert not image.getexif()
    assert b"somebody" not in prepared.data
    assert (prepared.facts.given_width, prepared.facts.given_height) == (40, 60)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_note_on_orientation_leaves_the_picture_as_it_is() -> None:
    _, image = made(saved(halves(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\xff\xff\xff\xff\0\0"))
    assert image.size == (60, 40)


def test_comments_and_profiles_are_left_out() -> None:
    prepared, image = made(saved(halves(), "JPEG", comment=b"at home", icc_profile=b"profile" * 40))
    assert b"at home" not in prepared.data
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.lower()) for kind in ("GIF", "WEBP", "PNG")])
def test_first_frame_of_what_moves_is_sent(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    prepared, image = made(saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100))
    assert prepared.facts.animated
    assert getattr(image, "n_frames", 1) == 1
    assert near(image.getpixel((5, 5)), RED)


def test_photo_with_a_preview_does_not_count_as_moving() -> None:
    prepared, _ = made(saved(halves(), "MPO", save_all=True, append_images=[halves(size=(30, 20))]))
    assert not prepared.facts.animated


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((4000, 3000), id="photo"),
        pytest.param((24_000, 30), id="strip"),
        pytest.param((1, 9000), id="line"),
    ],
)
def test_picture_over_the_limits_is_shrunk_in_shape(size: tuple[int, int]) -> None:
    prepared, image = made(saved(Image.new("L", size, 90), "PNG"))
    assert image.width * image.height <= MAX_PIXELS
    assert max(image.size) <= MAX_SIDE
    assert prepared.facts.shrunk is (image.size != size)
    assert (prepared.facts.given_width, prepared.facts.given_height) == size
    assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.05)


def test_noise_that_no_format_makes_small_still_fits() -> None:
    noise = Image.frombytes("RGB", (2100, 2100), random.Random(1).randbytes(2100 * 2100 * 3))
    prepared, _ = made(saved(noise, "JPEG", quality=95))
    assert len(prepared.data) <= MAX_BYTES


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_fitting_size_is_one_the_horde_takes(width: int, height: int) -> None:
    new = fitting(width, height)
    assert new[0] * new[1] <= MAX_PIXELS
    assert max(new) <= MAX_SIDE
    assert tiles(*new) <= MAX_TILES
    assert new == (width, height) or new[0] < width or new[1] < height


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "isn't a picture", id="nothing"),
        pytest.param(b"%PDF-1.7 ...", "isn't a picture", id="wrong-type"),
        pytest.param(saved(halves(), "BMP"), "isn't a picture", id="format-not-taken"),
        pytest.param(b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", id="svg"),
        pytest.param(saved(halves(size=(300, 300)), "JPEG")[:900], "damaged or cut off", id="cut-jpeg"),
        pytest.param(saved(halves(size=(300, 300)), "PNG")[:-60], "damaged or cut off", id="cut-png"),
        pytest.param(saved(halves(size=(300, 300)), "WEBP")[:80], "damaged or cut off", id="cut-webp"),
        pytest.param(saved(Image.new("1", (6000, 5000)), "PNG"), "25 megapixels", id="30-megapixels"),
        pytest.param(png(60_000, 60_000, 8, 0, b"\0" * 99), "25 megapixels", id="bomb"),
    ],
)
def test_what_cannot_be_worked_on_is_refused_with_a_next_step(data: bytes, told: str) -> None:
    with pytest.raises(MediaError) as caught:
        prepare(data, max_pixels=ATTACHMENT.max_pixels)
    assert told in caught.value.user_message
    assert any(step in caught.value.user_message for step in ("Please", "please"))
