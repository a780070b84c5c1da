"""From a well-formed `POST /interrogate/async` body to a request in the book, or a refusal with `rc`.

There is no upfront price, no content filter and no look at addresses in timeout here. Only personal keys are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.horde.alchemy.requests import AlchemyRequest, Form
from bot.sandbox.horde.alchemy.sources import source_from
from bot.sandbox.horde.errors import SCHEMA_MESSAGE, HordeError, invalid_key
from bot.sandbox.horde.intake import Sender, refuse_maintenance, refuse_too_many
from bot.sandbox.horde.people import User
from bot.sandbox.horde.waiting import REQUEST_SECONDS
from bot.sandbox.horde.world import World

#: Forms may wait in tenfold the number of images.
CONCURRENCY_FACTOR = 10


class AlchemyIntake:
    """Judges alchemy requests and enters the good ones."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def accept(self, payload: Mapping[str, Any], sender: Sender) -> AlchemyRequest:
        """The request made of a body that passed the schema; refusals are raised."""
        if "source_image" not in payload:
            message = "Missing required parameter in the JSON body"
            raise HordeError(400, SCHEMA_MESSAGE, errors={"source_image": message})
        user = self._user(sender)
        names = [str(form["name"]) for form in payload.get("forms", ())]
        self._check_waiting(user, len(names))
        webhook = payload.get("webhook")
        if webhook is not None and not str(webhook).startswith("https://"):
            raise HordeError(400, "webhooks need to point to an https endpoint.", "BadRequest")
        return await self._entered(payload, sender, user, names)

    def _user(self, sender: Sender) -> User:
        refuse_maintenance(self._world)
        user = self._world.people.by_key(sender.key)
        if user is None:
            raise invalid_key()
        return user

    def _check_waiting(self, user: User, new: int) -> None:
        mine = [request for request in self._world.alchemy.requests.values() if request.user is user]
        refuse_too_many(new + sum(request.waiting for request in mine), CONCURRENCY_FACTOR * user.concurrency)

    async def _entered(
        self, payload: Mapping[str, Any], sender: Sender, user: User, names: Sequence[str]
    ) -> AlchemyRequest:
        source = await source_from(str(payload["source_image"]))
        book, now = self._world.alchemy, self._world.now
        request = AlchemyRequest(
            id=book.new_id(),
            user=user,
            source=source,
            forms=[Form(id=book.new_id(), name=name) for name in names],
            created=now,
            expires=now + REQUEST_SECONDS,
            slow_workers=payload.get("slow_workers", True),
            trusted_workers=payload.get("trusted_workers", False),
            webhook=payload.get("webhook"),
            client_agent=sender.agent,
            payload=payload,
        )
        book.requests[request.id] = request
        return request
