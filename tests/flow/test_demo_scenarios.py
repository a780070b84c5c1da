"""The demo: every scenario passes, and every way to spoil it makes it fail for its reason.

One is played and two are ended as a person does it, by `python -m bot demo`. The others are played in this process by
what that command calls, with a bot that need not import itself anew.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest

from bot.sandbox.demo import play_scenario
from bot.sandbox.sabotage import SABOTAGES
from bot.sandbox.scenarios import SCENARIOS
from tests.flow.forked import ForkedBot

#: A guard that can only fail: a demo is over in a fraction of it.
GUARD_SECONDS = 55

#: What a spoilt scenario has to complain about.
REASONS = {
    "lose-a-file": "is attached but cannot be downloaded",
    "never-finish": "did not end within",
    "wrong-result": "not what the Horde painted",
    "drop-the-end": "did not end within",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    code: int | None
    stdout: str
    stderr: str


#: Plays a scenario, spoilt or not.
Play = Callable[..., Awaitable[Played]]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Play:
    """Play a scenario in this process; a demo's folder is made in `tmp_path`."""
    get_temp_dir()  # multiprocessing's own, which stays until the end: made before the others are led elsewhere
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def play(name: str, sabotage: str | None = None) -> Played:
        spoilt = SABOTAGES[sabotage] if sabotage else None
        async with asyncio.timeout(GUARD_SECONDS):
            code = await play_scenario(SCENARIOS[name], spoilt, speed=4.0, seed=0, make_bot=ForkedBot)
        told = capsys.readouterr()
        return Played(code=code, stdout=told.out, stderr=told.err)

    return play


async def start(*options: str, folder: Path) -> Played:
    """Start the demo as a person does."""
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--headless", *options),
        cwd=folder,
        # A demo needs no settings and must not mind somebody's real ones.
        env={**os.environ, "DISCORD_TOKEN": "not-of-this-world", "HORDE_URL": "https://horde.invalid/api/v2"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(GUARD_SECONDS):
            stdout, stderr = await demo.communicate()
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    return Played(code=demo.returncode, stdout=stdout.decode(), stderr=stderr.decode())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_imagine_ends_with_what_the_horde_painted(tmp_path: Path) -> None:
    demo = await start("--scenario", "imagine", folder=tmp_path)
    assert demo.code == 0, demo.stdout + demo.stderr
    assert "/imagine prompt:" in demo.stdout
    assert "Accepted" in demo.stdout
    assert "[ended]" in demo.stdout
    assert demo.stdout.count("sha256 ") == 4
    assert "4 files downloaded; each is byte for byte what the Horde painted" in demo.stdout
    assert demo.stdout.endswith("PASSED: it ended as promised\n")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("name", sorted(SABOTAGES.keys() & REASONS.keys()))
async def test_a_spoilt_imagine_fails_for_its_reason(play: Play, name: str) -> None:
    demo = await play("imagine", name)
    assert demo.code == 1, demo.stdout + demo.stderr
    failed = [line for line in demo.stdout.splitlines() if line.startswith("FAILED: ")]
    assert failed, demo.stdout + demo.stderr
    assert REASONS[name] in failed[0]
    assert "The bot's log ends:" in demo.stderr


async def test_alchemy_ends_with_words_and_file(play: Play, tmp_path: Path) -> None:
    demo = await play("alchemy")
    assert demo.code == 0, demo.stdout + demo.stderr
    assert "@Muster caption upscale" in demo.stdout
    assert "✔ Caption" in demo.stdout
    assert "byte for byte what it made" in demo.stdout
    assert demo.stdout.endswith("PASSED: it ended as promised\n")
    assert left_in(tmp_path) == []


# What never ends, or never shows its end, fails the same way whatever was asked for: `imagine` above proves it.
@pytest.mark.parametrize("name", ["wrong-result"])
async def test_a_spoilt_alchemy_fails_for_its_reason(play: Play, name: str) -> None:
    demo = await play("alchemy", name)
    assert demo.code == 1, demo.stdout + demo.stderr
    assert "FAILED: " in demo.stdout
    assert REASONS[name] in demo.stdout


async def test_ask_ends_with_an_answer_that_used_the_first_turn(play: Play, tmp_path: Path) -> None:
    demo = await play("ask")
    assert demo.code == 0, demo.stdout + demo.stderr
    assert "Your name is Augusta" in demo.stdout
    assert "the second answer used the first turn" in demo.stdout
    assert "the whole answer is a file" in demo.stdout
    assert demo.stdout.endswith("PASSED: it ended as promised\n")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("name", ["wrong-result"])
async def test_a_spoilt_ask_fails_for_its_reason(play: Play, name: str) -> None:
    demo = await play("ask", name)
    assert demo.code == 1, demo.stdout + demo.stderr
    failed = [line for line in demo.stdout.splitlines() if line.startswith("FAILED: ")]
    assert failed, demo.stdout + demo.stderr
    assert (REASONS | {"wrong-result": "does not know Augusta"})[name] in failed[0]


async def test_restart_brings_every_picture_once(play: Play, tmp_path: Path) -> None:
    demo = await play("restart")
    assert demo.code == 0, demo.stdout + demo.stderr
    assert demo.stdout.index("kill -9") < demo.stdout.index("the bot is started again") < demo.stdout.index("[ended]")
    assert "4 files downloaded; each is byte for byte what the Horde painted" in demo.stdout
    assert "handed over once, in the first life" in demo.stdout
    assert left_in(tmp_path) == []


async def test_late_results_arrive_in_the_channel_and_in_private(play: Play, tmp_path: Path) -> None:
    demo = await play("late")
    assert demo.code == 0, demo.stdout + demo.stderr
    assert "16 minutes have passed: both tokens are dead" in demo.stdout
    assert "Ada presses [📬 Collect]" in demo.stdout
    assert demo.stdout.count("byte for byte what the Horde painted") == 2
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("scenario", "sabotage", "reason"),
    [
        pytest.param("restart", "wrong-result", "not what the Horde painted", id="restart"),
        pytest.param("late", "close-the-channel", "did not end within", id="late"),
    ],
)
async def test_a_spoilt_story_of_reliability_fails_for_its_reason(
    scenario: str, sabotage: str, reason: str, play: Play
) -> None:
    demo = await play(scenario, sabotage)
    assert demo.code == 1, demo.stdout + demo.stderr
    assert reason in next(line for line in demo.stdout.splitlines() if line.startswith("FAILED: "))


