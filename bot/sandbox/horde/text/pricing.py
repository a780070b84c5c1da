"""What texts cost, and when they have to be payable in advance.

The estimate is the server's own (release 5.1.5) and meets the recorded dry run; what is charged at delivery is a
line through the recorded charges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.text.catalogue import DEFAULT_BILLIONS, card_of
from bot.sandbox.horde.text.orders import TextOrder

TAX = 1.0
#: Taken when a request is activated.
ACTIVATION = 1.0
SHORTEST_FREE, LONGEST_FREE = 256, 512
_REFERENCE_CONTEXT = 2048


def _context_factor(context: int) -> float:
    return min(30.0, max(0.1, 1.2 + math.pow(2.2, math.log2(context / 1024))))


def _billions(models: Iterable[str]) -> float:
    return max((card_of(name).billions for name in models), default=DEFAULT_BILLIONS)


def base_price(order: TextOrder) -> float:
    """Kudos for one text of full length."""
    return round(order.max_length * _billions(order.models) * _context_factor(order.max_context_length) / 100, 2)


def total_price(order: TextOrder) -> float:
    """The whole request's price, as dry runs and upfront checks see it."""
    surcharge = (1.0 if order.slow_workers else 1.2) * (1.1 if order.worker_blacklist and order.workers else 1.0)
    return round((base_price(order) * surcharge + TAX) * order.n + 1.0, 2)


def delivery_price(order: TextOrder, model: str, tokens: int) -> float:
    """What one delivered text is charged without the tax: by its own length; a censored one has none."""
    context = _context_factor(order.max_context_length) / _context_factor(_REFERENCE_CONTEXT)
    return round(tokens * _billions([model]) * context / 100, 2)


def free_length(order: TextOrder, *, threads: int, queued: int) -> int:
    """The longest text free of upfront kudos; it moves with the load (without `slow_workers` freely)."""
    limit = round(512 + 5 * threads - 0.9 * queued)
    return limit if not order.slow_workers else max(SHORTEST_FREE, min(LONGEST_FREE, limit))


def needs_upfront(order: TextOrder, limit: int) -> bool:
    """Whether the whole price must be available before the request is taken."""
    return not order.slow_workers or order.max_length > limit


def refusal(order: TextOrder, limit: int) -> HordeError:
    """The 403, with the price in its text only."""
    message = (
        f"Due to heavy demand, for requests over {limit} tokens, the client needs to already have the required kudos."
        f" This request requires {total_price(order):.10g} kudos to fulfil."
    )
    return HordeError(403, message, "KudosUpfront")


def downgraded(order: TextOrder, limit: int) -> TextOrder:
    """The order cut until it is free of upfront kudos; nobody is told."""
    return replace(
        order, slow_workers=True, max_length=min(order.max_length, max(SHORTEST_FREE, min(LONGEST_FREE, limit)))
    )
