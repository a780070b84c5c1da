"""The 23 alchemy forms: their names, the schema of a request, and what each costs in time and kudos."""

from __future__ import annotations

import math

from bot.sandbox.horde.post_processors import POST_PROCESSORS
from bot.sandbox.horde.schema import Field

DESCRIBING = ("caption", "interrogation", "nsfw", "vectorize", "palette", "describe", "aesthetic")
CHANGING = POST_PROCESSORS
#: In the order of the names in recorded refusals.
FORMS = (*DESCRIBING, *CHANGING)

_FORM = Field(
    kind="object",
    required=("name",),
    fields={"name": Field(kind="string", choices=FORMS), "payload": Field(kind="object")},
)
#: `source_image` is not required here: the layer after the schema misses it, in words of its own.
ALCHEMY_SCHEMA = Field(
    kind="object",
    fields={
        "forms": Field(kind="array", items=_FORM),
        "source_image": Field(kind="string"),
        "slow_workers": Field(kind="boolean"),
        "trusted_workers": Field(kind="boolean"),
        "webhook": Field(kind="string", min_length=10, max_length=1024),
    },
)

TILE = 512
_ACTIVATION = 2.0
_NO_SLOW_WORKERS = 1.0


def tiles(width: int, height: int) -> int:
    """How many squares of 512x512 cover a picture."""
    return math.ceil(width / TILE) * math.ceil(height / TILE)


def worth(form: str, tile_count: int) -> float:
    """Kudos the alchemist earns: what webhooks call `kudos`."""
    if form in CHANGING:
        return 3.0 * tile_count
    return 3.0 if form == "interrogation" else 1.0


def price(form: str, tile_count: int, *, slow_workers: bool) -> float:
    """Kudos charged to the one who asked."""
    return worth(form, tile_count) + _ACTIVATION + (0.0 if slow_workers else _NO_SLOW_WORKERS)


def seconds(form: str, tile_count: int) -> float:
    """Seconds an alchemist needs at speed 1."""
    if form in CHANGING:
        return 2.0 + 0.5 * tile_count
    return 3.0 if form == "interrogation" else 1.0
