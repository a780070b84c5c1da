"""The calls a client makes to know itself and where it is: users, application, gateway, guilds."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .errors import Refusal, form_error
from .gateway import Gateway
from .intents import GUILD_MEMBERS, application_flags
from .model import Guild, Json
from .payloads import Payloads
from .rest import Rest, number
from .uploads import read_upload
from .world import World


class BasicRoutes:
    """The routes under /users, /oauth2, /applications/@me, /gateway and /guilds."""

    def __init__(self, world: World, payloads: Payloads, gateway: Gateway) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway
        #: What GET /gateway/bot recommends.
        self.shards = 1

    def routes(self, rest: Rest) -> list[web.RouteDef]:
        """Return the routes."""
        guild = "/guilds/{guild}"
        return [
            rest.route("GET", "/gateway", self._where, kind="gateway", auth=False),
            rest.route("GET", "/gateway/bot", self._where_for_bots, kind="gateway"),
            rest.route("GET", "/users/@me", self._me, kind="user"),
            rest.route("GET", "/users/@me/guilds", self._my_guilds, kind="guild"),
            rest.route("POST", "/users/@me/channels", self._open_dm, kind="dm_open"),
            rest.route("GET", "/users/{user}", self._user, kind="user"),
            rest.route("GET", "/oauth2/applications/@me", self._application, kind="application"),
            rest.route("GET", "/applications/@me", self._application, kind="application"),
            rest.route("GET", guild, self._guild, kind="guild"),
            rest.route("GET", f"{guild}/channels", self._channels, kind="guild"),
            rest.route("GET", f"{guild}/roles", self._roles, kind="guild"),
            rest.route("GET", f"{guild}/members", self._members, kind="guild"),
            rest.route("GET", f"{guild}/members/{{user}}", self._member, kind="guild"),
        ]

    async def _where(self, _: web.Request) -> Any:
        return {"url": self._gateway.url}

    async def _where_for_bots(self, _: web.Request) -> Any:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
        return {"url": self._gateway.url, "shards": self.shards, "session_start_limit": limit}

    async def _me(self, _: web.Request) -> Any:
        return self._payloads.me()

    async def _user(self, request: web.Request) -> Any:
        user = self._world.users.get(number(request, "user", Refusal.UNKNOWN_USER))
        if user is None:
            raise Refusal.UNKNOWN_USER.error()
        return self._payloads.user(user)

    async def _open_dm(self, request: web.Request) -> Any:
        recipient = (await read_upload(request)).object().get("recipient_id")
        user = self._world.users.get(int(str(recipient))) if str(recipient).isdigit() else None
        if user is None or user.bot:
            raise form_error("recipient_id", "BASE_TYPE_REQUIRED", "This field is required")
        return self._payloads.channel(self._world.dm_with(user))

    async def _application(self, _: web.Request) -> Any:
        owner = next(user for user in self._world.users.values() if not user.bot)
        return {
            "id": str(self._world.application_id),
            "name": self._world.bot.name,
            "icon": None,
            "description": "",
            "type": None,
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": f"{self._world.application_id:064x}",
            "flags": application_flags(self._world.privileged_intents),
            "flags_new": str(application_flags(self._world.privileged_intents)),
            "hook": True,
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": sum(guild.has_bot for guild in self._world.guilds.values()),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "owner": self._payloads.user(owner),
            "team": None,
            "bot": self._payloads.user(self._world.bot),
        }

    async def _my_guilds(self, _: web.Request) -> Any:
        mine = [guild for guild in self._world.guilds.values() if guild.has_bot]
        return [self._summary(guild) for guild in mine]

    async def _guild(self, request: web.Request) -> Any:
        return self._payloads.guild(self._my_guild(request))

    async def _channels(self, request: web.Request) -> Any:
        ids = self._my_guild(request).channel_ids
        return [self._payloads.channel(self._world.channels[i], position=at) for at, i in enumerate(ids)]

    async def _roles(self, request: web.Request) -> Any:
        return self._payloads.roles(self._my_guild(request))

    async def _members(self, request: web.Request) -> Any:
        guild = self._my_guild(request)
        if not self._world.privileged_intents & GUILD_MEMBERS:
            raise Refusal.MISSING_ACCESS.error()
        return [self._payloads.member(guild, self._world.users[user_id]) for user_id in guild.members]

    async def _member(self, request: web.Request) -> Any:
        guild = self._my_guild(request)
        user_id = number(request, "user", Refusal.UNKNOWN_USER)
        if user_id not in guild.members:
            raise Refusal.UNKNOWN_MEMBER.error()
        return self._payloads.member(guild, self._world.users[user_id])

    def _my_guild(self, request: web.Request) -> Guild:
        guild = self._world.guilds.get(number(request, "guild", Refusal.UNKNOWN_GUILD))
        if guild is None or not guild.has_bot:
            raise Refusal.UNKNOWN_GUILD.error()
        return guild

    def _summary(self, guild: Guild) -> Json:
        mine = str(self._world.guild_permissions(guild, self._world.bot.id))
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "owner": False,
            "permissions": mine,
            "features": [],
        }
