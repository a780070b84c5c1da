"""Models as people choose them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Protocol

from bot.render.escaping import plain
from bot.render.times import roughly

#: Longest name and value of a choice (Discord: "Application Command Option Choice Structure").
MAX_CHOICE = 100
#: From here on a model counts as well served, and an estimate as short (workers, seconds).
MANY_WORKERS, SHORT_WAIT = 3, 120

#: What people call the families (the keys are the `baseline` of the Horde's image model reference).
FAMILIES = MappingProxyType(
    {
        "stable_diffusion_1": "SD 1.5",
        "stable_diffusion_2": "SD 2",
        "stable_diffusion_2_512": "SD 2",
        "stable_diffusion_2_768": "SD 2",
        "stable_diffusion_xl": "SDXL",
        "stable_cascade": "Cascade",
        "flux_1": "Flux",
        "flux_dev": "Flux",
        "flux_schnell": "Flux",
        "qwen_image": "Qwen",
        "z_image_turbo": "Z-Image",
    }
)


class Served(Protocol):
    """What has to be known of any model to offer it."""

    @property
    def name(self) -> str:
        """Its exact name at the provider."""
        ...

    @property
    def workers(self) -> int:
        """Worker threads online."""
        ...

    @property
    def eta(self) -> int:
        """Seconds until a new request would probably be done."""
        ...


class ModelLike(Served, Protocol):
    """What has to be known of an image model to offer it."""

    @property
    def baseline(self) -> str:
        """Its family in the provider's words; empty when unknown."""
        ...


def family(baseline: str) -> str:
    """Return what people call the family; unknown ones keep their own word, none gives an empty text."""
    return FAMILIES.get(baseline) or baseline.replace("_", " ")


def model_choice(info: ModelLike) -> tuple[str, str]:
    """Return an autocomplete choice: a label like `🟢 AlbedoBase XL — SDXL · 14 workers · ~25 s`, and its value.

    Both hold at most 100 characters. The name gives way first; the numbers are what one chooses by.
    """
    facts = " · ".join(filter(None, (plain(family(info.baseline), 24) if info.baseline else "", *_service(info))))
    light = traffic_light(info, nobody="🔴")
    room = MAX_CHOICE - len(f"{light}  — {facts}")
    return f"{light} {plain(info.name, room)} — {facts}", info.name[:MAX_CHOICE]


def _service(info: ModelLike) -> tuple[str, ...]:
    if info.workers <= 0:
        return ("no workers now",)
    workers = "1 worker" if info.workers == 1 else f"{info.workers} workers"
    return (workers, roughly(info.eta)) if info.eta > 0 else (workers,)


def traffic_light(info: Served, *, nobody: str) -> str:
    """Say by a colour how well it is served: `nobody` where it is not at all."""
    if info.workers <= 0:
        return nobody
    return "🟢" if info.workers >= MANY_WORKERS and info.eta <= SHORT_WAIT else "🟡"
