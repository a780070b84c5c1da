"""What the bot sent beside a reply: further files and parts of an answer, and notices that it came late."""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.discord import Message
from tests.crash.records import Record
from tests.flow.town import Json, Town


def further(town: Town, record: Record) -> list[Json]:
    """The messages in which the answer goes on, oldest first."""
    reply_id = record.original_id
    return _mine(town, lambda message: message.reference_id == reply_id and not _links(message, reply_id))


def notices(town: Town, record: Record) -> list[Json]:
    """The messages, in whichever channel, that point to the reply."""
    return _mine(town, lambda message: _links(message, record.original_id))


def _mine(town: Town, which: Callable[[Message], bool]) -> list[Json]:
    discord = town.sandbox.discord
    me = discord.world.bot.id
    return [
        discord.reports.message(message)
        for message in discord.world.messages.values()
        if message.author_id == me and message.deleted_at is None and which(message)
    ]


def _links(message: Message, reply_id: int | None) -> bool:
    return message.now.content.endswith(f"/{reply_id}")
