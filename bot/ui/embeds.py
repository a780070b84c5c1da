"""From rendered values to discord.py's embeds, and to whoever asked for them."""

from __future__ import annotations

from typing import Any

import discord

from bot.render.messages import RenderedEmbed, RenderedMessage


def to_embed(embed: RenderedEmbed | None) -> discord.Embed:
    """discord.py's form of an embed."""
    if embed is None:
        return discord.Embed()
    made = discord.Embed(title=embed.title or None, description=embed.description or None, colour=int(embed.colour))
    for field in embed.fields:
        made.add_field(name=field.name, value=field.value, inline=field.inline)
    if embed.footer:
        made.set_footer(text=embed.footer)
    return made


async def show_privately(interaction: discord.Interaction[Any], rendered: RenderedMessage) -> None:
    """Answer an interaction with an embed that nobody else sees."""
    await interaction.response.send_message(embed=to_embed(rendered.embed), ephemeral=True)
