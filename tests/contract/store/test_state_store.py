"""What every `StateStore` promises."""

from __future__ import annotations

import asyncio

from bot.store.base import StateStore
from bot.store.engine import Database
from bot.store.state import SqlStateStore


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
