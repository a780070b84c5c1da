"""The Discord client: where Discord lies, what is cached (next to nothing), how commands get there, who answers errors.

Facts from discord.py 2.7.1's source: the three class attributes below are the only places that name Discord's hosts;
an unsharded client dies when its very first connection fails, `AutoShardedBot` retries; `on_ready` may come late or
again, so nothing waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.delivery.once import tracer
from bot.errors import SetupError, StoreError, Unavailable
from bot.store.base import StateStore
from bot.ui.alchemy_picker import PICKERS, Picks
from bot.ui.errors import answer_error
from bot.ui.job_controls import JobButton
from bot.ui.job_selects import JobSelect
from bot.ui.presses import Presses

log = logging.getLogger(__name__)

#: Waits between two tries to log in, in seconds.
LOGIN_PATIENCE = (1.0, 2.0, 5.0, 10.0, 30.0)
#: Gateway close codes that no retry mends (Discord: "Gateway Close Event Codes").
_BAD_TOKEN, _BAD_INTENTS = 4004, 4014


def point_library_at(api_url: str, gateway_url: str) -> None:
    """Tell discord.py where Discord lies; once, before login. An empty gateway keeps the library's own."""
    discord.http.Route.BASE = api_url
    if gateway_url:
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


class _Tree(app_commands.CommandTree["MusterClient"]):
    """Commands for servers and for direct messages with the bot; errors are answered in one place."""

    def __init__(self, client: MusterClient) -> None:
        super().__init__(
            client,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        )

    async def on_error(
        self, interaction: discord.Interaction[MusterClient], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer the person."""
        await answer_error(interaction, error)

    async def interaction_check(self, interaction: discord.Interaction[MusterClient], /) -> bool:
        """Take nothing new while stopping; say so instead of letting it time out."""
        if not self.client.stopping or interaction.type is discord.InteractionType.autocomplete:
            return True
        await answer_error(interaction, Unavailable(user_message="I'm restarting. Please try again in a few seconds."))
        return False


class MusterClient(commands.AutoShardedBot):
    """discord.py's client with Muster's settings."""

    def __init__(self, *, state: StateStore, clock: Clock, gateway_given: bool, message_content: bool = False) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        # To be told of messages that mention the bot; what others write arrives blank without the privileged one.
        intents.guild_messages = intents.dm_messages = True
        intents.message_content = message_content
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            tree_cls=_Tree,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=tracer(),
        )
        self._state = state
        self._clock = clock
        self._gateway_given = gateway_given
        self._cogs_to_load: tuple[commands.Cog, ...] = ()
        self._connected: set[int | None] = set()
        self._syncing: asyncio.Task[None] | None = None
        #: Set by the composition root, before `run_until_closed`.
        self.presses: Presses
        self.picks: Picks
        self.logged_in = asyncio.Event()
        self.stopping = False
        #: Command name → id, for clickable mentions.
        self.command_ids: dict[str, int] = {}

    def equip(self, *, cogs: Sequence[commands.Cog], presses: Presses, picks: Picks) -> None:
        """Give the client its cogs, and those who act on presses and on choices."""
        self._cogs_to_load = tuple(cogs)
        self.presses = presses
        self.picks = picks

    async def on_message(self, _message: discord.Message, /) -> None:
        """Do nothing: the library would look for commands behind a prefix; cogs listen by themselves."""

    async def setup_hook(self) -> None:
        """Load cogs and buttons; runs after login and before the gateway."""
        if self._gateway_given:
            # With a shard count the library goes to the configured gateway instead of the one Discord names. If this
            # fails the login is tried again as a whole, so it comes before anything that can be done once only.
            self.shard_count = (await self.http.get_bot_gateway())[0]
        for cog in self._cogs_to_load:
            await self.add_cog(cog)
        self.add_dynamic_items(JobButton, JobSelect, *PICKERS)
        self.logged_in.set()

    async def run_until_closed(self, token: str) -> None:
        """Log in and stay connected. Raises `SetupError` for what only the operator can mend."""
        await self._log_in(token)
        self._syncing = asyncio.create_task(self._sync(), name="sync-commands")
        try:
            await self._stay_connected()
        finally:
            self._syncing.cancel()
            await asyncio.gather(self._syncing, return_exceptions=True)

    async def _log_in(self, token: str) -> None:
        failures = 0
        while True:
            try:
                await self.login(token)
                return
            except discord.LoginFailure as error:
                raise SetupError([_LOGIN_REFUSED]) from error
            except (discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError, ValueError) as error:
                if failures == 0:
                    log.warning("cannot log in yet", extra={"action": "discord.down", "cause": type(error).__name__})
                await self._forget_session()
                await self._clock.sleep(LOGIN_PATIENCE[min(failures, len(LOGIN_PATIENCE) - 1)])
                failures += 1

    async def _forget_session(self) -> None:
        """Close what a failed login opened; the library would use its closed connector again."""
        await self.http.close()
        self.http.clear()
        self.http.connector = discord.utils.MISSING

    async def shut(self) -> None:
        """Close the connection, also if there never was one (the library's own `close` fails then)."""
        if self.logged_in.is_set():
            await self.close()
        else:
            await self._forget_session()

    async def _stay_connected(self) -> None:
        while not self.is_closed():
            try:
                await self.connect()
            except discord.PrivilegedIntentsRequired as error:
                raise SetupError([_INTENTS_REFUSED]) from error
            except discord.ConnectionClosed as error:
                if error.code in {_BAD_TOKEN, _BAD_INTENTS}:
                    raise SetupError([_LOGIN_REFUSED if error.code == _BAD_TOKEN else _INTENTS_REFUSED]) from error
                raise
            except (discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError, ValueError) as error:
                log.warning("no gateway", extra={"action": "gateway.down", "cause": type(error).__name__})
                await self._clock.sleep(LOGIN_PATIENCE[-1] / 6)

    # -- commands -------------------------------------------------------------------------------------------------

    async def _sync(self) -> None:
        """Send the commands to Discord when they changed (creating is limited to 200 a day), until it worked."""
        failures = 0
        while True:
            try:
                await self._sync_once()
                return
            except (discord.HTTPException, aiohttp.ClientError, OSError, ValueError, StoreError) as error:
                log.warning("commands not synced", extra={"action": "commands.failed", "cause": str(error)})
                await self._clock.sleep(LOGIN_PATIENCE[min(failures, len(LOGIN_PATIENCE) - 1)])
                failures += 1

    async def _sync_once(self) -> None:
        key = f"commands:{self.application_id}"
        wanted = _hash([command.to_dict(self.tree) for command in self.tree.get_commands()])
        known: Sequence[app_commands.AppCommand] = await self.tree.fetch_commands()
        names = {command.name for command in self.tree.get_commands()}
        if await self._state.read(key) != wanted or {command.name for command in known} != names:
            known = await self.tree.sync()
            await self._state.write(key, wanted)
            log.info("commands synced", extra={"action": "commands.synced", "commands": len(known)})
        self.command_ids = {command.name: command.id for command in known}

    # -- the gateway's state --------------------------------------------------------------------------------------

    async def on_shard_connect(self, shard_id: int) -> None:
        """Note that a shard is up."""
        self._connected.add(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a shard is up again."""
        self._connected.add(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that a shard is down."""
        self._connected.discard(shard_id)

    def gateway_up(self) -> bool:
        """Whether every shard of this process is connected."""
        return not self.is_closed() and bool(self.shards) and set(self.shards) <= self._connected


_LOGIN_REFUSED = (
    "DISCORD_TOKEN is not accepted by Discord: copy it again from the Bot page of your application "
    "on https://discord.com/developers/applications"
)
_INTENTS_REFUSED = (
    "Discord refuses the intents asked for: switch on Message Content Intent on the Bot page of your application "
    "on https://discord.com/developers/applications, or leave MESSAGE_CONTENT_INTENT out"
)


def _hash(commands_: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(commands_, key=lambda command: (str(command["type"]), str(command["name"])))
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()
