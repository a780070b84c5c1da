"""The variants of the protocol as named scenarios: each rewrites the play of a request before it begins.

`writing` changes how calls are written, `ordering` what comes when and how often, `trouble` what goes wrong. Scenarios
combine: `perform(request, ["four-files", "urlencoded", "duplicates"])` applies them in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.sandbox.osais.plays import Play, nominal
from bot.sandbox.osais.scenarios.base import Scenario
from bot.sandbox.osais.scenarios.ordering import ORDERING
from bot.sandbox.osais.scenarios.trouble import TROUBLE
from bot.sandbox.osais.scenarios.writing import WRITING

__all__ = ["SCENARIOS", "Scenario", "play_of"]

#: Every scenario by name.
SCENARIOS: Mapping[str, Scenario] = {one.name: one for one in (*ORDERING, *WRITING, *TROUBLE)}


def play_of(names: Iterable[str], *, files: int, cost_ms: int, seed: int) -> Play:
    """The nominal play of so many files, rewritten by the scenarios named; KeyError for an unknown one."""
    chosen = [SCENARIOS[name] for name in names]
    for scenario in chosen:
        files = scenario.count(files) if scenario.count else files
    play = nominal(files, cost_ms=cost_ms, seed=seed)
    for scenario in chosen:
        play = scenario.change(play)
    return play
