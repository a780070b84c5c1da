"""The command line: `python -m bot` (or `muster`) with run, check, demo, sandbox.

Heavy modules are imported inside the sub-commands, so that `--help` and a bad environment answer at once.
"""
# ruff: noqa: PLC0415 - late imports are the point here

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot import __version__
from bot.errors import SetupError

if TYPE_CHECKING:
    from bot.settings import Settings

#: Exit codes: what the shell's users expect of a usage error and of Ctrl-C.
EXIT_SETUP = 2
EXIT_INTERRUPTED = 130
#: What `sandbox` can stand in for.
SIMULATORS = ("discord", "horde", "osais")
#: What a headless demo can play, and how it can be spoilt; not asked of the sandbox, which takes a while to import.
SCENARIOS = ("imagine", "alchemy", "ask", "restart", "late", "osais")
SABOTAGES = (
    "lose-a-file",
    "never-finish",
    "wrong-result",
    "drop-the-end",
    "close-the-channel",
    "lead-calls-astray",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code; what the operator has to mend becomes one plain report."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        sys.stderr.write(parser.format_help())
        return EXIT_SETUP
    try:
        return int(args.command(args))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except SetupError as error:
        return _report(error.problems)
    except BaseExceptionGroup as group:
        return _report(_problems_of(group))


def _problems_of(group: BaseExceptionGroup[BaseException]) -> list[str]:
    """The problems of a group that holds nothing but `SetupError`s (task groups wrap them); others travel on."""
    setup, others = group.split(SetupError)
    if setup is None or others is not None:
        raise group
    return [problem for error in _leaves(setup) if isinstance(error, SetupError) for problem in error.problems]


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for inner in error.exceptions for leaf in _leaves(inner)]


def _report(problems: Sequence[str]) -> int:
    lines = "\n".join(f"  - {problem}" for problem in problems)
    sys.stderr.write(
        f"Muster can't start yet. What to mend:\n{lines}\nEvery setting is explained in docs/settings.md.\n"
    )
    return EXIT_SETUP


def _run(_: argparse.Namespace) -> int:
    from bot.settings import load_settings

    settings = load_settings(need_token=True)
    gc.disable()  # it would look through what is being loaded again and again

    from bot.app import run_bot
    from bot.clock import SystemClock
    from bot.logs import setup_logging

    _spare_what_is_loaded()
    setup_logging(settings)
    _warn(settings)
    return asyncio.run(run_bot(settings, clock=SystemClock()))


def _warn(settings: Settings) -> None:
    """Log what is set, and has no effect."""
    if missing := settings.osais_lacks:
        text = "OSAIS is not offered: %s is not set"
        logging.getLogger("bot").warning(text, missing, extra={"action": "osais.unset"})


def _spare_what_is_loaded() -> None:
    """Have the garbage collector never look through the modules again: it stops everything for a tenth of a second."""
    gc.enable()
    gc.collect()
    gc.freeze()


def _check(_: argparse.Namespace) -> int:
    from bot.settings import load_settings

    settings = load_settings()

    from bot.check import run_check

    return asyncio.run(run_check(settings, env_file=Path(".env"), env=os.environ))


def _demo(args: argparse.Namespace) -> int:
    from bot.sandbox.demo import main_demo

    return main_demo(args)


def _sandbox(args: argparse.Namespace) -> int:
    from bot.sandbox.serve import main_sandbox

    return main_sandbox(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="muster", description="A self-hosted Discord bot on the AI Horde and OSAIS.")
    parser.add_argument("--version", action="version", version=f"muster {__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(metavar="COMMAND")

    run = commands.add_parser("run", help="the bot against the services in the settings")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="try each service and say what to do about what fails")
    check.set_defaults(command=_check)

    demo = commands.add_parser(
        "demo",
        help="the whole bot on embedded simulators: no token, no account",
        epilog=f"scenarios: {', '.join(SCENARIOS)}\nsabotages: {', '.join(SABOTAGES)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.add_argument("--headless", action="store_true", help="play one scenario, print a transcript, and exit")
    demo.add_argument("--scenario", metavar="NAME", help="what a headless demo plays (default: imagine)")
    demo.add_argument(
        "--sabotage",
        metavar="NAME",
        help="break something on purpose; a headless demo then exits with 1, or 2 where that cannot hurt the scenario",
    )
    _add_world_arguments(demo, port=8700, speed=4.0)
    demo.set_defaults(command=_demo)

    sandbox = commands.add_parser("sandbox", help="the simulators alone, for a bot in another process")
    sandbox.add_argument(
        "--only", type=_simulators, default=SIMULATORS, metavar="NAMES", help="some of discord,horde,osais"
    )
    sandbox.add_argument(
        "--map",
        action="append",
        type=_mapping,
        default=[],
        metavar="PUBLIC=LOCAL",
        help="where calls for the bot's public address go, such as https://muster.test=http://127.0.0.1:8080",
    )
    _add_world_arguments(sandbox, port=0, speed=1.0)
    sandbox.set_defaults(command=_sandbox)
    return parser


def _add_world_arguments(parser: argparse.ArgumentParser, *, port: int, speed: float) -> None:
    parser.add_argument("--port", type=_port, default=port, help="where to listen; 0: any (default: %(default)s)")
    parser.add_argument("--speed", type=_speed, default=speed, help="workers' pace, 1 is real (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="what everything random starts from (default: 0)")


def _simulators(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names or not set(names) <= set(SIMULATORS):
        raise argparse.ArgumentTypeError(f"give some of {', '.join(SIMULATORS)}")
    return names


def _mapping(text: str) -> str:
    from bot.sandbox.outgoing import AddressMap

    try:
        AddressMap.parse([text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port lies between 0 and 65535")
    return port


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 1000:
        raise argparse.ArgumentTypeError("a speed lies above 0 and is 1000 at most")
    return speed


if __name__ == "__main__":
    sys.exit(main())
