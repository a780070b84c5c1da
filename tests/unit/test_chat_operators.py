"""What operators decide about texts: their own templates, and words that nobody is to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.blocking import INSTEAD, without_words
from bot.chat.cleaning import tidy
from bot.chat.operators import operators_book
from bot.chat.templates import bundled
from bot.errors import SetupError

OWN = '[families.mine]\nuser = ["<u>", "</u>"]\nassistant = ["<a>", "</a>"]\nstop = ["</a>"]\n'


def test_operators_file_lies_over_ours(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    assert operators_book(str(file), {"Some-7B": "mine"})["mine"].user == ("<u>", "</u>")
    assert operators_book("", {}) is bundled()


@pytest.mark.parametrize(
    ("text", "overrides", "told"),
    [
        pytest.param(None, {}, "TEXT_TEMPLATES_FILE cannot be read", id="no-file"),
        pytest.param(b"\xff\xfe", {}, "TEXT_TEMPLATES_FILE cannot be read", id="no-text"),
        pytest.param(b"[families", {}, "can't be read", id="no-toml"),
        pytest.param(OWN.encode(), {"Some-7B": "yours"}, "not there: yours", id="no-such-template"),
    ],
)
def test_operators_slips_are_told_at_the_start(
    tmp_path: Path, text: bytes | None, overrides: dict[str, str], told: str
) -> None:
    file = tmp_path / "own.toml"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(SetupError) as caught:
        operators_book(str(file), overrides)
    assert told in str(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("What the heck is this?", f"What the {INSTEAD} is this?", id="word"),
        pytest.param("HECK! Heck.", f"{INSTEAD}! {INSTEAD}.", id="any-case"),
        pytest.param("The checkers were hecking.", "The checkers were hecking.", id="part-of-a-word"),
        pytest.param("dang\n it", INSTEAD, id="several-words"),
        pytest.param("C++ is fun", f"{INSTEAD} is fun", id="odd-characters"),
    ],
)
def test_blocked_words_are_replaced_wherever_they_stand_alone(text: str, shown: str) -> None:
    assert without_words(text, ["heck", "dang  it", "c++", " "]) == shown


def test_no_words_change_nothing() -> None:
    assert without_words("heck", []) == "heck"
    assert without_words("heck", [" "]) == "heck"


@given(st.text(max_size=60), st.lists(st.text("ab c+", max_size=4), max_size=4))
def test_blocked_words_are_gone_for_good(text: str, words: list[str]) -> None:
    once = without_words(f"{text} {' '.join(words)}", words)
    assert without_words(once, words) == once


def test_answer_and_thought_are_shown_without_blocked_words() -> None:
    book = bundled()
    raw = "<think>Oh heck.</think>Well, heck it is."
    told = tidy(raw, template=book["chatml"], book=book, max_length=300, blocked=["heck"])
    assert (told.text, told.thought) == (f"Well, {INSTEAD} it is.", f"Oh {INSTEAD}.")