async def test_osais_ends_with_every_file_and_every_call_acknowledged(play: Play, tmp_path: Path) -> None:
    demo = await play("osais")
    assert demo.code == 0, demo.stdout + demo.stderr
    assert demo.stdout.count("sha256 ") == 5
    assert demo.stdout.count(": acknowledged") == 13 + 7
    assert "5 files downloaded; each is byte for byte what OSAIS made" in demo.stdout
    assert demo.stdout.endswith("PASSED: it ended as promised\n")
    assert left_in(tmp_path) == []


async def test_osais_whose_calls_lead_astray_fails_although_every_file_arrives(play: Play) -> None:
    demo = await play("osais", "lead-calls-astray")
    assert demo.code == 1, demo.stdout + demo.stderr
    assert "Done: 4 pictures" in demo.stdout
    assert "FAILED: not every call was acknowledged" in demo.stdout


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks children up in /proc")
@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["sigterm", "ctrl-c"])
async def test_a_demo_that_is_ended_leaves_nothing_behind(ending: signal.Signals, code: int, tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--headless"),
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        # A suite that a shell runs in the background ignores Ctrl-C, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(GUARD_SECONDS):
            while b"/imagine prompt:" not in await demo.stdout.readline():
                assert not demo.stdout.at_eof()
            bots = children_of(demo.pid)
            demo.send_signal(ending)
            rest = await demo.stdout.read()
            assert await demo.wait() == code
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    assert b"PASSED" not in rest
    assert left_in(tmp_path) == []
    assert bots
    assert [bot for bot in bots if is_there(bot)] == []


@pytest.mark.parametrize("option", ["--scenario", "--sabotage"])
async def test_an_unknown_name_is_answered_with_the_known_ones(option: str, tmp_path: Path) -> None:
    demo = await start(option, "nonsense", folder=tmp_path)
    assert demo.code == 2
    known = SCENARIOS if option == "--scenario" else SABOTAGES
    assert all(name in demo.stderr for name in known)
