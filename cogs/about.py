"""`/help`: what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.render import render_help
from bot.ui.embeds import show_privately


class About(commands.Cog):
    """What there is, and who does the work."""

    def __init__(self, command_ids: Callable[[], Mapping[str, int]]) -> None:
        self._command_ids = command_ids

    @app_commands.command(name="help", description="What I can do, and how")
    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Say what there is, to the one who asked."""
        await show_privately(interaction, render_help(command_ids=self._command_ids()))
