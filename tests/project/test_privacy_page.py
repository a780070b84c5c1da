"""The page's lines that delete a person do so, and nobody else."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.store.engine import open_database
from bot.store.tables import metadata

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
ADA, GRACE = 111111111111111111, 222222222222222222
#: Columns that say whose a row is.
PEOPLE = {"asker_id", "author_id", "owner_id", "user_id"}


def insert(connection: sqlite3.Connection, name: str, **values: object) -> None:
    """Write a row, with something of the right kind in every column that has to have a value."""
    table = metadata.tables[name]
    needed = [column for column in table.columns if not column.nullable and column.name not in values]
    row = {column.name: 0 if "INT" in str(column.type).upper() else "{}" for column in needed} | values
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def fill(connection: sqlite3.Connection, person: int) -> None:
    """Write down a row of each kind about a person."""
    for job in (f"paint-{person}", f"answer-{person}"):
        insert(connection, "jobs", id=job, asker_id=person, provider="osais", remote_id=job, stage="ended")
        insert(connection, "artifacts", job_id=job, idx=0)
        insert(connection, "inbox", id=None, provider="osais", remote_id=job, fingerprint="x")
    talk = {"conversation_id": f"talk-{person}", "author_id": person, "owner_id": person}
    insert(connection, "turns", id=f"turn-{person}", job_id=f"answer-{person}", **talk)
    insert(connection, "turn_messages", message_id=person, turn_id=f"turn-{person}")
    insert(connection, "chats", channel_id=person, owner_id=person)
    insert(connection, "preferences", user_id=person)


def rows(connection: sqlite3.Connection) -> dict[str, int]:
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in metadata.tables}


async def test_privacy_page_deletes_one_person_and_no_other(tmp_path: Path) -> None:
    found = re.search(r"<<SQL\n(.*?)^SQL$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'muster.db'}"):
        pass
    with closing(sqlite3.connect(tmp_path / "muster.db", isolation_level=None)) as connection:
        fill(connection, GRACE)
        hers = rows(connection)
        fill(connection, ADA)
        # Grace answered in Ada's conversation: that goes as a whole.
        insert(connection, "turns", id="late", conversation_id=f"talk-{ADA}", author_id=GRACE, owner_id=ADA)
        connection.executescript(found[1].replace("$ID", str(ADA)))

        assert rows(connection) == hers
        personal = [(table.name, column) for table in metadata.tables.values() for column in PEOPLE & {*table.c.keys()}]
        assert len(personal) >= 5
        for table, column in personal:
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", [ADA]).fetchone() == (0,)
