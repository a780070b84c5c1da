"""The real bot as a child process: start, stop, kill, and read what it printed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web

#: Lines of output kept.
OUTPUT_LINES = 2000
#: Real seconds a bot may take over SIGTERM before it is killed.
STOP_SECONDS = 10.0

#: What of our own environment a bot gets; not the rest, or somebody's real token would come along.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
_PASSED_ON_PREFIXES = ("PYTHON", "COV_CORE_", "COVERAGE_")
_PROJECT = Path(__file__).resolve().parents[2]


class BotProcess:
    """One bot at a time, started with the same settings again and again; owned and stopped by whoever made it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        settings: Mapping[str, str],
        echo: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare to run `command` in `folder` with the settings as its environment; `echo` gets each line."""
        self._command = list(command)
        self._folder = folder
        self._settings = dict(settings)
        self._lines: deque[str] = deque(maxlen=OUTPUT_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        #: Called with each line it prints.
        self.listeners: list[Callable[[str], None]] = [echo] if echo else []
        #: How often it was started.
        self.starts = 0

    @classmethod
    def following(
        cls,
        control_url: str,
        *,
        folder: Path,
        settings: Mapping[str, str],
        echo: Callable[[str], None] | None = None,
    ) -> BotProcess:
        """Make the bot that runs on the world's clock (`child.py`)."""
        command = (sys.executable, "-m", "bot.sandbox.child", "--control-url", control_url, "--with-parent")
        return cls(command, folder=folder, settings=settings, echo=echo)

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The number of the last process started; None before the first."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended: its code, or minus the signal; None while it runs or before the first."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Start the bot; nothing happens if it runs."""
        async with self._changing:
            if not self.running:
                await self._start()

    async def terminate(self) -> int | None:
        """Ask it to stop (SIGTERM) and wait; it is killed if it takes too long. Returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int | None:
        """End it as a power cut would (SIGKILL). Returns the exit code."""
        return await self._end(signal.SIGKILL)

    async def wait(self) -> int | None:
        """Wait until the process has ended by itself; returns the exit code."""
        return await self._process.wait() if self._process else None

    def output(self, lines: int = OUTPUT_LINES) -> list[str]:
        """Return the last lines it printed, of all its starts."""
        return list(self._lines)[-lines:] if lines > 0 else []

    async def _start(self) -> None:
        self.starts += 1
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._folder,
            env={**_passed_on(), "PYTHONPATH": _python_path(), "PYTHONUNBUFFERED": "1", **self._settings},
            # Never written to: it closes when we die, however we die, and the child watches for that.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the terminal is for us; we stop the bot in our own order.
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read(self._process.stdout), name="bot-output")

    async def _read(self, stdout: asyncio.StreamReader | None) -> None:
        if stdout is None:
            return
        while chunk := await _line(stdout):
            line = chunk.decode(errors="replace").rstrip()
            self._lines.append(line)
            for listen in self.listeners:
                listen(line)

    async def _end(self, with_signal: signal.Signals) -> int | None:
        async with self._changing:
            process = self._process
            if process is None:
                return None
            _send(process, with_signal)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                _send(process, signal.SIGKILL)
                await process.wait()
            if self._reading:
                await self._reading
            return process.returncode


class BotControl:
    """Control routes for the bot, if this sandbox has one."""

    def __init__(self, listen: Callable[[str], None] = lambda _: None) -> None:
        """`listen` gets each line that the bot logs."""
        self._listen = listen
        self.bot: BotProcess | None = None

    def adopt(self, bot: BotProcess) -> None:
        """Have the routes act on this bot, and listen to it."""
        self.bot = bot
        bot.listeners.append(self._listen)

    def control_routes(self) -> list[web.RouteDef]:
        """Routes below /sandbox/bot."""
        return [
            web.get("/sandbox/bot", self._show),
            web.post("/sandbox/bot/start", self._start),
            web.post("/sandbox/bot/stop", self._stop),
            web.post("/sandbox/bot/kill", self._kill),
        ]

    def _bot(self) -> BotProcess:
        if self.bot is None:
            reason = '{"error": "this sandbox runs no bot of its own; `python -m bot demo` does"}'
            raise web.HTTPNotFound(text=reason, content_type="application/json")
        return self.bot

    def _state(self) -> web.Response:
        bot = self._bot()
        return web.json_response(
            {"running": bot.running, "exit_code": bot.exit_code, "starts": bot.starts, "output": bot.output(50)}
        )

    async def _show(self, _: web.Request) -> web.Response:
        return self._state()

    async def _start(self, _: web.Request) -> web.Response:
        await self._bot().start()
        return self._state()

    async def _stop(self, _: web.Request) -> web.Response:
        await self._bot().terminate()
        return self._state()

    async def _kill(self, _: web.Request) -> web.Response:
        await self._bot().kill()
        return self._state()


def _send(process: asyncio.subprocess.Process, with_signal: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(with_signal)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        # A line longer than the buffer was dropped; what follows it is still of interest.
        return b"(a very long line)\n"


def _passed_on() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }


def _python_path() -> str:
    """Let the child find this very project although it starts in another folder."""
    return os.pathsep.join(part for part in (str(_PROJECT), os.environ.get("PYTHONPATH", "")) if part)
