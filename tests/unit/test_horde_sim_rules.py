"""Business rules of the simulated horde, asked directly."""

from __future__ import annotations

import asyncio
import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim, upfront
from bot.sandbox.horde.advice import warnings_for
from bot.sandbox.horde.catalogue import load_catalogue
from bot.sandbox.horde.combinations import check_combination
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.intake import Intake, Sender
from bot.sandbox.horde.orders import ImageOrder, order_from
from bot.sandbox.horde.prompts import replaced
from bot.sandbox.horde.schema import IMAGE_SCHEMA, check_schema
from bot.sandbox.horde.sources import check_sources

CATALOGUE = load_catalogue()
XL, FLUX, CASCADE, FAST_XL = (
    "AlbedoBase XL (SDXL)",
    "Flux.1-Schnell fp8 (Compact)",
    "Stable Cascade 1.0",
    "DreamShaper XL",
)


def order(**values: Any) -> ImageOrder:
    return ImageOrder(**{"prompt": "x", **values})


@pytest.mark.parametrize(
    ("values", "rc"),
    [
        pytest.param({"cfg_scale": 1.1 + 2.2}, "BadCFGDecimals", id="float-noise"),
        pytest.param({"tis": ({"name": "x"},) * 21}, "TooManyTIs", id="tis"),
        pytest.param({"extra_texts": ()}, "InvalidExtraTexts.", id="texts-without-workflow"),
        pytest.param({"workflow": "qr_code"}, "MissingExtraTexts.", id="workflow-without-texts"),
        pytest.param({"extra_source_images": ({"image": "x"},)}, "InvalidExtraSourceImages.", id="extra-images"),
        pytest.param(
            {"control_type": "canny", "source_image": "x", "source_processing": "inpainting"},
            "ControlNetInpaintingMismatch",
            id="controlnet-inpainting",
        ),
        pytest.param({"transparent": True, "models": (FLUX,)}, "InvalidTransparencyModel", id="transparent-flux"),
        pytest.param(
            {"transparent": True, "control_type": "canny", "source_image": "x"},
            "InvalidTransparencyCN",
            id="transparent-controlnet",
        ),
    ],
)
def test_combination_is_refused(values: dict[str, Any], rc: str) -> None:
    with pytest.raises(HordeError) as refused:
        check_combination(order(**values), CATALOGUE)

    assert refused.value.rc == rc


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"cfg_scale": 7.25}, id="two-decimals"),
        pytest.param({"source_image": "x", "source_processing": "remix", "models": (CASCADE,)}, id="remix"),
        pytest.param({"hires_fix": True, "models": (XL,)}, id="hires-sdxl"),
        pytest.param({"workflow": "qr_code", "extra_texts": ({"reference": "qr_code"},)}, id="workflow"),
    ],
)
def test_combination_is_fine(values: dict[str, Any]) -> None:
    check_combination(order(**values), CATALOGUE)


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        pytest.param({"width": 1024, "height": 1024, "steps": 40}, False, id="largest-free"),
        pytest.param({"width": 1088, "height": 1024}, True, id="too-large"),
        pytest.param({"steps": 41}, True, id="too-long"),
        pytest.param({"steps": 21, "sampler": "k_heun"}, True, id="second-order"),
        pytest.param({"steps": 500, "sampler": "k_dpm_adaptive"}, False, id="adaptive"),
        pytest.param({"steps": 500, "models": ()}, False, id="any-model"),
        pytest.param({"steps": 9, "models": (FLUX,)}, True, id="flux"),
        pytest.param({"steps": 11, "sampler": "lcm"}, True, id="lcm"),
        pytest.param({"steps": 21, "control_type": "canny"}, True, id="controlnet"),
        pytest.param({"slow_workers": False}, True, id="fast-workers"),
    ],
)
def test_upfront_kudos(values: dict[str, Any], needed: bool) -> None:
    assert upfront.needs_upfront(order(**values), HordeSim(ManualClock()).world) is needed


