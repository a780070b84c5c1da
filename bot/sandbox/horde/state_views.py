"""What the horde says about itself: models, performance, modes, news, statistics, documents, references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.errors import HordeError, not_found
from bot.sandbox.horde.floor import queued_by_model
from bot.sandbox.horde.gate import VERSION, Answer, Endpoint, Gate, View
from bot.sandbox.horde.limits import Rule
from bot.sandbox.horde.text import state as text_state
from bot.sandbox.horde.text.catalogue import text_reference
from bot.sandbox.horde.world import World

MODEL_LIST_SECONDS = 10.0
NOBODY_ETA = 10_000
_STATES = ("known", "custom", "all")
_PERIODS: Mapping[str, float] = {"minute": 60, "hour": 3600, "day": 86_400}
_NEWS = (
    ("2026-11-01", "Welcome to the sandbox", "This horde is a simulator. Its pictures are painted, not diffused."),
    ("2026-10-15", "Ten painters", "Ten simulated workers paint landscapes for everybody. [More](/api/v2/workers)"),
)
_TERMS = (
    "Terms and Conditions\n====================\n\nThis is the simulated AI Horde of a sandbox. Nothing leaves your"
    " machine and nobody else sees your prompts.\n"
)


class StateViews:
    """The read-only endpoints on one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._models: tuple[float, list[dict[str, object]]] | None = None

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """All of them, each with the cache time of the real one."""
        plain: tuple[tuple[str, View, float], ...] = (
            ("/status/models", self.models, 2.0),
            ("/status/models/{name}", self.model, 1.0),
            ("/status/performance", self.performance, 60.0),
            ("/status/news", self.news, 300.0),
            ("/stats/img/totals", self.image_totals, 50.0),
            ("/stats/img/models", self.image_models, 50.0),
            ("/stats/text/totals", self.text_totals, 50.0),
            ("/stats/text/models", self.text_models, 50.0),
            ("/documents/terms", self.terms, 0.0),
        )
        thirty: tuple[tuple[str, View, float], ...] = (
            ("/status/modes", self.modes, 50.0),
            ("/teams", self.teams, 30.0),
        )
        styles: tuple[tuple[str, View, float], ...] = (
            ("/styles/image", self.styles, 30.0),
            ("/styles/image/{id}", self.style, 30.0),
            ("/styles/image_by_name/{id}", self.style, 30.0),
        )
        groups = ((plain, limits.DEFAULT_RULES), (thirty, limits.THIRTY_RULES), (styles, limits.STYLE_RULES))
        routes = [_get(gate, path, view, cache, rules) for group, rules in groups for path, view, cache in group]
        return [gate.route("/status/heartbeat", get=Endpoint(view=self.heartbeat)), *routes]

    def reference_routes(self) -> list[web.RouteDef]:
        """The public model references, which lie on another host in reality."""
        return [
            web.get("/reference/stable_diffusion.json", self.image_reference),
            web.get("/reference/db.json", self.text_reference),
        ]

    def forget(self) -> None:
        """Drop the list of models, so that the next look sees the world as it is."""
        self._models = None

    # --- models --------------------------------------------------------------------------------------------------

    async def models(self, request: web.Request) -> Answer:
        """Models somebody serves or waits for; image models unless asked otherwise."""
        query = request.query
        state = query.get("model_state", "all")
        if state not in _STATES:
            raise HordeError(400, f"'model_state' needs to be one of {list(_STATES)!r}", "BadRequest")
        low, high = _number(query.get("min_count")), _number(query.get("max_count"))
        known = self._known()
        chosen = [
            model
            for model in self._all_models()
            if model["type"] == query.get("type", "image")
            and (low is None or int(str(model["count"])) >= low)
            and (high is None or int(str(model["count"])) <= high)
            and state in {"all", "known" if model["name"] in known else "custom"}
        ]
        return Answer(body=chosen)

    async def model(self, request: web.Request) -> Answer:
        """A list of one, or an empty list."""
        name = request.match_info["name"]
        return Answer(body=[model for model in self._all_models() if model["name"] == name])

    def _known(self) -> set[str]:
        """The names that a reference lists."""
        return {*self._world.catalogue, *text_reference(self._world.text.hall.models)}

    def _all_models(self) -> list[dict[str, object]]:
        if self._models is None or self._models[0] <= self._world.now:
            self._models = (self._world.now + MODEL_LIST_SECONDS, self._list_models())
        return self._models[1]

    def _list_models(self) -> list[dict[str, object]]:
        jobs, work = queued_by_model(self._world)
        counts: Counter[str] = Counter()
        speeds: Counter[str] = Counter()
        for worker in self._world.park.online:
            for name in worker.models:
                counts[name] += worker.threads
                speeds[name] += round(worker.megapixelsteps * self._world.speed * 1_000_000)
        images = [
            {
                "performance": round(speeds[name] / max(1, counts[name]), 1),
                "queued": float(work[name]),
                "jobs": float(jobs[name]),
                "eta": round(work[name] / speeds[name]) if speeds[name] else NOBODY_ETA,
                "type": "image",
                "name": name,
                "count": counts[name],
            }
            for name in dict.fromkeys([*counts, *(name for name in jobs if name in self._world.catalogue)])
        ]
        return [*images, *text_state.model_rows(self._world.text)]

    # --- the whole -----------------------------------------------------------------------------------------------

    async def heartbeat(self, _: web.Request) -> Answer:
        """Alive; never limited, always 200."""
        body = {
            "message": "OK",
            "version": VERSION,
            "queue": 0,
            "threads": 45,
            "active_count": 0,
            "db_connection": True,
        }
        return Answer(body=body)

    async def performance(self, _: web.Request) -> Answer:
        """Totals of the queue and the park."""
        world = self._world
        open_requests = [request for request in world.requests.values() if request.open]
        queued = sum(request.waiting * request.order.megapixelsteps for request in open_requests)
        body = {
            "queued_requests": sum(request.waiting for request in open_requests),
            "worker_count": len(world.park.online),
            "thread_count": world.park.threads,
            "queued_megapixelsteps": round(queued, 2),
            "past_minute_megapixelsteps": round(self._delivered(60)[1] / 1_000_000, 2),
            "queued_forms": float(world.alchemy.waiting_forms),
            "interrogator_count": len(world.alchemy.guild.online),
            "interrogator_thread_count": len(world.alchemy.guild.online),
            **text_state.performance(world.text),
        }
        return Answer(body=body)

    async def modes(self, request: web.Request) -> Answer:
        """Maintenance, up to 50 s late because of the cache; a key is not welcome here."""
        if "apikey" in request.headers:
            raise HordeError(403, "This operation requires you to be a moderator.", "NotModerator")
        return Answer(body={"maintenance_mode": self._world.maintenance, "invite_only_mode": False})

    async def news(self, _: web.Request) -> Answer:
        """The news, newest first."""
        extra = {"importance": "Information", "tags": ["sandbox"], "more_info_urls": ["/api/v2/status/news"]}
        body = [{"date_published": day, "title": title, "newspiece": text, **extra} for day, title, text in _NEWS]
        return Answer(body=body)

    async def image_totals(self, _: web.Request) -> Answer:
        """Images and pixel steps by period."""
        body = {}
        for name in ("minute", "hour", "day", "month", "total"):
            images, work = self._delivered(_PERIODS.get(name, 86_400))
            body[name] = {"images": images, "ps": round(work)}
        return Answer(body=body)

    async def image_models(self, _: web.Request) -> Answer:
        """Images by model and period (the day stands for all longer ones)."""
        counts = dict(Counter(delivery.model for delivery in self._world.deliveries))
        return Answer(body={"day": counts, "month": counts, "total": counts})

    async def text_totals(self, _: web.Request) -> Answer:
        """Texts and tokens by period."""
        return Answer(body=text_state.totals(self._world.text))

    async def text_models(self, _: web.Request) -> Answer:
        """Texts by model and period."""
        return Answer(body=text_state.models_delivered(self._world.text))

    async def teams(self, _: web.Request) -> Answer:
        """Nobody has formed one."""
        return Answer(body=[])

    async def terms(self, request: web.Request) -> Answer:
        """The terms as HTML, or as Markdown when asked."""
        if request.query.get("format", "html") == "markdown":
            return Answer(body={"markdown": _TERMS})
        return Answer(body={"html": f"<h1>{_TERMS.splitlines()[0]}</h1><p>{_TERMS.splitlines()[-1]}</p>"})

    def _delivered(self, seconds: float) -> tuple[int, float]:
        recent = [one.pixelsteps for one in self._world.deliveries if one.at > self._world.now - seconds]
        return len(recent), sum(recent)

    # --- styles and references -----------------------------------------------------------------------------------

    async def styles(self, _: web.Request) -> Answer:
        """All image styles."""
        return Answer(body=[self._show_style(identity) for identity in self._world.styles])

    async def style(self, request: web.Request) -> Answer:
        """One style by id or name; the rc of an unknown id has a blank in it."""
        wanted = request.match_info["id"]
        for identity, style in self._world.styles.items():
            if wanted in {identity, style.name}:
                return Answer(body=self._show_style(identity))
        raise not_found("Image style", wanted, "Image styleNotFound")

    def _show_style(self, identity: str) -> dict[str, object]:
        style = self._world.styles[identity]
        return {
            "id": style.id,
            "use_count": 0,
            "creator": style.creator,
            "examples": [],
            "name": style.name,
            "info": "A style of the sandbox",
            "prompt": style.prompt,
            "params": dict(style.params),
            "public": True,
            "nsfw": style.nsfw,
            "tags": ["sandbox"],
            "models": list(style.models),
        }

    async def image_reference(self, _: web.Request) -> web.Response:
        """The image model reference: model name to card."""
        return web.json_response({name: card.reference_entry() for name, card in self._world.catalogue.items()})

    async def text_reference(self, _: web.Request) -> web.Response:
        """The text model reference: model name to card."""
        return web.json_response(text_reference(self._world.text.hall.models))


def _get(gate: Gate, path: str, view: View, cache: float, rules: tuple[Rule, ...]) -> web.RouteDef:
    return gate.route(path, get=Endpoint(view=view, rules=rules, cache=cache))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
