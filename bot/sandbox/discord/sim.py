"""The simulator as a whole: routes for the bot, routes for scripts, and the start content."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.clock import Clock

from .control import Control
from .interacting import Interacting
from .kinds import InteractionState
from .model import User
from .rate_limits import ScriptedLimit
from .rest import Rest
from .rest_basics import BasicRoutes
from .rest_channels import ChannelRoutes
from .rest_commands import CommandRoutes
from .rest_interactions import InteractionRoutes
from .rest_webhooks import WebhookRoutes
from .snowflakes import iso

GUILD: Final = "Muster Playground"
CHANNELS: Final = (("general", False), ("art", False), ("after-dark", True))
#: Margaret founded the guild and may do everything in it; Ada and Grace are plain members.
PEOPLE: Final = ("Margaret", "Ada", "Grace")


class DiscordSim(Interacting):
    """Discord as far as a bot can tell, with people who do as they are told.

    Put `routes()` and `control_routes()` into an aiohttp application, set `public_url` once the port is known, and
    keep `run()` going; when it is cancelled every connection is closed.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        public_url: str = "",
        token: str = "",
        rate_limits: bool = False,
        rate_limit_window: float = 0.05,
    ) -> None:
        super().__init__(
            clock, seed=seed, public_url=public_url, token=token, rate_limits=rate_limits, window=rate_limit_window
        )
        self.clock = clock
        self._furnish()

    def routes(self) -> list[web.RouteDef]:
        """Return what the bot talks to: REST under /api/v10, the gateway, the CDN."""
        rest = Rest(self.world, self.limits)
        return [
            *BasicRoutes(self.world, self.payloads, self.gateway).routes(rest),
            *ChannelRoutes(self.world, self.desk, self.payloads, self.gateway).routes(rest),
            *CommandRoutes(self.world).routes(rest),
            *InteractionRoutes(self.world, self.desk, self.payloads, self.feed).routes(rest),
            *WebhookRoutes(self.world, self.desk, self.payloads).routes(rest),
            web.get("/gateway", self.gateway.handle),
            web.get("/gateway/", self.gateway.handle),
            *self.files.routes(),
            rest.nothing_here(),
        ]

    def control_routes(self) -> list[web.RouteDef]:
        """Return what scripts, tests and the page talk to, under /sandbox/discord."""
        return Control(self).routes()

    async def run(self) -> None:
        """Mark interactions that nobody answered in time, until cancelled; then close every connection."""
        try:
            while True:
                record = await self.outbox.deadlines.get()
                age = (self.world.now() - record.created_at).total_seconds()
                await self.clock.sleep(record.answer_within - age + 0.001)
                if record.state is not InteractionState.ACKNOWLEDGED:
                    self.world.settle(record)
                    about = {"interaction_id": str(record.id), "state": str(record.state)}
                    self.feed.publish({"event": "interaction_failed", "at": iso(self.world.now()), **about})
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the gateway's connections and end every subscription."""
        self.feed.close()
        await self.gateway.close()

    async def drop_gateway(self, *, resumable: bool = True) -> None:
        """Cut all gateway connections; without `resumable` clients have to identify anew."""
        await self.gateway.drop(resumable=resumable)

    def limit_next(self, kind: str, *, times: int = 1, retry_after: float = 0.05, via: bool = True) -> None:
        """Answer the next calls of a kind of route ("original_edit", "message_create", …, "any") with 429."""
        self.limits.scripted.append(ScriptedLimit(kind=kind, times=times, retry_after=retry_after, via=via))

    def _furnish(self) -> None:
        people: list[User] = [self.world.add_user(name) for name in PEOPLE]
        guild = self.world.add_guild(GUILD, owner=people[0], has_bot=True)
        for person in people:
            self.world.join(guild, person)
        for name, nsfw in CHANNELS:
            self.world.add_channel(guild, name, nsfw=nsfw)
