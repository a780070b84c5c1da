"""Long text is cut where a reader pauses, and arrives whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.escaping import measure
from bot.render.splitting import MIN_LIMIT, parts, split

#: A slow example on a busy machine is no failure.
CALM = settings(deadline=None)
WORDS = ("word", "a", "sentence. ", '"End." ', "。", "🚀", "e\u0301", "x" * 130, "🚀" * 70)
SPACES = ("\n", "\n\n", "    ", " ", "   \n  ")
FENCES = ("```", "```python\n", "\n```\n", "`", "``", "````", "`" * 150)
MIXED = st.lists(st.sampled_from((*WORDS, *SPACES, *FENCES)), max_size=60).map("".join)
TEXTS = st.one_of(MIXED, st.text(max_size=400))


def ink(text: str) -> str:
    """Only what is not white space: that alone may be dropped."""
    return re.sub(r"\s", "", text)


def test_split_short_text_is_one_part() -> None:
    assert split("  Hello. ") == ("Hello.",)


@pytest.mark.parametrize("text", ["", " \n "], ids=["empty", "blank"])
def test_split_nothing_is_no_part(text: str) -> None:
    assert split(text) == ()


def test_split_prefers_paragraphs_to_lines_to_sentences() -> None:
    first, second = "One. " * 14 + "\nTwo. Three.", "Four. " * 10
    assert split(f"{first}\n\n{second}", 100) == (first, second.strip())


def test_split_at_sentences_keeps_them_whole() -> None:
    found = split("This is a sentence of some length. " * 8, 100)
    assert all(part.endswith(".") and len(part) <= 100 for part in found)


def test_split_code_is_closed_and_opened_again_with_its_language() -> None:
    lines = "\n".join(f"    line_{number} = {number}" for number in range(20))
    found = split(f"Look:\n```python\n{lines}\n```\nDone.", 120)
    assert len(found) > 2
    assert all(part.count("```") % 2 == 0 for part in found)
    assert all(part.startswith("```python\n    line_") for part in found[1:-1])
    assert re.findall(r"line_(\d+) ", "".join(found)) == [str(number) for number in range(20)]


def test_split_leaves_no_empty_code_block() -> None:
    text = "x" * 88 + "\n```python\n" + "y = 1\n" * 16 + "```"
    found = split(text, 100)
    assert found[0] == "x" * 88
    assert all(re.sub(r"```(python)?", "", part).strip() for part in found)


def test_split_keeps_the_end_of_a_block_with_it() -> None:
    code = "```\n" + "y = 1\n" * 15 + "```"
    found = split(f"{code} and more text after the block", 100)
    assert found == (code, "and more text after the block")


def test_split_without_a_pause_cuts_between_characters() -> None:
    astronaut = "👩\u200d🚀"
    found = split(astronaut * 40, 101)
    assert "".join(found) == astronaut * 40
    assert all(len(part) % len(astronaut) == 0 for part in found)


def test_split_closes_a_block_the_text_leaves_open() -> None:
    assert split("```py\nprint()") == ("```py\nprint()\n```",)


def test_split_refuses_a_limit_without_room_for_fences() -> None:
    with pytest.raises(ValueError, match="at least"):
        split("text", MIN_LIMIT - 1)


@CALM
@given(TEXTS, st.integers(min_value=MIN_LIMIT, max_value=300))
def test_split_loses_nothing_but_white_space(text: str, limit: int) -> None:
    found = tuple(parts(text, limit))
    assert ink("".join(part.body for part in found)) == ink(text)
    for part in found:
        assert 0 < measure(part.text) <= limit
        assert part.text.count("```") % 2 == 0
        assert part.text.strip()
        assert part.opening == "" or re.fullmatch(r"```[A-Za-z0-9_+\-.#]{0,20}\n", part.opening)
        assert part.closing in {"", "\n```"}


@CALM
@given(st.lists(st.sampled_from(["one ", "two. ", "three\n", "four\n\n"]), max_size=200).map("".join))
def test_split_never_breaks_a_word_that_fits(text: str) -> None:
    assert " ".join(split(text, 120)).split() == text.split()
