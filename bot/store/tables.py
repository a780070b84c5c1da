"""The schema in one place, the same for SQLite and PostgreSQL; migrations lead a database to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """A time, kept as whole microseconds since 1970.

    An integer sorts, compares, and adds up alike on both engines (SQLite has no time type), and it comes back aware.
    In SQLite's shell: `SELECT datetime(due_at / 1000000, 'unixepoch')`.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn an aware time into microseconds; a naive one is a TypeError."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn microseconds into an aware time in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


#: Names for constraints, so that later migrations can refer to them on both engines.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: None is SQL's NULL here, not JSON's null, so that "has no result" can be asked for.
_Document = JSON(none_as_null=True)

#: A provider has the job, and says so with its number.
HAS_IN_WORK = "stage IN ('waiting', 'processing')"
#: Somebody wrote into the mailbox what no lease has seen yet, or what is to be done does not wait for a provider's
#: pace of questions. An index serves only those who put it in the very same words, without parameters.
IS_URGENT = "(nudges > seen_nudges OR stage NOT IN ('waiting', 'processing'))"
#: Something is left to do. In such words SQLite prefers other indexes to that of `stage`, which finds most open rows.
IS_OPEN = "stage <> 'ended'"

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    #: Which request type the document holds ("image").
    Column("kind", Text, nullable=False),
    Column("request", _Document, nullable=False),
    Column("asker_id", BigInteger, nullable=False),
    # The reply. A job comes of an interaction or, later, of a message that mentions the bot: one of the two is there.
    Column("application_id", BigInteger, nullable=False),
    Column("interaction_id", BigInteger, unique=True),
    Column("source_message_id", BigInteger, unique=True),
    Column("token", Text, nullable=False),
    Column("token_until", Moment, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("message_id", BigInteger),
    Column("ephemeral", Boolean, nullable=False),
    Column("by_channel", Boolean, nullable=False),
    Column("size_limit", BigInteger, nullable=False),
    Column("detached", Text, nullable=False),
    # Where it is and what came of it; the pictures' bytes lie in `artifacts`.
    Column("stage", Text, nullable=False),
    Column("progress", _Document),
    Column("artifacts", _Document, nullable=False),
    Column("result", _Document),
    Column("remote_id", Text),
    Column("cost", Double),
    Column("hold", Text, nullable=False),
    #: What has to come for it to go on.
    Column("waits_for", Text, nullable=False, server_default=text("''")),
    Column("held_since", Moment),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", Moment),
    #: No foreign key: the parent may be swept away first.
    Column("parent_id", Text),
    Column("created_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("submitted_at", Moment),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("delivered_at", Moment),
    Column("notified_at", Moment),
    # When it is looked at next.
    Column("due_at", Moment),
    #: What `due_at` was when the row was last leased: the order of one lease, and how late it came.
    Column("previous_due_at", Moment),
    Column("cadence", Double, nullable=False),
    # Whose it is.
    Column("owner", Text),
    Column("version", Integer, nullable=False),
    # The mailbox: what anybody may write whoever owns the row. A nudge is news until a lease has seen it.
    Column("cancel_requested", Boolean, nullable=False),
    Column("nudges", Integer, nullable=False, server_default=text("0")),
    Column("seen_nudges", Integer, nullable=False, server_default=text("0")),
    Index(None, "due_at"),
    Index(None, "stage"),
    Index(None, "provider", "remote_id"),
    #: No two jobs that a provider has in work may have one number there, whichever processes wrote them.
    Index(
        "uq_jobs_in_work_remote_id",
        "provider",
        "remote_id",
        unique=True,
        sqlite_where=text(HAS_IN_WORK),
        postgresql_where=text(HAS_IN_WORK),
    ),
    Index(None, "asker_id", "created_at"),
    Index(None, "delivered_at"),
    #: Among ten thousand that are due, those that go first; usually a handful.
    Index(
        "ix_jobs_urgent",
        "due_at",
        sqlite_where=text(f"due_at IS NOT NULL AND {IS_URGENT}"),
        postgresql_where=text(f"due_at IS NOT NULL AND {IS_URGENT}"),
    ),
    #: Written down, and never noted as acknowledged: looked for every few seconds.
    Index(
        "ix_jobs_unaccepted",
        "created_at",
        sqlite_where=text(f"accepted_at IS NULL AND {IS_OPEN}"),
        postgresql_where=text(f"accepted_at IS NULL AND {IS_OPEN}"),
    ),
)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    # Last, so that SQLite reads the other columns without walking through the bytes.
    Column("data", LargeBinary, nullable=False),
    #: Covers "how many bytes in all".
    Index(None, "size"),
)

state = Table(
    "state",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    #: When it may be forgotten; NULL for never.
    Column("until", Moment),
)

#: Conversations: a tree of turns. The text of an answer stands in its job until that is over, then here as well.
turns = Table(
    "turns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    #: No foreign key, neither here nor for the job: old turns are deleted one by one.
    Column("parent_id", Text),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("private", Boolean, nullable=False),
    Column("pictures", _Document, nullable=False),
    Column("captions", _Document, nullable=False),
    Column("job_id", Text, unique=True),
    Column("settled", Boolean, nullable=False),
    Column("model", Text, nullable=False),
    Column("persona", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "conversation_id"),
    Index(None, "channel_id", "created_at"),
    Index(None, "owner_id"),
    Index(None, "created_at"),
)

#: Which messages show a turn: a long answer has several.
turn_messages = Table(
    "turn_messages",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    Index(None, "turn_id"),
)

#: What a thread or a direct message remembers beside its turns.
chats = Table(
    "chats",
    metadata,
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger),
    Column("owner_id", BigInteger, nullable=False),
    Column("persona", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("is_thread", Boolean, nullable=False),
    Column("ended_at", Moment),
)

#: What services told us by calling us. No foreign key: a call may come before its job knows the request's number.
inbox = Table(
    "inbox",
    metadata,
    #: Rises with the order of arrival, and is never given twice.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("provider", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    #: What makes two calls about one request the same.
    Column("fingerprint", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("said", _Document, nullable=False),
    Column("size", BigInteger, nullable=False),
    # Last, as in `artifacts`.
    Column("data", LargeBinary),
    UniqueConstraint("provider", "remote_id", "fingerprint"),
    Index(None, "received_at"),
    sqlite_autoincrement=True,
)

#: What people chose for themselves.
preferences = Table(
    "preferences",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    #: How to tell them of a late answer.
    Column("notify", Text, nullable=False),
)


def insert_into(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that can say what to do about a conflict: both engines have it, each its own."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - two megabytes that a bot on SQLite does not need

        return postgresql.insert(table)
    return sqlite.insert(table)


def upsert(dialect: Dialect, table: Table, values: Mapping[str, Any]) -> sqlite.Insert | postgresql.Insert:
    """Build the statement that writes a row whether or not its key is there."""
    statement = insert_into(dialect, table).values(**values)
    keys = [column.name for column in table.primary_key]
    rest = {name: statement.excluded[name] for name in values if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
