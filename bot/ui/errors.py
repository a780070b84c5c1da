"""How an error is answered to the person who caused it: kindly, ephemerally, once."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.errors import BotError
from bot.render import render_error
from bot.ui.embeds import to_embed

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def errors_answered(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Be the boundary of what does not come in through the command tree: presses, choices, and forms."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the boundary: the person gets a sentence, the log the rest
        await answer_error(interaction, error)


async def answer_error(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person what went wrong; an unexpected error gets a reference that stands in the log beside it."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, discord.NotFound) and error.code == 10062:
        log.info("an answer came too late", extra={"action": "interaction.late"})
        return
    reference = ""
    if not isinstance(error, BotError):
        reference = secrets.token_hex(4)
        log.error(
            "unexpected error in a command",
            exc_info=error,
            extra={"action": "interaction.unexpected", "reference": reference},
        )
        error = BotError(str(error))
    embed = to_embed(render_error(error, reference).embed)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(embed=embed, ephemeral=True)
        else:
            await interaction.response.send_message(embed=embed, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as failure:
        log.warning("could not answer", extra={"action": "interaction.unanswered", "cause": str(failure)})
