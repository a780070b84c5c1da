"""The repository checks itself: dependencies with reasons, sound lock files, no machine's traces, true pages."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import __version__
from bot.check import invite_link

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")

#: Folders of the machines this was written on, and addresses of package registries. Put together here so that this
#: file does not find itself.
TRACES = (
    "/" + "work/",
    "/" + "home/",
    "/" + "Users/",
    "/" + "root/",
    "/" + "tmp/",
    "index" + "-url",
    "pypi" + ".org/simple",
    "files.python" + "hosted.org",
)


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]  # type: ignore[no-any-return]


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> list[str]:
    about = project()
    running, extras = about["dependencies"], about["optional-dependencies"]
    assert isinstance(running, list)
    assert isinstance(extras, dict)
    return [name_of(each) for each in (*running, *(one for extra in extras.values() for one in extra))]


def tracked() -> Iterator[tuple[str, str]]:
    """The files that are or would be tracked and are text, by name."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture, or a file that is being removed


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w.-]+)` \| (.+) \|$", page, re.MULTILINE))

    assert set(rows) == set(declared())
    assert [name for name, reason in rows.items() if len(reason) < 10] == []


def test_every_dependency_has_a_lower_bound() -> None:
    about = project()
    assert isinstance(about["dependencies"], list)
    assert [each for each in about["dependencies"] if ">=" not in each] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_pins_every_package_with_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text.strip()) if not entry.startswith("#")]

    assert len(entries) > 10
    assert [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "index" + "-url" not in text


def test_lock_files_hold_every_dependency() -> None:
    text = (ROOT / LOCKS[1]).read_text(encoding="utf-8")
    locked = {normal(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}

    assert {normal(name) for name in declared()} <= locked


def test_tracked_files_carry_no_traces_of_a_machine() -> None:
    # At the start of a path only: such a word further inside an address is no trace.
    pattern = re.compile("|".join(rf"(?<![\w.$}}~-]){re.escape(trace)}" for trace in TRACES))
    found = [f"{name}: {hit[0]}" for name, text in tracked() for hit in pattern.finditer(text)]

    assert found == []


def test_readme_names_the_two_commands_and_no_other_target_first() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (make \w+)", readme, re.MULTILINE)

    assert commands == ["make demo", "make test"]


def test_readme_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))
        for target in re.findall(r"(?:\$ |`)make ([a-z]+)", page.read_text(encoding="utf-8"))
    }

    assert named <= targets


def test_readme_invites_with_the_permissions_that_check_asks_for() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert invite_link(42).replace("42", "YOUR_APPLICATION_ID", 1) in readme


def test_pages_link_to_files_that_exist() -> None:
    dead = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert dead == []


def test_architecture_page_lists_every_module_of_the_bot() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [path for path in (ROOT / "bot").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    names = [path.name if path.suffix else f"{path.name}/" for path in modules if path.name != "__init__.py"]

    assert [name for name in names if not re.search(rf"(?<![\w/]){re.escape(name)}", page)] == []


def test_version_is_the_same_everywhere() -> None:
    assert project()["version"] == __version__


def test_workflow_actions_are_pinned_by_hash() -> None:
    used = [
        use
        for workflow in (ROOT / ".github" / "workflows").glob("*.yml")
        for use in re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
    ]

    assert [use for use in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use)] == []
