"""`/interrogate/async` and `/interrogate/status`: the life of an alchemy request over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.alchemy.forms import ALCHEMY_SCHEMA
from bot.sandbox.horde.alchemy.intake import AlchemyIntake
from bot.sandbox.horde.alchemy.requests import AlchemyRequest
from bot.sandbox.horde.calls import read_json, sender_of
from bot.sandbox.horde.errors import not_found
from bot.sandbox.horde.gate import Answer, Endpoint, Gate
from bot.sandbox.horde.schema import check_schema
from bot.sandbox.horde.world import World


class AlchemyViews:
    """The alchemy endpoints on one world; `wake` tells the alchemists that there is something to do."""

    def __init__(self, world: World, wake: Callable[[], None]) -> None:
        self._world = world
        self._wake = wake
        self._intake = AlchemyIntake(world)

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """Both paths. Status and cancel may be called 10 times a second each, and are never cached."""
        return [
            gate.route("/interrogate/async", post=Endpoint(view=self.submit, rules=limits.DEFAULT_RULES)),
            gate.route(
                "/interrogate/status/{id}",
                get=Endpoint(view=self.status, rules=limits.CHECK_RULES, per_path=True),
                delete=Endpoint(view=self.cancel, rules=limits.CHECK_RULES, per_path=True),
            ),
        ]

    async def submit(self, request: web.Request) -> Answer:
        """Take a request; the answer is its id and nothing else."""
        payload = await read_json(request)
        check_schema(ALCHEMY_SCHEMA, payload)
        accepted = await self._intake.accept(payload, sender_of(request))
        self._wake()
        return Answer(status=202, body={"id": accepted.id})

    async def status(self, request: web.Request) -> Answer:
        """The state of every form, with the results there are."""
        found = self._find(request)
        await found.caught_up()
        return Answer(body=self._shown(found))

    async def cancel(self, request: web.Request) -> Answer:
        """Cancel, answering (unlike for images) with the status as it is afterwards."""
        found = self._find(request)
        await found.caught_up()
        found.cancel()
        return Answer(body=self._shown(found))

    def _find(self, request: web.Request) -> AlchemyRequest:
        identity = request.match_info["id"]
        found = self._world.alchemy.requests.get(identity)
        if found is None:
            raise not_found("Interrogation", identity, "RequestNotFound")
        return found

    def _shown(self, request: AlchemyRequest) -> dict[str, object]:
        """The forms come in another order each time, so nobody gets used to one."""
        forms = [form.shown() for form in request.forms]
        self._world.alchemy.rng.shuffle(forms)
        return {"state": request.state.value, "forms": forms}
