"""The parts of the simulator, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.clock import Clock

from .attachments import AttachmentStore
from .events import EventFeed, Subscription
from .gateway import Gateway
from .interactions import InteractionDesk
from .messages import MessageDesk
from .payloads import Payloads
from .rate_limits import RateLimiter
from .world import World

T = TypeVar("T")


class Core:
    """Holds what all acts and routes work on."""

    def __init__(
        self, clock: Clock, *, seed: int, public_url: str, token: str, rate_limits: bool, window: float
    ) -> None:
        self.world = World(clock, seed=seed, token=token)
        self.world.public_url = public_url
        self.feed = EventFeed()
        self.files = AttachmentStore(self.world)
        self.payloads = Payloads(self.world, self.files)
        self.gateway = Gateway(self.world, self.payloads, self.feed)
        self.desk = MessageDesk(self.world, self.files, self.payloads, self.gateway, self.feed)
        self.outbox = InteractionDesk(self.world, self.payloads, self.gateway, self.feed)
        self.limits = RateLimiter(enabled=rate_limits, window=window)

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.token

    @property
    def application_id(self) -> int:
        """The application's id, which is not the bot user's."""
        return self.world.application_id

    @property
    def bot_user_id(self) -> int:
        """The id of the bot's account."""
        return self.world.bot.id

    @property
    def public_url(self) -> str:
        """Where the simulator is reached, without a slash at the end."""
        return self.world.public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self.world.public_url = url.rstrip("/")

    @property
    def gateway_url(self) -> str:
        """Where the gateway is reached (ws://…/gateway)."""
        return self.gateway.url

    def subscribe(self) -> Subscription:
        """Listen to what happens from now on; close the subscription when done."""
        return self.feed.subscribe()

    async def wait_until(self, condition: Callable[[], T | None], *, guard: float = 10.0) -> T:
        """Return the condition's value once it is true; `TimeoutError` after `guard` real seconds."""
        return await self.feed.wait_until(condition, guard=guard)
