"""The command line: which sub-command gets what, and how it ends."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __main__ as command_line
from bot import __version__
from bot.errors import SetupError, Unavailable
from bot.sandbox.sabotage import SABOTAGES
from bot.sandbox.scenarios import SCENARIOS
from bot.settings import load_settings


def calls(monkeypatch: pytest.MonkeyPatch, name: str, outcome: int | BaseException = 0) -> list[argparse.Namespace]:
    """Stand in for one sub-command and collect what it is given."""
    seen: list[argparse.Namespace] = []

    def command(args: argparse.Namespace) -> int:
        seen.append(args)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(command_line, name, command)
    return seen


def test_demo_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = calls(monkeypatch, "_demo", 1)
    line = "demo --headless --scenario imagine --sabotage lose-a-file --port 0 --speed 20 --seed 7"

    assert command_line.main(line.split()) == 1

    (args,) = seen
    assert (args.headless, args.scenario, args.sabotage) == (True, "imagine", "lose-a-file")
    assert (args.port, args.speed, args.seed) == (0, 20.0, 7)


def test_demo_without_options_lies_at_8700(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = calls(monkeypatch, "_demo")

    assert command_line.main(["demo"]) == 0
    assert (seen[0].headless, seen[0].port, seen[0].sabotage) == (False, 8700, None)


@pytest.mark.parametrize("option", ["--scenario", "--sabotage"])
def test_demo_that_does_not_play_takes_no_scenario(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["demo", option, "imagine"]) == 2
    assert "add --headless" in capsys.readouterr().err


def test_sandbox_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = calls(monkeypatch, "_sandbox")

    command_line.main(["sandbox", "--only", "horde", "--port", "7001"])
    command_line.main(["sandbox"])

    assert [(args.only, args.port) for args in seen] == [(("horde",), 7001), (("discord", "horde", "osais"), 0)]


def test_demo_help_names_what_there_is_to_play(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(command_line.SCENARIOS) == list(SCENARIOS)
    assert list(command_line.SABOTAGES) == list(SABOTAGES)
    with pytest.raises(SystemExit):
        command_line.main(["demo", "--help"])

    told = capsys.readouterr().out
    assert [name for name in (*SCENARIOS, *SABOTAGES) if name not in told] == []


def test_nothing_is_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main([]) == 2

    told = capsys.readouterr().err
    assert [name for name in ("run", "check", "demo", "sandbox", "OSAIS") if name not in told] == []


@pytest.mark.parametrize("missing", ["OSAIS_SECRET", "OSAIS_TOKEN"])
def test_run_warns_once_of_an_osais_without_its_other_half(missing: str, caplog: pytest.LogCaptureFixture) -> None:
    pair = {"OSAIS_TOKEN": "a", "OSAIS_SECRET": "b"}
    for env in (pair, {}, {name: value for name, value in pair.items() if name != missing}):
        command_line._warn(load_settings(env, None))

    assert caplog.messages == [f"OSAIS is not offered: {missing} is not set"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("paint", id="unknown-command"),
        pytest.param("demo --port 70000", id="port-too-high"),
        pytest.param("demo --speed 0", id="standing-still"),
        pytest.param("sandbox --only midjourney", id="unknown-simulator"),
        pytest.param("sandbox --map https://muster.test", id="map-without-a-place"),
        pytest.param("sandbox --map https://muster.test=https://example.org", id="map-off-the-machine"),
    ],
)
def test_usage_error_exits_with_two(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(line.split())

    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SetupError(["mend this", "and that"]), id="plain"),
        pytest.param(
            BaseExceptionGroup("", [SetupError(["mend this"]), ExceptionGroup("", [SetupError(["and that"])])]),
            id="from-task-groups",
        ),
    ],
)
def test_setup_error_becomes_one_report(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls(monkeypatch, "_check", error)

    assert command_line.main(["check"]) == 2

    report = capsys.readouterr().err
    assert "  - mend this\n  - and that\n" in report
    assert "Traceback" not in report


def test_other_errors_travel_on(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(monkeypatch, "_check", ExceptionGroup("", [SetupError(["mend"]), Unavailable("down")]))

    with pytest.raises(ExceptionGroup):
        command_line.main(["check"])


def test_ctrl_c_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(monkeypatch, "_run", KeyboardInterrupt())

    assert command_line.main(["run"]) == 130


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["--version"])

    assert capsys.readouterr().out == f"muster {__version__}\n"


def test_run_in_a_bad_environment_reports_and_shows_no_value(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(command_line.__file__).parents[1]), "WEB_PORT": "hush", "HORDE_URL": "hush"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert [name for name in ("DISCORD_TOKEN", "WEB_PORT", "HORDE_URL") if name not in done.stderr] == []
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr
