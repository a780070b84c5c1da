"""The auditor: compares what the services made with what the messages carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.play import Chaos
from tests.crash.stories import Asked
from tests.crash.verdict import UNKNOWABLE, Wrong, answered, judge, refused
from tests.flow.lives import Lives
from tests.flow.town import buttons, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What came of it all."""

    jobs: int
    kills: int
    faults: int
    #: Answers by how they ended: answered, unheard, refused, unknown.
    ends: Counter[str]
    wrong: Sequence[Wrong]

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, duplicated or wrong."""
        return not self.wrong

    def count(self, what: str) -> int:
        """How much was lost, duplicated, or wrong."""
        return sum(wrong.what == what for wrong in self.wrong)

    def __str__(self) -> str:
        """The table, and each thing that went wrong."""
        numbers = {"jobs": self.jobs, "kills": self.kills, "faults": self.faults, **self.ends}
        numbers |= {what: self.count(what) for what in ("lost", "duplicated", "wrong")}
        return "\n".join([*(f"{name:<12}{number:>6}" for name, number in numbers.items()), *map(str, self.wrong)])


def audit(chaos: Chaos) -> Audit:
    """Judge every reply, and the calm at the end."""
    record, town = chaos.record, chaos.lives
    ends = Counter(_end(chaos, asked) for asked in record.asked)
    wrong = [
        Wrong(
            what=found.what, why=f"{asked.record.label}, interaction {asked.record.id}: {found.why}{_seen(town, asked)}"
        )
        for asked in record.asked
        for found in judge(town, chaos.ledger, asked, row=town.row(asked.record), may_be_lost=True, complete=False)
    ]
    if ends["unknown"] > record.cut_off + record.kills:
        wrong.append(Wrong(what="lost", why=f"{ends['unknown']} are said to be unknown, {record.cut_off} can be"))
    if record.fell:
        wrong.append(Wrong(what="wrong", why=f"the bot ended by itself {record.fell} times"))
    wrong += [Wrong(what="wrong", why=f"📬 Collect was not answered: {label}") for label in record.unanswered]
    wrong += [
        Wrong(what="duplicated", why=f"with nothing left to do it called {call.method} {call.path}")
        for call in record.restless
    ]
    return Audit(jobs=len(record.asked), kills=record.kills, faults=record.faults, ends=ends, wrong=wrong)


def summed(audits: Sequence[Audit]) -> Audit:
    """Several worlds' audits as one."""
    return Audit(
        jobs=sum(one.jobs for one in audits),
        kills=sum(one.kills for one in audits),
        faults=sum(one.faults for one in audits),
        ends=sum((one.ends for one in audits), Counter[str]()),
        wrong=[wrong for one in audits for wrong in one.wrong],
    )


def _seen(town: Lives, asked: Asked) -> str:
    """The buttons below a reply, what came of presses on it, and its row: whether there was a way to its end."""
    message_id = asked.record.original_id
    if message_id is None:
        return ""
    labels = [button.get("label") or "" for button in buttons(town.latest_version(message_id))]
    discord = town.sandbox.discord
    presses = [f"{one.label} {one.state}" for one in discord.interactions() if one.message_id == message_id]
    row = town.row(asked.record) or {}
    what = {name: row.get(name) for name in ("stage", "accepted_at", "ended_at", "due_at", "detached")}
    return f" (buttons {labels}, presses {presses}, row {what})"


def _end(chaos: Chaos, asked: Asked) -> str:
    if not answered(asked):
        return "unheard"
    versions = chaos.lives.versions(asked.record.original_id or 0)
    if chaos.lives.row(asked.record) is None and refused(versions):
        return "refused"
    return "unknown" if UNKNOWABLE in words(versions[-1]) else "answered"
