"""`python -m bot demo`: the whole bot on embedded simulators, left running or playing one scenario by itself.

The sandbox lives in this process and the real bot in a child, which knows nothing but the addresses in its settings.
A headless demo plays its scenario over the control API, as a script of anybody else's would, and believes only what
the Discord simulator holds in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import aiohttp

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.lifetime import first_of, until_told
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.sabotage import SABOTAGES, Sabotage
from bot.sandbox.scenarios import SCENARIOS
from bot.sandbox.scenarios.base import Scenario
from bot.sandbox.scenarios.failure import ScenarioFailed
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.transcript import Transcript
from bot.sandbox.serve import Sandbox

#: Real seconds a headless demo may take in all; a scenario has its own, shorter deadlines in world time.
LONGEST_PLAY = 60.0
#: Lines of the bot's log shown when a scenario fails.
LOG_TAIL = 40

#: Whose key the bot uses. Not the anonymous one: what it asked for can be found again after a restart.
HORDE_USER = "robin_rich"

#: Where services reach the bot: as in production, an https address in front of its own web server.
PUBLIC_URL = "https://muster.test"

#: What is played when nobody says what.
DEFAULT_SCENARIO = "imagine"

EXIT_USAGE = 2
#: What shells report of a process that SIGTERM ended.
EXIT_TERMINATED = 128 + signal.SIGTERM


def main_demo(args: argparse.Namespace) -> int:
    """Run the demo; headless it returns 0 only if the scenario ended as promised, 1 if not, 2 for wrong names."""
    if args.headless:
        return _play(args)
    if args.scenario or args.sabotage:
        _complain("--scenario and --sabotage are for a demo that plays by itself: add --headless.")
        return EXIT_USAGE
    try:
        asyncio.run(_leave_running(args))
    except OSError as error:
        _complain(f"The demo cannot be served on port {args.port}: {error.strerror or error}. Try --port 0.")
        return 1
    return 0


def _play(args: argparse.Namespace) -> int:
    name = args.scenario or DEFAULT_SCENARIO
    scenario, sabotage = SCENARIOS.get(name), SABOTAGES.get(args.sabotage or "")
    if scenario is None:
        _complain(f"There is no scenario {name!r}. There are: {', '.join(SCENARIOS)}.")
        return EXIT_USAGE
    if args.sabotage and sabotage is None:
        _complain(f"There is no sabotage {args.sabotage!r}. There are: {', '.join(SABOTAGES)}.")
        return EXIT_USAGE
    if sabotage is not None and name not in sabotage.hurts:
        able = ", ".join(each.name for each in SABOTAGES.values() if name in each.hurts)
        _complain(f"{sabotage.name} cannot hurt {name}, which would pass all the same. What can: {able}.")
        return EXIT_USAGE
    return asyncio.run(_unless_terminated(play_scenario(scenario, sabotage, speed=args.speed, seed=args.seed)))


async def _unless_terminated(playing: Coroutine[object, object, int]) -> int:
    """Cancel it on SIGTERM, as `asyncio.run` does on SIGINT: the bot is stopped and its folder removed either way."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(playing)
    # Once: a second signal must not cut the cleaning up short.
    loop.add_signal_handler(signal.SIGTERM, lambda: task.cancelling() or task.cancel())
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
    return EXIT_TERMINATED if task.cancelled() else task.result()


async def play_scenario(
    scenario: Scenario,
    sabotage: Sabotage | None,
    *,
    speed: float,
    seed: int,
    make_bot: Callable[..., BotProcess] = BotProcess.following,
) -> int:
    """Play it in a world of its own with the bot that `make_bot` makes; returns 0 if it ended as promised, else 1."""
    _print(f"Scenario {scenario.name}: {scenario.summary}")
    # Any free port: a headless demo is talked to by nobody else, and several may run at once.
    async with (
        _world(port=0, speed=speed, seed=seed, make_bot=make_bot) as (sandbox, bot),
        aiohttp.ClientSession() as session,
    ):
        world = World(session, sandbox.control_url)
        try:
            async with asyncio.timeout(LONGEST_PLAY):
                if sabotage is not None:
                    _print(f"Sabotage {sabotage.name}: {sabotage.summary}")
                    await sabotage.spoil(world)
                await world.post("/bot/start")
                await scenario.play(world, Transcript(_print))
        except (ScenarioFailed, TimeoutError) as error:
            reason = str(error) or f"it took longer than {LONGEST_PLAY:.0f} s"
            _complain("\n".join(["The bot's log ends:", *bot.output(LOG_TAIL)]))
            # Last, where it is looked for.
            _print(f"FAILED: {reason}")
            return 1
    _print("PASSED: it ended as promised")
    return 0


async def _leave_running(args: argparse.Namespace) -> None:
    async with (
        until_told() as told,
        _world(port=args.port, speed=args.speed, seed=args.seed, echo=_pass_on) as (sandbox, bot),
    ):
        await bot.start()
        _print(f"The playground is open at {sandbox.url}/ (Ctrl-C ends it)")
        await first_of(told.wait(), sandbox.failed())
        _print("Stopping…")


@contextlib.asynccontextmanager
async def _world(
    *,
    port: int,
    speed: float,
    seed: int,
    echo: Callable[[str], None] | None = None,
    make_bot: Callable[..., BotProcess] = BotProcess.following,
) -> AsyncIterator[tuple[Sandbox, BotProcess]]:
    """Serve a world with a bot in it that is not started yet; on leaving, the bot is stopped first."""
    with tempfile.TemporaryDirectory(prefix="muster-demo-") as name:
        folder = Path(name)
        proxy = AddressMap.to_free_port(PUBLIC_URL)
        async with Sandbox(port=port, speed=speed, seed=seed, address_map=proxy) as sandbox:
            settings = sandbox.settings_env(f"sqlite+aiosqlite:///{folder / 'muster.db'}", horde_user=HORDE_USER)
            bot = make_bot(sandbox.control_url, folder=folder, settings=settings, echo=echo)
            sandbox.bot_control.adopt(bot)
            try:
                yield sandbox, bot
            finally:
                await bot.terminate()


def _pass_on(line: str) -> None:
    """Show what the bot logs but for its everyday lines: the one address stays in sight. `GET /sandbox/bot` has all."""
    if " level=info " not in line:
        _complain(line)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
