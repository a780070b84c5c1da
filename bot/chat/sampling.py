"""How freely the model draws its words: presets for people, and what the model's own card asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.domain.conversation import AnswerLength, Creativity, Sampling

TEMPERATURES: Mapping[Creativity, float] = MappingProxyType(
    {Creativity.PRECISE: 0.3, Creativity.BALANCED: 0.7, Creativity.WILD: 1.1}
)
#: Tokens; "max" is what the workers take.
LENGTHS: Mapping[AnswerLength, int] = MappingProxyType(
    {AnswerLength.SHORT: 120, AnswerLength.NORMAL: 300, AnswerLength.LONG: 512, AnswerLength.MAX: 4096}
)
#: A model that thinks first needs room for that too.
THINKING_FACTOR = 2
#: How much warmer the second try of an answer that was no good is.
WARMER = 0.15

#: The Horde's ranges.
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "temperature": (0.0, 5.0),
        "top_p": (0.001, 1.0),
        "top_k": (0, 200),
        "min_p": (0.0, 1.0),
        "rep_pen": (1.0, 3.0),
        "rep_pen_range": (0, 4096),
    }
)
_WHOLE = frozenset({"top_k", "rep_pen_range"})


def sampling_for(creativity: Creativity, settings: Mapping[str, float] | None = None) -> Sampling:
    """Choose the parameters: the model's own `settings` where its card has some, shifted by the creativity."""
    known = {name: clamped(name, value) for name, value in (settings or {}).items() if name in _RANGES}
    sampling = replace(Sampling(), **known)  # type: ignore[arg-type]  # whole numbers where whole numbers belong
    balanced = TEMPERATURES[Creativity.BALANCED]
    shift = TEMPERATURES[creativity] / balanced if "temperature" in known else 1.0
    base = sampling.temperature if "temperature" in known else TEMPERATURES[creativity]
    return replace(sampling, temperature=round(clamped("temperature", base * shift), 2))


def warmer(sampling: Sampling) -> Sampling:
    """Return the parameters for a second try."""
    return replace(sampling, temperature=round(clamped("temperature", sampling.temperature + WARMER), 2))


def clamped(name: str, value: float) -> float:
    """Bring a value into the Horde's range."""
    low, high = _RANGES[name]
    within = min(max(value, low), high)
    return round(within) if name in _WHOLE else within
