"""Turns and jobs together, on a real store: what goes on from what, what waits, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from bot.clock import ManualClock
from bot.domain.conversation import Look, Role, TextArtifact, TextRequest, Turn
from bot.domain.jobs import Job, JobId
from bot.domain.replies import ReplyAddress
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceMedia
from bot.domain.turns import Chat
from bot.errors import InvalidRequest, JobGone
from bot.services.asking import AskWish
from bot.services.composing import AFTER_ANOTHER, LOOKING, UNSEEN, Composer
from bot.services.conversations import Conversations
from bot.services.jobs import JobService
from bot.services.ports import Waits
from bot.services.talking import Speaker, Talking
from bot.services.tracker import Tracker
from bot.store.conversations import SqlConversationStore
from bot.store.jobs import SqlJobStore
from tests.databases import open_fresh_database
from tests.factories import NOW, OWNER, make_reply
from tests.scripted import Wall
from tests.unit.test_asking import NEMO, QWEN, Models, asking

CHANNEL = 300_000_000_000_000_001
PICTURE = SourceMedia(url="https://cdn.discordapp.com/a.png")


class Asleep:
    """A tracker that nobody needs to wake: tests move jobs on themselves."""

    def wake(self) -> None:
        pass


class Opener:
    """Opens every reply."""

    async def open(self, job: Job) -> int | None:
        return job.reply.message_id


class Described:
    """Says of pictures what it was told to; nothing as long as it looks."""

    def __init__(self) -> None:
        self.words: tuple[str, ...] | None = None
        self.dropped: list[Look] = []

    async def further(self, looks: Sequence[Look], pictures: Sequence[SourceMedia]) -> tuple[Look, ...]:
        words = self.words or [None for _ in pictures]
        return tuple(Look(since=NOW, remote_id="r", caption=caption) for caption in words)

    async def drop(self, looks: Sequence[Look]) -> None:
        self.dropped += looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that takes part in a conversation."""

    talking: Talking
    composer: Composer
    conversations: Conversations
    jobs: SqlJobStore
    described: Described
    models: Models
    clock: ManualClock

    async def asked(self, text: str, wish: AskWish | None = None, *pictures: SourceMedia) -> Job:
        """Begin a conversation."""
        job = await self.talking.ask(text, wish or AskWish(), speaker(), pictures=pictures)
        assert job is not None
        return job

    async def replied(self, job: Job, text: str) -> Job:
        """Reply to an answer."""
        await self.clock.advance(1)
        turn = await self.talking.answered_by(job.id, 7, CHANNEL)
        made = await self.talking.follow(turn, text, speaker())
        assert made is not None
        return made

    async def answer(self, job: Job, text: str, *, cut: bool = False) -> None:
        """Have a job end with these words."""
        artifact = TextArtifact(index=0, remote_id=f"{job.id}/0", text=text, cut=cut, model="Nemo-12B", tokens=5)
        now = self.clock.now()

        def change(row: Job) -> Job:
            return row.with_artifacts(artifact).concluded(Result(outcome=Outcome.FINISHED), now).delivered(now)

        await self.jobs.change(job.id, OWNER, change)
        await self.clock.advance(1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with two models and nothing said yet."""
    async with open_fresh_database(tmp_path) as database:
        clock, jobs, models = ManualClock(), SqlJobStore(database), Models(NEMO, QWEN)
        ask = asking()
        ask._models = models
        conversations = Conversations(SqlConversationStore(database), jobs, clock)
        tracker = cast("Tracker", Asleep())
        service = JobService(store=jobs, tracker=tracker, shows=Wall(), clock=clock, process=OWNER)
        described = Described()
        yield Desk(
            talking=Talking(asking=ask, conversations=conversations, jobs=service, clock=clock),
            composer=Composer(asking=ask, conversations=conversations, captions=described),
            conversations=conversations,
            jobs=jobs,
            described=described,
            models=models,
            clock=clock,
        )


def speaker(address: ReplyAddress | None = None) -> Speaker:
    """Ada, in the channel where all of it happens."""
    where = address or make_reply(channel_id=CHANNEL)
    return Speaker(user_id=7, name="Ada", address=where, reply=Opener())


def text_of(request: object) -> TextRequest:
    assert isinstance(request, TextRequest)
    return request


async def test_a_reply_goes_on_with_the_words_that_came_meanwhile(desk: Desk) -> None:
    first = await desk.asked("My name is Ada.", AskWish(model="Nemo-12B", persona="tutor"))
    await desk.answer(first, "Hello Ada.")
    second = text_of((await desk.replied(first, "Who am I?")).request)
    assert [turn.text for turn in second.turns] == ["My name is Ada.", "Hello Ada.", "Who am I?"]
    assert (second.persona, second.model, second.unready) == ("tutor", "Nemo-12B", False)


async def test_a_chats_persona_counts_more_than_the_one_before(desk: Desk) -> None:
    first = await desk.asked("Hello", AskWish(persona="tutor"))
    await desk.answer(first, "Hello.")
    chat = Chat(channel_id=CHANNEL, owner_id=7, persona="coder", since=desk.clock.now())
    await desk.conversations.keep_chat(chat)
    second = await desk.replied(first, "And now?")
    assert text_of(second.request).persona == "coder"
    await desk.answer(second, "Well.")
    await desk.conversations.keep_chat(replace(chat, ended_at=desk.clock.now()))
    assert text_of((await desk.replied(first, "And after it?")).request).persona == "tutor"


async def test_what_is_asked_meanwhile_waits_and_is_composed_from_the_answer(desk: Desk) -> None:
    first = await desk.asked("My name is Ada.")
    second = await desk.replied(first, "Who am I?")
    assert text_of(second.request).unready
    assert await desk.composer.ready(second) == Waits(request=second.request, why=AFTER_ANOTHER)
    with pytest.raises(InvalidRequest, match="waiting"):
        await desk.replied(first, "Hello?")
    await desk.answer(first, "Hello Ada.")
    ready = text_of(await desk.composer.ready(second))
    assert not ready.unready
    assert [turn.text for turn in ready.turns] == ["My name is Ada.", "Hello Ada.", "Who am I?"]
    assert await desk.composer.ready(first) is first.request, "what is ready stays as it is"


async def test_what_was_erased_meanwhile_is_answered_as_it_was_asked(desk: Desk) -> None:
    first = await desk.asked("Hello.")
    second = await desk.replied(first, "Who am I?")
    turn = await desk.talking.answered_by(first.id, 7, CHANNEL)
    await desk.conversations.erase(turn.conversation_id)
    ready = text_of(await desk.composer.ready(second))
    assert ready == replace(text_of(second.request), unready=False)


@pytest.mark.parametrize(
    ("words", "captions", "remarks"),
    [pytest.param(("a fox",), ("a fox",), (), id="seen"), pytest.param(("",), ("",), (UNSEEN,), id="unseen")],
)
async def test_a_picture_is_waited_for_and_remembered(
    desk: Desk, words: tuple[str, ...], captions: tuple[str, ...], remarks: tuple[str, ...]
) -> None:
    job = await desk.asked("What is this?", None, PICTURE)
    waits = await desk.composer.ready(job)
    assert isinstance(waits, Waits)
    assert waits.why == LOOKING
    assert [look.remote_id for look in text_of(waits.request).looks] == ["r"], "written down for the next life"
    desk.described.words = words
    ready = text_of(await desk.composer.ready(job))
    assert ready.turns == (Turn(role=Role.USER, text="What is this?", author="Ada", captions=captions),)
    assert ready.remarks == remarks
    desk.described.words = None
    assert text_of(await desk.composer.ready(job)).turns == ready.turns, "nobody looks twice"


async def test_only_what_was_cut_off_is_carried_on(desk: Desk) -> None:
    first = await desk.asked("Tell me a story.")
    await desk.answer(first, "Once upon a time.")
    with pytest.raises(InvalidRequest, match="complete"):
        await desk.talking.carry_on(first.id, speaker())
    second = await desk.asked("Tell me a longer story.")
    await desk.answer(second, "Once upon", cut=True)
    more = await desk.talking.carry_on(second.id, speaker())
    assert more is not None
    assert text_of(more.request).continuing
    await desk.answer(more, " a time.")
    third = text_of((await desk.replied(more, "And then?")).request)
    assert [turn.text for turn in third.turns] == ["Tell me a longer story.", "Once upon a time.", "And then?"]


async def test_a_question_whose_turn_is_gone_can_be_asked_again_from_its_job(desk: Desk) -> None:
    first = await desk.asked("Why?")
    await desk.clock.advance(3600)
    answer = await desk.talking.answered_by(first.id, 7, CHANNEL)
    await desk.answer(first, "Because.")
    assert answer.parent_id is not None
    question = await desk.conversations.turn(answer.parent_id)
    again = await desk.talking.again(first.id, speaker())
    assert again is not None
    assert question is not None
    assert [turn.text for turn in text_of(again.request).turns] == ["Why?"]


async def test_what_nobody_remembers_is_told(desk: Desk) -> None:
    with pytest.raises(JobGone, match="no turn") as caught:
        await desk.talking.answered_by(JobId("unknown"), 7, CHANNEL)
    assert "/ask" in caught.value.user_message
    first = await desk.asked("Why?")
    with pytest.raises(JobGone):
        await desk.talking.answered_by(first.id, 7, CHANNEL + 1)


async def test_words_that_nobody_could_store_are_left_out(desk: Desk) -> None:
    job = await desk.asked("a\0b \ud83d c ")
    assert text_of(job.request).turns[0].text == "ab \ufffd c"
    with pytest.raises(InvalidRequest, match="nothing to answer"):
        await desk.asked("\u200b\u200d \u202e\ufeff\0")


async def test_a_question_given_up_leaves_no_request_for_its_picture(desk: Desk) -> None:
    job = await desk.asked("What is this?", None, PICTURE)
    waits = await desk.composer.ready(job)
    assert isinstance(waits, Waits)
    await desk.composer.given_up(replace(job, request=waits.request))
    assert [look.remote_id for look in desk.described.dropped] == ["r"]


async def test_a_picture_never_described_is_described_when_the_question_is_asked_again(desk: Desk) -> None:
    first = await desk.asked("What is this?", None, PICTURE)
    now = desk.clock.now()
    await desk.jobs.change(
        first.id, OWNER, lambda row: row.concluded(Result(outcome=Outcome.CANCELLED), now).delivered(now)
    )
    await desk.clock.advance(1)
    again = await desk.talking.again(first.id, speaker())
    assert again is not None
    assert text_of(again.request).unready
    desk.described.words = ("a fox",)
    assert text_of(await desk.composer.ready(again)).turns[-1].captions == ("a fox",)


async def test_an_answer_that_came_to_nothing_is_not_gone_on_from(desk: Desk) -> None:
    first = await desk.asked("Why?")
    now = desk.clock.now()
    failed = Result(outcome=Outcome.FAILED)
    await desk.jobs.change(first.id, OWNER, lambda row: row.concluded(failed, now).delivered(now))
    second = text_of((await desk.replied(first, "Then why not?")).request)
    assert [turn.text for turn in second.turns] == ["Why?", "Then why not?"]
