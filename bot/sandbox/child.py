"""The real bot on the world's clock: what `demo` and the flow tests start as a child process."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading

from bot.app import run_bot
from bot.logs import setup_logging
from bot.sandbox.clock_link import FollowingClock
from bot.settings import load_settings


async def live_in(control_url: str) -> int:
    """Run the bot with the settings in the environment in the world at `control_url`; returns the exit code."""
    async with FollowingClock.follow(control_url) as clock:
        settings = load_settings(need_token=True)
        setup_logging(settings)
        return await run_bot(settings, clock=clock)


def _end_with_parent() -> None:
    """Stop like on SIGTERM once the parent is gone: its end of our stdin closes with it, even if it was killed."""
    # Not through sys.stdin: its lock, held by this thread at the interpreter's end, would be a fatal error.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run the bot with the settings in the environment until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox.child", description=__doc__)
    parser.add_argument("--control-url", required=True, help="the sandbox's control API, .../sandbox")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin closes")
    args = parser.parse_args()
    if args.with_parent:
        threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    return asyncio.run(live_in(args.control_url))


if __name__ == "__main__":
    sys.exit(main())
