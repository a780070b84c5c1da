"""`/persona`: who the model can be asked to be."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.render.text_models import render_persona, render_personas
from bot.services.personas import Personas
from bot.ui.embeds import show_privately
from cogs.choices import personas


class PersonaCommands(commands.GroupCog, group_name="persona", group_description="Who the model can be asked to be"):
    """Who the model can be asked to be."""

    def __init__(self, personas: Personas) -> None:
        self._personas = personas
        super().__init__()

    @app_commands.command(name="list", description="Which personas there are")
    async def list_all(self, interaction: discord.Interaction[Any]) -> None:
        """Say which there are, to the one who asked."""
        await show_privately(interaction, render_personas(tuple(self._personas.all())))

    @app_commands.command(name="show", description="What a persona is told")
    @app_commands.describe(persona="Which one")
    async def show(self, interaction: discord.Interaction[Any], persona: str) -> None:
        """Say what the model is told, to the one who asked."""
        await show_privately(interaction, render_persona(self._personas.find(persona)))

    @show.autocomplete("persona")
    async def _choices(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return personas(self._personas, typed)
