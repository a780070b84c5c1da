"""What was measured, beside what was promised: values in, table out."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: What the table's columns are called.
HEADINGS: Final = ("figure", "median", "spread", "target", "limit", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One promise, and what came of it in each run."""

    name: str
    #: What one run measured, one value a run; never empty.
    values: tuple[float, ...]
    unit: str
    #: The median may be this at most; None for figures that only explain others.
    target: float | None = None
    #: What somebody else allows (Discord, the Horde), in words.
    limit: str = ""
    #: What helps to read it.
    note: str = ""
    #: Every run has to keep the target, not the median alone.
    always: bool = False

    @property
    def median(self) -> float:
        """The figure."""
        return statistics.median(self.values)

    @property
    def kept(self) -> bool:
        """Whether the promise is kept; true where there is none."""
        if self.target is None:
            return True
        return (max(self.values) if self.always else self.median) <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured."""

    name: str
    processor: str
    cores: int
    python: str
    system: str

    @classmethod
    def this(cls) -> Machine:
        """The machine we run on."""
        return cls(
            name=platform.node(),
            processor=_processor(),
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            system=f"{platform.system()} {platform.release()}",
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.processor}, {self.cores} cores, {self.system}, Python {self.python}"


def load_average() -> str:
    """How busy the machine is with everything, over 1, 5 and 15 minutes."""
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed; nearest rank, so it was really seen."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out as a Markdown table that reads well as plain text too."""
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    lines.insert(1, f"| {' | '.join('-' * width for width in widths)} |")
    notes = [f"- {figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def as_json(figures: Sequence[Figure], machine: Machine, loads: Sequence[str]) -> str:
    """The same for machines."""
    told = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "median": figure.median,
            "values": list(figure.values),
            "target": figure.target,
            "limit": figure.limit,
            "kept": figure.kept,
            "note": figure.note,
        }
        for figure in figures
    ]
    return json.dumps({"machine": str(machine), "load": list(loads), "figures": told}, indent=2)


def _row(figure: Figure) -> tuple[str, ...]:
    spread = "" if len(figure.values) == 1 else f"{_number(min(figure.values))} to {_number(max(figure.values))}"
    target = "" if figure.target is None else f"≤ {_number(figure.target)}{' each time' if figure.always else ''}"
    verdict = "" if figure.target is None else ("kept" if figure.kept else "MISSED")
    return (figure.name, f"{_number(figure.median)} {figure.unit}", spread, target, figure.limit, verdict)


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "an unknown processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
