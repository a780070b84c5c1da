"""What becomes of a message beside the reply whose fate is not known: it is never there twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.clock import ManualClock
from bot.delivery import Outbox
from bot.delivery.book import Book
from bot.delivery.outbox import NONCE_LIFE, Unsure
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import NoAccess, NotSent, Refused
from bot.domain.jobs import Job, JobId
from bot.domain.outgoing import Outgoing
from bot.domain.replies import LONG_AGO, ReplyAddress
from bot.domain.stages import Stage
from bot.errors import DeliveryError, ReplyClosed
from tests.factories import make_job

WORDS: Fields = {"content": "the second part"}
LATER = NONCE_LIFE + timedelta(seconds=1)


@dataclass
class Channel:
    """A channel that takes messages, and may lose its answer or refuse to."""

    clock: ManualClock
    answers: list[DeliveryError | None] = field(default_factory=list)
    arrives: bool = True
    readable: bool = True
    honours_nonces: bool = True
    #: Nothing is taken by the bot's own token.
    closed: bool = False
    nonces: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    there: dict[int, str] = field(default_factory=dict)

    def token_works(self, address: ReplyAddress, dead_tokens: set[str], now: datetime) -> bool:
        return address.token_alive(now)

    async def send(self, address: ReplyAddress, *, nonce: str, refers_to: int | None, fields: Fields) -> Any:
        if self.closed and address.open_to_bot:
            raise NoAccess("closed")
        known, at = self.nonces.get(nonce, (0, self.clock.now()))
        new = not known or not self.honours_nonces or self.clock.now() - at > NONCE_LIFE
        error = self.answers.pop(0) if self.answers else None
        if (error is None or self.arrives) and not isinstance(error, (NotSent, Refused)) and new:
            known = 100 + len(self.there)
            self.nonces[nonce] = (known, self.clock.now())
            self.there[known] = fields["content"]
        if error is not None:
            raise error
        return SimpleNamespace(id=known)

    async def follow_up(self, address: ReplyAddress, fields: Fields) -> int:
        if not self.token_works(address, set(), self.clock.now()):
            raise ReplyClosed("dead")
        return int((await self.send(address, nonce=str(len(self.nonces)), refers_to=None, fields=fields)).id)

    async def find(
        self, address: ReplyAddress, *, after: int, which: Callable[[discord.Message], bool], beside: int | None
    ) -> int | None:
        if not self.readable:
            raise NoAccess("closed")
        listed = (SimpleNamespace(id=one, content=text, attachments=()) for one, text in self.there.items())
        return next((one.id for one in listed if which(cast("discord.Message", one))), None)


@dataclass
class Notes:
    """The outbox of one job, which outlives a crash."""

    job: Job

    async def outbox(self, job_id: JobId) -> tuple[Outgoing, ...]:
        return self.job.outbox

    async def outgoing(self, job_id: JobId, message: Outgoing) -> None:
        self.job = self.job.sending(message)

    async def not_sent(self, job_id: JobId, part: str) -> None:
        self.job = self.job.not_sent(part)


@dataclass
class Desk:
    clock: ManualClock
    channel: Channel
    notes: Notes

    async def post(self) -> int:
        """Post it by a process that knows nothing but what is written down."""
        outbox = Outbox(cast("Routes", self.channel), cast("Book", self.notes), self.clock)
        return await outbox.post(self.notes.job, "t1", self.notes.job.reply, WORDS)


def desk_of(*answers: DeliveryError | None, private: bool = False, token: bool = False, **channel: Any) -> Desk:
    """A job that is over, and what its channel answers; there is a living token for a private one, or as told."""
    clock, job = ManualClock(), make_job(stage=Stage.DELIVERING)
    until = clock.now() + timedelta(hours=1) if private or token else LONG_AGO
    job = replace(job, reply=replace(job.reply, ephemeral=private, token_until=until))
    return Desk(clock, Channel(clock, answers=list(answers), **channel), Notes(job))


async def test_message_that_is_there_is_not_sent_again() -> None:
    desk = desk_of()
    first = await desk.post()
    await desk.clock.advance(3600)
    assert await desk.post() == first
    assert len(desk.channel.there) == 1


@pytest.mark.parametrize("arrives", [True, False], ids=["arrived", "did-not-arrive"])
@pytest.mark.parametrize("pause", [timedelta(seconds=1), LATER], ids=["at-once", "minutes-later"])
async def test_lost_answer_is_settled_and_the_message_there_once(arrives: bool, pause: timedelta) -> None:
    desk = desk_of(DeliveryError("503"), arrives=arrives)
    with pytest.raises(DeliveryError):
        await desk.post()
    assert desk.notes.job.outbox[0].message_id is None, "written down before it left"
    await desk.clock.advance(pause.total_seconds())
    sent = await desk.post()
    assert list(desk.channel.there) == [sent]
    assert desk.notes.job.outbox[0].message_id == sent


@pytest.mark.parametrize(
    ("private", "readable", "pause"),
    [(False, False, LATER), (True, True, timedelta(0))],
    ids=["history-closed", "by-token"],
)
async def test_where_nothing_tells_it_is_not_sent_again(private: bool, readable: bool, pause: timedelta) -> None:
    desk = desk_of(DeliveryError("no answer"), private=private, readable=readable)
    with pytest.raises(DeliveryError):
        await desk.post()
    await desk.clock.advance(pause.total_seconds())
    for _ in range(2):
        with pytest.raises(Unsure):
            await desk.post()
    assert len(desk.channel.there) == 1


@pytest.mark.parametrize("private", [False, True], ids=["by-channel", "by-token"])
@pytest.mark.parametrize("error", [NotSent("429"), Refused("403")], ids=["for-now", "for-good"])
async def test_what_surely_did_not_arrive_may_be_sent_at_any_time(error: DeliveryError, private: bool) -> None:
    desk = desk_of(error, private=private, readable=False)
    with pytest.raises(type(error)):
        await desk.post()
    assert desk.notes.job.outbox == ()
    await desk.clock.advance(LATER.total_seconds())
    sent = await desk.post()
    assert list(desk.channel.there) == [sent]


async def test_it_is_looked_for_at_once_too_for_not_everybody_honours_a_nonce() -> None:
    desk = desk_of(DeliveryError("500"), honours_nonces=False)
    with pytest.raises(DeliveryError):
        await desk.post()
    assert await desk.post() in desk.channel.there
    assert len(desk.channel.there) == 1


@pytest.mark.parametrize("answer", [None, DeliveryError("no answer")], ids=["arrived", "unsure"])
async def test_what_a_closed_channel_refuses_goes_by_a_living_token_and_once(answer: DeliveryError | None) -> None:
    desk = desk_of(answer, closed=True, token=True)
    for again, unsure in ((False, DeliveryError), (True, Unsure)):
        with pytest.raises(unsure) if answer is not None else contextlib.nullcontext():
            await desk.post()
        assert len(desk.channel.there) == 1, "again" if again else "at first"


async def test_what_a_closed_channel_refuses_is_refused_where_the_token_is_dead() -> None:
    desk = desk_of(closed=True)
    with pytest.raises(NoAccess):
        await desk.post()
    assert desk.notes.job.outbox == ()
