"""Everything the simulated horde knows: people, workers, requests, pictures, and what tests have arranged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from bot.clock import Clock
from bot.sandbox.control import Service
from bot.sandbox.horde.alchemy.book import AlchemyBook
from bot.sandbox.horde.catalogue import load_catalogue
from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.people import default_people
from bot.sandbox.horde.pictures import PictureStore
from bot.sandbox.horde.plans import Plans
from bot.sandbox.horde.requests import Job, Request
from bot.sandbox.horde.text.world import TextWorld
from bot.sandbox.horde.waiting import JobState
from bot.sandbox.horde.webhooks import Postman
from bot.sandbox.horde.workers import default_park
from bot.sandbox.outgoing import Outgoing

DRY_RUN_SECONDS = 2 * 24 * 3600.0
_OFFENCE_SECONDS = 24 * 3600.0
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A named set of params, models and a prompt template with `{p}` and `{np}`."""

    id: str
    name: str
    prompt: str
    params: Mapping[str, Any]
    models: tuple[str, ...]
    nsfw: bool = False
    creator: str = "tess_trusted#2"


@dataclass(slots=True, kw_only=True)
class ImagePlans(Plans):
    """Mishaps of images."""

    lost_uploads: int = 0


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One delivered image, for the statistics."""

    at: float
    model: str
    pixelsteps: float


class World:
    """The state behind the API. It decides nothing about HTTP and never waits."""

    def __init__(
        self, clock: Clock, *, seed: int, speed: float, pictures: PictureStore, postman: Postman | None = None
    ) -> None:
        self.clock = clock
        self.postman = postman or Postman(Outgoing(service=Service.HORDE))
        self.rng = Random(seed)
        self.speed = speed
        self.pictures = pictures
        self.catalogue = load_catalogue()
        self.people = default_people()
        self.park = default_park(self.rng)
        self.text = TextWorld(clock, seed=seed, tempo=lambda: self.speed)
        self.alchemy = AlchemyBook(Random(f"alchemy {seed}"))
        self.requests: dict[str, Request] = {}
        self.styles: dict[str, Style] = {}
        self.plans = ImagePlans()
        self.deliveries: list[Delivery] = []
        self.background_length = 6
        self.maintenance = False
        self.impossible = False
        self.started = self.now
        self._timeouts: dict[str, float] = {}
        self._offences: dict[str, list[float]] = {}
        self._dry_runs: dict[str, tuple[float, float]] = {}

    @property
    def now(self) -> float:
        """Seconds of the clock that never jump back."""
        return self.clock.monotonic()

    def new_id(self) -> str:
        """A UUID from the seeded generator."""
        return new_uuid(self.rng)

    # --- requests -----------------------------------------------------------------------------------------------

    def own_requests(self) -> list[Request]:
        """Requests that came over the API, oldest first (without the strangers' background queue)."""
        return [request for request in self.requests.values() if not request.stranger]

    def waiting_images(self) -> int:
        """How many jobs wait in the whole queue."""
        return sum(request.waiting for request in self.requests.values() if request.open)

    def is_possible(self, request: Request) -> bool:
        """Whether an online worker could serve it; the verdict is kept for 60 s, processing overrides it."""
        return request.possible(self.now, self.servable)

    def servable(self, order: ImageOrder) -> bool:
        """Whether an online worker could serve `order` now."""
        return not self.impossible and any(worker.can_serve(order, self.catalogue) for worker in self.park.online)

    def processing_jobs(self) -> Iterable[tuple[Request, Job]]:
        """Every job at a worker."""
        for request in self.requests.values():
            for job in request.jobs:
                if job.state is JobState.PROCESSING:
                    yield request, job

    # --- people and addresses -----------------------------------------------------------------------------------

    def put_in_timeout(self, seconds: float, address: str = EVERYWHERE) -> None:
        """Refuse posts from `address` (default: from anywhere) for `seconds`; 0 ends it."""
        self._timeouts[address] = self.now + seconds

    def timeout_left(self, address: str) -> float:
        """Seconds for which posts from `address` are refused; not positive when they are welcome."""
        return max(self._timeouts.get(address, 0.0), self._timeouts.get(EVERYWHERE, 0.0)) - self.now

    def punish(self, address: str) -> None:
        """Time an address out for a corrupt prompt: 3 minutes, then 6 more with each offence within a day."""
        recent = [at for at in self._offences.get(address, []) if at > self.now - _OFFENCE_SECONDS]
        self.put_in_timeout(60.0 * (3 + 6 * len(recent)), address)
        self._offences[address] = [*recent, self.now]

    # --- dry runs ------------------------------------------------------------------------------------------------

    def remembered_price(self, payload: Mapping[str, Any]) -> float | None:
        """The price somebody got for the same params, models and source flags in the last two days."""
        until, price = self._dry_runs.get(_price_key(payload), (0.0, 0.0))
        return price if until > self.now else None

    def remember_price(self, payload: Mapping[str, Any], price: float) -> None:
        """Keep a dry run's price for two days."""
        self._dry_runs[_price_key(payload)] = (self.now + DRY_RUN_SECONDS, price)


def _price_key(payload: Mapping[str, Any]) -> str:
    flags = ["source_image" in payload, payload.get("source_processing"), payload.get("slow_workers", True)]
    return json.dumps([payload.get("params", {}), payload.get("models"), *flags], sort_keys=True)
