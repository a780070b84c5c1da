"""An alchemy request, its forms, and the server's idea of the state of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.sandbox.horde.alchemy.forms import price
from bot.sandbox.horde.people import User
from bot.sandbox.horde.requests import Picture

#: With so many aborts a form is given up.
ABORT_LIMIT = 4


class FormState(StrEnum):
    """Where a form, or the whole request, is. Only a whole is ever `partial`."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAULTED = "faulted"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The picture: bytes the server stored, or an address that workers fetch from later; and its size."""

    width: int
    height: int
    tiles: int
    data: bytes = b""
    url: str = ""


@dataclass(slots=True, kw_only=True)
class Craft:
    """One attempt at a form, worked out beside the clock; `due` is the moment on the clock it was handed in."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    due: datetime | None = None
    failed: bool = False
    value: object = None
    picture: Picture | None = None


@dataclass(slots=True, kw_only=True)
class Form:
    """One thing wanted of the picture."""

    id: str
    name: str
    state: FormState = FormState.WAITING
    result: dict[str, object] | None = None
    aborts: int = 0
    deadline: float = 0.0
    worker: str = ""
    craft: Craft | None = None

    def abort(self) -> None:
        """Go back to the queue, or give up when that happened too often."""
        self.aborts += 1
        self.craft = None
        self.state = FormState.FAULTED if self.aborts >= ABORT_LIMIT else FormState.WAITING

    def shown(self) -> dict[str, object]:
        """As the status lists it: `result` is there only when done."""
        shown: dict[str, object] = {"form": self.name, "state": self.state.value}
        return shown | ({"result": self.result} if self.state is FormState.DONE else {})


@dataclass(slots=True, kw_only=True)
class AlchemyRequest:
    """One accepted `POST /interrogate/async`; times are seconds of the clock's `monotonic()`."""

    id: str
    user: User
    source: Source
    forms: list[Form]
    created: float
    expires: float
    slow_workers: bool = True
    trusted_workers: bool = False
    webhook: str | None = None
    client_agent: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    kudos: float = 0.0

    @property
    def state(self) -> FormState:
        """Of the whole: a request without forms is faulted, one that was cancelled altogether is partial."""
        states = {form.state for form in self.forms}
        if states <= {FormState.FAULTED}:
            return FormState.FAULTED
        if states == {FormState.DONE}:
            return FormState.DONE
        for state in (FormState.PROCESSING, FormState.WAITING):
            if state in states:
                return state
        return FormState.PARTIAL

    @property
    def ended(self) -> bool:
        """Whether no form waits or is being processed."""
        return not any(form.state in {FormState.WAITING, FormState.PROCESSING} for form in self.forms)

    @property
    def waiting(self) -> int:
        """How many forms wait."""
        return sum(form.state is FormState.WAITING for form in self.forms)

    def charge(self, form: Form) -> None:
        """Take the price of one form from its owner."""
        amount = price(form.name, self.source.tiles, slow_workers=self.slow_workers)
        self.kudos += amount
        self.user.charge(amount)

    def cancel(self) -> None:
        """Cancel all that is not done; a form at a worker is charged all the same."""
        for form in self.forms:
            if form.state is FormState.PROCESSING:
                self.charge(form)
            if form.state is not FormState.DONE:
                form.state, form.craft = FormState.CANCELLED, None

    def empty_queue(self) -> None:
        """Cancel only what waits, as maintenance does."""
        for form in self.forms:
            if form.state is FormState.WAITING:
                form.state = FormState.CANCELLED

    async def caught_up(self) -> None:
        """Return once every form that was handed in by now is worked out."""
        for form in self.forms:
            if form.craft is not None and form.craft.due is not None:
                await form.craft.ready.wait()
