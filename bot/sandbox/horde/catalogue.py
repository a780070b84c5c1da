"""The models the simulated horde knows, and the public model reference made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

#: How many times the base price an image of a baseline costs (server 5.1.5); unlisted ones cost once.
PRICE_FACTORS: Mapping[str, int] = {"stable_diffusion_xl": 2, "stable_cascade": 4, "flux_1": 8}
#: Baselines whose size limit never falls below 1024x1024, whatever the load.
NATIVE_1024 = frozenset({"stable_diffusion_xl", "stable_cascade", "flux_1"})
#: Baselines without ControlNet or hires fix, by the name the server uses for them in its refusals.
BASELINE_NAMES: Mapping[str, str] = {
    "stable_diffusion_xl": "SDXL",
    "stable_cascade": "Stable Cascade",
    "flux_1": "Flux",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One image model of the reference."""

    name: str
    baseline: str
    nsfw: bool
    style: str
    inpainting: bool = False
    requirements: Mapping[str, Any] = field(default_factory=dict)
    features_not_supported: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()

    def reference_entry(self) -> dict[str, object]:
        """This model as the public `stable_diffusion.json` shows it; optional fields only when they say something."""
        entry: dict[str, object] = {
            "name": self.name,
            "baseline": self.baseline,
            "type": "ckpt",
            "inpainting": self.inpainting,
            "description": f"{self.name}, a {self.style} model",
            "version": "1.0",
            "style": self.style,
            "nsfw": self.nsfw,
            "download_all": True,
            "available": False,
        }
        optional = {
            "requirements": dict(self.requirements),
            "features_not_supported": list(self.features_not_supported),
            "tags": list(self.tags),
            "trigger": list(self.trigger),
        }
        return entry | {key: value for key, value in optional.items() if value}


def _card(raw: Mapping[str, Any]) -> ModelCard:
    values = dict(raw)
    for name in ("features_not_supported", "tags", "trigger"):
        values[name] = tuple(values.get(name, ()))
    return ModelCard(**values)


def load_catalogue() -> dict[str, ModelCard]:
    """The bundled image models by name (a selection of the public reference)."""
    raw = json.loads(files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return {card.name: card for card in map(_card, raw)}
