"""A simulated OSAIS: its client API and the callbacks it makes, on an injected clock.

It reads the protocol on its own (from stored documentation and sample code, `tests/data/osais/`) and imports nothing
of the client that is tried on it. Nothing was tried against the live service: where no source states a status, it
stands in the one table of `assumptions`; where no source states a way of doing it, every way that fits is a scenario.

How a call travels: `views` (envelope, Bearer, config) -> `engines` (what a call has to bring) -> `requests`.
What happens then: `plays` (a list of steps) -> `scenarios` (rewrite it) -> `runner` (performs it on the clock) ->
`making` (files, off the loop) and `sender` (calls, written by `wire`) -> `acknowledgements` (judges each answer).
Tests pull the levers of `OsaisSim`, directly or through `control`.
"""

from bot.sandbox.osais.acknowledgements import Delivery, Verdict
from bot.sandbox.osais.scenarios import SCENARIOS
from bot.sandbox.osais.simulator import OsaisSim

__all__ = ["SCENARIOS", "Delivery", "OsaisSim", "Verdict"]
