"""What the services need from the layers above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.alchemy import Form
from bot.domain.conversation import Look
from bot.domain.jobs import Job, JobId
from bot.domain.kinds import Request
from bot.domain.sources import SourceFacts, SourceMedia


class Shows(Protocol):
    """Shows jobs to people (delivery)."""

    def show(self, job: Job) -> None:
        """Take note of a job's newest state and bring its reply up to date, calmly, in its own time."""
        ...


class OpensReply(Protocol):
    """Acknowledges one interaction with the job's first message."""

    async def open(self, job: Job) -> int | None:
        """Answer the interaction; returns the message id. Raises `DeliveryError` when Discord no longer takes it."""
        ...


class Sources(Protocol):
    """Holds what people handed in, ready to be sent on."""

    async def first(self, job: Job) -> bytes | None:
        """The bytes of the job's first source, fetched and kept if need be; None when it has none.

        Raises `MediaError` when it cannot be used, `Unavailable` when it cannot be fetched now.
        """
        ...


class KnowsSources(Protocol):
    """Remembers what sources turned out to be."""

    async def about(self, job_id: JobId) -> SourceFacts | None:
        """What was learned of the job's first source; None before it was fetched, and once it was purged."""
        ...


class Refetcher(Protocol):
    """Asks Discord for a fresh address of something that was handed in (delivery)."""

    async def fresh_url(self, source: SourceMedia) -> str | None:
        """An address that works now; None when the message or the attachment is gone, or can't be seen any more.

        Raises `Unavailable` when Discord isn't answering.
        """
        ...


class KnowsAlchemists(Protocol):
    """Knows which forms can be had at the moment, from memory."""

    def missing(self, forms: Iterable[Form]) -> tuple[Form, ...]:
        """Those that nobody online offers, in the order given; none while that is not known."""
        ...


class FindsReply(Protocol):
    """Finds out whether an interaction was ever answered."""

    async def find(self, job: Job) -> int | None:
        """The id of the message that answers the job's interaction, or None when there surely is none.

        Raises `DeliveryError` when that cannot be told now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A request that is not complete yet."""

    #: As it is to be written down: how far it is may have changed.
    request: Request
    #: What it waits for, as a sentence for people.
    why: str


class Composes(Protocol):
    """Completes requests that had to wait for something, and replaces some that come to nothing."""

    async def ready(self, job: Job) -> Request | Waits:
        """The job's request as it can be handed over now, or what it still waits for.

        Raises `InvalidRequest` when nothing can come of it any more.
        """
        ...

    async def given_up(self, job: Job) -> None:
        """Take back what was begun for a request that was never handed over and never will be."""
        ...

    def step_down(self, job: Job, now: datetime) -> Request | None:
        """A smaller request to be made at once in place of one that no worker can take; None for none."""
        ...

    def second_try(self, job: Job) -> Request | None:
        """Another request to be made at once in place of one that brought nothing usable; None for none."""
        ...


class Captions(Protocol):
    """Puts pictures into words."""

    async def further(self, looks: Sequence[Look], pictures: Sequence[SourceMedia]) -> tuple[Look, ...]:
        """Go one step on with each picture from what `looks` tell; asked again until all have their caption."""
        ...

    async def drop(self, looks: Sequence[Look]) -> None:
        """Take back the requests that nobody waits for any more."""
        ...


class NotesMessages(Protocol):
    """Remembers which messages show what a job brought."""

    async def shown_in(self, job_id: JobId, message_id: int) -> None:
        """Note that a message shows (a part of) it."""
        ...
