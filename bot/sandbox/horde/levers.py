"""What a test may do to the simulated horde, as plain methods; the control API calls the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.floor import Floor
from bot.sandbox.horde.people import SharedKey, User
from bot.sandbox.horde.requests import Censorship, Request
from bot.sandbox.horde.waiting import WaitingPrompt
from bot.sandbox.horde.workers import Worker
from bot.sandbox.horde.world import EVERYWHERE, Style, World


class Levers:
    """Operations on a world between the calls of its users. None of them waits."""

    def __init__(self, world: World, floor: Floor) -> None:
        self.world = world
        self._floor = floor

    def _changed(self) -> None:
        """Let views and workers see a changed world at once (`HordeSim` empties its caches as well)."""
        self._floor.wake()

    # --- workers and queue ---------------------------------------------------------------------------------------

    def set_workers(
        self,
        *,
        count: int | None = None,
        speed: float | None = None,
        online: bool | None = None,
        paused: bool | None = None,
        batch: int | None = None,
        nsfw: bool | None = None,
        max_pixels: int | None = None,
    ) -> list[Worker]:
        """Change all workers; `speed` is the world's factor, `paused` ones are online and take nothing."""
        if count is not None:
            self.world.park.resize(count)
        if speed is not None:
            self.world.speed = speed
            for worker in self.world.park.workers:
                worker.about_to_pop = False  # the look it had planned was at the old speed
        values = {"online": online, "paused": paused, "batch": batch, "nsfw": nsfw, "max_pixels": max_pixels}
        for worker in self.world.park.workers:
            for name, value in values.items():
                if value is not None:
                    setattr(worker, name, value)
        self._changed()
        return self.world.park.workers

    def set_model(self, name: str, count: int) -> None:
        """Have exactly `count` workers serve the model; 0: nobody."""
        self.world.park.serve(name, count)
        self._changed()

    def set_queue(self, length: int) -> None:
        """Keep `length` foreign jobs waiting from now on."""
        self.world.background_length = length
        self._floor.invite_strangers()
        self._changed()

    def set_impossible(self, on: bool = True) -> None:
        """Have no worker able to serve anything: `is_possible` turns false at each request's next verdict."""
        self.world.impossible = on
        self._changed()

    def sweep(self) -> None:
        """Run the once-a-minute sweep now."""
        self._floor.sweep()

    # --- mishaps -------------------------------------------------------------------------------------------------

    def fault_next(self, count: int = 1) -> None:
        """The next `count` pops of real requests end with the worker reporting a fault."""
        self.world.plans.faults = count

    def silence_next(self, count: int = 1) -> None:
        """The next `count` pops of real requests are never answered: they return after their deadline and a sweep."""
        self.world.plans.silences = count

    def censor_next(self, count: int = 1, kind: Censorship | str = Censorship.NSFW) -> None:
        """The next `count` images come as a censored placeholder."""
        self.world.plans.censor(count, kind)

    def dead_links(self, count: int = 1, kind: str = "expired") -> None:
        """`expired`: the next `count` downloads are a 403, a fresh link works; `missing`: uploads fail, 404."""
        if kind == "expired":
            self.world.pictures.expire_next = count
        elif kind == "missing":
            self.world.plans.lost_uploads = count
        else:
            raise ValueError(f"a dead link is 'expired' or 'missing', not {kind!r}")

    def set_maintenance(self, on: bool = True) -> None:
        """Refuse new requests and empty the queue (what is in flight goes on)."""
        self.world.maintenance = on
        if on:
            for request in self.world.requests.values():
                request.cancel()

    def timeout_ip(self, seconds: float, address: str = EVERYWHERE) -> None:
        """Put an address (default: all) into timeout; 0 ends it."""
        self.world.put_in_timeout(seconds, address)

    def expire(self, request_id: str) -> None:
        """Have the horde forget a request now."""
        request = self.request(request_id)
        request.release_hold()
        del self.world.requests[request.id]

    # --- people --------------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, kudos: float = 25.0, trusted: bool = False, concurrency: int = 30) -> User:
        """Register somebody; the key is on the returned user."""
        user = self.world.people.add(name, kudos=kudos, trusted=trusted)
        user.concurrency = concurrency
        return user

    def set_user(self, name: str, **values: Any) -> User:
        """Change kudos, trusted, concurrency, service or special of a user."""
        unknown = set(values) - {"kudos", "trusted", "concurrency", "service", "special"}
        if unknown:
            raise ValueError(f"a user has no {', '.join(sorted(unknown))}")
        user = self.user(name)
        for field, value in values.items():
            setattr(user, field, value)
        return user

    def add_shared_key(
        self,
        owner: str,
        *,
        name: str = "shared",
        kudos: float = 5000.0,
        max_image_pixels: int = -1,
        max_image_steps: int = -1,
        max_text_tokens: int = -1,
        expired: bool = False,
        key: str | None = None,
    ) -> SharedKey:
        """Have a user share a key (or change it, when `key` is there already); its id is the secret."""
        shared = SharedKey(
            id=key or self.world.new_id(),
            owner=self.user(owner),
            name=name,
            kudos=kudos,
            max_image_pixels=max_image_pixels,
            max_image_steps=max_image_steps,
            max_text_tokens=max_text_tokens,
            expired=expired,
        )
        self.world.people.shared_keys[shared.id] = shared
        return shared

    def add_style(
        self,
        name: str,
        *,
        prompt: str = "{p}###{np}",
        params: Mapping[str, Any] | None = None,
        models: Iterable[str] = ("stable_diffusion",),
        nsfw: bool = False,
        style_id: str | None = None,
    ) -> Style:
        """Publish an image style."""
        identity = style_id or self.world.new_id()
        style = Style(id=identity, name=name, prompt=prompt, params=dict(params or {}), models=tuple(models), nsfw=nsfw)
        self.world.styles[identity] = style
        return style

    def user(self, name: str) -> User:
        """The user with that name, or a `KeyError`."""
        for user in self.world.people:
            if name in {user.name, user.alias}:
                return user
        raise KeyError(name)

    def request(self, request_id: str) -> Request:
        """The request with that id; a 404 `HordeError` when it is gone."""
        found = self.world.requests.get(request_id)
        if found is None:
            raise HordeError(404, f"No request {request_id!r}.")
        return found

    # --- looking on ----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        """Everything of interest, for the control API and for tests that print it."""
        world = self.world
        strangers = [request for request in world.requests.values() if request.stranger]
        return {
            "now": world.clock.now().isoformat(),
            "speed": world.speed,
            "maintenance": world.maintenance,
            "impossible": world.impossible,
            "background_length": world.background_length,
            "queue": {"waiting": world.waiting_images(), "strangers": sum(one.waiting for one in strangers)},
            "workers": [_worker_state(worker) for worker in world.park.workers],
            "requests": [_request_state(request) for request in world.own_requests()],
        }


