"""A plan comes true: people ask, mishaps strike, the bot dies and lives again, and at the end it has to be calm.

Some of its lives have an address at which services can call them, others have to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.sandbox.call_log import Call
from bot.sandbox.control import Service
from bot.sandbox.discord import Channel, User
from tests.chaos.collecting import collect, collect_button
from tests.chaos.plan import CHANNELS, PEOPLE, Ask, Kill, Lever, Round
from tests.crash.cases import OSAIS_SPEED, REGISTERED
from tests.crash.defects import Defect, spoil
from tests.crash.ledger import Ledger
from tests.crash.records import Record as Done
from tests.crash.records import unheard
from tests.crash.stories import WAYS, Asked
from tests.crash.verdict import answered, refused, shows_end
from tests.flow.lives import Lives, open_lives
from tests.flow.town import Json

#: Handing a request over to OSAIS.
OSAIS_SUBMIT = "/client/ai/"
#: Real seconds between two looks, and the world's seconds that pass with each.
LOOK, STEP = 0.01, 0.5
#: World seconds within which everything has to be over once nothing goes wrong any more.
PATIENCE = 1800.0
#: World seconds without a mishap at the end, in a last life that has nothing to do.
QUIET = 40.0
#: World seconds after which an end that nobody collects is over: a day, and some time to notice.
DAY = 24 * 3600.0 + 600.0
#: Real seconds within which a bot that is well has answered.
FAIR = 2.0
#: A death within so many world seconds may come before any answer.
SUDDEN = 1.0
#: Real seconds that anything may take.
GUARD = 120.0


@dataclass(slots=True)
class Record:
    """What happened."""

    asked: list[Asked] = field(default_factory=list)
    kills: int = 0
    #: Faults that struck, and levers that were pulled.
    faults: int = 0
    #: Submissions that a fault cut off from their answer.
    cut_off: int = 0
    #: Presses that a bot which was there left unanswered, by what was pressed.
    unanswered: list[str] = field(default_factory=list)
    #: How often the bot ended by itself.
    fell: int = 0
    #: Calls of the last life about replies and requests, when all was done.
    restless: list[Call] = field(default_factory=list)


class Chaos:
    """A world in which a plan comes true."""

    def __init__(self, lives: Lives, people: list[User], channels: list[Channel]) -> None:
        self.lives = lives
        self.ledger = Ledger(lives.sandbox)
        self.record = Record()
        self._people, self._channels = people, channels
        self._undo: list[Callable[[], object]] = []
        self._over: set[int] = set()

    async def play(
        self, plan: Iterable[Round], *, patience: float = PATIENCE, told: Callable[[int], None] = lambda _: None
    ) -> Record:
        """Let all of it happen, then calm down, and wait (so many world seconds) until nothing is left to do.

        `told` hears how many rounds are over.
        """
        for number, one in enumerate(plan, 1):
            await self._round(one)
            told(number)
        await self._calm_down()
        await self._until(lambda: self._all_over() or all(self._waits(asked) for asked in self._open()), patience)
        for asked in self._to_collect():
            await self._collect(asked.record)
        await self._until(
            lambda: self._all_over() or all(self._only_unnoted(asked) for asked in self._open()), patience
        )
        if any(self._only_unnoted(asked) for asked in self._open()):
            await self._pass(DAY, step=DAY / 200)
            await self._until(self._all_over, patience)
        await self._last_life()
        return self.record

    async def _round(self, one: Round) -> None:
        for fault in one.faults:
            self.lives.arm(**fault)
        for lever in one.levers:
            await self._pull(lever)
        deadly = self.lives.arm(**one.kill.at) if one.kill and one.kill.at else None
        begun = [await self._ask(ask) for ask in one.asks]
        if one.kill is None or one.kill.at is not None or one.kill.after >= SUDDEN:
            await self._let_answer(begun)
        if one.kill is None:
            await self._pass(one.seconds)
        elif deadly is None:
            await self._pass(one.kill.after)
        else:
            await self._until_met(deadly, one.kill.after)
        await self._round_ends(one.kill)

    async def _ask(self, ask: Ask) -> Asked:
        who, where, number = self._people[ask.person], self._channels[ask.channel], len(self.record.asked) + 1
        begun = await WAYS[ask.story](self.lives, number, by=who, channel=where, private=ask.private, count=ask.count)
        self.record.asked.append(begun)
        return begun

    async def _let_answer(self, begun: Sequence[Asked]) -> None:
        """Leave it some real time for the acknowledgements: the world's three seconds are over in no time here."""
        for _ in range(round(FAIR / LOOK)):
            if all(answered(asked) or self._unheard(asked) for asked in begun):
                return
            await asyncio.sleep(LOOK)

    async def _round_ends(self, kill: Kill | None) -> None:
        if kill is not None:
            await self.lives.bot.kill()
            self.record.kills += 1
        await self._clear()
        if kill is not None:
            await self._pass(kill.down, step=max(STEP, kill.down / 50))
            self.lives.set_door(open=kill.door)
        await self._live()

    async def _live(self) -> None:
        """Start the bot if it is not there, and wait until it hears people."""
        if self.lives.bot.running:
            return
        await self.lives.bot.start()
        gateway = self.lives.sandbox.discord.gateway
        await self._until(lambda: bool(gateway.connected), PATIENCE)

    async def _calm_down(self) -> None:
        await self._clear()
        self.lives.calm_down()
        await self._live()

    async def _last_life(self) -> None:
        """Start it once more: it has nothing to do, so whatever it does about a job is done twice."""
        calls = self.lives.sandbox.calls
        await self.lives.bot.kill()
        latest = max((call.number for call in calls.find()), default=0)
        await self._live()
        await self._pass(QUIET)
        self.record.restless = [
            *calls.find(service=Service.DISCORD, since=latest, path="/webhooks/|/messages"),
            *calls.find(service=Service.HORDE, since=latest, path="/generate/|/interrogate/"),
            *calls.find(service=Service.OSAIS, since=latest, path=OSAIS_SUBMIT),
        ]

    # -- mishaps --------------------------------------------------------------------------------------------------

    async def _pull(self, lever: Lever) -> None:
        sandbox, horde = self.lives.sandbox, self.lives.sandbox.horde
        self.record.faults += 1
        match lever:
            case Lever.WORKER_FAULT:
                horde.fault_next(1)
            case Lever.PAUSED:
                horde.set_workers(paused=True)
                self._undo.append(partial(horde.set_workers, paused=False))
            case Lever.RATE_LIMITS:
                horde.set_rate_limits(True)
                self._undo.append(partial(horde.set_rate_limits, False))
            case Lever.HOOKS_TWICE | Lever.HOOKS_LOST:
                horde.postman.apply(copies=2, lost=lever is Lever.HOOKS_LOST)
                self._undo.append(horde.postman.apply)
            case Lever.CALLS_TWICE | Lever.CALLS_SHUFFLED:
                sandbox.osais.play_next("duplicates" if lever is Lever.CALLS_TWICE else "shuffled")
            case Lever.DROPPED:
                await sandbox.discord.drop_gateway(resumable=False)
            case Lever.GATEWAY_AWAY:
                self.lives.arm("gateway", status=503, times=2)
                await sandbox.discord.drop_gateway()

    async def _clear(self) -> None:
        """End the mishaps of a round, and note which struck."""
        for fault in await self.lives.faults():
            self.record.faults += fault["met"]
        self.lives.sandbox.faults.clear()
        while self._undo:
            self._undo.pop()()
        submissions = [
            *self.lives.calls(method="POST", path="/async$"),
            *self.lives.calls(service=Service.OSAIS, method="POST", path=OSAIS_SUBMIT),
        ]
        self.record.cut_off = sum(call.fault is not None for call in submissions)

    async def _until_met(self, fault: int, seconds: float) -> None:
        end = self.lives.sandbox.clock.monotonic() + seconds
        while self.lives.sandbox.clock.monotonic() < end and not await self.lives.has_met(fault):
            await self._pass(STEP)

    # -- time -----------------------------------------------------------------------------------------------------

    async def _pass(self, seconds: float, *, step: float = STEP) -> None:
        await self._until(lambda: False, seconds, step=step)

    async def _until(self, condition: Callable[[], bool], seconds: float, *, step: float = STEP) -> None:
        """Let so much of the world's time pass, less if the condition comes true; a bot that fell is put up again."""
        clock = self.lives.sandbox.clock
        end = clock.monotonic() + seconds
        async with asyncio.timeout(GUARD):
            while clock.monotonic() < end and not condition():
                await asyncio.sleep(LOOK)
                clock.advance(min(step, max(0.0, end - clock.monotonic())))
                self.ledger.look()
                if self.lives.bot.starts and not self.lives.bot.running and self.lives.bot.exit_code not in {None, -9}:
                    self.record.fell += 1
                    await self.lives.bot.start()

    # -- the end --------------------------------------------------------------------------------------------------

    def _all_over(self) -> bool:
        """Whether every reply ended; one that did is not looked at again before the audit."""
        self._over |= {
            asked.record.id for asked in self.record.asked if asked.record.id not in self._over and self._ended(asked)
        }
        return len(self._over) == len(self.record.asked)

    def _to_collect(self) -> list[Asked]:
        """Private replies whose end nobody can show any more, until a press brings a new token."""
        return [asked for asked in self._open() if self._waits(asked) and collect_button(self._shown(asked))]

    def _only_unnoted(self, asked: Asked) -> bool:
        """Whether the end is shown, and its token died before that was noted: the row is closed a day later."""
        return self._waits(asked) and shows_end(self._shown(asked))

    def _open(self) -> list[Asked]:
        return [asked for asked in self.record.asked if asked.record.id not in self._over]

    def _waits(self, asked: Asked) -> bool:
        """Whether only a press can bring it on: its end is there, or nothing else shows that it was acknowledged."""
        lives, record = self.lives, asked.record
        return answered(asked) and (lives.waits_to_be_collected(record) or lives.closed_unheard(record))

    def _shown(self, asked: Asked) -> Json:
        return self.lives.versions(asked.record.original_id or 0)[-1]

    async def _collect(self, record: Done) -> None:
        asker = next(person for person in self._people if person.id == record.user_id)
        if not await collect(self.lives, asker, record):
            self.record.unanswered.append(record.label)

    def _unheard(self, asked: Asked) -> bool:
        return unheard(self.lives.sandbox.discord.world, asked.record)

    def _ended(self, asked: Asked) -> bool:
        if not answered(asked) and not self._unheard(asked):
            return False
        row = self.lives.row(asked.record)
        if not answered(asked):
            return row is None or row["stage"] == "ended"
        versions = self.lives.versions(asked.record.original_id or 0)
        if row is None:
            return refused(versions)
        return row["stage"] == "ended" and shows_end(versions[-1])


@asynccontextmanager
async def open_chaos(folder: Path, *, defect: Defect | None = None) -> AsyncIterator[Chaos]:
    """A fresh world with people in it, and a bot that is alive, perhaps with a planted defect."""
    prelude = partial(spoil, defect) if defect is not None else None
    async with open_lives(folder, key_of=REGISTERED, prelude=prelude, door=True) as lives:
        await lives.move_to("a place in turmoil")
        lives.sandbox.osais.speed = OSAIS_SPEED
        lives.sandbox.horde.text.set_quirks(False)
        discord = lives.sandbox.discord
        people = [await discord.make_user(f"Person {n}", guilds=[lives.guild]) for n in range(PEOPLE)]
        channels = [await discord.make_channel(lives.guild, f"room-{n}") for n in range(CHANNELS)]
        yield Chaos(lives, people, channels)
