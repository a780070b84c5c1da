"""The control API: people's acts and looks at the world over HTTP (docs/sandbox-discord.md)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .errors import ActRefusedError
from .events import Subscription
from .intents import privileged_bits
from .model import File, Interaction, Json
from .rate_limits import ScriptedLimit

if TYPE_CHECKING:
    from .sim import DiscordSim

BASE = "/sandbox/discord"

Act = Callable[[Json], Awaitable[Any]]


class Control:
    """Wraps the acts of a simulator in routes; every POST takes and returns JSON."""

    def __init__(self, sim: DiscordSim) -> None:
        self._sim = sim

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under /sandbox/discord."""
        posts: dict[str, Act] = {
            "users": self._users,
            "guilds": self._guilds,
            "guilds/remove-bot": self._remove_bot,
            "channels": self._channels,
            "channels/delete": self._delete_channel,
            "threads": self._threads,
            "threads/archive": self._archive,
            "dms": self._dms,
            "permissions": self._permissions,
            "invoke": self._invoke,
            "autocomplete": self._autocomplete,
            "press": self._press,
            "select": self._select,
            "modal": self._modal,
            "context-menu": self._context_menu,
            "messages": self._post,
            "messages/delete": self._delete,
            "gateway/drop": self._drop,
            "gateway/reconnect": self._reconnect,
            "limit": self._limit,
            "settings": self._settings,
        }
        return [
            web.get(f"{BASE}/state", self._state),
            web.get(f"{BASE}/interactions", self._interactions),
            web.get(f"{BASE}/interactions/{{id}}", self._interaction),
            web.get(f"{BASE}/channels/{{id}}/messages", self._read),
            web.get(f"{BASE}/messages/{{id}}", self._message),
            web.get(f"{BASE}/messages/{{id}}/versions", self._versions),
            web.get(f"{BASE}/events", self._events),
            *(web.post(f"{BASE}/{path}", _taking_json(act)) for path, act in posts.items()),
        ]

    # -- looking ---------------------------------------------------------------------------------------------------

    async def _state(self, _: web.Request) -> web.Response:
        connected = [session.shard[0] for session in self._sim.gateway.connected]
        return web.json_response(self._sim.reports.state() | {"connected_shards": connected})

    async def _interactions(self, _: web.Request) -> web.Response:
        return web.json_response([self._sim.reports.interaction(record) for record in self._sim.interactions()])

    async def _interaction(self, request: web.Request) -> web.Response:
        return await _looked_up(lambda: self._one_interaction(request.match_info["id"]))

    async def _read(self, request: web.Request) -> web.Response:
        return await _looked_up(lambda: self._sim.read_channel(request.match_info["id"], request.query.get("as_user")))

    async def _message(self, request: web.Request) -> web.Response:
        return await _looked_up(lambda: self._one_message(request.match_info["id"]))

    async def _versions(self, request: web.Request) -> web.Response:
        return await _looked_up(lambda: self._sim.message_versions(request.match_info["id"]))

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30.0, timeout=1.0)
        await socket.prepare(request)
        with self._sim.subscribe() as events:
            reading = asyncio.create_task(_end_with(socket, events), name="events reader")
            try:
                async for event in events:
                    with contextlib.suppress(ConnectionError):
                        await socket.send_json(event)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        await socket.close()
        return socket

    async def _one_interaction(self, ref: str) -> Json:
        return self._sim.reports.interaction(self._sim.world.interaction(ref))

    async def _one_message(self, ref: str) -> Json:
        return self._sim.reports.message(self._sim.world.message(ref))

    # -- making ----------------------------------------------------------------------------------------------------

    async def _users(self, body: Json) -> Any:
        known = ("guilds", "moderator", "locale", "upload_limit", "dms_closed", "installed_app")
        return self._sim.reports.user(await self._sim.make_user(body["name"], **_only(body, known)))

    async def _guilds(self, body: Json) -> Any:
        known = ("bot", "members", "channels", "owner", "locale", "upload_limit")
        return self._sim.reports.guild(await self._sim.make_guild(body["name"], **_only(body, known)))

    async def _remove_bot(self, body: Json) -> Any:
        await self._sim.remove_bot(body["guild"])
        return {"ok": True}

    async def _channels(self, body: Json) -> Any:
        made = await self._sim.make_channel(body["guild"], body["name"], **_only(body, ("nsfw", "denied")))
        return self._sim.reports.channel(made)

    async def _delete_channel(self, body: Json) -> Any:
        await self._sim.delete_channel(body["channel"])
        return {"ok": True}

    async def _threads(self, body: Json) -> Any:
        made = await self._sim.make_thread(body["channel"], body["name"], **_only(body, ("archived",)))
        return self._sim.reports.channel(made)

    async def _archive(self, body: Json) -> Any:
        await self._sim.archive_thread(body["thread"], **_only(body, ("archived", "locked")))
        return {"ok": True}

    async def _dms(self, body: Json) -> Any:
        return self._sim.reports.channel(await self._sim.open_dm(body["user"]))

    async def _permissions(self, body: Json) -> Any:
        known = ("bits", "denied", "allowed", "who")
        bits = await self._sim.set_permissions(body["channel"], **_only(body, known))
        return {"bits": str(bits), "channel": self._sim.reports.channel(self._sim.world.channel(body["channel"]))}

    # -- acting ----------------------------------------------------------------------------------------------------

    async def _invoke(self, body: Json) -> Any:
        files = {name: _file(file) for name, file in (body.get("attachments") or {}).items()}
        record = await self._sim.invoke(
            body["user"], body["channel"], body["command"], body.get("options") or {}, attachments=files
        )
        return await self._answered(record, body)

    async def _autocomplete(self, body: Json) -> Any:
        choices = await self._sim.autocomplete(
            body["user"], body["channel"], body["command"], body.get("options") or {}, body["focused"]
        )
        return {"choices": choices}

    async def _press(self, body: Json) -> Any:
        record = await self._sim.press(body["user"], body["message"], body["custom_id"], **_only(body, ("stale",)))
        return await self._answered(record, body)

    async def _select(self, body: Json) -> Any:
        record = await self._sim.select(body["user"], body["message"], body["custom_id"], body["values"])
        return await self._answered(record, body)

    async def _modal(self, body: Json) -> Any:
        files = {name: [_file(file) for file in group] for name, group in (body.get("attachments") or {}).items()}
        record = await self._sim.submit_modal(body["user"], body["modal"], body.get("values") or {}, attachments=files)
        return await self._answered(record, body)

    async def _context_menu(self, body: Json) -> Any:
        record = await self._sim.context_menu(
            body["user"], body["command"], body["target"], channel=body.get("channel")
        )
        return await self._answered(record, body)

    async def _post(self, body: Json) -> Any:
        made = await self._sim.post_message(
            body["user"],
            body["channel"],
            body.get("content") or "",
            attachments=[_file(file) for file in body.get("attachments") or []],
            reply_to=body.get("reply_to"),
            mentions=body.get("mentions") or [],
            **_only(body, ("ping_reply",)),
        )
        return self._sim.reports.message(made)

    async def _delete(self, body: Json) -> Any:
        await self._sim.delete_message(body["user"], body["message"])
        return {"ok": True}

    async def _answered(self, record: Interaction, body: Json) -> Json:
        """Return the record, after up to `wait` real seconds if the caller wants to see the answer."""
        if body.get("wait"):
            await self._sim.wait_answer(record, guard=float(body["wait"]))
        return self._sim.reports.interaction(record)

    # -- trouble ---------------------------------------------------------------------------------------------------

    async def _drop(self, body: Json) -> Any:
        await self._sim.drop_gateway(**_only(body, ("resumable",)))
        return {"ok": True}

    async def _reconnect(self, _: Json) -> Any:
        self._sim.gateway.ask_reconnect()
        return {"ok": True}

    async def _limit(self, body: Json) -> Any:
        self._sim.limits.scripted.append(
            ScriptedLimit(
                kind=body["kind"],
                times=int(body.get("times", 1)),
                retry_after=float(body.get("retry_after", 0.05)),
                scope=body.get("scope", "user"),
                via=bool(body.get("via", True)),
            )
        )
        return {"ok": True}

    async def _settings(self, body: Json) -> Any:
        sim = self._sim
        sim.limits.enabled = bool(body.get("rate_limits", sim.limits.enabled))
        sim.limits.window = float(body.get("rate_limit_window", sim.limits.window))
        sim.world.answer_within = float(body.get("answer_within", sim.world.answer_within))
        sim.world.old_message_edits = body.get("old_message_edits", sim.world.old_message_edits)
        if "privileged_intents" in body:
            sim.world.privileged_intents = privileged_bits(body["privileged_intents"])
        return {
            "rate_limits": sim.limits.enabled,
            "rate_limit_window": sim.limits.window,
            "answer_within": sim.world.answer_within,
            "old_message_edits": sim.world.old_message_edits,
            "privileged_intents": sim.world.privileged_intents,
        }


