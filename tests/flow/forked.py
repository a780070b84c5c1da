"""A bot as a child of a preloaded forkserver: everything is imported already, so a life costs milliseconds to begin.

The forkserver is a process of its own without threads or connections; it dies with us, and so does every bot it forked.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from bot.sandbox.bot_process import STOP_SECONDS, BotProcess

#: Imported once, by the forkserver; a name that does not exist is passed over in silence.
PRELOADED = (
    "alembic.command",
    "bot.app",
    "bot.sandbox.child",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.crash.defects",
    "tests.crash.rims",
    "tests.flow.forked",
    "tests.flow.preloaded",
)
#: Of our own environment, what a bot gets beside its settings.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")

#: Done in the child before its bot begins; has to be picklable.
Prelude = Callable[[], None]


class ForkedBot(BotProcess):
    """One bot at a time on the world's clock, started with the same settings again and again."""

    def __init__(
        self,
        control_url: str,
        *,
        folder: Path,
        settings: Mapping[str, str],
        prelude: Prelude | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare a bot that follows the world at `control_url` and lives in `folder`; `echo` gets each line."""
        super().__init__((), folder=folder, settings=settings, echo=echo)
        self._control_url = control_url
        self._prelude = prelude
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._child: ForkServerProcess | None = None

    def change_settings(self, **settings: str) -> None:
        """Begin the next lives with these settings."""
        self._settings |= settings

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._child is not None and self._child.is_alive()

    @property
    def exit_code(self) -> int | None:
        """How the last process ended: its code, or minus the signal; None while it runs or before the first."""
        return self._child.exitcode if self._child is not None else None

    async def wait(self) -> int | None:
        """Wait until the process has ended by itself; returns the exit code."""
        if self._child is not None and self._child.is_alive():
            await _readable(self._child.sentinel)
        return self.exit_code

    async def _start(self) -> None:
        self.starts += 1
        told, tells = self._context.Pipe(duplex=False)
        self._context.set_forkserver_preload(list(PRELOADED))
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | self._settings
        self._child = self._context.Process(
            target=_live, args=(self._control_url, self._folder, tells, environment, self._prelude)
        )
        # The very first start waits for the forkserver's imports.
        await asyncio.to_thread(self._child.start)
        tells.close()
        self._reading = asyncio.create_task(self._listen(told), name="bot-output")

    async def _listen(self, told: Connection) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(told.fileno()), "rb", buffering=0)
        )
        told.close()
        try:
            await self._read(reader)
        finally:
            transport.close()

    async def _end(self, with_signal: signal.Signals) -> int | None:
        async with self._changing:
            child = self._child
            if child is None or child.pid is None:
                return None
            if child.is_alive():
                os.kill(child.pid, with_signal)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.wait()
            except TimeoutError:
                child.kill()
                await self.wait()
            if self._reading:
                await self._reading
            return self.exit_code


async def _readable(descriptor: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)


# -- in the child -----------------------------------------------------------------------------------------------------


def _live(
    control_url: str, folder: Path, tells: Connection, environment: Mapping[str, str], prelude: Prelude | None
) -> None:
    # Here and not above: who only starts a bot need not import all of it.
    from bot.sandbox.child import live_in  # noqa: PLC0415

    gc.freeze()  # What is there already is of no interest to the collector, and stays shared with the forkserver.
    os.setsid()  # Ctrl-C in the terminal is for our parent, which stops us in its own order.
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream in (1, 2):
        os.dup2(tells.fileno(), stream)
    tells.close()
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    if prelude is not None:
        prelude()
    sys.exit(asyncio.run(live_in(control_url)))


def _end_with_parent() -> None:
    parent = multiprocessing.process.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
