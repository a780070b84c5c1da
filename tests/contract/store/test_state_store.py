"""What every `StateStore` promises."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.store.base import StateStore
from bot.store.engine import Database
from bot.store.state import SqlStateStore
from tests.factories import NOW


async def test_unknown_key_is_none(state: StateStore) -> None:
    assert await state.read("commands") is None


async def test_last_value_counts(state: StateStore) -> None:
    await state.write("commands", "v1")
    await state.write("commands", "v2 – ünï")
    assert await state.read("commands") == "v2 – ünï"


async def test_two_processes_write_one_key(state: StateStore, other_database: Database) -> None:
    other = SqlStateStore(other_database)
    await asyncio.gather(*(each.write("key", f"{n}") for n in range(20) for each in (state, other)))
    assert await state.read("key") == await other.read("key")


async def test_of_two_first_values_one_is_kept(state: StateStore, other_database: Database) -> None:
    other = SqlStateStore(other_database)
    kept = await asyncio.gather(state.keep_first("secret", "mine"), other.keep_first("secret", "theirs"))
    assert kept[0] == kept[1] == await state.read("secret") == await other.keep_first("secret", "a third")


async def test_what_was_to_be_kept_for_a_while_is_purged(state: StateStore) -> None:
    await state.write("form", "typed", until=NOW + timedelta(hours=1))
    await state.write("secret", "kept")
    assert await state.purge(now=NOW) == 0
    assert await state.purge(now=NOW + timedelta(hours=1)) == 1
    assert [await state.read("form"), await state.read("secret")] == [None, "kept"]
    await state.forget("secret")
    assert await state.read("secret") is None


async def test_turns_are_shared_between_processes(state: StateStore, other_database: Database) -> None:
    other, apart = SqlStateStore(other_database), timedelta(seconds=1.1)
    given = await asyncio.gather(
        *(each.take_turn("osais", now=NOW, apart=apart) for _ in range(3) for each in (state, other))
    )
    assert sorted(given) == [NOW + number * apart for number in range(6)]
    later = NOW + timedelta(minutes=1)
    assert await state.take_turn("osais", now=later, apart=apart) == later, "nobody was before"
    assert await state.take_turn("another", now=NOW, apart=apart) == NOW
    assert await other.take_turn("osais", now=NOW - timedelta(hours=1), apart=apart) < NOW, "a clock that was wrong"
