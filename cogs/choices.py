"""What Discord offers while somebody fills in an option: fixed choices, and completions of what was typed so far."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import discord
from discord import app_commands

from bot.render.text_models import persona_choice, text_model_choice
from bot.services.asking import Asking
from bot.services.personas import Personas
from cogs.context import age_restricted


def one_of(kind: type[StrEnum]) -> list[app_commands.Choice[str]]:
    """Every value of an enumeration, as a fixed list."""
    return offered((value.value, value.value) for value in kind)


def offered(found: Iterable[tuple[str, str]]) -> list[app_commands.Choice[str]]:
    """Choices from pairs of (name, value)."""
    return [app_commands.Choice(name=name, value=value) for name, value in found]


def text_models(asking: Asking, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """Text models that fit what was typed, from memory; people may still send something else."""
    return offered(map(text_model_choice, asking.choices(typed, nsfw=age_restricted(interaction))))


def personas(known: Personas, typed: str) -> list[app_commands.Choice[str]]:
    """Personas that fit what was typed."""
    return offered(map(persona_choice, known.choices(typed)))
