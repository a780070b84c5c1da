"""What a scenario is, and small tools to rewrite plays with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.sandbox.osais.plays import Call, Notify, Play, Step, Upload

Change = Callable[[Play], Play]


def unchanged(play: Play) -> Play:
    """Leave everything as it is."""
    return play


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One named variant."""

    name: str
    #: One line for people.
    summary: str
    change: Change = unchanged
    #: How many files are made, from how many it would have been; applied before the play is written.
    count: Callable[[int], int] | None = None


#: The kinds of steps that are calls to the client.
CALLS: Final = (Notify, Upload)


def written(**changes: Any) -> Change:
    """Change how every call is written."""
    return lambda play: replace(play, wire=replace(play.wire, **changes))


def set_to(**changes: Any) -> Change:
    """Change fields of the play itself."""
    return lambda play: replace(play, **changes)


def each(change: Callable[[Step], Iterable[Step]]) -> Change:
    """Replace every step by what `change` makes of it."""
    return lambda play: play.each(change)


def each_call(change: Callable[[Call], Iterable[Step]]) -> Change:
    """Replace every call by what `change` makes of it."""
    return each(lambda step: change(step) if isinstance(step, CALLS) else [step])


def without(*kinds: type[Step]) -> Change:
    """Leave out every step of these kinds."""
    return each(lambda step: [] if isinstance(step, kinds) else [step])


def without_stages(*stages: int) -> Change:
    """Leave out the notifications of these stages."""
    return each(lambda step: [] if is_stage(step, *stages) else [step])


def preceded(*kinds: type[Call], **changes: Any) -> Change:
    """Before each call of these kinds comes the same with `changes`."""
    return each(lambda step: [replace(step, **changes), step] if isinstance(step, kinds) else [step])


def uploads(**changes: Any) -> Change:
    """Change fields of every upload."""
    return each(lambda step: [replace(step, **changes) if isinstance(step, Upload) else step])


def notifications(**changes: Any) -> Change:
    """Change fields of every notification."""
    return each(lambda step: [replace(step, **changes) if isinstance(step, Notify) else step])


def is_stage(step: Step, *stages: int) -> bool:
    """Whether a step notifies of one of these stages."""
    return isinstance(step, Notify) and step.stage in stages


def first(steps: Iterable[Step], wanted: Callable[[Step], bool]) -> int | None:
    """Where the first step as wanted stands."""
    return next((place for place, step in enumerate(steps) if wanted(step)), None)


def in_turn(*changes: Change) -> Change:
    """Apply one change after another."""

    def apply(play: Play) -> Play:
        for change in changes:
            play = change(play)
        return play

    return apply
