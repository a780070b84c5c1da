"""Other people's requests, so that there is a queue to stand in."""

from __future__ import annotations

from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.requests import Request
from bot.sandbox.horde.world import World

_SIZES = (512, 640, 768, 1024)


class Strangers:
    """Keeps `world.background_length` foreign jobs waiting."""

    def __init__(self, world: World) -> None:
        self._world = world

    def top_up(self) -> None:
        """Add requests until enough wait; when there are too many, the youngest leave."""
        world = self._world
        waiting = [request for request in world.requests.values() if request.stranger and request.waiting > 0]
        for request in waiting[world.background_length :]:
            request.cancel()
        for request in [one for one in world.requests.values() if one.stranger and one.done]:
            del world.requests[request.id]
        if not world.maintenance:
            for _ in range(world.background_length - len(waiting)):
                self._arrive()

    def _arrive(self) -> None:
        world, rng = self._world, self._world.rng
        served = sorted({model for worker in world.park.online for model in worker.models})
        model = rng.choice(served or ["stable_diffusion"])
        order = ImageOrder(
            prompt="something of somebody else",
            models=(model,),
            width=rng.choice(_SIZES),
            height=rng.choice(_SIZES),
            steps=rng.choice((20, 25, 30)),
            nsfw=False,
        )
        request = Request(
            id=world.new_id(),
            user=world.people.anonymous,
            order=order,
            created=world.now,
            first_seed=None,
            factor=1,
            stranger=True,
            priority=rng.uniform(-50.0, 150.0),
            waiting=1,
        )
        world.requests[request.id] = request
