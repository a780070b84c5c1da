"""The volunteers' machines: what each serves, how fast it is, and the default park."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.horde.catalogue import ModelCard
from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.worker_base import QueueWorker

#: A worker below this many megapixelsteps a second is left out when a request refuses slow workers.
SLOW_LIMIT = 0.5
MAX_PIXELS = 2048 * 2048


@dataclass(slots=True, kw_only=True)
class Worker(QueueWorker):
    """One image worker. `megapixelsteps` is its speed per second before the simulator's own speed factor."""

    megapixelsteps: float = 1.05
    max_pixels: int = MAX_PIXELS
    nsfw: bool = True
    batch: int = 1
    work_done: float = 0.0

    def can_serve(self, order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> bool:
        """Whether this worker, were it free, could take a job of `order`."""
        if not self.online or order.pixels > self.max_pixels or (order.nsfw and not self.nsfw):
            return False
        if (order.trusted_workers and not self.trusted) or (not order.slow_workers and self.slow):
            return False
        if order.workers and (self.id in order.workers) == order.worker_blacklist:
            return False
        return self.model_for(order, catalogue) is not None

    def model_for(self, order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> str | None:
        """The model this worker would use, or None. Inpainting needs one made for it, plain work one that is not."""
        inpainting = order.source_image is not None and order.source_processing in {"inpainting", "outpainting"}
        for name in self.models:
            card = catalogue.get(name)
            made_for_it = card is not None and card.inpainting
            if (not order.models or name in order.models) and made_for_it == inpainting:
                return name
        return None

    @property
    def slow(self) -> bool:
        """Whether requests with `slow_workers: false` pass it by."""
        return self.megapixelsteps < SLOW_LIMIT


_SDXL = "AlbedoBase XL (SDXL)"
_FLUX = "Flux.1-Schnell fp8 (Compact)"
_PHOTO = "ICBINP - I Can't Believe It's Not Photography"
#: (models, megapixelsteps per second, allows nsfw). Pony Diffusion XL has nobody on purpose.
_PARK: tuple[tuple[tuple[str, ...], float, bool], ...] = (
    (("stable_diffusion", "Deliberate", "Dreamshaper"), 1.05, True),
    ((_SDXL, "Juggernaut XL"), 1.2, True),
    ((_SDXL, "Deliberate"), 1.05, False),
    ((_SDXL, _FLUX), 1.6, True),
    (("Dreamshaper", "Anything Diffusion"), 0.8, True),
    ((_SDXL, "DreamShaper XL", "Juggernaut XL"), 1.05, True),
    (("Deliberate", _PHOTO), 0.9, True),
    ((_SDXL, "AlbedoBase XL 3.1"), 1.3, True),
    (("stable_diffusion", "Dreamshaper", _PHOTO), 0.4, True),
    ((_FLUX, "Deliberate"), 1.4, False),
)


@dataclass(slots=True)
class Park:
    """All image workers, in the order they joined."""

    rng: Random
    workers: list[Worker] = field(default_factory=list)

    def add(self, models: list[str], *, name: str | None = None, **features: float | bool) -> Worker:
        """Let one more worker join; without `name` it is the next painter."""
        number = len(self.workers) + 1
        identity = new_uuid(self.rng)
        worker = Worker(id=identity, name=name or f"painter-{number:02}", models=list(models))
        for feature, value in features.items():
            setattr(worker, feature, value)
        self.workers.append(worker)
        return worker

    def resize(self, count: int) -> None:
        """Keep the first `count` workers, or have copies of the first ones join until there are as many."""
        del self.workers[count:]
        while len(self.workers) < count:
            models, speed, nsfw = _PARK[len(self.workers) % len(_PARK)]
            self.add(list(models), megapixelsteps=speed, nsfw=nsfw)

    def serve(self, model: str, count: int) -> None:
        """Have exactly `count` workers serve `model`; more join when there are too few."""
        serving = [worker for worker in self.workers if model in worker.models]
        for worker in serving[count:]:
            worker.models.remove(model)
        others = [worker for worker in self.workers if model not in worker.models]
        for worker in others[: max(0, count - len(serving))]:
            worker.models.append(model)
        for _ in range(count - max(len(serving), 0) - len(others)):
            self.add([model])

    def by_id(self, identity: str) -> Worker | None:
        """The worker with that id, or None."""
        return next((worker for worker in self.workers if worker.id == identity), None)

    @property
    def online(self) -> list[Worker]:
        """Workers that have called in lately."""
        return [worker for worker in self.workers if worker.online]

    @property
    def threads(self) -> int:
        """How many images can be made at once."""
        return sum(worker.threads for worker in self.online)


def default_park(rng: Random) -> Park:
    """Ten painters of different speed and taste."""
    park = Park(rng)
    park.resize(len(_PARK))
    return park