def accounted(request: WaitingPrompt[Any, Any]) -> dict[str, object]:
    """What is known of any request in the queue: whose it is, how far it is, and what it cost."""
    return {
        "id": request.id,
        "user": request.user.alias,
        "client_agent": request.client_agent,
        "payload": dict(request.payload),
        **request.counters(),
        "cancelled": request.cancelled,
        "kudos": request.kudos,
        "held": request.held,
    }


def _worker_state(worker: Worker) -> dict[str, object]:
    return {
        "id": worker.id,
        "name": worker.name,
        "models": list(worker.models),
        "online": worker.online,
        "paused": worker.paused,
        "busy": worker.busy,
        "batch": worker.batch,
        "nsfw": worker.nsfw,
        "megapixelsteps": worker.megapixelsteps,
    }


def _request_state(request: Request) -> dict[str, object]:
    return {
        **accounted(request),
        "prompt": request.order.prompt,
        "width": request.order.width,
        "height": request.order.height,
        "steps": request.order.steps,
        "n": request.order.n,
        "models": list(request.order.models),
        "webhook": request.order.webhook,
        "jobs": [
            {
                "id": job.id,
                "state": job.state.value,
                "worker": job.worker.name,
                "model": job.model,
                "seed": str(job.seed),
                "censored": job.censorship.value if job.censorship else None,
                "gen_metadata": list(job.metadata),
                "uploaded": not job.picture.missing,
                "sha256": job.picture.sha256 or None,
            }
            for job in request.jobs
        ],
    }
