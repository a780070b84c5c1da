"""Whom a reply answers: an interaction, or a message that mentions the bot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from bot.sandbox.discord import Interaction, Message
from bot.sandbox.discord.kinds import InteractionState
from bot.sandbox.discord.world import World

#: World seconds after which nobody expects an answer to a message any more, unless a row promises one.
HEARD_WITHIN = 30.0


class Record(Protocol):
    """What somebody did, as the simulated Discord has it."""

    id: int
    user_id: int

    @property
    def label(self) -> str:
        """What was done, for reading."""
        ...

    @property
    def original_id(self) -> int | None:
        """The message that answers it."""
        ...


class Spoken:
    """A message that mentions the bot."""

    def __init__(self, world: World, message: Message) -> None:
        self._world = world
        self._message = message
        self._answer: int | None = None
        self.id = message.id
        self.user_id = message.author_id
        self.label = f"mention {message.now.content!r}"

    @property
    def original_id(self) -> int | None:
        """The bot's message that refers to it: the first, for a long answer goes on in others."""
        if self._answer is None:
            self._answer = next(self.answers(), None)
        return self._answer

    @property
    def too_old(self) -> bool:
        """Whether an answer would have begun by now."""
        return (self._world.now() - self._message.created_at).total_seconds() > HEARD_WITHIN

    def answers(self) -> Iterator[int]:
        """The bot's messages that refer to it."""
        for message_id in self._world.channels[self._message.channel_id].message_ids:
            message = self._world.messages[message_id]
            if message.reference_id == self.id and message.author_id == self._world.bot.id:
                yield message_id


def unheard(world: World, record: Record) -> bool:
    """Whether the time to begin an answer has passed without one."""
    if isinstance(record, Spoken):
        return record.original_id is None and record.too_old
    assert isinstance(record, Interaction)
    return world.settle(record).state is InteractionState.FAILED
