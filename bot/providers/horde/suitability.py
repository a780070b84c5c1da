"""What suits a model: native size, steps, guidance, sampler. From its baseline, then from its own requirements."""

from __future__ import annotations

from dataclasses import dataclass

from bot.providers.base import ModelInfo
from bot.providers.horde.mapping import SAMPLERS, SECOND_ORDER
from bot.providers.horde.wire import ActiveModel, Reference, Requirements

#: Effective steps any model may take without kudos in advance (server 5.1.5: its text says 50, its code 40).
FREE_STEPS = 40
#: The Horde's `eta` for a model that nobody serves.
NEVER = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    native: int
    steps: int
    guidance: float
    sampler: str = "k_euler_a"
    max_steps: int = FREE_STEPS


#: By prefix of the baseline, the most particular first.
_FAMILIES: tuple[tuple[str, _Family], ...] = (
    ("stable_diffusion_1", _Family(native=512, steps=25, guidance=7.0)),
    ("stable_diffusion_2", _Family(native=768, steps=25, guidance=7.0)),
    ("stable_diffusion_xl", _Family(native=1024, steps=25, guidance=6.0)),
    ("stable_cascade", _Family(native=1024, steps=20, guidance=4.0, max_steps=30)),
    ("flux_dev", _Family(native=1024, steps=20, guidance=1.0, sampler="k_euler")),
    ("flux", _Family(native=1024, steps=4, guidance=1.0, sampler="k_euler")),
    ("qwen", _Family(native=1024, steps=20, guidance=2.5, sampler="k_euler")),
    ("z_image", _Family(native=1024, steps=8, guidance=1.0, sampler="k_euler")),
)
_SMALL, _XL = _Family(native=512, steps=25, guidance=7.0), _Family(native=1024, steps=25, guidance=6.0)
#: In the names of models the reference does not know.
_XL_WORDS = ("xl", "pony", "illustrious", "noob")
#: Distilled models: many steps or much guidance spoil them.
_FAST_WORDS = ("turbo", "lightning", "hyper", "lcm", "schnell")
_FAST_STEPS, _FAST_GUIDANCE = 8, 2.0


def model_info(reference: Reference, active: ActiveModel | None) -> ModelInfo:
    """Join what the reference knows of a model with who serves it now."""
    baseline = reference.baseline.replace(" ", "_")
    family = _family_of(baseline, reference.name)
    wants = reference.requirements
    sampler = _sampler(wants, family)
    max_steps = min(wants.max_steps or family.max_steps, FREE_STEPS)
    return ModelInfo(
        name=reference.name,
        baseline=baseline,
        workers=max(0, active.count) if active else 0,
        eta=round(active.eta) if active else NEVER,
        nsfw=reference.nsfw,
        style=reference.style,
        native=family.native,
        generalist=reference.style == "generalist" and not reference.inpainting and not reference.trigger,
        steps=_steps(reference.name, wants, family, sampler, max_steps),
        guidance=_guidance(reference.name, wants, family),
        max_steps=max_steps,
        clip_skip=min(max(wants.clip_skip or 1, 1), 12),
        sampler=sampler,
        karras=sampler != "DDIM" and ("karras" in wants.schedulers or not wants.schedulers),
    )


def _family_of(baseline: str, name: str) -> _Family:
    for prefix, family in _FAMILIES:
        if baseline.startswith(prefix):
            return family
    lowered = name.lower()
    for word in ("flux", "qwen", "z_image", "z-image"):
        if word in lowered:
            return dict(_FAMILIES)[word.replace("-", "_")]
    return _XL if any(word in lowered for word in _XL_WORDS) else _SMALL


def _sampler(wants: Requirements, family: _Family) -> str:
    offered = [sampler for sampler in wants.samplers if sampler in SAMPLERS]
    preferred = [sampler for sampler in (family.sampler, "k_euler_a", "k_euler") if sampler in offered]
    return (preferred or offered or [family.sampler])[0]


def _steps(name: str, wants: Requirements, family: _Family, sampler: str, max_steps: int) -> int:
    """Choose steps within what the model wants and, if that is possible, what needs no kudos in advance."""
    steps = min(family.steps, _FAST_STEPS) if _fast(name, wants) else family.steps
    steps = min(steps, max_steps // 2 if sampler in SECOND_ORDER else max_steps)
    return max(steps, wants.min_steps or 1)


def _guidance(name: str, wants: Requirements, family: _Family) -> float:
    fallback = min(family.guidance, _FAST_GUIDANCE) if _fast(name, wants) else family.guidance
    guidance = wants.cfg_scale if wants.cfg_scale is not None else fallback
    guidance = min(guidance, wants.max_cfg_scale) if wants.max_cfg_scale is not None else guidance
    guidance = max(guidance, wants.min_cfg_scale) if wants.min_cfg_scale is not None else guidance
    return round(min(max(guidance, 0.0), 30.0), 2)


def _fast(name: str, wants: Requirements) -> bool:
    """Whether a model is a distilled one, by its name, where its requirements do not tell."""
    told = wants.max_steps is not None or wants.cfg_scale is not None
    return not told and any(word in name.lower() for word in _FAST_WORDS)
