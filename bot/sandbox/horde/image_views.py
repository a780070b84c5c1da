"""`/generate/async`, `/generate/check`, `/generate/status`: the life of an image request over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.calls import UNKNOWN_AGENT, agent_of, read_json, sender_of
from bot.sandbox.horde.errors import HordeError, not_found
from bot.sandbox.horde.gate import Answer, Endpoint, Gate, address_of
from bot.sandbox.horde.intake import Intake
from bot.sandbox.horde.limits import Limiter
from bot.sandbox.horde.requests import Job, Request
from bot.sandbox.horde.schema import IMAGE_SCHEMA, check_schema
from bot.sandbox.horde.standing import Standing
from bot.sandbox.horde.waiting import JobState
from bot.sandbox.horde.world import World

CHECK_CACHE_SECONDS = 1.0


class ImageViews:
    """The image endpoints on one world; `wake` tells the workers that there is something to do."""

    def __init__(self, world: World, limiter: Limiter, wake: Callable[[], None]) -> None:
        self._world = world
        self._limiter = limiter
        self._wake = wake
        self._intake = Intake(world)
        self._standing = Standing(world)

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """The three paths."""
        return [
            gate.route("/generate/async", post=Endpoint(view=self.submit, rules=limits.ASYNC_RULES, per_path=True)),
            gate.route(
                "/generate/check/{id}",
                get=Endpoint(view=self.check, rules=limits.CHECK_RULES, per_path=True, cache=CHECK_CACHE_SECONDS),
            ),
            gate.route(
                "/generate/status/{id}",
                get=Endpoint(view=self.status, rules=limits.STATUS_RULES, per_path=True),
                delete=Endpoint(view=self.cancel, rules=limits.STATUS_RULES, per_path=True),
            ),
        ]

    async def submit(self, request: web.Request) -> Answer:
        """Take an image request: schema, key header, then the business rules."""
        payload = await read_json(request)
        check_schema(IMAGE_SCHEMA, payload)
        sender = sender_of(request)
        status, body, payer = await self._intake.accept(payload, sender)
        if payer is not None and (payer.user.trusted or payer.user.service):
            self._limiter.ease(sender.address)
        self._wake()
        return Answer(status=status, body=body)

    async def check(self, request: web.Request) -> Answer:
        """The cheap look; refused to nameless clients whose address is in timeout."""
        if agent_of(request) == UNKNOWN_AGENT and self._world.timeout_left(address_of(request)) > 0:
            message = (
                "Your IP address has been blocked due to using an unknown client which is sending too many garbage"
                " requests. Please contact us on discord."
            )
            raise HordeError(403, message, "Forbidden")
        return Answer(body=self._progress(self._find(request, "Check")))

    async def status(self, request: web.Request) -> Answer:
        """The dear look, with a new link for every finished picture."""
        return Answer(body=await self._full(self._find(request, "Status")))

    async def cancel(self, request: web.Request) -> Answer:
        """Cancel, answering with the status as it was just before."""
        found = self._find(request, "Delete")
        body = await self._full(found)
        found.cancel()
        return Answer(body=body)

    def _find(self, request: web.Request, action: str) -> Request:
        identity = request.match_info["id"]
        found = self._world.requests.get(identity)
        if found is None or found.stranger:
            raise not_found(f"Image Waiting Prompt ({action})", identity, "RequestNotFound")
        return found

    def _progress(self, request: Request) -> dict[str, object]:
        return {
            **request.counters(),
            "wait_time": self._standing.wait_time(request),
            "queue_position": self._standing.place(request).position,
            "kudos": float(round(request.kudos)),
            "is_possible": self._world.is_possible(request),
        }

    async def _full(self, request: Request) -> dict[str, object]:
        progress = self._progress(request)
        delivered = [job for job in request.jobs if job.state is JobState.DELIVERED]
        # The order is not guaranteed; newest first keeps clients from relying on it.
        generations = [await self._generation(request, job) for job in reversed(delivered)]
        return {"generations": generations, "shared": False, **progress}

    async def _generation(self, request: Request, job: Job) -> dict[str, object]:
        pictures = self._world.pictures
        return {
            "img": pictures.link(job.picture) if request.order.r2 else await pictures.base64(job.picture),
            "seed": str(job.seed),
            "id": job.id,
            "censored": job.censorship is not None,
            "gen_metadata": list(job.metadata),
            "worker_id": job.worker.id,
            "worker_name": job.worker.name,
            "model": job.model,
            "state": "ok",
        }
