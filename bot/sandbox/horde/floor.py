"""The shop floor: workers take jobs, paint them, deliver, fault or fall silent; sweeps tidy up behind them.

All of it happens in callbacks of the `Agenda`, so the injected clock decides when. Painting itself runs beside it in
threads: a job is *delivered* at its moment on the clock, and whoever asks for the bytes waits the few milliseconds
until they are there. That keeps the world's order of events the same on a fast and on a slow machine.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from bot.sandbox.horde import pricing
from bot.sandbox.horde.agenda import Agenda
from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.painting import paint, placeholder
from bot.sandbox.horde.requests import Censorship, Job, Picture, Request
from bot.sandbox.horde.standing import in_order
from bot.sandbox.horde.strangers import Strangers
from bot.sandbox.horde.waiting import FAULT_LIMIT, REQUEST_SECONDS, JobState
from bot.sandbox.horde.workers import Worker
from bot.sandbox.horde.world import Delivery, World

SWEEP_SECONDS = 60.0
STRANGERS_SECONDS = 15.0
#: Seconds between an idle worker's looks at the queue, before the speed factor.
POP_SECONDS = (0.5, 2.0)
OVERHEAD_SECONDS = 2.0
_PAINTERS = 2
STATISTICS_SECONDS = 24 * 3600.0
_MODEL_COST = {"flux_1": 4.0, "stable_cascade": 1.5}


class Floor:
    """Moves the world along. `start` puts its rounds into the agenda; painting tasks belong to the given group."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._agenda = agenda
        self._strangers = Strangers(world)
        self._tasks: asyncio.TaskGroup | None = None
        self._painters = asyncio.Semaphore(_PAINTERS)
        self._unpainted: set[str] = set()
        self._all_painted = asyncio.Event()
        self._all_painted.set()
        self._rounds_planned = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin the rounds; `tasks` becomes the parent of the painting."""
        self._tasks = tasks
        if not self._rounds_planned:
            self._rounds_planned = True
            self._agenda.every(SWEEP_SECONDS, self.sweep)
            self._agenda.every(STRANGERS_SECONDS, self.invite_strangers)
        self.invite_strangers()

    async def settled(self) -> None:
        """Return once everything handed to a painter is painted."""
        await self._all_painted.wait()

    def invite_strangers(self) -> None:
        """Bring the background queue back to its length."""
        self._strangers.top_up()
        self.wake()

    def wake(self) -> None:
        """Let every free worker look at the queue soon: call it whenever there may be new work."""
        for worker in self._world.park.online:
            if worker.has_a_free_thread and not worker.about_to_pop:
                worker.about_to_pop = True
                delay = self._world.rng.uniform(*POP_SECONDS) / self._world.speed
                self._agenda.after(delay, partial(self._pop, worker))

    # --- a worker's turn ------------------------------------------------------------------------------------------

    def _pop(self, worker: Worker) -> None:
        worker.about_to_pop = False
        if not worker.free or self._world.impossible:
            return
        for request in in_order(self._world):
            model = worker.model_for(request.order, self._world.catalogue)
            if model is not None and worker.can_serve(request.order, self._world.catalogue):
                self._take(worker, request, model)
                return

    def _take(self, worker: Worker, request: Request, model: str) -> None:
        count = 1 if request.order.disable_batching else min(worker.batch, request.waiting)
        request.waiting -= count
        seed = request.seed_of_pop(request.expected_jobs - request.waiting, self._world.rng)
        expected = self._duration(worker, request.order, model) * (1 + 0.6 * (count - 1))
        jobs = [self._hand_out(worker, request, model, seed + index, expected) for index in range(count)]
        if count > 1:
            for index, job in enumerate(jobs):
                job.metadata.append({"type": "batch_index", "value": "see_ref", "ref": str(index)})
        request.expires = self._world.now + REQUEST_SECONDS
        worker.busy += 1
        self._plan_end(worker, request, jobs, expected)
        self.wake()

    def _hand_out(self, worker: Worker, request: Request, model: str, seed: int, expected: float) -> Job:
        identity = self._world.new_id()
        job = Job(
            id=identity,
            worker=worker,
            model=model,
            seed=seed,
            started=self._world.now,
            expected=expected,
            deadline=self._world.now + self._patience(request.order, model),
            picture=Picture(name=identity) if request.stranger else self._world.pictures.open(identity),
        )
        request.jobs.append(job)
        return job

    def _plan_end(self, worker: Worker, request: Request, jobs: list[Job], expected: float) -> None:
        plans = self._world.plans
        end: Callable[[], None] = partial(self._deliver, worker, request, jobs)
        if not request.stranger and plans.faults > 0:
            plans.faults -= 1
            end, expected = partial(self._fault, worker, request, jobs), expected * 0.3
        elif not request.stranger and plans.silences > 0:
            plans.silences -= 1
            end = partial(self._leave, worker)
        elif not request.stranger:
            self._plan_pictures(request, jobs)
        self._agenda.after(expected, end)

    def _plan_pictures(self, request: Request, jobs: list[Job]) -> None:
        for job in jobs:
            if self._world.plans.censorships:
                job.censorship = self._world.plans.censorships.popleft()
                job.metadata.append({"type": "censorship", "value": job.censorship.value})
            if self._world.plans.lost_uploads > 0:
                self._world.plans.lost_uploads -= 1
                job.picture.missing = True
            for lora in request.order.loras:
                if str(lora["name"]).startswith("missing"):
                    job.metadata.append({"type": "lora", "value": "download_failed", "ref": str(lora["name"])})
            self._start_painting(request.order, job)

    # --- how a job ends --------------------------------------------------------------------------------------------

    def _deliver(self, worker: Worker, request: Request, jobs: list[Job]) -> None:
        now = self._world.now
        for job in jobs:
            if job.state is not JobState.PROCESSING:
                continue
            job.state = JobState.DELIVERED
            self._world.pictures.upload(job.picture)
            price = pricing.delivery_price(request.order, request.factor, censored=job.censorship is not None)
            if not request.stranger:
                request.charge(price)
                request.user.images += 1
                request.user.megapixelsteps += request.order.megapixelsteps
            worker.fulfilled += 1
            worker.earned += price
            worker.work_done += request.order.megapixelsteps
            work = request.order.megapixelsteps * 1_000_000
            self._world.deliveries.append(Delivery(at=now, model=job.model, pixelsteps=work))
            self._world.postman.queue(request.order.webhook, partial(self._webhook, request, job))
        request.expires = now + REQUEST_SECONDS
        if request.done:
            request.release_hold()
        self._leave(worker)

    async def _webhook(self, request: Request, job: Job) -> Mapping[str, object]:
        pictures = self._world.pictures
        earned = pricing.delivery_price(request.order, request.factor, censored=False) - pricing.TAX
        return {
            "img": pictures.link(job.picture) if request.order.r2 else await pictures.base64(job.picture),
            "seed": job.seed,
            "worker_id": job.worker.id,
            "worker_name": job.worker.name,
            "model": job.model,
            "id": job.id,
            "censored": job.censorship is not None,
            "gen_metadata": list(job.metadata),
            "request": request.id,
            "kudos": round(earned, 2),
        }

    def _fault(self, worker: Worker, request: Request, jobs: list[Job]) -> None:
        for job in jobs:
            if job.state is JobState.PROCESSING:
                request.fault(job)
                worker.uncompleted += 1
        self._leave(worker)

    def _leave(self, worker: Worker) -> None:
        worker.leave()
        self.wake()

    # --- rounds ----------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Once a minute: jobs nobody answered for return, hopeless requests are given up, expired ones vanish."""
        world = self._world
        for request, job in list(world.processing_jobs()):
            if world.now >= job.deadline:
                request.fault(job)
                job.worker.uncompleted += 1
        for request in list(world.requests.values()):
            if request.restarted >= FAULT_LIMIT:
                request.give_up()
            if world.now >= request.expires:
                request.release_hold()
                del world.requests[request.id]
        world.deliveries = [one for one in world.deliveries if one.at > world.now - STATISTICS_SECONDS]
        world.pictures.prune()
        self.wake()

    def _duration(self, worker: Worker, order: ImageOrder, model: str) -> float:
        card = self._world.catalogue.get(model)
        cost = _MODEL_COST.get(card.baseline, 1.0) if card else 1.0
        seconds = OVERHEAD_SECONDS + cost * order.megapixelsteps / worker.megapixelsteps
        return seconds / self._world.speed

    def _patience(self, order: ImageOrder, model: str) -> float:
        """Seconds after which a job counts as aborted, whatever the simulator's speed."""
        seconds = max(150.0, 30 + 2 * order.effective_steps * order.pixels / 512**2)
        card = self._world.catalogue.get(model)
        for reason in (card is not None and card.baseline == "flux_1", order.extra_slow_workers):
            seconds *= 3 if reason else 1
        return seconds * (2 if order.control_type else 1)

    # --- painting --------------------------------------------------------------------------------------------------

    def _start_painting(self, order: ImageOrder, job: Job) -> None:
        if self._tasks is None:
            raise RuntimeError("the world is not running")
        self._unpainted.add(job.id)
        self._all_painted.clear()
        self._tasks.create_task(self._paint(order, job), name=f"paint {job.id}")

    async def _paint(self, order: ImageOrder, job: Job) -> None:
        async with self._painters:
            data = await asyncio.to_thread(_render, order, job.seed, job.model, job.censorship)
        job.picture.fill(data)
        self._unpainted.discard(job.id)
        if not self._unpainted:
            self._all_painted.set()


def _render(order: ImageOrder, seed: int, model: str, censorship: Censorship | None) -> bytes:
    if censorship is not None:
        return placeholder(order.width, order.height, censorship.value)
    return paint(prompt=order.prompt, seed=seed, model=model, width=order.width, height=order.height)


def queued_by_model(world: World) -> tuple[Counter[str], Counter[str]]:
    """Waiting jobs and waiting pixel steps by model name; a request counts for each model it allows."""
    jobs: Counter[str] = Counter()
    work: Counter[str] = Counter()
    for request in in_order(world):
        for model in request.order.models:
            jobs[model] += request.waiting
            work[model] += round(request.waiting * request.order.megapixelsteps * 1_000_000)
    return jobs, work
