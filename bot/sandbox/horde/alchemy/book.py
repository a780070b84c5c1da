"""What the simulated horde knows of alchemy: requests, alchemists, and the mishaps tests have asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from bot.sandbox.horde.alchemy.alchemists import DEFAULT_COUNT, Guild
from bot.sandbox.horde.alchemy.requests import AlchemyRequest, Form, FormState
from bot.sandbox.horde.ids import new_uuid


class Mishap(StrEnum):
    """How an attempt at a form can go wrong."""

    FAULT = "fault"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A mishap for the next attempt at a form; without a name, at any form."""

    kind: Mishap
    form: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OddResult:
    """A value that the next delivery of a form carries instead of its own."""

    form: str
    value: object


@dataclass(slots=True)
class AlchemyBook:
    """The state of alchemy. It has its own random numbers, so that alchemy never changes what painters do."""

    rng: Random
    guild: Guild = field(init=False)
    requests: dict[str, AlchemyRequest] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    odd_results: deque[OddResult] = field(default_factory=deque)
    results: dict[str, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.guild = Guild(self.rng)
        self.guild.resize(DEFAULT_COUNT)

    def new_id(self) -> str:
        """A UUID from the seeded generator."""
        return new_uuid(self.rng)

    @property
    def waiting_forms(self) -> int:
        """How many forms wait, of everybody."""
        return sum(request.waiting for request in self.requests.values())

    def processing(self) -> Iterator[tuple[AlchemyRequest, Form]]:
        """Every form at an alchemist."""
        for request in self.requests.values():
            for form in request.forms:
                if form.state is FormState.PROCESSING:
                    yield request, form

    def mishap_for(self, form: str) -> Mishap | None:
        """Use up the first plan that fits an attempt at `form`."""
        for index, plan in enumerate(self.plans):
            if plan.form in {None, form}:
                return self.plans.pop(index).kind
        return None

    def odd_result_for(self, form: str) -> OddResult | None:
        """Use up the first odd result meant for `form`."""
        for odd in self.odd_results:
            if odd.form == form:
                self.odd_results.remove(odd)
                return odd
        return None
