"""What images cost in kudos.

The real price of one image comes from a small neural network; this is a smooth curve through the recorded prices. What
surrounds it (tax, model factor, surcharges, what is shown where) is the server's own arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.sandbox.horde.catalogue import PRICE_FACTORS, ModelCard
from bot.sandbox.horde.orders import ImageOrder

TAX = 1.0
#: Taken when a request is activated: one tax, and two that are charged whether or not a style is used.
ACTIVATION = TAX + 2.0
_REFERENCE_PIXELS = 512 * 512


def base_price(order: ImageOrder) -> float:
    """Kudos for one image before the model factor: what the 202 answer shows (rounded)."""
    area = order.pixels / _REFERENCE_PIXELS
    per_step = min(2.5, 0.1 + 0.04 * math.pow(area, 1.55))
    price = 2.81 + 1.5 * area + per_step * order.effective_steps
    price *= 1.3 if order.source_image else 1.0
    price *= 1.0 + 0.05 * order.upscalers
    return round(price + 3.0 * len(order.loras), 2)


def surcharge(order: ImageOrder) -> float:
    """The multiplier for being choosy about workers."""
    return (1.0 if order.slow_workers else 1.2) * (1.1 if order.worker_blacklist and order.workers else 1.0)


def model_factor(order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> int:
    """The baseline's factor, by the *first* model only; an empty list counts as SDXL."""
    if not order.models:
        return PRICE_FACTORS["stable_diffusion_xl"]
    card = catalogue.get(order.models[0])
    return PRICE_FACTORS.get(card.baseline, 1) if card else 1


def total_price(order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> float:
    """The whole request's price, as dry runs and upfront checks see it."""
    each = (base_price(order) + TAX) * surcharge(order)
    return round(each * order.n * model_factor(order, catalogue) + 1.0, 3)


def delivery_price(order: ImageOrder, factor: int, *, censored: bool) -> float:
    """What one delivered image is charged; a censored one costs only the tax."""
    return TAX if censored else base_price(order) * surcharge(order) * factor + TAX
