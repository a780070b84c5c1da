"""What the services need from the layers above them."""

from __future__ import annotations

from typing import Protocol

from bot.domain.jobs import Job


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


class FindsReply(Protocol):
    """Finds out whether an interaction was ever answered."""

    async def find(self, job: Job) -> int | None:
        """The id of the message that answers the job's interaction, or None when there surely is none.

        Raises `DeliveryError` when that cannot be told now.
        """
        ...
