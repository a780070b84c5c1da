"""The alchemists at work: they take forms, hand in results, fault or fall silent; a sweep tidies up behind them.

As with painting, *when* a form is handed in is decided by the injected clock, and *what* is computed beside it in
threads. A form that is due and not yet worked out is still `processing`; a status call waits for it, so nobody can see
how fast the machine is.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

from bot.sandbox.horde.agenda import Agenda
from bot.sandbox.horde.alchemy import pixels
from bot.sandbox.horde.alchemy.alchemists import Alchemist
from bot.sandbox.horde.alchemy.book import Mishap
from bot.sandbox.horde.alchemy.forms import CHANGING, seconds, worth
from bot.sandbox.horde.alchemy.requests import AlchemyRequest, Craft, Form, FormState
from bot.sandbox.horde.alchemy.results import make
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.floor import POP_SECONDS, SWEEP_SECONDS
from bot.sandbox.horde.sources import fetch
from bot.sandbox.horde.waiting import REQUEST_SECONDS, ageing
from bot.sandbox.horde.world import World

FORM_SECONDS = 3 * 60.0
_BENCHES = 2
#: A worker notices that it failed after this share of the time the form would have taken.
_FAULT_SHARE = 0.3


class AlchemyFloor:
    """Moves alchemy along. `start` plans the sweep; the computing tasks belong to the given group."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._book = world.alchemy
        self._agenda = agenda
        self._tasks: asyncio.TaskGroup | None = None
        self._benches = asyncio.Semaphore(_BENCHES)
        self._open_crafts: set[int] = set()
        self._all_made = asyncio.Event()
        self._all_made.set()
        self._sweep_planned = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin; `tasks` becomes the parent of the computing."""
        self._tasks = tasks
        if not self._sweep_planned:
            self._sweep_planned = True
            self._agenda.every(SWEEP_SECONDS, self.sweep)
        self.wake()

    async def settled(self) -> None:
        """Return once every result begun so far is worked out."""
        await self._all_made.wait()

    def wake(self) -> None:
        """Let every free alchemist look for forms soon: call it whenever there may be new work."""
        for alchemist in self._book.guild.online:
            if not alchemist.busy and not alchemist.about_to_pop:
                alchemist.about_to_pop = True
                delay = self._book.rng.uniform(*POP_SECONDS) / self._world.speed
                self._agenda.after(delay, partial(self._pop, alchemist))

    def sweep(self) -> None:
        """Once a minute: forms nobody handed in return to the queue, expired requests vanish."""
        now = self._world.now
        for _, form in list(self._book.processing()):
            if now >= form.deadline and (form.craft is None or form.craft.due is None):
                form.abort()
        for request in list(self._book.requests.values()):
            if now >= request.expires:
                del self._book.requests[request.id]
        self.wake()

    # --- an alchemist's turn --------------------------------------------------------------------------------------

    def _pop(self, alchemist: Alchemist) -> None:
        alchemist.about_to_pop = False
        if alchemist.busy or alchemist.paused or alchemist not in self._book.guild.online:
            return
        chosen = self._choice(alchemist)
        if not chosen:
            return
        alchemist.busy = True
        after = 0.0
        for request, form in chosen:
            after = self._take(alchemist, request, form, after)
        self._agenda.after(after, partial(self._leave, alchemist))

    def _choice(self, alchemist: Alchemist) -> list[tuple[AlchemyRequest, Form]]:
        """The forms it takes: of the richest and longest waiting first, in the order sent."""
        ordered = sorted(self._book.requests.values(), key=lambda one: (-self._priority(one), one.created))
        fitting = (
            (request, form)
            for request in ordered
            for form in request.forms
            if form.state is FormState.WAITING and alchemist.can_serve(request, form)
        )
        return [pair for pair, _ in zip(fitting, range(alchemist.batch), strict=False)]

    def _priority(self, request: AlchemyRequest) -> float:
        return request.user.kudos + ageing((self._world.now - request.created) * self._world.speed)

    def _take(self, alchemist: Alchemist, request: AlchemyRequest, form: Form, after: float) -> float:
        """Begin a form that is worked on `after` so many seconds; returns when it ends."""
        form.state, form.worker = FormState.PROCESSING, alchemist.name
        form.deadline = self._world.now + FORM_SECONDS
        request.expires = self._world.now + REQUEST_SECONDS
        takes = seconds(form.name, request.source.tiles) / self._world.speed
        craft = form.craft = Craft()
        mishap = self._book.mishap_for(form.name)
        if mishap is Mishap.FAULT:
            takes *= _FAULT_SHARE
            self._agenda.after(after + takes, partial(self._fault, alchemist, form, craft))
        elif mishap is None:
            self._start(alchemist, request, form, craft)
            self._agenda.after(after + takes, partial(self._hand_in, alchemist, request, form, craft))
        return after + takes

    def _leave(self, alchemist: Alchemist) -> None:
        alchemist.busy = False
        self.wake()

    # --- how a form ends -------------------------------------------------------------------------------------------

    def _hand_in(self, alchemist: Alchemist, request: AlchemyRequest, form: Form, craft: Craft) -> None:
        craft.due = self._world.clock.now()
        if craft.ready.is_set():
            self._finish(alchemist, request, form, craft, craft.due)

    def _fault(self, alchemist: Alchemist, form: Form, craft: Craft) -> None:
        if form.craft is craft:
            alchemist.uncompleted += 1
            form.abort()
            self.wake()

    def _finish(self, alchemist: Alchemist, request: AlchemyRequest, form: Form, craft: Craft, due: datetime) -> None:
        if form.craft is not craft:
            return  # cancelled, or back in the queue, in the meantime
        if craft.failed:
            self._fault(alchemist, form, craft)
            return
        odd = self._book.odd_result_for(form.name)
        value, kept = self._delivered(craft, due)
        form.state, form.craft = FormState.DONE, None
        form.result = {form.name: value if odd is None else odd.value}
        self._book.results.setdefault(request.id, {})[form.name] = kept if odd is None else odd.value
        request.expires = self._world.now + REQUEST_SECONDS
        request.charge(form)
        request.user.forms += 1
        alchemist.fulfilled += 1
        earned = worth(form.name, request.source.tiles)
        alchemist.earned += earned
        body = {
            **form.shown(),
            "worker_id": alchemist.id,
            "worker_name": alchemist.name,
            "request": request.id,
            "id": form.id,
            "kudos": float(earned),
        }
        self._world.postman.send_now(request.webhook, body)

    def _delivered(self, craft: Craft, due: datetime) -> tuple[object, object]:
        """The result's value, and what is kept of it for tests. A picture's link is made here, once and for all."""
        picture = craft.picture
        if picture is None:
            return craft.value, craft.value
        picture.uploaded = due
        return self._world.pictures.link(picture, now=due), picture.sha256

    # --- computing -------------------------------------------------------------------------------------------------

    def _start(self, alchemist: Alchemist, request: AlchemyRequest, form: Form, craft: Craft) -> None:
        if self._tasks is None:
            raise RuntimeError("the world is not running")
        if form.name in CHANGING:
            craft.picture = self._world.pictures.open(form.id)
            if self._world.plans.lost_uploads > 0:
                self._world.plans.lost_uploads -= 1
                craft.picture.missing = True
        self._open_crafts.add(id(craft))
        self._all_made.clear()
        self._tasks.create_task(self._work(alchemist, request, form, craft), name=f"alchemy {form.id}")

    async def _work(self, alchemist: Alchemist, request: AlchemyRequest, form: Form, craft: Craft) -> None:
        try:
            async with self._benches:
                value = await self._made(request, form)
        except (HordeError, *pixels.UNREADABLE):
            craft.failed = True
        else:
            self._keep(craft, value)
        if craft.due is not None:
            self._finish(alchemist, request, form, craft, craft.due)
        craft.ready.set()
        self._open_crafts.discard(id(craft))
        if not self._open_crafts:
            self._all_made.set()

    async def _made(self, request: AlchemyRequest, form: Form) -> object:
        """Compute the result; a source given as a URL is downloaded now, which may have become impossible."""
        data = request.source.data or await fetch(request.source.url)
        return await asyncio.to_thread(make, form.name, data)

    @staticmethod
    def _keep(craft: Craft, value: object) -> None:
        if craft.picture is not None and isinstance(value, bytes):
            craft.picture.fill(value)
        else:
            craft.value = value
