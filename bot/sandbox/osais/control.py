"""The control API under `/sandbox/osais/`: JSON in, JSON out, one route per lever.

GET  state           requests with what was given, oddities, files and their story; what is planned
GET  made            uid to SHA-256 of every file a client should show
GET  deliveries      every call to a client: what, verdict, problem, status
GET  invalid         those that were not answered exactly as specified
GET  scenarios       name to summary
POST scenario        {names, times?}: how the next requests are performed; times null: all from now on
POST hold            {stage}: stop every play after that stage
POST release         {}: let them go on
POST notify          {uid, stage, descr?, fields?}: send one notification now
POST upload          {uid, base64, name?}: send one upload now
POST expire-bearers  {}: every Bearer that is out dies
POST status          {name, status}: another status where the sources state none
POST config          {engine, version?}: serve an older config
POST secret          {secret}: change the bot's secret
POST remove-client   {}: delete the bot's client token
POST foreign-request {}: have another client's request stand there; answers its uid
POST speed           {speed}

Bad input is a 400 `{"error": "..."}`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.control import Operation, operation_routes
from bot.sandbox.osais.scenarios import SCENARIOS

if TYPE_CHECKING:
    from bot.sandbox.osais.simulator import OsaisSim

PREFIX = "/sandbox/osais"


def control_routes(sim: OsaisSim) -> list[web.RouteDef]:
    """The routes on one simulator."""
    looks: dict[str, Operation] = {
        "state": lambda _: sim.state(),
        "made": lambda _: {str(uid): hashes for uid, hashes in sim.made.items()},
        "deliveries": lambda _: [one.to_dict() for one in sim.deliveries],
        "invalid": lambda _: [one.to_dict() for one in sim.invalid_acknowledgements],
        "scenarios": lambda _: {one.name: one.summary for one in SCENARIOS.values()},
    }
    return operation_routes(PREFIX, looks=looks, levers=_levers(sim))


def _levers(sim: OsaisSim) -> dict[str, Operation]:
    return {
        "scenario": lambda body: _scenario(sim, body),
        "hold": lambda body: sim.hold_after(body["stage"]),
        "release": lambda _: sim.release(),
        "notify": lambda body: _notify(sim, body),
        "upload": lambda body: _upload(sim, body),
        "expire-bearers": lambda _: sim.expire_bearers(),
        "status": lambda body: sim.set_status(body["name"], int(body["status"])),
        "config": lambda body: sim.set_config(body["engine"], body.get("version", "")),
        "secret": lambda body: setattr(sim.client, "secret", str(body["secret"])),
        "remove-client": lambda _: sim.remove_client(),
        "foreign-request": lambda _: {"uid": sim.foreign_request()},
        "speed": lambda body: setattr(sim, "speed", float(body["speed"])),
    }


def _scenario(sim: OsaisSim, body: Mapping[str, Any]) -> None:
    names, times = body["names"], body.get("times", 1)
    if not isinstance(names, list):
        raise TypeError("names has to be a list")
    if times is None:
        sim.play_always(*names)
    else:
        sim.play_next(*names, times=int(times))


async def _notify(sim: OsaisSim, body: Mapping[str, Any]) -> dict[str, object]:
    fields = dict(body.get("fields", {}))
    delivery = await sim.notify(int(body["uid"]), int(body["stage"]), str(body.get("descr", "")), fields=fields)
    return delivery.to_dict()


async def _upload(sim: OsaisSim, body: Mapping[str, Any]) -> dict[str, object]:
    data = base64.b64decode(body["base64"], validate=True)
    return (await sim.upload(int(body["uid"]), data, str(body.get("name", "")))).to_dict()
