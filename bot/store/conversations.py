"""Conversations as rows: a turn knows its parent, so one statement reads a branch from its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, RowMapping, Select, delete, exists, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.conversation import Role, TextRequest
from bot.domain.jobs import JobId
from bot.domain.sources import SourceMedia
from bot.domain.stages import TERMINAL
from bot.domain.turns import Chat, ConversationId, KeptTurn, TurnId
from bot.errors import DuplicateJob
from bot.store.conversation_base import ConversationStore
from bot.store.engine import Database
from bot.store.rows import wordless
from bot.store.tables import chats, jobs, turn_messages, turns, upsert

_pictures: Final = TypeAdapter(tuple[SourceMedia, ...])
#: Rows deleted in one statement.
_CHUNK: Final = 200
_DONE: Final = tuple(stage.value for stage in TERMINAL)
_IS_TEXT: Final = jobs.c.kind == TextRequest.kind


class SqlConversationStore(ConversationStore):
    """The `ConversationStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = database.writer

    async def add(self, *turns: KeptTurn) -> None:
        """Write turns down, together. Raises `DuplicateJob` for an answer whose job has one already."""
        await self._writer.submit(partial(_add, rows=[_to_row(turn) for turn in turns]))

    async def get(self, turn_id: TurnId) -> KeptTurn | None:
        """The turn, or None."""
        return await self._one(select(turns).where(turns.c.id == turn_id))

    async def of_job(self, job_id: JobId) -> KeptTurn | None:
        """The answer that a job makes, or None."""
        return await self._one(select(turns).where(turns.c.job_id == job_id))

    async def of_message(self, message_id: int) -> KeptTurn | None:
        """The turn that a message shows, or None."""
        shown = select(turns).join(turn_messages, turn_messages.c.turn_id == turns.c.id)
        return await self._one(shown.where(turn_messages.c.message_id == message_id))

    async def shown_in(self, turn_id: TurnId, message_id: int) -> None:
        """Note that a message shows the turn; a turn that is gone is not an error."""
        await self._writer.submit(partial(_show, turn_id=turn_id, message_id=message_id))

    async def messages_of(self, turn_id: TurnId) -> Sequence[int]:
        """The messages that show the turn, oldest first."""
        statement = select(turn_messages.c.message_id).where(turn_messages.c.turn_id == turn_id)
        async with self._database.reading() as connection:
            return list(await connection.scalars(statement.order_by(turn_messages.c.message_id)))

    async def branch(self, turn_id: TurnId, *, limit: int) -> Sequence[KeptTurn]:
        """The turn and what it goes on from, oldest first; at most the last `limit`, as far back as they are kept."""
        walk = select(turns.c.id, turns.c.parent_id, literal(1).label("depth")).where(turns.c.id == turn_id)
        steps = walk.cte("branch", recursive=True)
        above = select(turns.c.id, turns.c.parent_id, steps.c.depth + 1).where(
            turns.c.id == steps.c.parent_id, steps.c.depth < limit
        )
        steps = steps.union_all(above)
        statement = select(turns).join(steps, steps.c.id == turns.c.id).order_by(steps.c.depth.desc())
        return await self._all(statement)

    async def newest_in(self, channel_id: int, *, since: datetime, owner_id: int | None = None) -> KeptTurn | None:
        """The last turn said in a channel since then, or None: one said to all, or any of one owner's conversations."""
        whose = turns.c.private.is_(False) if owner_id is None else turns.c.owner_id == owner_id
        wanted = [turns.c.channel_id == channel_id, turns.c.created_at > since, whose]
        newest = select(turns).where(*wanted).order_by(turns.c.created_at.desc(), turns.c.role).limit(1)
        return await self._one(newest)

    async def pending(self, conversation_id: ConversationId) -> Sequence[KeptTurn]:
        """The answers of a conversation that are not settled, oldest first."""
        unsettled = select(turns).where(turns.c.conversation_id == conversation_id, turns.c.settled.is_(False))
        return await self._all(unsettled.order_by(turns.c.created_at, turns.c.id))

    async def settle(self, turn_id: TurnId, *, text: str, model: str, tokens: int) -> None:
        """Write an answer's words down, once its job is over."""
        statement = update(turns).where(turns.c.id == turn_id)
        await self._change(statement.values(text=text, model=model, tokens=tokens, settled=True))

    async def caption(self, turn_id: TurnId, captions: Sequence[str]) -> None:
        """Write down what a captioner said of a turn's pictures."""
        await self._change(update(turns).where(turns.c.id == turn_id).values(captions=list(captions)))

    async def whole(self, conversation_id: ConversationId) -> Sequence[KeptTurn]:
        """Every turn of a conversation, oldest first."""
        everything = select(turns).where(turns.c.conversation_id == conversation_id)
        return await self._all(everything.order_by(turns.c.created_at, turns.c.role.desc(), turns.c.id))

    async def erase(self, conversation_ids: Sequence[ConversationId]) -> int:
        """Delete conversations with the jobs that answered in them; returns how many turns.

        A job that is still in work forgets what was said, and is swept away once it is done.
        """
        return await self._writer.submit(partial(_erase, conversation_ids=tuple(conversation_ids)))

    async def owned_by(self, owner_id: int) -> Sequence[ConversationId]:
        """The conversations a person began."""
        statement = select(turns.c.conversation_id).where(turns.c.owner_id == owner_id).distinct()
        async with self._database.reading() as connection:
            return [ConversationId(found) for found in await connection.scalars(statement)]

    async def purge(self, *, before: datetime) -> int:
        """Delete turns said before then with their jobs, and done jobs of erased ones; returns how many turns."""
        return await self._writer.submit(partial(_purge, before=before))

    async def chat(self, channel_id: int) -> Chat | None:
        """What a thread or a direct message remembers, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(chats).where(chats.c.channel_id == channel_id))
            row = found.mappings().one_or_none()
        return None if row is None else Chat(**row)

    async def keep_chat(self, chat: Chat) -> None:
        """Write that down; what was there before is forgotten."""
        row = {column.name: getattr(chat, column.name) for column in chats.columns}
        await self._writer.submit(partial(_keep_chat, row=row))

    async def _change(self, statement: Any) -> None:
        async def run(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._writer.submit(run)

    async def _one(self, statement: Select[Any]) -> KeptTurn | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _from_row(row)

    async def _all(self, statement: Select[Any]) -> list[KeptTurn]:
        async with self._database.reading() as connection:
            return [_from_row(row) for row in (await connection.execute(statement)).mappings()]


async def _add(connection: AsyncConnection, *, rows: list[dict[str, Any]]) -> None:
    try:
        await connection.execute(insert(turns), rows)
    except IntegrityError:
        raise DuplicateJob(f"turns {[row['id'] for row in rows]} are known already") from None


async def _show(connection: AsyncConnection, *, turn_id: TurnId, message_id: int) -> None:
    if await connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is not None:
        row = {"message_id": message_id, "turn_id": turn_id}
        await connection.execute(upsert(connection.dialect, turn_messages, row))


async def _keep_chat(connection: AsyncConnection, *, row: dict[str, Any]) -> None:
    await connection.execute(upsert(connection.dialect, chats, row))


async def _erase(connection: AsyncConnection, *, conversation_ids: tuple[ConversationId, ...]) -> int:
    erased = 0
    for start in range(0, len(conversation_ids), _CHUNK):
        some = conversation_ids[start : start + _CHUNK]
        which = turns.c.conversation_id.in_(some)
        await _forget_words(connection, which)
        erased += await _delete(connection, which=which)
    return erased


async def _forget_words(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    """Take what was said out of the jobs that are in work on those turns.

    Their version stays: an owner that is about to write a number down must not be turned away over it.
    """
    answering = select(turns.c.job_id).where(which, turns.c.job_id.is_not(None))
    in_work = select(jobs.c.id, jobs.c.request).where(_IS_TEXT, jobs.c.id.in_(answering), jobs.c.stage.not_in(_DONE))
    for job_id, request in (await connection.execute(in_work)).all():
        await connection.execute(update(jobs).where(jobs.c.id == job_id).values(request=wordless(request)))


async def _purge(connection: AsyncConnection, *, before: datetime) -> int:
    """Delete old turns, and what became of jobs whose turns were deleted while they were in work.

    Every text has its turns before its job is written, so one without turns is of a conversation that is gone.
    """
    purged = await _delete(connection, which=turns.c.created_at < before)
    has_turn = exists().where(turns.c.job_id == jobs.c.id)
    await connection.execute(delete(jobs).where(_IS_TEXT, jobs.c.stage.in_(_DONE), ~has_turn))
    return purged


async def _delete(connection: AsyncConnection, *, which: ColumnElement[bool]) -> int:
    """Delete turns with what their jobs hold of them; a job that is still in work goes on, and is nobody's answer."""
    answered = select(turns.c.job_id).where(which, turns.c.job_id.is_not(None))
    await connection.execute(delete(jobs).where(jobs.c.id.in_(answered), jobs.c.stage.in_(_DONE)))
    return (await connection.execute(delete(turns).where(which))).rowcount


def _to_row(turn: KeptTurn) -> dict[str, Any]:
    row = {column.name: getattr(turn, column.name) for column in turns.columns}
    return row | {
        "role": turn.role.value,
        "pictures": _pictures.dump_python(turn.pictures, mode="json"),
        "captions": list(turn.captions),
    }


def _from_row(row: RowMapping) -> KeptTurn:
    values: dict[str, Any] = dict(row)
    values["role"] = Role(row["role"])
    values["pictures"] = _pictures.validate_python(row["pictures"])
    values["captions"] = tuple(row["captions"])
    return KeptTurn(**values)