def test_free_size_shrinks_under_load_but_not_for_sdxl() -> None:
    sim = HordeSim(ManualClock())
    sim.set_queue(2000)

    assert upfront.size_limit(order(), sim.world) == 576
    assert upfront.size_limit(order(models=(XL,)), sim.world) == 1024


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        pytest.param({"models": (XL,)}, set(), id="fine"),
        pytest.param(
            {"models": (FAST_XL,), "steps": 1, "sampler": "k_dpmpp_sde", "cfg_scale": 2.0},
            {"StepsTooFew"},
            id="few-steps",
        ),
        pytest.param(
            {"models": (FLUX,), "steps": 4, "cfg_scale": 0.5, "sampler": "k_euler"}, {"CfgScaleTooSmall"}, id="cfg"
        ),
        pytest.param(
            {"models": (FLUX,), "steps": 4, "cfg_scale": 1.0, "sampler": "k_euler", "karras": False},
            {"SchedulerMismatch"},
            id="scheduler",
        ),
        pytest.param({"models": (FAST_XL,), "steps": 5}, {"SamplerMismatch", "CfgScaleMismatch"}, id="exact-cfg"),
    ],
)
def test_warnings(values: dict[str, Any], codes: set[str]) -> None:
    assert {one["code"] for one in warnings_for(order(**values), CATALOGUE, possible=True)} == codes


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param([], {"": "[] is not of type 'object'"}, id="no-object"),
        pytest.param(
            {"prompt": "x", "params": {"loras": [{"model": 9}]}},
            {
                "params.loras.0.name": "'name' is a required property",
                "params.loras.0.model": "9 is greater than the maximum of 5",
            },
            id="nested",
        ),
        pytest.param(
            {"prompt": "x", "params": {"post_processing": ["GFPGAN", "GFPGAN"]}},
            {"params.post_processing": "['GFPGAN', 'GFPGAN'] has non-unique elements"},
            id="unique",
        ),
        pytest.param({"prompt": "x", "params": {"n": True}}, {"params.n": "True is not of type 'integer'"}, id="bool"),
        pytest.param({"prompt": "x", "style": "ab"}, {"style": "'ab' is too short"}, id="short"),
    ],
)
def test_schema_names_the_field(body: Any, errors: dict[str, str]) -> None:
    with pytest.raises(HordeError) as refused:
        check_schema(IMAGE_SCHEMA, body)

    assert refused.value.body() == {"message": "Input payload validation failed", "errors": errors}


def test_controlnet_steps_are_cut_without_a_word() -> None:
    assert order_from({"prompt": "x", "params": {"control_type": "canny", "steps": 90}}).steps == 40
    assert order_from({"prompt": "x", "params": {"control_type": "canny"}}).steps == 20


def test_only_five_workers_are_kept() -> None:
    assert order_from({"prompt": "x", "workers": list("abcdefg")}).workers == tuple("abcde")


def test_filter_rewrites_the_positive_part_only_up_to_a_length() -> None:
    assert replaced("a zqbadword fox ### blurry") == "a  fox ### blurry"
    with pytest.raises(HordeError) as refused:
        replaced("zqbadword" + " x" * 4000)
    assert refused.value.rc == "BadRequest"


async def test_enormous_source_picture_is_refused() -> None:
    buffer = BytesIO()
    await asyncio.to_thread(Image.new("1", (4096, 3072)).save, buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()

    with pytest.raises(HordeError) as refused:
        await check_sources(order(source_image=source))

    assert refused.value.rc == "SourceImageResolutionExceeded"


async def test_world_stops_at_once_while_painting() -> None:
    clock = ManualClock()
    sim = HordeSim(clock)
    world = asyncio.create_task(sim.run())
    sender = Sender(key="0000000000", address="here", agent="test")
    _, answer, _ = await Intake(sim.world).accept({"prompt": "x", "params": {"width": 1024, "height": 1024}}, sender)
    request = sim.request(str(answer["id"]))
    while not request.jobs:
        await clock.advance(1)

    world.cancel()
    await asyncio.wait([world])

    assert world.cancelled()
