"""What text workers do: take jobs, write, deliver, fault or fall silent, in callbacks of the `Agenda`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bot.sandbox.horde.agenda import Agenda
from bot.sandbox.horde.floor import POP_SECONDS, STATISTICS_SECONDS, STRANGERS_SECONDS, SWEEP_SECONDS
from bot.sandbox.horde.text import pricing
from bot.sandbox.horde.text.catalogue import card_of
from bot.sandbox.horde.text.generator import Quirk, Wish, Writing, write
from bot.sandbox.horde.text.orders import TextOrder
from bot.sandbox.horde.text.requests import TextJob, TextRequest, TextState
from bot.sandbox.horde.text.scribes import Scribe
from bot.sandbox.horde.text.world import TextDelivery
from bot.sandbox.horde.waiting import FAULT_LIMIT, REQUEST_SECONDS, JobState
from bot.sandbox.horde.world import World

OVERHEAD_SECONDS = 1.0
FAULT_SECONDS = 0.25
#: A job not answered for so long goes back to the queue with the next sweep.
JOB_SECONDS = 150.0
_STRANGERS_LENGTHS = (80, 120, 200)


class TextFloor:
    """Moves the text side of the world along."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._text = world.text
        self._agenda = agenda
        self._planned = False

    def start(self) -> None:
        """Begin the rounds."""
        if not self._planned:
            self._planned = True
            self._agenda.every(SWEEP_SECONDS, self.sweep)
            self._agenda.every(STRANGERS_SECONDS, self.invite_strangers)
        self.invite_strangers()

    def wake(self) -> None:
        """Let every free worker for whom there is something look at the queue soon."""
        waiting = [request.order for request in self._text.requests.values() if request.open]
        for scribe in self._text.hall.online if waiting else ():
            if scribe.free and not scribe.about_to_pop and any(scribe.can_serve(order) for order in waiting):
                scribe.about_to_pop = True
                delay = self._text.rng.uniform(*POP_SECONDS) / self._world.speed
                self._agenda.after(delay, partial(self._pop, scribe))

    # --- a worker's turn ------------------------------------------------------------------------------------------

    def _pop(self, scribe: Scribe) -> None:
        scribe.about_to_pop = False
        if not scribe.free or self._text.impossible:
            return
        for request in self._text.in_order():
            model = scribe.model_for(request.order)
            if model is not None and scribe.can_serve(request.order):
                self._take(scribe, request, model)
                return

    def _take(self, scribe: Scribe, request: TextRequest, model: str) -> None:
        now = self._text.now
        job = TextJob(
            id=self._text.new_id(),
            scribe=scribe,
            model=model,
            family=card_of(model, self._text.hall.families).family,
            started=now,
            deadline=now + JOB_SECONDS,
            believed=request.order.max_length / scribe.known_speed,
        )
        request.jobs.append(job)
        request.waiting -= 1
        request.expires = now + REQUEST_SECONDS
        scribe.busy += 1
        self._plan_end(scribe, request, job)
        self.wake()

    def _plan_end(self, scribe: Scribe, request: TextRequest, job: TextJob) -> None:
        plans = self._text.plans
        end: Callable[[], None] = partial(self._deliver, scribe, request, job)
        tokens, overhead = request.order.max_length, OVERHEAD_SECONDS
        if request.stranger:
            job.tokens = tokens
        elif plans.faults > 0:
            plans.faults -= 1
            end = partial(self._fault, scribe, request, job)
            tokens, overhead = 0, FAULT_SECONDS
        elif plans.silences > 0:
            plans.silences -= 1
            end = partial(self._leave, scribe)
        else:
            self._write(scribe, request, job)
            tokens = job.tokens
        seconds = overhead + tokens / scribe.tokens_per_second
        self._agenda.after(seconds / self._world.speed, end)

    def _write(self, scribe: Scribe, request: TextRequest, job: TextJob) -> None:
        if self._text.plans.censorships:
            job.censorship = self._text.plans.censorships.popleft()
            return
        quirk = self._text.next_quirk()
        writing = self._written(scribe, request.order, job, quirk)
        job.text, job.tokens, job.quirk = writing.text, writing.tokens, quirk.value
        job.understood, job.cut, job.looks_like = writing.understood, writing.cut, writing.looks_like

    def _written(self, scribe: Scribe, order: TextOrder, job: TextJob, quirk: Quirk) -> Writing:
        card = card_of(job.model, self._text.hall.families)
        wish = Wish(
            prompt=order.prompt,
            family=card.family,
            length=order.max_length,
            context=order.max_context_length,
            stops=order.stop_sequence,
            thinks=card.thinks,
            ignores_stops=scribe.ignores_stops,
            quirk=quirk,
        )
        return write(wish)

    # --- how a job ends --------------------------------------------------------------------------------------------

    def _deliver(self, scribe: Scribe, request: TextRequest, job: TextJob) -> None:
        now = self._text.now
        if job.state is JobState.PROCESSING:
            job.state = JobState.DELIVERED
            job.kudos = pricing.delivery_price(request.order, job.model, job.tokens)
            if not request.stranger:
                request.charge(job.kudos + pricing.TAX)
                request.user.texts += 1
                request.user.tokens += job.tokens
            scribe.fulfilled += 1
            scribe.earned += job.kudos
            self._text.deliveries.append(TextDelivery(at=now, model=job.model, tokens=job.tokens))
            request.expires = now + REQUEST_SECONDS
            self._world.postman.queue(request.order.webhook, partial(_webhook, request, job))
        if request.over:
            request.release_hold()
        self._leave(scribe)

    def _fault(self, scribe: Scribe, request: TextRequest, job: TextJob) -> None:
        if job.state is JobState.PROCESSING:
            request.fault(job)
            scribe.uncompleted += 1
        self._leave(scribe)

    def _leave(self, scribe: Scribe) -> None:
        scribe.leave()
        self.wake()

    # --- rounds ----------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Once a minute: jobs nobody answered for return, hopeless requests are given up, expired ones vanish."""
        text = self._text
        for request, job in list(text.processing_jobs()):
            if text.now >= job.deadline:
                request.fault(job)
                job.scribe.uncompleted += 1
        for request in list(text.requests.values()):
            if request.restarted >= FAULT_LIMIT and not request.over:
                request.give_up()
            if text.now >= request.expires:
                request.release_hold()
                del text.requests[request.id]
        text.deliveries = [one for one in text.deliveries if one.at > text.now - STATISTICS_SECONDS]
        self.wake()

    def invite_strangers(self) -> None:
        """Bring the queue of other people's texts back to its length."""
        text = self._text
        for request in [one for one in text.requests.values() if one.stranger and one.over]:
            del text.requests[request.id]
        waiting = [request for request in text.requests.values() if request.stranger and request.waiting]
        for request in waiting[text.background_length :]:
            request.cancel()
        models = text.hall.models
        if models and not self._world.maintenance:
            for _ in range(text.background_length - len(waiting)):
                self._arrive(text.rng.choice(models))
        self.wake()

    def _arrive(self, model: str) -> None:
        text = self._text
        length = text.rng.choice(_STRANGERS_LENGTHS)
        order = TextOrder(prompt="something of somebody else", models=(model,), max_length=length)
        request = TextRequest(
            id=text.new_id(),
            user=self._world.people.anonymous,
            order=order,
            created=text.now,
            stranger=True,
            priority=text.rng.uniform(-50.0, 150.0),
            waiting=1,
        )
        text.requests[request.id] = request


async def _webhook(request: TextRequest, job: TextJob) -> Mapping[str, object]:
    return {
        "text": job.text,
        "seed": 0,
        "worker_id": job.scribe.id,
        "worker_name": job.scribe.name,
        "model": job.model,
        "id": job.id,
        "state": TextState.of(job.censorship).value,
        "gen_metadata": job.metadata,
        "request": request.id,
        "kudos": job.kudos,
    }
