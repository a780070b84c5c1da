"""From what a person typed to a request, and what is offered while they type."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.domain.requests import DEFAULT_STRENGTH
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest
from bot.providers.base import ModelInfo
from bot.providers.horde.suitability import model_info
from bot.providers.horde.wire import ActiveModel, Reference
from bot.services.imagining import Changes, ImageWish, Imagining
from tests.factories import make_request


def make_model(name: str, workers: int = 0) -> ModelInfo:
    """A model as the catalogue tells of it."""
    active = ActiveModel(name=name, count=workers) if workers else None
    return model_info(Reference(name=name, baseline="stable diffusion 1"), active)


class Models:
    """Two that are served and two that are not."""

    def models(self) -> Sequence[ModelInfo]:
        return make_model("Deliberate", 5), make_model("Dreamshaper", 2)

    def unserved(self) -> Sequence[ModelInfo]:
        return make_model("Deliberate 3.0"), make_model("Rev Animated")

    def default_model(self, *, nsfw: bool = False) -> ModelInfo:
        return make_model("Deliberate", 5)

    def find(self, text: str) -> ModelInfo:
        return make_model(text, 1)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        pytest.param("", ["Deliberate", "Dreamshaper"], id="nothing-typed"),
        pytest.param(" DELI", ["Deliberate", "Deliberate 3.0"], id="served-first"),
        pytest.param("rev", ["Rev Animated"], id="nobody-serves-it"),
        pytest.param("zzz", [], id="no-such-thing"),
    ],
)
def test_choices_fit_what_was_typed(typed: str, offered: list[str]) -> None:
    assert [model.name for model in Imagining(Models()).choices(typed)] == offered


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("20 / 5.5", (20, 5.5), id="point"),
        pytest.param("20 / 5,5", (20, 5.5), id="decimal-comma"),
        pytest.param("20, 5,5", (20, 5.5), id="commas-only"),
        pytest.param("20,5", (20, 5.0), id="comma-between"),
        pytest.param("/ 5", (31, 5.0), id="guidance-alone"),
        pytest.param("20", (20, 6.5), id="steps-alone"),
        pytest.param("", (31, 6.5), id="left-empty"),
    ],
)
def test_edited_steps_and_guidance_are_read_as_people_write_them(text: str, numbers: tuple[int, float]) -> None:
    request = make_request(steps=31, guidance=6.5)
    changes = Changes(prompt="a lighthouse", steps_and_guidance=text)
    edited = Imagining(Models()).edited(request, changes, nsfw=False)
    assert (edited.steps, edited.guidance) == numbers


def test_edited_numbers_that_make_no_sense_are_answered_with_an_example() -> None:
    changes = Changes(prompt="a lighthouse", steps_and_guidance="many / few")
    with pytest.raises(InvalidRequest) as caught:
        Imagining(Models()).edited(make_request(), changes, nsfw=False)
    assert "`25 / 7`" in caught.value.user_message


def test_picture_to_start_from_decides_the_shape() -> None:
    source = SourceMedia(url="https://cdn.discordapp.com/x.png", width=1200, height=800)
    request = Imagining(Models()).complete(ImageWish(prompt="a lighthouse", source=source))
    assert request.width / request.height == pytest.approx(1.5, rel=0.15)
    assert (request.source, request.strength) == (source, DEFAULT_STRENGTH)


def test_picture_of_unknown_size_leaves_the_shape_as_chosen() -> None:
    source = SourceMedia(url="https://cdn.discordapp.com/x.png")
    request = Imagining(Models()).complete(ImageWish(prompt="a lighthouse", source=source, strength=0.257))
    assert (request.width, request.height, request.strength) == (512, 512, 0.26)


def test_edited_and_repeated_requests_start_from_the_same_picture() -> None:
    source = SourceMedia(url="https://cdn.discordapp.com/x.png", width=1200, height=800)
    imagining = Imagining(Models())
    request = imagining.complete(ImageWish(prompt="a lighthouse", source=source, strength=0.3))
    for next_one in (
        imagining.edited(request, Changes(prompt="a windmill"), nsfw=False),
        imagining.again(request, nsfw=False),
    ):
        assert (next_one.source, next_one.strength) == (source, 0.3)
        assert (next_one.width, next_one.height) == (request.width, request.height)


@pytest.mark.parametrize("strength", [pytest.param(0.0, id="nothing"), pytest.param(1.2, id="too-much")])
def test_strength_out_of_range_is_refused(strength: float) -> None:
    source = SourceMedia(url="https://cdn.discordapp.com/x.png")
    with pytest.raises(InvalidRequest):
        Imagining(Models()).complete(ImageWish(prompt="a lighthouse", source=source, strength=strength))
