"""Every error of Muster belongs to the one tree, and says something kind and useful to a person."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import TypeVar

import pytest

import bot
import cogs
from bot import errors
from bot.errors import BotError, SetupError

Kind = TypeVar("Kind", bound=BaseException)


def every_module() -> Iterator[str]:
    for package in (bot, cogs):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The simulators have errors of their own world; migrations are scripts that only Alembic runs.
            if not module.name.startswith(("bot.sandbox", "bot.store.migrations", "bot.__main__")):
                yield module.name


def subclasses(kind: type[Kind]) -> Iterator[type[Kind]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def tree() -> list[type[BotError]]:
    for name in every_module():
        importlib.import_module(name)
    return sorted({BotError, *subclasses(BotError)}, key=lambda each: each.__name__)


def make(kind: type[BotError]) -> BotError:
    return kind(["mend this"]) if issubclass(kind, SetupError) else kind("detail for the log")


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_error_has_a_kind_sentence(kind: type[BotError]) -> None:
    sentence = make(kind).user_message

    assert re.fullmatch(r"[A-Z].*[.!?]", sentence), "a whole sentence"
    assert 15 <= len(sentence) <= 300
    assert not re.search(r"(?i)\b(exception|traceback|null|none|http|json|\d{3}|token|api ?key)\b", sentence)
    assert not re.search(r"(?i)\b(invalid|illegal|forbidden|fatal|you failed|your fault)\b", sentence)


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_error_detail_never_reaches_the_person(kind: type[BotError]) -> None:
    assert "detail for the log" not in make(kind).user_message
    assert make(kind).detail


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_error_says_what_it_means(kind: type[BotError]) -> None:
    assert (kind.__doc__ or "").strip().endswith((".", ")"))


def test_error_drawing_shows_the_tree_as_it_is() -> None:
    """The picture in the module's docstring has every public class, below its real parent."""
    drawn: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"(?P<lead>[ │├└─]*)(?P<name>[A-Z]\w+)(?:\s{2,}|$)", line)
        if found is None or line != line.rstrip() or not line.startswith("    "):
            continue
        depth = (len(found["lead"]) - 4) // 4
        above[depth] = found["name"]
        drawn[found["name"]] = above[depth - 1] if depth else "Exception"

    public = [kind for kind in tree() if kind.__module__ == errors.__name__]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in public}


def test_errors_are_all_declared_in_one_place_or_private() -> None:
    strays = [
        f"{kind.__module__}.{kind.__name__}"
        for kind in subclasses(Exception)
        if kind.__module__.split(".")[0] in {"bot", "cogs"}
        and not kind.__module__.startswith("bot.sandbox")
        and not issubclass(kind, BotError)
        and not kind.__name__.startswith("_")
    ]

    assert strays == []
