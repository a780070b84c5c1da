"""The control API under `/sandbox/horde/`: JSON in, JSON out, one route per lever.

GET  state          queue, workers, and every request with the payload received, its jobs, their states and hashes
GET  users          the cast with their keys and balances
GET  painted        generation id to SHA-256 of what was painted
GET  text           the text side: workers, requests with prompts as sent, answers, whether they were understood
GET  alchemy        alchemy request id to form to SHA-256 of the picture or the result's value
POST workers        {count?, speed?, online?, paused?, batch?, nsfw?, max_pixels?}
POST model          {name, count}: how many workers serve a model, 0 for nobody
POST queue          {length}: foreign jobs kept waiting
POST impossible     {on}
POST fault          {next}: pops of real requests that end in a fault
POST silence        {next}: pops that are never answered
POST censor         {next, kind: nsfw|csam}
POST dead-links     {next, kind: expired|missing}
POST maintenance    {on}
POST timeout-ip     {seconds, address?}
POST rate-limits    {on}
POST text           {workers?, worker?, model?, queue?, crowd?, paused?, fault?, censor?, ...}: one key per lever
POST alchemists     {count?, forms?, without?, online?, paused?, slow?, trusted?, batch?, max_tiles?}
POST alchemy-fault  {next, form?}: attempts at forms that end in a fault
POST alchemy-silence {next, form?}: attempts at forms that are never handed in
POST alchemy-result {form, value}: what the next result of a form is instead of the real one
POST expire         {id}: forget a request now
POST sweep          {}: run the once-a-minute sweep now
POST forget-caches  {}: show the world as it is
POST user           {name, kudos?, trusted?, concurrency?, service?, special?}: add or change
POST shared-key     {owner, name?, kudos?, max_image_pixels?, max_image_steps?, max_text_tokens?, expired?, key?}
POST style          {name, prompt?, params?, models?, nsfw?, style_id?}

Bad input is a 400 `{"error": "..."}`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.control import Operation, operation_routes
from bot.sandbox.horde.errors import HordeError

if TYPE_CHECKING:
    from bot.sandbox.horde.simulator import HordeSim

PREFIX = "/sandbox/horde"


def control_routes(sim: HordeSim) -> list[web.RouteDef]:
    """The routes on one simulator."""
    looks: dict[str, Operation] = {
        "state": lambda _: sim.state(),
        "users": lambda _: {"users": _users(sim)},
        "painted": lambda _: dict(sim.painted),
        "text": lambda _: sim.text.state(),
        "alchemy": lambda _: dict(sim.alchemy_results),
    }
    levers = {**_levers(sim), **_alchemy(sim), **_people(sim)}
    return operation_routes(PREFIX, looks=looks, levers=levers, refusals=(HordeError,))


def _levers(sim: HordeSim) -> dict[str, Operation]:
    return {
        "workers": lambda body: [worker.name for worker in sim.set_workers(**body)],
        "model": lambda body: sim.set_model(body["name"], body["count"]),
        "queue": lambda body: sim.set_queue(body["length"]),
        "impossible": lambda body: sim.set_impossible(body.get("on", True)),
        "fault": lambda body: sim.fault_next(body.get("next", 1)),
        "silence": lambda body: sim.silence_next(body.get("next", 1)),
        "censor": lambda body: sim.censor_next(body.get("next", 1), body.get("kind", "nsfw")),
        "dead-links": lambda body: sim.dead_links(body.get("next", 1), body.get("kind", "expired")),
        "maintenance": lambda body: sim.set_maintenance(body.get("on", True)),
        "timeout-ip": lambda body: sim.timeout_ip(**body),
        "rate-limits": lambda body: sim.set_rate_limits(body["on"]),
        "text": lambda body: sim.text.apply(dict(body)),
        "expire": lambda body: sim.expire(body["id"]),
        "sweep": lambda _: sim.sweep(),
        "forget-caches": lambda _: sim.forget_caches(),
        "webhooks": lambda body: sim.postman.apply(**body),
    }


def _alchemy(sim: HordeSim) -> dict[str, Operation]:
    return {
        "alchemists": lambda body: [alchemist.name for alchemist in sim.set_alchemists(**body)],
        "alchemy-fault": lambda body: sim.fault_alchemy(body.get("next", 1), body.get("form")),
        "alchemy-silence": lambda body: sim.silence_alchemy(body.get("next", 1), body.get("form")),
        "alchemy-result": lambda body: sim.odd_alchemy_result(body["form"], body["value"]),
    }


def _people(sim: HordeSim) -> dict[str, Operation]:
    return {
        "user": lambda body: _user(sim, dict(body)),
        "shared-key": lambda body: {"key": sim.add_shared_key(**body).id},
        "style": lambda body: asdict(sim.add_style(**body)),
    }


def _user(sim: HordeSim, body: dict[str, Any]) -> object:
    name = body.pop("name")
    try:
        user = sim.user(name)
    except KeyError:
        user = sim.add_user(name)
    sim.set_user(name, **body)
    return {"username": user.alias, "key": user.key}


def _users(sim: HordeSim) -> list[dict[str, object]]:
    return [
        {
            "username": user.alias,
            "key": user.key,
            "kudos": user.kudos,
            "held": user.held,
            "trusted": user.trusted,
            "concurrency": user.concurrency,
        }
        for user in sim.world.people
    ]
