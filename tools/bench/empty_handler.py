"""The least that discord.py needs to answer `/imagine`: what the bot's own acknowledgement is compared with."""

from __future__ import annotations

import asyncio
import os

import discord
import yarl
from discord import app_commands


async def _imagine(interaction: discord.Interaction, prompt: str) -> None:
    await interaction.response.send_message(prompt, allowed_mentions=discord.AllowedMentions.none())


class _Empty(discord.AutoShardedClient):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None)
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(app_commands.Command(name="imagine", description="Nothing", callback=_imagine))

    async def setup_hook(self) -> None:
        self.shard_count = (await self.http.get_bot_gateway())[0]
        await self.tree.sync()


async def _run() -> None:
    discord.http.Route.BASE = os.environ["DISCORD_API_URL"]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    async with _Empty() as client:
        await client.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    asyncio.run(_run())
