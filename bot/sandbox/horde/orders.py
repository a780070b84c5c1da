"""What the server makes of a `POST /generate/async` body once its *real* defaults are filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.horde.post_processors import UPSCALERS

#: Samplers that take two model evaluations a step: their steps count double in every limit and price.
SECOND_ORDER = frozenset({"k_heun", "k_dpm_2", "k_dpm_2_a", "k_dpmpp_2s_a", "k_dpmpp_sde"})
ADAPTIVE_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOrder:
    """One image request as the server understands it. The defaults are the real ones, not the documented ones."""

    prompt: str
    models: tuple[str, ...] = ("stable_diffusion",)
    width: int = 512
    height: int = 512
    steps: int = 30
    n: int = 1
    sampler: str = "k_euler_a"
    cfg_scale: float = 5.0
    karras: bool = True
    seed: str | None = None
    seed_variation: int = 0
    clip_skip: int | None = None
    hires_fix: bool = False
    transparent: bool = False
    control_type: str | None = None
    workflow: str | None = None
    extra_texts: tuple[Mapping[str, Any], ...] | None = None
    loras: tuple[Mapping[str, Any], ...] = ()
    tis: tuple[Mapping[str, Any], ...] = ()
    post_processing: tuple[str, ...] = ()
    special: bool = False
    nsfw: bool = True
    censor_nsfw: bool = True
    trusted_workers: bool = False
    slow_workers: bool = True
    extra_slow_workers: bool = False
    workers: tuple[str, ...] = ()
    worker_blacklist: bool = False
    source_image: str | None = None
    source_processing: str = "img2img"
    source_mask: str | None = None
    extra_source_images: tuple[Mapping[str, Any], ...] | None = None
    r2: bool = True
    replacement_filter: bool = True
    dry_run: bool = False
    proxied_account: str | None = None
    disable_batching: bool = False
    allow_downgrade: bool = False
    webhook: str | None = None
    style: str | None = None

    @property
    def pixels(self) -> int:
        """Area of one image."""
        return self.width * self.height

    @property
    def effective_steps(self) -> int:
        """Steps as limits and prices count them."""
        if self.sampler == "k_dpm_adaptive":
            return ADAPTIVE_STEPS
        return self.steps * (2 if self.sampler in SECOND_ORDER else 1)

    @property
    def megapixelsteps(self) -> float:
        """Work in one image, in millions of pixel steps."""
        return self.pixels * self.effective_steps / 1_000_000

    @property
    def upscalers(self) -> int:
        """How many of the post-processors enlarge."""
        return sum(name in UPSCALERS for name in self.post_processing)

    @property
    def lcm(self) -> bool:
        """Whether this is few-step work in the eyes of the limits."""
        return self.sampler == "lcm"


_TOP = [
    "prompt",
    "nsfw",
    "censor_nsfw",
    "trusted_workers",
    "slow_workers",
    "extra_slow_workers",
    "worker_blacklist",
    "source_image",
    "source_processing",
    "source_mask",
    "r2",
    "replacement_filter",
    "dry_run",
    "proxied_account",
    "disable_batching",
    "allow_downgrade",
    "webhook",
    "style",
]
_PARAMS = [
    "width",
    "height",
    "steps",
    "n",
    "cfg_scale",
    "karras",
    "seed",
    "seed_variation",
    "clip_skip",
    "hires_fix",
    "transparent",
    "control_type",
    "workflow",
]
_LISTS = ("loras", "tis", "post_processing", "extra_texts")
MAX_WORKERS = 5


def order_from(payload: Mapping[str, Any]) -> ImageOrder:
    """Read a body that passed the schema; unknown fields are dropped without a word, as on the real server."""
    params: Mapping[str, Any] = payload.get("params", {})
    values: dict[str, Any] = {name: payload[name] for name in _TOP if name in payload}
    values |= {name: params[name] for name in _PARAMS if name in params}
    values |= {name: tuple(params[name]) for name in _LISTS if name in params}
    values |= {name: tuple(payload[name]) for name in ("models", "extra_source_images") if name in payload}
    values["workers"] = _first(payload.get("workers", ()))
    values["special"] = bool(params.get("special"))
    if "sampler_name" in params:
        values["sampler"] = params["sampler_name"]
    if params.get("control_type"):
        values["steps"] = min(params.get("steps", 20), 40)
    return ImageOrder(**values)


def _first(workers: Sequence[str]) -> tuple[str, ...]:
    return tuple(workers[:MAX_WORKERS])
