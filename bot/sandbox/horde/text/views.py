"""`/generate/text/async` and `/generate/text/status`: the life of a text request over HTTP. There is no `check`."""

from __future__ import annotations

import math
from collections.abc import Callable

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.calls import read_json, sender_of
from bot.sandbox.horde.errors import SCHEMA_MESSAGE, HordeError, not_found
from bot.sandbox.horde.gate import Answer, Endpoint, Gate
from bot.sandbox.horde.limits import Limiter, Rule
from bot.sandbox.horde.schema import check_schema
from bot.sandbox.horde.text.intake import TextIntake
from bot.sandbox.horde.text.orders import TEXT_SCHEMA
from bot.sandbox.horde.text.requests import TextJob, TextRequest, TextState
from bot.sandbox.horde.waiting import JobState
from bot.sandbox.horde.world import World

TEXT_STATUS_RULES = (Rule(amount=60, seconds=60),)
STYLES_CACHE_SECONDS = 1.0
_MISSING_PROMPT = "The prompt to generate from. Missing required parameter in the JSON body"


class TextViews:
    """The text endpoints on one world; `wake` tells the workers that there is something to do."""

    def __init__(self, world: World, limiter: Limiter, wake: Callable[[], None]) -> None:
        self._text = world.text
        self._world = world
        self._limiter = limiter
        self._wake = wake
        self._intake = TextIntake(world)

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """The paths; each id has its own count of 60 a minute, GET and DELETE apart."""
        return [
            gate.route(
                "/generate/text/async", post=Endpoint(view=self.submit, rules=limits.ASYNC_RULES, per_path=True)
            ),
            gate.route(
                "/generate/text/status/{id}",
                get=Endpoint(view=self.status, rules=TEXT_STATUS_RULES, per_path=True),
                delete=Endpoint(view=self.cancel, rules=TEXT_STATUS_RULES, per_path=True),
            ),
            gate.route(
                "/styles/text",
                get=Endpoint(view=self.styles, rules=limits.STYLE_RULES, cache=STYLES_CACHE_SECONDS),
            ),
        ]

    async def submit(self, request: web.Request) -> Answer:
        """Take a text request: schema, key header, prompt, then the business rules."""
        payload = await read_json(request)
        check_schema(TEXT_SCHEMA, payload)
        sender = sender_of(request)
        if "prompt" not in payload:
            raise HordeError(400, SCHEMA_MESSAGE, errors={"prompt": _MISSING_PROMPT})
        status, body, payer = self._intake.accept(payload, sender)
        if payer.user.trusted or payer.user.service:
            self._limiter.ease(sender.address)
        self._wake()
        return Answer(status=status, body=body)

    async def status(self, request: web.Request) -> Answer:
        """Counters and finished texts in one; nothing is cached."""
        return Answer(body=self._show(self._find(request, "Status")))

    async def cancel(self, request: web.Request) -> Answer:
        """Cancel, answering with the status as it was just before."""
        found = self._find(request, "Delete")
        body = self._show(found)
        found.cancel()
        return Answer(body=body)

    async def styles(self, _: web.Request) -> Answer:
        """Nobody has published a text style."""
        return Answer(body=[])

    def _find(self, request: web.Request, action: str) -> TextRequest:
        identity = request.match_info["id"]
        found = self._text.requests.get(identity)
        if found is None or found.stranger:
            raise not_found(f"Text Waiting Prompt ({action})", identity, "RequestNotFound")
        return found

    def _show(self, request: TextRequest) -> dict[str, object]:
        position, ahead = self._place(request)
        delivered = [job for job in request.jobs if job.state is JobState.DELIVERED]
        return {
            # The order is not guaranteed; newest first keeps clients from relying on it.
            "generations": [_generation(job) for job in reversed(delivered)],
            **request.counters(),
            "wait_time": self._wait_time(request, ahead),
            "queue_position": position,
            "kudos": float(round(request.kudos)),
            "is_possible": self._text.is_possible(request),
        }

    def _place(self, request: TextRequest) -> tuple[int, int]:
        """Position and tokens ahead; a request stands nowhere (0) in the second in which it came."""
        if not request.open or request.created >= math.floor(self._text.now):
            return 0, 0
        ahead = 0
        for position, other in enumerate(self._text.in_order(), start=1):
            ahead += other.waiting * other.order.max_length
            if other is request:
                return position, ahead
        return 0, 0

    def _wait_time(self, request: TextRequest, ahead: int) -> int:
        """Seconds, rough to wild: the server knows nothing of a worker that has delivered nothing yet."""
        if request.done or not self._text.is_possible(request):
            return 0
        speed = sum(scribe.tokens_per_second for scribe in self._text.hall.online) * self._world.speed
        running = [
            job.started + job.believed - self._text.now for job in request.jobs if job.state is JobState.PROCESSING
        ]
        return max(0, round((ahead / speed if speed else 0.0) + max(running, default=0.0)))


def _generation(job: TextJob) -> dict[str, object]:
    """One text. The job's id is told to webhooks only, the seed means nothing."""
    return {
        "text": job.text,
        "seed": 0,
        "gen_metadata": job.metadata,
        "worker_id": job.scribe.id,
        "worker_name": job.scribe.name,
        "model": job.model,
        "state": TextState.of(job.censorship).value,
    }
