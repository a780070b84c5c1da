"""Short-lived, unguessable addresses under which a service fetches what a job works on.

An address says which kept file of which job it stands for and until when, and is signed; so any process can serve it,
and a restart in between does no harm.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.domain.jobs import JobId
from bot.store.base import ArtifactStore
from bot.web.addresses import PublicAddress

#: How long an address leads anywhere: a service may let a request wait before it fetches its file.
LIFE: Final = timedelta(hours=1)
_SEPARATOR: Final = "_"
_PURPOSE: Final = "source"


class SourceLinks:
    """Makes such addresses and finds what they stand for."""

    def __init__(self, address: PublicAddress, artifacts: ArtifactStore, clock: Clock) -> None:
        self._address = address
        self._artifacts = artifacts
        self._clock = clock

    def link(self, job_id: JobId, index: int, extension: str) -> str:
        """The address of a file that is kept with a job; `extension` (without a dot) is for the service's eyes."""
        until = int((self._clock.now() + LIFE).timestamp())
        words = (job_id, str(index), str(until))
        token = _SEPARATOR.join((*words, self._address.sign(_PURPOSE, *words)))
        return self._address.under(f"source/{token}.{extension}")

    async def content(self, token: str) -> bytes | None:
        """The bytes behind the last part of an address; None for one that is made up or too old, or lost its file."""
        parts = token.partition(".")[0].rsplit(_SEPARATOR, 3)
        if len(parts) != 4 or not self._address.is_signed(parts[3], _PURPOSE, *parts[:3]):
            return None
        job_id, index, until = parts[:3]
        if self._clock.now() >= datetime.fromtimestamp(int(until), UTC):
            return None
        return await self._artifacts.get(JobId(job_id), int(index))
