"""What every `ConversationStore` promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.conversation import Role, TextRequest, Turn
from bot.domain.jobs import JobId
from bot.domain.replies import LONG_AGO
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.domain.turns import Chat, ConversationId, KeptTurn, TurnId
from bot.errors import DuplicateJob
from bot.store.conversations import SqlConversationStore
from bot.store.engine import Database
from bot.store.jobs import SqlJobStore
from tests.factories import NOW, OWNER, make_job

ADA, GRACE, CHANNEL = 11, 12, 77


def turn(name: str, parent: str | None = None, *, after: float = 0.0, **fields: Any) -> KeptTurn:
    """A turn of the conversation `a`, so many seconds after the beginning."""
    values: dict[str, Any] = {
        "id": TurnId(name),
        "conversation_id": ConversationId("a"),
        "parent_id": None if parent is None else TurnId(parent),
        "role": Role.USER,
        "text": f"text of {name}",
        "author_id": ADA,
        "owner_id": ADA,
        "channel_id": CHANNEL,
        "created_at": NOW + timedelta(seconds=after),
    }
    return KeptTurn(**values | fields)


@pytest.fixture
def turns(database: Database) -> SqlConversationStore:
    return SqlConversationStore(database)


async def test_turn_comes_back_as_it_was(turns: SqlConversationStore) -> None:
    kept = turn("a", pictures=(SourceMedia(url="https://cdn.discordapp.com/a.png"),), captions=("ein Leuchtturm 🗼",))
    await turns.add(kept)
    assert await turns.get(kept.id) == kept
    assert await turns.get(TurnId("b")) is None


async def test_branch_is_read_from_its_end(turns: SqlConversationStore) -> None:
    await turns.add(turn("a"), turn("b", "a", after=1), turn("c", "b", after=2), turn("x", "b", after=3))
    assert [one.id for one in await turns.branch(TurnId("c"), limit=9)] == ["a", "b", "c"]
    assert [one.id for one in await turns.branch(TurnId("x"), limit=2)] == ["b", "x"]


async def test_branch_survives_a_parent_that_is_gone(turns: SqlConversationStore) -> None:
    await turns.add(turn("a"), turn("b", "a", after=100))
    assert await turns.purge(before=NOW + timedelta(seconds=50)) == 1
    assert [one.id for one in await turns.branch(TurnId("b"), limit=9)] == ["b"]


async def test_every_message_of_an_answer_leads_to_it(turns: SqlConversationStore) -> None:
    await turns.add(turn("a"))
    for message in (5, 6, 5):
        await turns.shown_in(TurnId("a"), message)
    await turns.shown_in(TurnId("nowhere"), 7)
    found = await turns.of_message(6)
    assert found is not None
    assert found.id == "a"
    assert await turns.of_message(7) is None
    assert list(await turns.messages_of(TurnId("a"))) == [5, 6]


async def test_one_job_has_one_answer(turns: SqlConversationStore) -> None:
    await turns.add(turn("a", job_id=JobId("job")))
    with pytest.raises(DuplicateJob):
        await turns.add(turn("b", job_id=JobId("job")))


async def test_settling_ends_waiting(turns: SqlConversationStore) -> None:
    await turns.add(turn("a", role=Role.ASSISTANT, text="", settled=False, job_id=JobId("job")))
    assert [one.id for one in await turns.pending(ConversationId("a"))] == ["a"]
    await turns.settle(TurnId("a"), text="words", model="M", tokens=3)
    assert not await turns.pending(ConversationId("a"))
    found = await turns.of_job(JobId("job"))
    assert found is not None
    assert (found.text, found.model, found.tokens) == ("words", "M", 3)


async def test_newest_in_a_channel_heeds_time_and_privacy(turns: SqlConversationStore) -> None:
    await turns.add(turn("a"), turn("b", "a", after=1), turn("c", after=2, private=True))
    newest = await turns.newest_in(CHANNEL, since=LONG_AGO)
    assert newest is not None
    assert newest.id == "b"
    assert await turns.newest_in(CHANNEL, since=NOW + timedelta(seconds=1)) is None
    own = await turns.newest_in(CHANNEL, since=LONG_AGO, owner_id=ADA)
    assert own is not None
    assert own.id == "c"
    assert await turns.newest_in(CHANNEL, since=LONG_AGO, owner_id=GRACE) is None


async def test_erasing_takes_jobs_along_and_those_in_work_once_they_are_done(
    turns: SqlConversationStore, store: SqlJobStore
) -> None:
    question = TextRequest(
        turns=(Turn(role=Role.USER, text="My secret is an oak."),),
        model="M",
        template="chatml",
        max_length=100,
        context=1024,
    )
    done, running, others = (
        make_job(stage=stage, request=question, artifacts=()) for stage in (Stage.ENDED, Stage.WAITING, Stage.ENDED)
    )
    for job in (done, running, others):
        await store.add(job)
    await turns.add(turn("a"), turn("b", "a", job_id=done.id), turn("c", "b", job_id=running.id))
    await turns.add(turn("z", conversation_id=ConversationId("z"), job_id=others.id))
    await turns.shown_in(TurnId("b"), 5)
    assert await turns.erase([ConversationId("a")]) == 3
    assert await store.get(done.id) is None
    left = await store.get(running.id)
    assert left is not None
    assert (left.stage, left.remote_id, left.version) == (Stage.WAITING, running.remote_id, running.version)
    assert "oak" not in str(left)
    assert await turns.of_message(5) is None
    assert list(await turns.owned_by(ADA)) == [ConversationId("z")]
    await turns.purge(before=LONG_AGO)
    assert await store.get(running.id) is not None, "it goes on"
    await store.change(running.id, OWNER, lambda row: row.concluded(Result(outcome=Outcome.CANCELLED), NOW))
    await store.change(running.id, OWNER, lambda row: row.delivered(NOW))
    await turns.purge(before=LONG_AGO)
    assert await store.get(running.id) is None
    assert await store.get(others.id) is not None


async def test_chat_is_kept_by_channel(turns: SqlConversationStore) -> None:
    chat = Chat(channel_id=CHANNEL, owner_id=ADA, since=NOW, persona="tutor", is_thread=True)
    await turns.keep_chat(chat)
    assert await turns.chat(CHANNEL) == chat
    assert await turns.chat(1) is None
