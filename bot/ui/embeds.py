"""From rendered values to discord.py's embeds."""

from __future__ import annotations

import discord

from bot.render.messages import RenderedEmbed


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
