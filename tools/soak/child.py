"""The bot on the world's clock, which tells on SIGUSR1 what only it can see: one line of JSON on its output."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys

from bot.sandbox.child import live_in

#: Begins the line, so that it is not taken for a log line.
MARK = "soak "


async def _run(control_url: str) -> int:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, _tell)
    # Our parent never writes: what can be read is the end of its life, and so of ours.
    loop.add_reader(sys.stdin.fileno(), lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        return await live_in(control_url)
    finally:
        loop.remove_reader(sys.stdin.fileno())


def _tell() -> None:
    gc.collect()
    told = {
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
        # All that Python holds, however small; what memory grows by beyond them is the allocator's.
        "blocks": sys.getallocatedblocks(),
    }
    sys.stdout.write(f"{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the bot until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak.child", description=__doc__)
    parser.add_argument("--control-url", required=True, help="the sandbox's control API, .../sandbox")
    return asyncio.run(_run(parser.parse_args().control_url))


if __name__ == "__main__":
    sys.exit(main())
