"""What a test may do to the simulated alchemy, as plain methods; the control API calls the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.sandbox.horde.alchemy.alchemists import Alchemist
from bot.sandbox.horde.alchemy.book import AlchemyBook, Mishap, OddResult, Plan
from bot.sandbox.horde.alchemy.floor import AlchemyFloor
from bot.sandbox.horde.alchemy.forms import FORMS
from bot.sandbox.horde.alchemy.requests import AlchemyRequest
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.floor import Floor
from bot.sandbox.horde.levers import Levers
from bot.sandbox.horde.world import World


class AlchemyLevers(Levers):
    """The image levers and those of alchemy. None of them waits."""

    def __init__(self, world: World, floor: Floor, alchemy_floor: AlchemyFloor) -> None:
        super().__init__(world, floor)
        self._alchemy_floor = alchemy_floor

    @property
    def alchemy_results(self) -> Mapping[str, Mapping[str, object]]:
        """Request id to form to what was made: SHA-256 of a picture's bytes as served, else the result's value."""
        return self._book.results

    @property
    def _book(self) -> AlchemyBook:
        return self.world.alchemy

    def set_alchemists(
        self,
        *,
        count: int | None = None,
        forms: Iterable[str] | None = None,
        without: Iterable[str] = (),
        **features: bool | int,
    ) -> list[Alchemist]:
        """Change all alchemists: how many, which forms they offer, which nobody offers, and other features.

        Features are online, paused, slow, trusted (yes or no), batch (forms taken at once) and max_tiles.
        """
        unknown = set(features) - {"online", "paused", "slow", "trusted", "batch", "max_tiles"}
        if unknown:
            raise ValueError(f"an alchemist has no {', '.join(sorted(unknown))}")
        guild = self._book.guild
        if count is not None:
            guild.resize(count)
        if forms is not None:
            guild.offer(forms)
        for alchemist in guild.members:
            alchemist.forms = [name for name in alchemist.forms if name not in set(without)]
            for name, value in features.items():
                setattr(alchemist, name, value)
        self._changed()
        return guild.members

    def fault_alchemy(self, count: int = 1, form: str | None = None) -> None:
        """The next `count` attempts (at `form`) end with the worker reporting a fault; four make a form faulted."""
        self._plan(Mishap.FAULT, count, form)

    def silence_alchemy(self, count: int = 1, form: str | None = None) -> None:
        """The next `count` attempts (at `form`) are never handed in: they return after 3 minutes and a sweep."""
        self._plan(Mishap.SILENCE, count, form)

    def odd_alchemy_result(self, form: str, value: object) -> None:
        """The next result of `form` is `value`, whatever that is: the server passes on what workers send."""
        self._book.odd_results.append(OddResult(form=_known(form), value=value))

    def alchemy_request(self, request_id: str) -> AlchemyRequest:
        """The alchemy request with that id; a 404 `HordeError` when it is gone."""
        found = self._book.requests.get(request_id)
        if found is None:
            raise HordeError(404, f"No alchemy request {request_id!r}.")
        return found

    def sweep(self) -> None:
        """Run the once-a-minute sweeps now."""
        super().sweep()
        self._alchemy_floor.sweep()

    def set_maintenance(self, on: bool = True) -> None:
        """Refuse new requests and empty the queue (what is in flight goes on)."""
        super().set_maintenance(on)
        if on:
            for request in self._book.requests.values():
                request.empty_queue()

    def expire(self, request_id: str) -> None:
        """Have the horde forget a request now."""
        if self._book.requests.pop(request_id, None) is None:
            super().expire(request_id)

    def state(self) -> dict[str, object]:
        """The image part, and `alchemists` and `alchemy`."""
        return super().state() | {
            "alchemists": [_alchemist_state(one) for one in self._book.guild.members],
            "alchemy": [_request_state(one) for one in self._book.requests.values()],
        }

    def _changed(self) -> None:
        for alchemist in self._book.guild.members:
            alchemist.about_to_pop = False  # the look it had planned may have been at an old speed
        self._alchemy_floor.wake()
        super()._changed()

    def _plan(self, kind: Mishap, count: int, form: str | None) -> None:
        named = None if form is None else _known(form)
        others = [plan for plan in self._book.plans if plan.kind is not kind or plan.form != named]
        self._book.plans[:] = [*others, *[Plan(kind=kind, form=named)] * count]


def _known(form: str) -> str:
    if form not in FORMS:
        raise ValueError(f"no such form: {form}")
    return form


def _alchemist_state(alchemist: Alchemist) -> dict[str, object]:
    return {
        "id": alchemist.id,
        "name": alchemist.name,
        "forms": list(alchemist.forms),
        "online": alchemist.online,
        "paused": alchemist.paused,
        "busy": alchemist.busy,
        "batch": alchemist.batch,
        "max_tiles": alchemist.max_tiles,
    }


def _request_state(request: AlchemyRequest) -> dict[str, object]:
    """All of it but the picture, which would fill the page."""
    return {
        "id": request.id,
        "user": request.user.alias,
        "client_agent": request.client_agent,
        "payload": {name: value for name, value in request.payload.items() if name != "source_image"},
        "source": {"width": request.source.width, "height": request.source.height, "url": request.source.url or None},
        "webhook": request.webhook,
        "state": request.state.value,
        "kudos": request.kudos,
        "forms": [{**form.shown(), "id": form.id, "aborts": form.aborts} for form in request.forms],
    }
