"""The answer to a message that asked: it is never there twice, whoever keeps the promise of nonces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.clock import ManualClock
from bot.delivery import Delivery, MessageOpener, OriginalFinder
from bot.delivery.outbox import NONCE_LIFE
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import NoAccess, Refused
from bot.domain.jobs import Job
from bot.domain.replies import ReplyAddress
from bot.errors import DeliveryError
from tests.factories import make_job, make_reply

ASKED_IN = 77


@dataclass
class Channel:
    """A channel that knows no nonces; its bot may not read it, or loses an answer."""

    closed: DeliveryError | None = None
    answers: list[DeliveryError] = field(default_factory=list)
    there: list[int] = field(default_factory=list)

    async def send(self, address: ReplyAddress, *, nonce: str, refers_to: int, fields: Fields) -> Any:
        self.there.append(100 + len(self.there))
        if self.answers:
            raise self.answers.pop()
        return SimpleNamespace(id=self.there[-1])

    async def find(
        self, address: ReplyAddress, *, after: int, which: Callable[[discord.Message], bool], beside: int | None
    ) -> int | None:
        assert (after, beside) == (ASKED_IN, ASKED_IN)
        if self.closed is not None:
            raise self.closed
        listed = (SimpleNamespace(id=one, reference=SimpleNamespace(message_id=ASKED_IN)) for one in self.there)
        return next((one.id for one in listed if which(cast("discord.Message", one))), None)


def parts(channel: Channel) -> tuple[ManualClock, MessageOpener, OriginalFinder, Job]:
    clock = ManualClock()
    routes = cast("Routes", channel)
    opener = MessageOpener(routes, cast("Delivery", SimpleNamespace(opened=lambda *_: None)), clock)
    reply = replace(make_reply(), interaction_id=None, source_message_id=ASKED_IN)
    return clock, opener, OriginalFinder(routes, clock, opener), make_job(reply=reply, created_at=clock.now())


async def test_answer_whose_receipt_got_lost_is_found_and_not_sent_again() -> None:
    channel = Channel(answers=[DeliveryError("500")])
    _, opener, finder, job = parts(channel)
    assert await opener.open(job) == await finder.find(job) == 100
    assert channel.there == [100]


@pytest.mark.parametrize("closed", [NoAccess("closed"), Refused("too much")], ids=["unreadable", "too-much-said"])
@pytest.mark.parametrize("age", [timedelta(0), NONCE_LIFE], ids=["while-the-nonce-lives", "later"])
async def test_where_nothing_tells_it_is_sent_while_the_nonce_lives_and_not_later(
    closed: DeliveryError, age: timedelta
) -> None:
    channel = Channel(closed=closed)
    clock, _, finder, job = parts(channel)
    await clock.advance(age.total_seconds())
    assert await finder.find(job) == (None if age else 100)
    assert channel.there == ([] if age else [100])
