"""Which job a remote call was made for, from the moment it was made.

Nothing in the bot's protocols says so, and nothing was added to them. It is put together from two sources:

    what calls say      a message that the bot writes names its job in the `custom_id` of its buttons (`job:VERB:JOB`);
                        the interaction, its token and the message's id then stand for that job as well
    what the bot logs   `action=job.submitted job_id=… remote_id=…`; the remote id then stands for the job, and so do
                        the files that an answer about it names. A submission that was refused has no remote id: it is
                        the newest one nobody owns when the bot says that a job was refused

What is learned counts for calls that ended before, too. A refused submission that is sent again is known by its body.
Only the last point is a guess, and a wrong one only if two different jobs are refused within the same milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Names that are remembered; of older calls nobody asks any more.
CAPACITY: Final = 20_000

_CUSTOM_ID = re.compile(r'"custom_id": ?"job:[a-z]{1,20}:([a-z0-9]{1,40})[":]')
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
#: After these the job's newest submission is known not to have been taken, or not to have been answered.
_REFUSALS: Final = frozenset({"job.refused", "job.uncertain", "job.failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What a call tells of where it belongs; names are made up of a kind and an id, such as `message:42`."""

    #: Names that it goes by: whoever owns one of them owns the call.
    names: Collection[str] = ()
    #: Names that its owner owns as well from now on: what the answer told of.
    teaches: Collection[str] = ()
    #: The job that it names itself.
    job: str | None = None
    #: Whether it hands something over and was not taken.
    refused: bool = False


class JobLinks:
    """Remembers who owns which name, and tells the owner of each call as soon as that is known."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        """`tell` gets a call's number and its job, once for each call, at once or later."""
        self._tell = tell
        self._owners: dict[str, str] = {}
        self._clues: dict[int, Clues] = {}
        self._waiting: dict[str, list[int]] = {}

    def ended(self, number: int, clues: Clues) -> None:
        """Take in a call that has ended."""
        self._clues[number] = clues
        owner = clues.job or next((self._owners[name] for name in clues.names if name in self._owners), None)
        if owner is not None:
            self._own([number], owner)
            return
        for name in clues.names:
            self._waiting.setdefault(name, []).append(number)
        _forget_oldest(self._waiting)
        _forget_oldest(self._clues)

    def logged(self, line: str) -> None:
        """Take in a line of the bot's log (key=value)."""
        fields = fields_of(line)
        job, action = fields.get("job_id"), fields.get("action", "")
        if not job:
            return
        if remote_id := fields.get("remote_id"):
            self._own(self._learn(f"remote:{remote_id}", job), job)
        elif action in _REFUSALS or (action == "job.ended" and fields.get("outcome") == "rejected"):
            refused = [number for number, clues in self._clues.items() if clues.refused]
            self._own(refused[-1:], job)

    def _own(self, numbers: Iterable[int], job: str) -> None:
        """Give the calls to the job, then what they taught, then the calls that waited for that."""
        left = list(numbers)
        while left:
            number = left.pop()
            clues = self._clues.pop(number, None)
            if clues is None:
                continue
            self._tell(number, job)
            for name in (*clues.names, *clues.teaches):
                left += self._learn(name, job)

    def _learn(self, name: str, job: str) -> list[int]:
        """Note the first owner of a name; returns the calls that waited for one."""
        if self._owners.setdefault(name, job) != job:
            return []
        _forget_oldest(self._owners)
        return self._waiting.pop(name, [])


def job_named_in(said: object) -> str | None:
    """Return the job whose buttons a message has; None if there are none, or those of several."""
    jobs = set(_CUSTOM_ID.findall(json.dumps(said))) if isinstance(said, dict) else set()
    return jobs.pop() if len(jobs) == 1 else None


def fields_of(line: str) -> Mapping[str, str]:
    """Read a log line of key=value; what is no such line has no fields."""
    return {name: _unquoted(value) for name, value in _FIELD.findall(line)}


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value
    except ValueError:
        return value


def _forget_oldest(memory: dict[Any, Any]) -> None:
    while len(memory) > CAPACITY:
        del memory[next(iter(memory))]
