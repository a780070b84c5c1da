from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.errors import Busy, InvalidRequest, ProviderError
from bot.providers.horde import Catalogue, HordeClient
from bot.providers.horde.catalogue import FAVOURITE, REFERENCE_EVERY, bundled
from bot.providers.horde.mapping import SECOND_ORDER
from bot.providers.horde.suitability import model_info
from tests.unit.horde_lists import Lists, actions, assert_reference_is_asked_for_rarely, open_lists


class Horde:
    """The lists, and what reads them."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.clock = lists.clock
        self.client = HordeClient(lists.calls, lists.clock, reference_url=lists.reference_url)
        self.catalogue = Catalogue(self.client, lists.clock)


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    async with open_lists("image") as lists:
        yield Horde(lists)


def serve(horde: Horde, **workers: int) -> None:
    """Let models be served; names are written with _ for blanks."""
    horde.lists.served = [{"name": name.replace("_", " "), "count": count, "eta": 5} for name, count in workers.items()]


async def serve_lookalikes(horde: Horde) -> None:
    """Let models be served, and known, of which two begin alike."""
    names = ("Deliberate", "Deliberate 3.0", "AlbedoBase XL (SDXL)")
    horde.lists.served = [{"name": name, "count": 1} for name in names]
    await horde.catalogue.refresh()


async def test_bundled_models_stand_in_until_the_first_list(horde: Horde) -> None:
    assert not horde.catalogue.live
    assert len(horde.catalogue.models()) == len(bundled()) > 100
    assert horde.catalogue.default_model().name == FAVOURITE


async def test_models_come_with_most_workers_first(horde: Horde) -> None:
    serve(horde, Deliberate=3, AlbedoBase_XL_3_1=0, Made_Up=8)
    await horde.catalogue.refresh()
    assert [model.name for model in horde.catalogue.models()] == ["Made Up", "Deliberate", "AlbedoBase XL 3 1"]
    assert horde.catalogue.live


async def test_reference_that_is_read_replaces_the_bundled_one(horde: Horde) -> None:
    horde.lists.reference = {"Deliberate": {"name": "Deliberate", "baseline": "stable diffusion 1", "style": "anime"}}
    await horde.catalogue.refresh()
    info = horde.catalogue.info("Deliberate")
    assert (info.baseline, info.native, info.generalist) == ("stable_diffusion_1", 512, False)


async def test_reference_is_asked_for_rarely(horde: Horde) -> None:
    await assert_reference_is_asked_for_rarely(horde.lists, horde.catalogue, every=REFERENCE_EVERY)


async def test_list_stays_while_the_horde_is_down_and_that_is_logged_once(
    horde: Horde, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.providers.horde.catalogue")
    serve(horde, Deliberate=3)
    await horde.catalogue.refresh()
    horde.lists.down = True
    for _ in range(3):
        await horde.catalogue.refresh()
    assert [model.name for model in horde.catalogue.models()] == ["Deliberate"]
    horde.lists.down = False
    await horde.catalogue.refresh()
    assert actions(caplog) == ["catalogue.down", "catalogue.up"]


@pytest.mark.parametrize(
    ("served", "nsfw", "chosen"),
    [
        pytest.param(
            {"SDXL_1.0": 20, "AlbedoBase_XL_(SDXL)": 4, "AMPonyXL": 30}, False, "AlbedoBase XL (SDXL)", id="good"
        ),
        pytest.param({"Deliberate": 9, "AlbedoBase_XL_(SDXL)": 4}, False, "AlbedoBase XL (SDXL)", id="not-nsfw"),
        pytest.param({"Deliberate": 9, "AlbedoBase_XL_(SDXL)": 4}, True, "Deliberate", id="nsfw-admitted"),
        pytest.param({"SDXL_1.0": 2, "AAM_XL": 9}, False, "SDXL 1.0", id="dated-before-special"),
        pytest.param({"AAM_XL": 9, "Epic_Diffusion_Inpainting": 20}, False, "AAM XL", id="special-before-inpainting"),
        pytest.param({"AlbedoBase_XL_(SDXL)": 0}, False, FAVOURITE, id="nobody"),
    ],
)
async def test_default_model_is_the_most_served_good_one(
    horde: Horde, served: dict[str, int], nsfw: bool, chosen: str
) -> None:
    horde.lists.served = [{"name": name.replace("_", " "), "count": count} for name, count in served.items()]
    await horde.catalogue.refresh()
    assert horde.catalogue.default_model(nsfw=nsfw).name == chosen


async def test_models_that_nobody_serves_are_told_apart(horde: Horde) -> None:
    assert horde.catalogue.unserved() == ()  # not known yet
    serve(horde, Deliberate=3)
    await horde.catalogue.refresh()
    names = [model.name for model in horde.catalogue.unserved()]
    assert "SDXL 1.0" in names
    assert "Deliberate" not in names
    assert {model.workers for model in horde.catalogue.unserved()} == {0}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Deliberate", "Deliberate", id="exact"),
        pytest.param("  dElIbErAtE ", "Deliberate", id="any-case"),
        pytest.param("albedo", "AlbedoBase XL (SDXL)", id="only-beginning"),
        pytest.param("SDXL 1.0", "SDXL 1.0", id="known-but-not-served"),
    ],
)
async def test_free_text_finds_a_model(horde: Horde, text: str, name: str) -> None:
    await serve_lookalikes(horde)
    assert horde.catalogue.find(text).name == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("delib", "`Deliberate`, `Deliberate 3.0`", id="ambiguous"),
        pytest.param("delibrate", "`Deliberate`", id="misspelt"),
        pytest.param("base xl", "`AlbedoBase XL (SDXL)`", id="inside"),
        pytest.param("qqqq`@everyone", "list comes up with `/imagine model:`", id="nothing-like-it"),
        pytest.param("", "list comes up with `/imagine model:`", id="empty"),
    ],
)
async def test_unknown_text_is_answered_with_close_names(horde: Horde, text: str, hint: str) -> None:
    await serve_lookalikes(horde)
    with pytest.raises(InvalidRequest) as caught:
        horde.catalogue.find(text)
    assert hint in caught.value.user_message
    assert caught.value.user_message.count("`") % 2 == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Flux.1-Schnell fp8 (Compact)", (1024, 4, 1.0, "k_euler", True, 8)),
        ("DreamShaper XL", (1024, 3, 2.0, "k_dpmpp_sde", True, 6)),
        ("Stable Cascade 1.0", (1024, 20, 4.0, "k_euler_a", True, 30)),
        ("Deliberate", (512, 25, 7.0, "k_euler_a", True, 40)),
        ("stable_diffusion_2.1", (768, 25, 7.0, "k_euler_a", True, 40)),
        ("Ultraspice", (1024, 25, 2.5, "k_euler_a", True, 40)),
        ("Somebody's Own Turbo XL", (1024, 8, 2.0, "k_euler_a", True, 40)),
    ],
)
async def test_model_comes_with_what_suits_it(horde: Horde, name: str, expected: tuple[Any, ...]) -> None:
    info = horde.catalogue.info(name)
    assert (info.native, info.steps, info.guidance, info.sampler, info.karras, info.max_steps) == expected


def test_no_bundled_model_is_offered_with_steps_that_cost_kudos_in_advance() -> None:
    for reference in bundled():
        info = model_info(reference, None)
        assert info.steps * (2 if info.sampler in SECOND_ORDER else 1) <= info.max_steps, info.name


async def test_status_is_asked_for_nine_times_a_minute_at_most(horde: Horde) -> None:
    horde.lists.down = True
    for _ in range(9):
        with pytest.raises(ProviderError):
            await horde.client.status("id")
    with pytest.raises(Busy) as caught:
        await horde.client.status("id")
    assert 0 < caught.value.retry_after <= 61
    assert len(horde.lists.asked) == 9
    await horde.clock.advance(62)
    with pytest.raises(ProviderError):
        await horde.client.status("id")
    assert len(horde.lists.asked) == 10


async def test_odd_remote_id_stays_within_its_place(horde: Horde) -> None:
    horde.lists.down = True
    with pytest.raises(ProviderError):
        await horde.client.check("../../find_user?x=1")
    assert horde.lists.asked == ["/generate/check/../../find_user?x=1"]  # one segment, as aiohttp decodes it
