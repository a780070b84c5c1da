"""Registering application commands, globally and for one guild."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from aiohttp import web

from .command_rules import check_all
from .errors import FormErrors, Refusal
from .model import Json
from .rest import NO_CONTENT, Rest, number
from .uploads import read_upload
from .world import World

#: New commands a day and place; changes of existing ones do not count (Discord docs, "Registering a Command").
CREATES_PER_DAY: Final = 200


class CommandRoutes:
    """The routes under /applications/{id}/commands and /applications/{id}/guilds/{id}/commands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._creates: dict[tuple[int | None, date], int] = {}

    def routes(self, rest: Rest) -> list[web.RouteDef]:
        """Return the routes."""
        made = []
        for place in ("", "/guilds/{guild}"):
            path = f"/applications/{{application}}{place}/commands"
            one = f"{path}/{{command}}"
            made += [
                rest.route("GET", path, self._list, kind="commands"),
                rest.route("PUT", path, self._put, kind="commands"),
                rest.route("POST", path, self._post, kind="commands"),
                rest.route("GET", one, self._get, kind="commands"),
                rest.route("PATCH", one, self._patch, kind="commands"),
                rest.route("DELETE", one, self._delete, kind="commands"),
            ]
        return made

    async def _list(self, request: web.Request) -> Any:
        return list(self._place(request)[1].values())

    async def _put(self, request: web.Request) -> Any:
        body = (await read_upload(request)).body
        guild_id, present = self._place(request)
        if not isinstance(body, list):
            raise Refusal.BAD_JSON.error()
        errors = FormErrors()
        check_all(errors, body)
        errors.raise_if_any()
        known = {_key(command): command for command in present.values()}
        made = [self._made(command, known.get(_key(command)), guild_id) for command in body]
        self._world.commands[guild_id] = {int(command["id"]): command for command in made}
        return made

    async def _post(self, request: web.Request) -> Any:
        body = (await read_upload(request)).object()
        guild_id, present = self._place(request)
        old = next((command for command in present.values() if _key(command) == _key(body)), None)
        return self._store(present, body, old, guild_id)

    async def _patch(self, request: web.Request) -> Any:
        body = (await read_upload(request)).object()
        guild_id, present = self._place(request)
        old = self._command(request, present)
        return self._store(present, old | body, old, guild_id)

    async def _get(self, request: web.Request) -> Any:
        return self._command(request, self._place(request)[1])

    async def _delete(self, request: web.Request) -> Any:
        present = self._place(request)[1]
        del present[int(self._command(request, present)["id"])]
        return NO_CONTENT

    def _store(self, present: dict[int, Json], body: Json, old: Json | None, guild_id: int | None) -> Json:
        others = [command for command in present.values() if command is not old]
        errors = FormErrors()
        check_all(errors, [body, *others])
        errors.raise_if_any()
        made = self._made(body, old, guild_id)
        present[int(made["id"])] = made
        return made

    def _place(self, request: web.Request) -> tuple[int | None, dict[int, Json]]:
        if request.match_info["application"] != str(self._world.application_id):
            raise Refusal.MISSING_ACCESS.error()
        if "guild" not in request.match_info:
            return None, self._world.commands[None]
        guild_id = number(request, "guild", Refusal.UNKNOWN_GUILD)
        guild = self._world.guilds.get(guild_id)
        if guild is None or not guild.has_bot:
            raise Refusal.MISSING_ACCESS.error()
        return guild_id, self._world.commands.setdefault(guild_id, {})

    @staticmethod
    def _command(request: web.Request, present: dict[int, Json]) -> Json:
        found = present.get(number(request, "command", Refusal.UNKNOWN_COMMAND))
        if found is None:
            raise Refusal.UNKNOWN_COMMAND.error()
        return found

    def _made(self, body: Json, old: Json | None, guild_id: int | None) -> Json:
        if old is None:
            day = (guild_id, self._world.now().date())
            self._creates[day] = self._creates.get(day, 0) + 1
            if self._creates[day] > CREATES_PER_DAY:
                raise Refusal.TOO_MANY_CREATES.error()
        made: Json = {
            "type": 1,
            "description": "",
            "options": [],
            "default_member_permissions": None,
            "nsfw": False,
            **{key: value for key, value in body.items() if value is not None},
            "id": old["id"] if old else str(self._world.ids.next()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.ids.next()),
        }
        made.setdefault("integration_types", [0])
        made.setdefault("contexts", None)
        return made | ({"guild_id": str(guild_id)} if guild_id else {})


def _key(command: Json) -> tuple[int, str]:
    return command.get("type") or 1, str(command.get("name"))
