"""Finding out what became of a text request whose answer was lost.

A text carries nothing of ours: no seed, no id, and the status does not repeat the prompt. So a request that is open
under our key and belongs to none of our jobs may be the lost one, or another client's of the same key; taking it could
show somebody's private answer to somebody else. It is never taken. What can be told is the contrary: when the key has
no text open that could be ours, the request did not arrive and may be sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.clock import Clock
from bot.domain.conversation import TextRequest
from bot.domain.jobs import Job, JobId
from bot.errors import RemoteGone, SubmissionUncertain, Unavailable
from bot.providers.horde.remote import KnownIds
from bot.providers.horde.searches import FORGOTTEN, Listed, OpenRequests, Search, Searches, attempted_at
from bot.providers.horde.text_client import HordeTextClient
from bot.providers.horde.webhooks import NOT_YET


class TextRecovery:
    """Remembers when each answer was lost, and looks whether the request can have arrived."""

    def __init__(self, client: HordeTextClient, clock: Clock, *, known_ids: KnownIds) -> None:
        self._client = client
        self._known_ids = known_ids
        self._open = OpenRequests(self._ask_for_list, clock)
        self._searches = Searches(clock)

    def begin(self, job_id: JobId) -> None:
        """Note that the answer to this job's submission was lost just now."""
        self._searches.begin(job_id)

    async def require_absent(self, job: Job, request: TextRequest) -> None:
        """Return if the request surely was not accepted.

        Raises `SubmissionUncertain` when that cannot be told, `Unavailable` when it cannot be told yet.
        """
        if self._client.anonymous:
            raise SubmissionUncertain("an anonymous key has no list of requests")
        search = self._searches.of(job)
        try:
            await self._judge(job, request, search)
        except SubmissionUncertain:
            self._searches.end(job.id)
            raise
        self._searches.end(job.id)

    async def _judge(self, job: Job, request: TextRequest, search: Search) -> None:
        listed = await self._open.listed()
        strangers = await self._strangers(request, listed)
        if not search.settled(listed.asked_at):
            # Until then the list may be old, and a request of ours may not have its id in its row.
            raise Unavailable("the list of requests may not be up to date yet", user_message=NOT_YET)
        if strangers:
            raise SubmissionUncertain("the key has a text open that may be this one")
        if listed.asked_at - attempted_at(job) > FORGOTTEN:
            raise SubmissionUncertain("it may have expired meanwhile, so its absence proves nothing")

    async def _ask_for_list(self) -> Sequence[str] | None:
        active = (await self._client.find_user()).active_generations
        return None if active is None else active.text

    async def _strangers(self, request: TextRequest, listed: Listed) -> list[str]:
        """Tell the open requests that belong to no job of ours and may be the lost one."""
        known = await self._known_ids(listed.ids)
        return [one for one in listed.ids if one not in known and await self._may_be(one, request)]

    async def _may_be(self, remote_id: str, request: TextRequest) -> bool:
        """Whether a request may be the lost one: as many texts, and written by a model it asked for."""
        try:
            status = await self._client.status(remote_id)
        except RemoteGone:  # expired since the list was made
            return False
        written = len(status.generations)
        if status.waiting + status.processing + written > request.parts:
            return False
        return all(not one.model or one.model in request.models for one in status.generations)
