"""Checks that fail, and when to stop counting on one: a run has an end even if OSAIS refuses to be asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.engines import GRACE
from bot.providers.osais.memory import Memory

#: How long after a run's end a check of it may succeed yet, and how long checks have to have failed for by then.
AFTER_THE_END: Final = 2 * GRACE
IN_A_ROW: Final = GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Failures with no answer in between."""

    first: datetime
    last: datetime

    def lasts(self, ended_at: datetime) -> bool:
        return self.last - self.first >= IN_A_ROW and self.last - ended_at >= AFTER_THE_END


class FailedChecks:
    """By run and of OSAIS as a whole: while it is silent, one look at a time asks for all (breakers)."""

    def __init__(self) -> None:
        self._rows: Memory[_Row] = Memory()
        self._of_all: _Row | None = None

    def failed(self, uid: str, now: datetime) -> None:
        """Note that a check got no usable answer."""
        self._rows[uid] = _grown(self._rows.get(uid), now)
        self._of_all = _grown(self._of_all, now)

    def answered(self, uid: str) -> None:
        """Note one that did: the service is there, and knows this run."""
        self._rows.pop(uid, None)
        self._of_all = None

    def hopeless(self, uid: str, ended_at: datetime) -> bool:
        """Whether a run that ended then (by our own reckoning, or by a call) is not asked about any more."""
        return any(row.lasts(ended_at) for row in (self._rows.get(uid), self._of_all) if row is not None)


def _grown(row: _Row | None, now: datetime) -> _Row:
    return _Row(first=row.first if row is not None else now, last=now)