async def _end_with(socket: web.WebSocketResponse, events: Subscription) -> None:
    """Read and forget what the page says; when it leaves, end its subscription."""
    async for _ in socket:
        pass
    events.close()


def _taking_json(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        # Read past the application's size limit: pictures come as base64 inside the JSON.
        raw = await request.content.read()
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            return _wrong("The body is not JSON.", 400)
        if not isinstance(body, dict):
            return _wrong("The body has to be a JSON object.", 400)
        return await _looked_up(lambda: act(body))

    return serve


async def _looked_up(make: Callable[[], Awaitable[Any]]) -> web.Response:
    try:
        return web.json_response(await make())
    except KeyError as error:
        return _wrong(f"The field {error} is missing.", 400)
    except TimeoutError:
        return _wrong("The bot did not answer while you waited.", 504)
    except ActRefusedError as error:
        return _wrong(str(error), 404 if str(error).startswith("There is no ") else 400)
    except (ValueError, TypeError) as error:
        return _wrong(str(error), 400)


def _wrong(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _only(body: Json, names: tuple[str, ...]) -> Json:
    return {name: body[name] for name in names if name in body}


def _file(given: Json) -> File:
    try:
        data = base64.b64decode(given["data"], validate=True)
    except binascii.Error:
        raise ActRefusedError(f"The data of {given.get('filename')!r} is not base64.") from None
    return File(filename=given["filename"], data=data, description=given.get("description"))
