"""Warnings next to a 202: what does not suit the requested models, and whether anybody could serve the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.horde.catalogue import ModelCard
from bot.sandbox.horde.orders import ImageOrder

NO_WORKER_MESSAGE = (
    "Warning: No available workers can fulfill this request. It will expire in 20 minutes unless a worker appears."
    " Please confider reducing its size of the request or choosing a different model."
)
_SAMPLER = "The requested sampler does not match the requirements for one of the requested models."
_SCHEDULER = "The requested scheduler does not match the requirements for one of the requested models."
_CLIP_SKIP = (
    "The clip skip specified for this generation does not match the requirements of one of the requested models."
)


def warnings_for(order: ImageOrder, catalogue: Mapping[str, ModelCard], *, possible: bool) -> list[dict[str, str]]:
    """The warnings of an accepted order, each code once; `NoAvailableWorker` last (the real order is random)."""
    found: dict[str, str] = {}
    for name in order.models:
        if name in catalogue:
            found |= dict(_mismatches(order, catalogue[name].requirements))
    if not possible:
        found["NoAvailableWorker"] = NO_WORKER_MESSAGE
    return [{"code": code, "message": message} for code, message in found.items()]


def _mismatches(order: ImageOrder, needs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "clip_skip" in needs and (order.clip_skip or 1) != needs["clip_skip"]:
        yield "ClipSkipMismatch", _CLIP_SKIP
    if "samplers" in needs and order.sampler not in needs["samplers"]:
        yield "SamplerMismatch", _SAMPLER
    if "schedulers" in needs and ("karras" in needs["schedulers"]) != order.karras:
        yield "SchedulerMismatch", _SCHEDULER
    for words, code, value in (
        ("cfg_scale", "CfgScale", order.cfg_scale),
        ("steps", "Steps", order.effective_steps),
    ):
        yield from _range(words, code, value, needs)


def _range(words: str, code: str, value: float, needs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    are, few, many = ("are", "Few", "Many") if words == "steps" else ("is", "Small", "Large")
    sentence = f"The {words} specified for this generation {are}"
    if words in needs and value != needs[words]:
        yield f"{code}Mismatch", f"{sentence} not what this model requires."
    if value < needs.get(f"min_{words}", value):
        yield f"{code}Too{few}", f"{sentence} too {few.lower()} for this model."
    if value > needs.get(f"max_{words}", value):
        yield f"{code}Too{many}", f"{sentence} too {many.lower()} for this model."
