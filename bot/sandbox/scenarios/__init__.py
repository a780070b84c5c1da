"""Stories that prove the whole bot: one file each, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.scenarios.alchemy import Alchemy
from bot.sandbox.scenarios.ask import Ask
from bot.sandbox.scenarios.base import Scenario
from bot.sandbox.scenarios.imagine import Imagine
from bot.sandbox.scenarios.late import Late
from bot.sandbox.scenarios.osais import Osais
from bot.sandbox.scenarios.restart import Restart

_ALL: tuple[Scenario, ...] = (Imagine(), Alchemy(), Ask(), Restart(), Late(), Osais())

#: All scenarios by the name that `--scenario` takes.
SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
