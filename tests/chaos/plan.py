"""What is going to happen, drawn from a seed: the same seed always draws the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.crash.stories import WAYS
from tests.flow.lives import CALLBACK

Fault = Mapping[str, Any]

#: Where a mishap may strike, and how much more often than others.
_PLACES: tuple[tuple[Fault, int], ...] = (
    ({"service": "discord", "method": "PATCH"}, 4),
    ({"service": "discord", "method": "POST", "path": CALLBACK}, 2),
    ({"service": "discord", "method": "GET", "path": "/webhooks/"}, 1),
    ({"service": "horde", "method": "POST", "path": "/async$"}, 3),
    ({"service": "horde", "method": "GET", "path": "/(check|status)/"}, 3),
    ({"service": "osais", "method": "POST", "path": "/client/ai/"}, 1),
    ({"service": "osais", "method": "GET"}, 1),
    ({"service": "media", "method": "GET", "path": "^/horde-transient/"}, 2),
    ({"service": "media", "method": "GET", "path": "attachments/"}, 1),
)
_CUTS: tuple[Fault, ...] = ({"action": "reset"}, {"action": "reset_after"}, {"action": "truncate"}, {"action": "hang"})
_REFUSALS: tuple[Fault, ...] = (
    {"status": 500, "body": "<html>oops</html>"},
    {"status": 502, "body": "<html>Bad gateway</html>"},
    {"status": 503, "body": {"message": "not now"}},
    {"status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "slow down", "retry_after": 0.3}},
    {"action": "pass", "delay": 4.0},
)
#: Only those that are not Discord make things up.
_LIES: tuple[Fault, ...] = ({"action": "garbage"}, {"status": 200, "body": []}, {"status": 200, "body": {"done": "?"}})


class Lever(StrEnum):
    """A mishap inside a service; over with the round."""

    WORKER_FAULT = "a worker reports a fault"
    PAUSED = "no worker takes anything"
    RATE_LIMITS = "the Horde limits the rate of calls"
    HOOKS_TWICE = "the Horde sends each webhook twice"
    HOOKS_LOST = "the Horde's webhooks get lost"
    CALLS_TWICE = "OSAIS makes each call twice"
    CALLS_SHUFFLED = "OSAIS makes its calls in any order"
    DROPPED = "the gateway drops the connection"
    GATEWAY_AWAY = "the gateway is away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody asks for something."""

    story: str
    #: Which of the people, and in which of the channels.
    person: int
    channel: int
    private: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The bot dies: this many world seconds after people asked, or earlier, as soon as it meets the fault."""

    after: float
    at: Fault | None
    #: World seconds until it is started again.
    down: float
    #: Whether the next life has an address at which services can call it.
    door: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What happens at once, and how many world seconds pass then."""

    asks: tuple[Ask, ...]
    faults: tuple[Fault, ...] = ()
    levers: tuple[Lever, ...] = ()
    kill: Kill | None = None
    seconds: float = 5.0


#: How many people there are, and channels.
PEOPLE, CHANNELS = 5, 2
#: Longer than an interaction's token lives, in seconds.
_TOKEN_DEAD = 16 * 60.0


def draw(rounds: int, seed: int) -> Iterator[Round]:
    """Draw the plan."""
    rng = Random(seed)
    for _ in range(rounds):
        yield Round(
            asks=tuple(_ask(rng) for _ in range(rng.choice((0, 1, 1, 2, 3)))),
            faults=tuple(_fault(rng) for _ in range(rng.choice((0, 0, 1, 2)))),
            levers=tuple(lever for lever in Lever if rng.random() < 0.06),
            kill=_kill(rng) if rng.random() < 0.5 else None,
            seconds=rng.uniform(1, 12),
        )


def _ask(rng: Random) -> Ask:
    return Ask(
        story=rng.choice(tuple(WAYS)),
        person=rng.randrange(PEOPLE),
        channel=rng.randrange(CHANNELS),
        private=rng.random() < 0.2,
        count=rng.randint(1, 3),
    )


def _place(rng: Random) -> Fault:
    return rng.choices([place for place, _ in _PLACES], weights=[weight for _, weight in _PLACES])[0]


def _fault(rng: Random) -> Fault:
    place = _place(rng)
    kinds = (*_CUTS, *_REFUSALS) if place["service"] == "discord" else (*_CUTS, *_REFUSALS, *_LIES)
    return {**place, **rng.choice(kinds), "times": rng.randint(1, 2)}


def _kill(rng: Random) -> Kill:
    at = {**_place(rng), "action": rng.choice(("hang", "reset_after"))} if rng.random() < 0.5 else None
    down = _TOKEN_DEAD if rng.random() < 0.05 else rng.choice((0.0, 0.0, 2.0, 20.0))
    return Kill(after=rng.uniform(0, 8) if at is None else 15.0, at=at, down=down, door=rng.random() < 0.6)
