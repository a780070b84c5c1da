"""What people write, and what is understood of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alchemy import DESCRIBING, Form
from bot.services.words import PRESETS, parse, presets


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("caption", [Form.CAPTION]),
        ("Caption UPSCALE", [Form.CAPTION, Form.UPSCALE_4X]),
        ("upscale anime, caption", [Form.UPSCALE_4X_ANIME, Form.CAPTION]),
        ("anime upscale", [Form.UPSCALE_4X_ANIME]),
        ("upscale photo", [Form.UPSCALE_PHOTO]),
        ("upscale 2x", [Form.UPSCALE_2X]),
        ("×4", [Form.UPSCALE_4X]),
        ("2x anime upscale", [Form.UPSCALE_ANIMATION_2X]),
        ("please remove the background", [Form.CUTOUT]),
        ("cut-out", [Form.CUTOUT]),
        ("nsfw?", [Form.NSFW]),
        ("fix the faces and score it", [Form.FACES_GFPGAN, Form.AESTHETIC]),
        ("tags tags tags", [Form.TAGS]),
        ("<@123456> svg!", [Form.VECTORIZE]),
        ("RealESRGAN_x4plus_anime_6B", [Form.UPSCALE_4X_ANIME]),
        ("GFPGANv1.3", [Form.FACES_GFPGAN_13]),
    ],
)
def test_words_are_understood(text: str, forms: list[Form]) -> None:
    assert list(parse(text).forms) == forms
    assert parse(text).clear


@pytest.mark.parametrize("text", ["what a lovely face!", "hello", "caption this, you fool"])
def test_chatter_is_not_clear(text: str) -> None:
    assert not parse(text).clear


@pytest.mark.parametrize("text", ["", "   ", "a photo", "<@1>"])
def test_nothing_is_asked(text: str) -> None:
    assert parse(text).forms == ()


@pytest.mark.parametrize("form", list(Form))
def test_every_form_may_be_named_exactly(form: Form) -> None:
    assert parse(form.value).forms == (form,)


def test_everything_is_everything_that_describes() -> None:
    assert set(parse("everything").forms) == DESCRIBING


def test_presets_mean_something_and_are_found() -> None:
    assert all(parse(words).clear for words, _ in PRESETS)
    assert presets("anime") == [("upscale anime", "Upscale ×4, for drawings")]


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str) -> None:
    asked = parse(text)
    assert len(set(asked.forms)) == len(asked.forms)


def test_engine_is_meant_by_its_tag_alone() -> None:
    assert (parse("osais:rembg, please").engine, parse("osais:rembg").clear) == ("rembg", True)
    assert parse("cutout, osais:gfpgan").unknown == ("osais:gfpgan",)
    assert (parse("gfpgan").engine, parse("osais:ping").clear) == ("", False)
    assert all(parse(words).engine for words, _ in presets("osais", engines=True))
