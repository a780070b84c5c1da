from __future__ import annotations

import pytest

from bot.domain.requests import MAX_SIDE, MIN_SIDE, SIZE_STEP, Aspect, SizeChoice
from bot.domain.sizes import FREE_SIDE_UNDER_LOAD, MAX_RATIO, dimensions, dimensions_near

NATIVES = [pytest.param(native, id=str(native)) for native in (512, 768, 1024)]
ASPECTS = [pytest.param(aspect, id=aspect.value) for aspect in Aspect]
SIZES = [pytest.param(size, id=size.value) for size in SizeChoice]


@pytest.mark.parametrize("native", NATIVES)
@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("size", SIZES)
def test_dimensions_are_near_the_shape_and_area_asked_for(native: int, aspect: Aspect, size: SizeChoice) -> None:
    width, height = dimensions(aspect, size, native)
    assert all(side % SIZE_STEP == 0 and MIN_SIDE <= side <= MAX_SIDE for side in (width, height))
    assert width / height == pytest.approx(aspect.ratio, rel=0.15)
    assert width * height == pytest.approx(native**2 * size.area_factor, rel=0.25)


@pytest.mark.parametrize("native", NATIVES)
@pytest.mark.parametrize("aspect", ASPECTS)
def test_native_dimensions_stay_free_of_charge(native: int, aspect: Aspect) -> None:
    width, height = dimensions(aspect, SizeChoice.NATIVE, native)
    assert width * height <= max(native, FREE_SIDE_UNDER_LOAD) ** 2


@pytest.mark.parametrize("native", NATIVES)
def test_native_square_is_the_native_side(native: int) -> None:
    assert dimensions(Aspect.SQUARE, SizeChoice.NATIVE, native) == (native, native)


@pytest.mark.parametrize("size", SIZES)
def test_portrait_is_the_landscape_turned(size: SizeChoice) -> None:
    wide, low = dimensions(Aspect.WIDE, size, 1024)
    assert dimensions(Aspect.TALL, size, 1024) == (low, wide)


@pytest.mark.parametrize("native", NATIVES)
@pytest.mark.parametrize("ratio", [pytest.param(ratio, id=f"{ratio:.2f}") for ratio in (0.3, 0.71, 1.0, 1.33, 3.9)])
def test_dimensions_near_a_ratio_have_it_and_stay_free_of_charge(native: int, ratio: float) -> None:
    width, height = dimensions_near(ratio, SizeChoice.NATIVE, native)
    assert width / height == pytest.approx(ratio, rel=0.15)
    assert width * height <= max(native, FREE_SIDE_UNDER_LOAD) ** 2
    assert width * height == pytest.approx(native**2, rel=0.25)


def test_ratio_of_a_strip_is_not_followed_to_its_end() -> None:
    width, height = dimensions_near(200.0, SizeChoice.NATIVE, 1024)
    assert width / height == pytest.approx(MAX_RATIO, rel=0.15)
    assert dimensions_near(1 / 200, SizeChoice.NATIVE, 1024) == (height, width)
