"""`/workers`: who paints, who does alchemy, and who writes."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.alchemy.alchemists import Alchemist
from bot.sandbox.horde.errors import not_found
from bot.sandbox.horde.gate import Answer, Endpoint, Gate
from bot.sandbox.horde.text.scribes import Scribe
from bot.sandbox.horde.text.state import crowd, worker_row
from bot.sandbox.horde.workers import Worker
from bot.sandbox.horde.world import World

_AGENT = "AI Horde Worker reGen:13:horde_worker.py"
WORKER_CACHE_SECONDS = 30.0


class WorkerViews:
    """The worker endpoints on one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """The list, one by name, one by id; each answer is kept for 30 s."""
        paths = (
            ("/workers", self.workers, limits.DEFAULT_RULES),
            ("/workers/name/{name}", self.worker_by_name, limits.DEFAULT_RULES),
            ("/workers/{id}", self.worker, limits.THIRTY_RULES),
        )
        return [
            gate.route(path, get=Endpoint(view=view, rules=rules, cache=WORKER_CACHE_SECONDS))
            for path, view, rules in paths
        ]

    async def workers(self, request: web.Request) -> Answer:
        """Everybody online, or one type, or one name."""
        kind, name = request.query.get("type"), request.query.get("name")
        everyone = [self._show(worker) for worker in self._everyone(online=True)]
        chosen = [one for one in everyone if kind in {None, one["type"]} and name in {None, one["name"]}]
        return Answer(body=chosen)

    async def worker(self, request: web.Request) -> Answer:
        """One worker by id."""
        return Answer(body=self._find_worker("id", request.match_info["id"]))

    async def worker_by_name(self, request: web.Request) -> Answer:
        """One worker by name."""
        return Answer(body=self._find_worker("name", request.match_info["name"]))

    def _find_worker(self, field: str, value: str) -> dict[str, object]:
        for worker in self._everyone(online=False):
            shown = self._show(worker)
            if shown[field] == value:
                return shown
        raise not_found("Worker", value, "WorkerNotFound")

    def _everyone(self, *, online: bool) -> list[Worker | Scribe | Alchemist]:
        park, guild = self._world.park, self._world.alchemy.guild
        painters = park.online if online else park.workers
        alchemists = guild.online if online else guild.members
        text = self._world.text
        scribes = text.hall.online if online else text.hall.scribes
        return [*painters, *scribes, *crowd(text), *alchemists]

    def _show(self, worker: Worker | Scribe | Alchemist) -> dict[str, object]:
        uptime = round(self._world.now - self._world.started) + 600
        match worker:
            case Worker():
                return _image_worker(worker, uptime)
            case Alchemist():
                return _alchemist(worker, uptime)
            case Scribe():
                return {**_common(worker.name, worker.id, uptime), **worker_row(worker)}


def _common(name: str, identity: str, uptime: int) -> dict[str, object]:
    return {
        "name": name,
        "id": identity,
        "online": True,
        "threads": 1,
        "uptime": uptime,
        "maintenance_mode": False,
        "flagged": False,
        "team": {"name": None, "id": None},
    }


def _image_worker(worker: Worker, uptime: int) -> dict[str, object]:
    features = ("img2img", "painting", "post-processing", "lora", "controlnet", "sdxl_controlnet")
    return {
        **_common(worker.name, worker.id, uptime),
        "type": "image",
        "online": worker.online,
        "threads": worker.threads,
        "requests_fulfilled": worker.fulfilled,
        "kudos_rewards": round(worker.earned, 1),
        "kudos_details": {"generated": round(worker.earned, 1), "uptime": 0},
        "performance": f"{worker.megapixelsteps:.1f} megapixelsteps per second",
        "nsfw": worker.nsfw,
        "trusted": worker.trusted,
        "uncompleted_jobs": worker.uncompleted,
        "models": list(worker.models),
        "bridge_agent": _AGENT,
        "max_pixels": worker.max_pixels,
        "megapixelsteps_generated": round(worker.work_done, 1),
        **dict.fromkeys(features, True),
    }


def _alchemist(worker: Alchemist, uptime: int) -> dict[str, object]:
    return {
        **_common(worker.name, worker.id, uptime),
        "type": "interrogation",
        "online": worker.online,
        "requests_fulfilled": worker.fulfilled,
        "kudos_rewards": round(worker.earned, 1),
        "kudos_details": {"generated": None, "uptime": 0},
        "performance": "1.0 seconds per form",
        "nsfw": False,
        "trusted": worker.trusted,
        "uncompleted_jobs": worker.uncompleted,
        "forms": list(worker.forms),
        "bridge_agent": _AGENT,
    }
