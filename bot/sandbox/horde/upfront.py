"""When a request has to be payable in advance, and how `allow_downgrade` shrinks it instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.horde import pricing
from bot.sandbox.horde.catalogue import NATIVE_1024, ModelCard
from bot.sandbox.horde.errors import HordeError, crash
from bot.sandbox.horde.orders import SECOND_ORDER, ImageOrder
from bot.sandbox.horde.world import World

SMALLEST, LARGEST = 576, 1024
MAX_STEPS = 40
MAX_CONTROL_STEPS = 20
MAX_LCM_STEPS = 10
_DOWNGRADED_STEPS = 30
_GRID = 64
_LEAST_AREA = 512 * 512


def size_limit(order: ImageOrder, world: World) -> int:
    """The side of the largest square that is free of upfront kudos; it moves with the load."""
    if not order.slow_workers:
        return _unclamped(world)
    limit = max(SMALLEST, min(LARGEST, _unclamped(world)))
    baselines = {world.catalogue[name].baseline for name in order.models if name in world.catalogue}
    return max(limit, LARGEST) if baselines & NATIVE_1024 else limit


def _unclamped(world: World) -> int:
    return round(1024 + 10 * world.park.threads - 0.9 * world.waiting_images())


def step_limit(order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> float:
    """Most effective steps without upfront kudos. The text of the refusal says 50, the code 40; any model: no limit."""
    if not order.models:
        limit = math.inf
    else:
        cards = [catalogue[name] for name in order.models if name in catalogue]
        limit = min([MAX_STEPS, *(int(card.requirements.get("max_steps", MAX_STEPS)) for card in cards)])
    if order.lcm:
        limit = min(limit, MAX_LCM_STEPS)
    return min(limit, MAX_CONTROL_STEPS) if order.control_type else limit


def needs_upfront(order: ImageOrder, world: World) -> bool:
    """Whether the whole price must be available before the request is taken."""
    too_large = order.pixels > size_limit(order, world) ** 2
    too_long = order.effective_steps > step_limit(order, world.catalogue)
    return not order.slow_workers or too_large or too_long


def refusal(order: ImageOrder, world: World) -> HordeError:
    """The 403, with the price in its text only."""
    side = size_limit(order, world)
    price = pricing.total_price(order, world.catalogue)
    message = (
        f"Due to heavy demand, for requests over {side}x{side} or over 50 steps (10 steps for LCM work, 30 steps for"
        " Stable Cascade, and half those steps for k_heun, dpmpp_sde, and dpm_2*) the client needs to already have the"
        f" required kudos. This request requires {price:.10g} kudos to fulfil."
    )
    return HordeError(403, message, "KudosUpfront")


def downgraded(order: ImageOrder, world: World) -> ImageOrder:
    """The order shrunk until it is free of upfront kudos; nobody is told. Any model (`[]`) crashes the real server."""
    if not order.models:
        raise crash()
    order = replace(order, slow_workers=True)
    width, height = _shrunk(order.width, order.height, size_limit(order, world) ** 2)
    steps = min(_DOWNGRADED_STEPS, int(step_limit(order, world.catalogue)))
    if order.sampler in SECOND_ORDER:
        steps //= 2
    return replace(order, width=width, height=height, steps=max(1, min(order.steps, steps)))


def _shrunk(width: int, height: int, area: int) -> tuple[int, int]:
    if width * height <= area:
        return width, height
    scale = math.sqrt(max(area, _LEAST_AREA) / (width * height))
    return max(_GRID, int(width * scale) // _GRID * _GRID), max(_GRID, int(height * scale) // _GRID * _GRID)
