"""A bot that dies and comes back: a real child process, killed and started again on one database.

The world outlives it. All that tests look at is what the simulators hold, and, where a promise is about the row, the
database file itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from bot.sandbox.call_log import Call
from bot.sandbox.control import Service
from bot.sandbox.fault_spec import fault_from
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.serve import Sandbox
from tests.flow.forked import ForkedBot, Prelude
from tests.flow.town import Reply, Town, eventually

#: In the call log and for faults: handing a request over, answering an interaction, asking whether it was answered.
SUBMIT, CALLBACK, ORIGINAL = "/generate/async$", "/callback$", "/messages/@original$"
#: In an edit's JSON: it brings files.
WITH_FILES = '"attachments":\\[[^]]'

#: The bot's address as services see it, where it has one.
PUBLIC_URL = "https://muster.test"

#: In the database's unit of time, microseconds.
HOUR = 3600 * 1_000_000


class HasId(Protocol):
    """What somebody did, an interaction or a message: its job's row knows it by the id."""

    id: int


class Lives(Town):
    """A world whose bot may be killed at any moment."""

    def __init__(
        self,
        sandbox: Sandbox,
        folder: Path,
        session: aiohttp.ClientSession,
        *,
        key_of: str | None = None,
        prelude: Prelude | None = None,
    ) -> None:
        """Its first bot has the Horde key of `key_of`; `prelude` is done in each new process before its bot begins."""
        super().__init__(sandbox)
        self._folder = folder
        self._session = session
        self._prelude = prelude
        self._bots: dict[str | None, ForkedBot] = {}
        self.bot = self._bot_of(key_of)

    # -- life and death -------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Start the bot and wait until it takes commands."""
        if self.bot.running:
            return
        self._mark = self._mark if self.bot.starts else self._latest_call()
        await self.bot.start()
        await eventually(lambda: self._is_up() or not self.bot.running)
        assert self.bot.running, "\n".join(self.bot.output(30))

    async def die(self) -> None:
        """End the bot as a power cut would, and free whoever hangs on a fault of its last life."""
        await self.bot.kill()
        self.sandbox.faults.clear()
        await eventually(lambda: not self.sandbox.discord.gateway.connected)

    async def die_and_live(self) -> None:
        """Kill it and start it again."""
        await self.die()
        await self.live()

    def set_door(self, *, open: bool) -> None:  # noqa: A002 - what one does with doors
        """Let the next lives have an address at which services can call them, or none; there has to be a map of it."""
        self.bot.change_settings(PUBLIC_URL=PUBLIC_URL if open else "")

    async def use_key_of(self, user: str | None) -> None:
        """Go on with a bot that has the Horde key of `user` (None: everybody's) and a database of its own."""
        if self.bot is not self._bot_of(user):
            await self.die()
            self.bot = self._bot_of(user)
        await self.live()

    async def end(self) -> None:
        """Leave no process behind."""
        for bot in self._bots.values():
            await bot.kill()

    def _bot_of(self, user: str | None) -> ForkedBot:
        if user not in self._bots:
            env = self.sandbox.settings_env(f"sqlite+aiosqlite:///{self._file_of(user)}", horde_user=user)
            self._bots[user] = ForkedBot(
                self.sandbox.control_url, folder=self._folder, settings=env, prelude=self._prelude
            )
        return self._bots[user]

    def _file_of(self, user: str | None) -> Path:
        return self._folder / f"{user or 'anonymous'}.db"

    def _is_up(self) -> bool:
        synced = self.bot.starts > 1 or bool(self.calls(service=Service.DISCORD, method="PUT", path="/commands"))
        return synced and bool(self.sandbox.discord.gateway.connected)

    # -- mishaps at a precise moment ------------------------------------------------------------------------------

    def arm(self, service: str, **fault: Any) -> int:
        """Script a fault; returns its number for `met`."""
        return self.sandbox.faults.arm(fault_from({"service": service, **fault}))

    async def met(self, fault: int, *, step: float = 0.0) -> None:
        """Wait until the bot has run into the fault, passing time in steps."""
        while not await self.has_met(fault):
            await self.until_next_look(step)

    async def until_next_look(self, step: float) -> None:
        """Let everybody act once, and so much time pass."""
        began = self.sandbox.clock.monotonic()
        await self.until(lambda: self.sandbox.clock.monotonic() >= began + step, step=step)

    async def has_met(self, fault: int) -> bool:
        """Whether the bot has run into the fault."""
        return any(one["met"] for one in await self.faults() if one["id"] == fault)

    async def faults(self) -> list[dict[str, Any]]:
        """The scripted faults, and how often the bot ran into each."""
        async with self._session.get(f"{self.sandbox.control_url}/faults") as answer:
            told: list[dict[str, Any]] = await answer.json()
            return told

    # -- what became of it ----------------------------------------------------------------------------------------

    def submissions(self) -> list[Call]:
        """All that was sent to the Horde to be painted, answered or not."""
        return self.calls(method="POST", path=SUBMIT)

    def painted_for(self, prompt: str) -> list[str]:
        """The hashes of what was painted for a prompt that only this test uses, sorted."""
        requests = self.sandbox.horde.world.own_requests()
        mine = [request for request in requests if request.order.prompt == prompt]
        return sorted(job.picture.sha256 for request in mine for job in request.jobs if job.picture.sha256)

    async def finished(self, reply: Reply, prompt: str, *, count: int, submissions: int = 1) -> None:
        """Check that the reply ends with exactly what was painted, each once, and that nothing was done twice."""
        await reply.end()
        assert len(reply.hashes) == count, reply
        assert sorted(reply.hashes) == self.painted_for(prompt), reply
        assert len(self.submissions()) == submissions
        assert self.calls(service=Service.DISCORD, method="PUT", path="/commands") == [], "synced again"
        await self.settled(reply.record)

    async def settled(self, record: HasId) -> dict[str, Any]:
        """Wait until the row says that nothing is left to do; returns it."""
        await self.until(lambda: (self.row(record) or {}).get("stage") == "ended")
        row = self.row(record)
        assert row is not None
        assert row["delivered_at"] is not None or row["accepted_at"] is None
        return row

    def waits_to_be_collected(self, record: HasId) -> bool:
        """Whether the job is over, and nobody looks at it for hours unless somebody presses."""
        row = self.row(record)
        return row is not None and row["stage"] == "delivering" and row["due_at"] - row["ended_at"] > HOUR

    def closed_unheard(self, record: HasId) -> bool:
        """Whether the job was closed because nothing could tell any more whether it had ever been acknowledged."""
        row = self.row(record)
        return row is not None and row["stage"] == "ended" and row["accepted_at"] is None

    def kept(self, job_id: str) -> int:
        """How many artifacts of a job the database files hold."""
        total = 0
        for user in self._bots:
            with contextlib.closing(sqlite3.connect(self._file_of(user))) as database:
                [found] = database.execute("SELECT count(*) FROM artifacts WHERE job_id = ?", (job_id,)).fetchone()
                total += int(found)
        return total

    def row(self, record: HasId) -> dict[str, Any] | None:
        """The row of an interaction's or a mention's job as the database file has it, or None."""
        for user in self._bots:
            with contextlib.closing(sqlite3.connect(self._file_of(user))) as database:
                database.row_factory = sqlite3.Row
                found = database.execute(
                    "SELECT * FROM jobs WHERE ? IN (interaction_id, source_message_id)", (record.id,)
                ).fetchone()
            if found is not None:
                return dict(found)
        return None


@asynccontextmanager
async def open_lives(
    folder: Path, *, key_of: str | None = None, prelude: Prelude | None = None, door: bool = False
) -> AsyncIterator[Lives]:
    """A world, and a bot in it that is alive; with a `door`, it has an address at which services can call it."""
    address_map = AddressMap.to_free_port(PUBLIC_URL) if door else None
    async with Sandbox(speed=4, address_map=address_map) as sandbox, aiohttp.ClientSession() as session:
        lives = Lives(sandbox, folder, session, key_of=key_of, prelude=prelude)
        try:
            await lives.live()
            yield lives
        finally:
            await lives.end()
