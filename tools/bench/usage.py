"""What a process has used so far, as Linux counts it in `/proc`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MEGA = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A reading; memory in MB (millions of bytes), time in seconds of one core."""

    cpu: float
    memory: float
    #: The most it ever held.
    peak: float
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Read a process's counters. Raises `OSError` once it is gone."""
        folder = Path("/proc") / str(pid)
        # The name in the second field may hold blanks; what follows its closing bracket does not.
        fields = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines() if ":" in line)
        return cls(
            cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
            memory=_kilobytes(status["VmRSS"]),
            peak=_kilobytes(status["VmHWM"]),
            files=sum(1 for _ in (folder / "fd").iterdir()),
            threads=int(status["Threads"]),
        )


def _kilobytes(told: str) -> float:
    return int(told.removesuffix("kB")) * 1024 / _MEGA
