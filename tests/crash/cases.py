"""One case: a story is begun, the bot dies at one point, is started again, and the reply is judged.

It may be made to die a second time, while it recovers from the first, or be left lying until every token is dead.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.crash.defects import Defect, spoil
from tests.crash.ledger import Ledger
from tests.crash.records import unheard
from tests.crash.rims import DEAD, ORDER, TRACE, Point, watch
from tests.crash.stories import STORIES, Asked
from tests.crash.verdict import CutOff, Wrong, answered, cut_off_of, judge, shows_end
from tests.flow.lives import Lives, open_lives
from tests.flow.town import buttons, eventually

#: Somebody registered: a picture whose answer was lost can be found again by its seed.
REGISTERED = "robin_rich"
#: A point that was met once is met again within so many stories: at most this often one is begun anew.
PLAYS = 8
#: Looks between which the time passes for which it is left lying.
LYING = 16
#: World seconds that a job may need after a restart.
PATIENCE = 240.0
#: Real seconds between two looks, and the world's seconds that pass with each.
LOOK, STEP = 0.01, 1.0
#: World seconds after which every interaction's token is dead. Five minutes later the Horde forgets a request: what is
#: left of these passes more slowly, for the machine may be slow too.
AWAY, SLOWLY = 15 * 60.0 + 5, 0.25
#: Looks that a request whose sender died is given to arrive.
ARRIVING = 100
#: With this button the asker has a private answer shown whose token is dead.
COLLECT = "Collect"
#: How much quicker than real ones the engines of OSAIS are: else most of their points would be waiting.
OSAIS_SPEED = 30.0
#: Real seconds after which a story that goes nowhere fails.
LONGEST = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Where the bot dies, and what befalls it then."""

    point: Point
    #: The so many-th point of its recovery at which it dies once more; 0: it does not.
    again: int = 0
    #: World seconds for which it is left lying before anybody starts it.
    away: float = 0.0

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.point}{f', away for {self.away:.0f} s' if self.away else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One death and what became of it."""

    story: str
    death: Death
    #: Whether a service had accepted the request when the row did not yet know its number.
    between: bool
    wrong: tuple[Wrong, ...]
    #: The so many-th point of its recovery at which it died again; 0 if it did not.
    again: int = 0

    def __str__(self) -> str:
        """As a person reads it."""
        verdict = "; ".join(map(str, self.wrong)) or "as promised"
        again = f", and again at point {self.again} after its start" if self.again else ""
        return f"{self.story} · {self.death}{again}: {verdict}"


class Cases:
    """A world in which one bot dies again and again."""

    def __init__(self, lives: Lives, folder: Path) -> None:
        self._lives = lives
        self._folder = folder
        self._ledger = Ledger(lives.sandbox)
        self._numbers = itertools.count(1)

    async def count(self, story: str) -> list[Point]:
        """Let a story run to its end, twice; returns every point along it, in order.

        What housekeeping happened to do meanwhile belongs to neither: it is not there a second time.
        """
        once, again = await self._points(story), await self._points(story)
        return [point for point in again if point in set(once)]

    async def _points(self, story: str) -> list[Point]:
        self._order(None)
        await self._until_settled(await self._ask(story))
        seen: Counter[str] = Counter()
        points: list[Point] = []
        for name in self._trace():
            seen[name] += 1
            points.append(Point(name=name, nth=seen[name]))
        return points

    async def play(self, story: str, death: Death) -> Case:
        """Have the bot die there, start it again, and judge every reply that this life had begun.

        It does not die again where all is settled before that point.
        """
        await self._lives.live()
        point = death.point
        self._order(point)
        begun: list[Asked] = []
        while self._lives.bot.running and len(begun) < PLAYS:
            begun.append(await self._ask(story))
            await self._until_settled(begun[-1])
        await self._lives.die()
        assert self._lives.bot.exit_code == DEAD, f"{story}: did not die at {point}"
        trace = self._trace()
        assert (trace[-1], trace.count(trace[-1])) == (point.name, point.nth), f"died at {trace[-1]}, not at {point}"
        cut_off = self._cut_off(begun)
        arrived = await self._arrived(begun, cut_off)
        await self._lie(death.away)
        again = death.again if death.again and await self._die_recovering(begun, death) else 0
        if again:
            cut_off = [first | second for first, second in zip(cut_off, self._cut_off(begun), strict=True)]
            await self._arrived(begun, cut_off)
        await self._lives.live()
        wrong = [
            one for asked, cut in zip(begun, cut_off, strict=True) for one in await self._judged(asked, death, cut)
        ]
        between = any(CutOff.SUBMISSION in lost and there for lost, there in zip(cut_off, arrived, strict=True))
        return Case(story=story, death=death, between=between, wrong=tuple(wrong), again=again)

    def _cut_off(self, begun: Sequence[Asked]) -> list[CutOff]:
        """What the death cut off from its answer."""
        return [cut_off_of(self._lives.row(asked.record)) for asked in begun]

    async def _lie(self, seconds: float) -> None:
        """Let time pass while there is no bot."""
        for _ in range(LYING if seconds else 0):
            await asyncio.sleep(LOOK)
            self._lives.sandbox.clock.advance(seconds / LYING)

    async def _die_recovering(self, begun: Sequence[Asked], death: Death) -> bool:
        """Start the bot with the order to die once more; returns whether it got so far."""
        self._order(Point(name="", nth=death.again))
        await self._lives.bot.start()
        for asked in begun:
            await self._until_settled(asked, patience=PATIENCE, parked=death.away > 0)
        self._order(None)
        if self._lives.bot.running:
            return False
        assert self._lives.bot.exit_code == DEAD, "it ended by itself while it recovered"
        await eventually(lambda: not self._lives.sandbox.discord.gateway.connected)
        return True

    async def _arrived(self, begun: Sequence[Asked], cut_off: Sequence[CutOff]) -> list[bool]:
        """Whether the services have the requests; one whose sender died may still be read for a moment."""
        arrived: list[bool] = []
        for _ in range(ARRIVING):
            arrived = [bool(asked.made(self._ledger).requests) for asked in begun]
            if all(there or CutOff.SUBMISSION not in cut for cut, there in zip(cut_off, arrived, strict=True)):
                break
            await asyncio.sleep(LOOK)
        return arrived

    async def _judged(self, asked: Asked, death: Death, cut_off: CutOff) -> list[Wrong]:
        await self._until_settled(asked, patience=PATIENCE, parked=death.away > 0)
        waits = death.away > 0 and self._waits_for_a_press(asked)
        collected = waits and await self._collect(asked)
        row = self._lives.row(asked.record)
        return judge(
            self._lives,
            self._ledger,
            asked,
            row=row,
            may_be_lost=CutOff.SUBMISSION in cut_off,
            may_be_unsure=CutOff.MESSAGE in cut_off,
            waiting=self._lives.kept(row["id"]) if row and waits and not collected else None,
        )

    async def _collect(self, asked: Asked) -> bool:
        """Press the button of a private reply whose token is dead; False where it shows the end, and has none."""
        discord, message_id = self._lives.sandbox.discord, asked.record.original_id or 0
        labels = {one.get("label"): one["custom_id"] for one in buttons(self._lives.latest_version(message_id))}
        if COLLECT not in labels:
            return False
        await discord.wait_answer(await discord.press(self._lives.ada, message_id, labels[COLLECT]))
        await self._until_settled(asked, patience=PATIENCE)
        return True

    async def _ask(self, story: str) -> Asked:
        lives = self._lives
        return await STORIES[story](lives, next(self._numbers), by=lives.ada, channel=lives.channel)

    async def _until_settled(self, asked: Asked, *, patience: float = float("inf"), parked: bool = False) -> None:
        """Let time pass until nothing is left to do, the bot died, or patience (in world seconds) is over.

        `parked`: tokens are dead, so nothing is left to do either where a private answer waits to be collected.
        """
        clock = self._lives.sandbox.clock
        began = clock.monotonic()
        async with asyncio.timeout(LONGEST):
            while (
                self._lives.bot.running
                and not self._settled(asked, parked=parked)
                and clock.monotonic() < began + patience
            ):
                await asyncio.sleep(LOOK)
                # Its first life may take as long as it likes over the acknowledgement; the machine may be slow.
                if patience < float("inf") or answered(asked) or self._unheard(asked):
                    clock.advance(SLOWLY if parked else STEP)

    def _settled(self, asked: Asked, *, parked: bool) -> bool:
        if not answered(asked):
            row = self._lives.row(asked.record) if self._unheard(asked) else {"stage": "pending"}
            return row is None or row["stage"] == "ended"
        if parked and self._waits_for_a_press(asked):
            return True
        # The database is opened for whoever shows the end, and not at every look before.
        if not shows_end(self._lives.latest_version(asked.record.original_id or 0)):
            return False
        row = self._lives.row(asked.record)
        return row is not None and row["stage"] == "ended"

    def _waits_for_a_press(self, asked: Asked) -> bool:
        """Whether nothing is done about a private answer before its asker presses: even its begin may not be known."""
        if not asked.private or not answered(asked):
            return False
        if self._lives.waits_to_be_collected(asked.record):
            return True
        row = self._lives.row(asked.record)
        shown = shows_end(self._lives.latest_version(asked.record.original_id or 0))
        return row is not None and row["stage"] == "ended" and not shown

    def _unheard(self, asked: Asked) -> bool:
        return unheard(self._lives.sandbox.discord.world, asked.record)

    def _order(self, point: Point | None) -> None:
        order: dict[str, Any] | None = None if point is None else {"name": point.name, "nth": point.nth}
        draft = self._folder / "draft.json"
        draft.write_text(json.dumps(order))
        draft.rename(self._folder / ORDER)

    def _trace(self) -> list[str]:
        return (self._folder / TRACE).read_text().splitlines()


@asynccontextmanager
async def open_cases(
    folder: Path, *, defect: Defect | None = None, key_of: str | None = REGISTERED, door: bool = False
) -> AsyncIterator[Cases]:
    """A fresh world with a bot that can be told where to die, perhaps with a planted defect, or with a door."""
    async with open_lives(folder, prelude=partial(_begin, folder, defect), key_of=key_of, door=door) as lives:
        await lives.move_to("a place to die")
        await lives.invoke("jobs notify", {"how": "ping"})
        lives.sandbox.osais.speed = OSAIS_SPEED
        lives.sandbox.horde.text.set_quirks(False)
        yield Cases(lives, folder)


def _begin(folder: Path, defect: Defect | None) -> None:
    if defect is not None:
        spoil(defect)
    watch(folder)
