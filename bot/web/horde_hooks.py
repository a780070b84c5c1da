"""The AI Horde's webhooks: unsigned, so no more than hints to look now, and to which request a job belongs.

A hint is written into the inbox under the job's own id, as a notice whose file name is the Horde's id of the request
and whose description is that of the delivered part. So a repeated call is known as one, whichever process it reaches,
and a job that lost its request's id in a crash finds it there.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from bot.clock import Clock
from bot.domain.callbacks import Callback, Notice
from bot.domain.jobs import Job, JobId
from bot.domain.stages import REMOTE, Stage
from bot.errors import InboxFull
from bot.providers.horde.webhooks import Hint
from bot.store.base import InboxStore, JobStore
from bot.web.addresses import PublicAddress
from bot.web.refusals import Refused

log = logging.getLogger(__name__)

#: Largest body: a drawing as text, or a picture's tags; pictures themselves we ask for as links.
HOOK_LIMIT: Final = 2 * 1024 * 1024
#: The Horde's ids are UUIDs today; whatever is one short word to any address will do.
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


class HordeHooks:
    """Makes webhook addresses, takes calls in, and tells what they said."""

    def __init__(self, address: PublicAddress, *, inbox: InboxStore, jobs: JobStore, clock: Clock) -> None:
        self._address = address
        self._inbox = inbox
        self._jobs = jobs
        self._clock = clock

    def address(self, job_id: JobId) -> str:
        """Where the Horde is to call about a job."""
        return self._address.horde_webhook(job_id)

    async def hints(self, provider: str, job_id: JobId) -> Sequence[Hint]:
        """What calls about a job said, oldest first."""
        calls = await self._inbox.of(provider, job_id)
        said = [call.said for call in calls]
        return [Hint(request=one.filename, part=one.description) for one in said if isinstance(one, Notice)]

    async def take_in(self, job_id: JobId, hint: Hint) -> bool:
        """Have whoever owns the job look at it now; False where nothing follows from the call.

        That is: the job is unknown or over, the call is about another request, or it was made before.
        """
        job = await self._jobs.get(job_id)
        if job is None or not _concerns(job, hint):
            return False
        said = Notice(stage=0, filename=hint.request, description=hint.part)
        now = self._clock.now()
        callback = Callback(provider=job.provider, remote_id=job_id, received_at=now, said=said)
        try:
            if not await self._inbox.put(callback):
                return False
        except InboxFull:  # the Horde sends one for each part: this is somebody else
            return False
        await self._jobs.nudge(job_id, now)
        log.debug("the horde called", extra={"action": "web.horde", "job_id": job_id})
        return True


def read_hint(content: bytes) -> Hint:
    """Read a webhook's body. Raises `Refused` for one that the Horde would not send."""
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused("the body is not JSON") from error
    request, part = (found.get("request"), found.get("id")) if isinstance(found, dict) else (None, None)
    if not _is_id(request) or not _is_id(part):
        raise Refused("request or id is missing or not an id")
    return Hint(request=str(request), part=str(part))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _concerns(job: Job, hint: Hint) -> bool:
    """A job whose submission's answer is not known yet takes any request for its own until it has asked about it."""
    if job.over:
        return False
    return job.stage is Stage.SUBMITTING or (job.stage in REMOTE and job.remote_id == hint.request)
