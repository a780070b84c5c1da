"""The command line of `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tools.bench import answering, counting, crowds, delivering, starting
from tools.bench.figures import Figure, Machine, as_json, load_average, table

#: What can be measured, in this order; each takes how often it is to be done.
MEASUREMENTS: Final[Mapping[str, Callable[[int], Awaitable[list[Figure]]]]] = {
    "start": starting.measure,
    "answers": answering.measure,
    "calls": counting.measure,
    "pictures": delivering.measure,
    "crowds": crowds.measure,
}
#: Medians are of so many runs.
RUNS: Final = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 1 if a promise is missed."""
    args = _parser().parse_args(argv)
    machine, loads = Machine.this(), [load_average()]
    figures: list[Figure] = []
    with compiled():
        for name in args.only or MEASUREMENTS:
            began = time.monotonic()
            figures += asyncio.run(_measured(name, args.runs))
            loads.append(load_average())
            sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s, load {loads[-1]}\n")
    sys.stdout.write(f"{machine}\nload average before: {loads[0]}, after: {loads[-1]}\n\n{table(figures)}\n")
    if args.json:
        Path(args.json).write_text(as_json(figures, machine, loads), "utf-8")
    missed = [figure.name for figure in figures if not figure.kept]
    if missed:
        sys.stdout.write(f"\nMissed: {'; '.join(missed)}.\n")
    return 1 if missed else 0


@contextmanager
def compiled() -> Iterator[None]:
    """Have what we start find its modules compiled, as an installed bot does, whatever our own environment says."""
    kept = {name: os.environ.pop(name, None) for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")}
    with tempfile.TemporaryDirectory(prefix="muster-compiled-") as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            subprocess.run([sys.executable, "-c", "import bot.app, tools.bench.empty_handler"], check=True)
            yield
        finally:
            os.environ.pop("PYTHONPYCACHEPREFIX", None)
            os.environ.update({name: value for name, value in kept.items() if value is not None})


async def _measured(name: str, runs: int) -> list[Figure]:
    return await MEASUREMENTS[name](runs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=tuple(MEASUREMENTS), help="measure this alone (repeatable)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how often (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
