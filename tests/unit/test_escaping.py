"""Other people's text cannot act: it neither formats, nor links, nor mentions, nor hides."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.escaping import (
    ELLIPSIS,
    MAX_MARKS,
    NOTHING,
    ZERO_WIDTH_SPACE,
    clean,
    code_block,
    code_span,
    escape,
    fit,
    inline,
    measure,
    sentence,
    shorten,
)

#: A slow example on a busy machine is no failure.
CALM = settings(deadline=None)
#: Everything a text may hold, half surrogates included, with a bias towards what Discord reads as markup.
ANY_TEXT = st.text(alphabet=st.characters(), max_size=120)
MENTIONS = ("@everyone", "@here", "<@1>", "<@!2>", "<@&3>", "<#4>", "<t:5:R>", "<a:b:7>", "</c:8>", "<id:browse>")
PUNCTUATION = ("```", "`", "``", "\\", "*", "__", "~~", "||", "# ", "-# ", "- ", "> ", ">>> ", "1. ", ":")
LINKS = ("[x](https://e.org)", "https://e.org", ":smile:", "a")
ODDITIES = ("\n", " ", "\u202e", "\u200b", "\ud800", "\x00", "👩\u200d🚀", "e\u0301")
MARKUP = st.lists(st.sampled_from((*MENTIONS, *PUNCTUATION, *LINKS, *ODDITIES)), max_size=30).map("".join)
TEXTS = st.one_of(ANY_TEXT, MARKUP)

MENTION = re.compile(r"@(everyone|here|[!&]?\d)", re.IGNORECASE)
UNESCAPED_ANGLE = re.compile(r"(?<!\\)(?:\\\\)*<")


def reading(escaped: str) -> str:
    """What a person reads: Discord drops a backslash before punctuation, and nobody sees a zero-width space."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escaped).replace(ZERO_WIDTH_SPACE, "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a lighthouse, at night: 16:9", "a lighthouse, at night: 16:9", id="ordinary text stays"),
        pytest.param("**bold** _it_ ~~no~~", r"\*\*bold\*\* \_it\_ \~\~no\~\~", id="emphasis"),
        pytest.param("||hidden||", r"\|\|hidden\|\|", id="spoiler"),
        pytest.param("`code`", r"\`code\`", id="code"),
        pytest.param("[x](https://e.org)", r"\[x\](https\://e.org)", id="masked link"),
        pytest.param("<t:1:R>", r"\<t\:1:R>", id="timestamp"),
        pytest.param("<a:b:1>", r"\<a\:b:1>", id="custom emoji"),
        pytest.param("</imagine:1>", r"\</imagine:1>", id="command"),
        pytest.param(":smile:", r"\:smile:", id="shortcode"),
        pytest.param("@everyone @HERE", "@\u200beveryone @\u200bHERE", id="everyone"),
        pytest.param("<@1> <@!2> <@&3>", "\\<@\u200b1> \\<@\u200b!2> \\<@\u200b&3>", id="mentions"),
        pytest.param("# big", r"\# big", id="heading"),
        pytest.param("a\n  -# small", "a\n  \\-# small", id="subtext"),
        pytest.param("> quote\n1. one\n- two", "\\> quote\n1\\. one\n\\- two", id="lists and quotes"),
        pytest.param("\\*", r"\\\*", id="backslash first"),
        pytest.param("me@example.org", "me@example.org", id="address"),
    ],
)
def test_escape_neutralises(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("a\x00b\x1b[31m", "ab[31m", id="control characters"),
        pytest.param("a\u202eb\u2066c\u200f", "abc", id="text direction"),
        pytest.param("@\u200beveryone", "@everyone", id="invisible"),
        pytest.param("a\ud800b", "a\ufffdb", id="half a surrogate pair"),
        pytest.param("a\r\nb\u2028c\x85d", "a\nb\nc\nd", id="line ends"),
        pytest.param("a\n \n\n\nb", "a\n\nb", id="blank lines"),
        pytest.param("a\tb", "a b", id="tabulator"),
        pytest.param("👩\u200d🚀", "👩\u200d🚀", id="emoji sequences stay"),
        pytest.param("Việt e\u0301", "Việt e\u0301", id="accents stay"),
        pytest.param("z" + "\u0301" * 40, "z" + "\u0301" * MAX_MARKS, id="towers of marks"),
    ],
)
def test_clean_drops_what_misleads(text: str, left: str) -> None:
    assert clean(text) == left


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        pytest.param("short", 5, "short", id="fits"),
        pytest.param("one two three", 9, "one two…", id="word end"),
        pytest.param("abcdefghij", 5, "abcd…", id="one long word"),
        pytest.param("abc👩\u200d🚀d", 6, "abc…", id="never inside an emoji"),
        pytest.param("abce\u0301fg", 5, "abc…", id="never between letter and accent"),
        pytest.param("abc", 1, ELLIPSIS, id="no room"),
    ],
)
def test_shorten_cuts_between_characters(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


def test_inline_shows_something_when_nothing_is_visible() -> None:
    assert inline("\u200b\u202e \n", 20) == NOTHING


def test_code_span_with_backticks_is_escaped_instead() -> None:
    assert code_span("1`2", 20) == r"1\`2"
    assert code_span("12", 20) == "`12`"


def test_code_block_cannot_be_left() -> None:
    assert code_block("a ``` b", 100).count("```") == 2


def test_fit_says_how_many_were_left_out() -> None:
    assert fit(["aaaa"] * 10, 40) == "aaaa\naaaa\naaaa\naaaa\naaaa\n… and 5 more"


@CALM
@given(TEXTS)
def test_no_text_mentions_or_marks_up(text: str) -> None:
    shown = inline(text, 100)
    assert not MENTION.search(shown)
    assert not UNESCAPED_ANGLE.search(shown)
    assert "```" not in shown
    assert not re.search(r"(?<!\\)://", shown)
    assert "\n" not in shown


@CALM
@given(TEXTS)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    assert reading(escape(clean(text))) == clean(text)


@CALM
@given(TEXTS)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@CALM
@given(TEXTS, st.integers(min_value=1, max_value=150))
def test_lengths_keep_their_promise(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
    assert measure(inline(text, limit)) <= 2 * limit
    assert measure(sentence(text, limit)) <= 2 * limit
    assert measure(code_block(text, limit + 10)) <= limit + 10 + len("```\n\n```")


@CALM
@given(TEXTS)
def test_shown_text_can_be_sent(text: str) -> None:
    for shown in (inline(text, 80), code_span(text, 80), code_block(text, 80), sentence(text, 80)):
        shown.encode("utf-8")
        assert not MENTION.search(shown)


@CALM
@given(st.lists(TEXTS, max_size=12), st.integers(min_value=20, max_value=300))
def test_fit_fits(parts: list[str], limit: int) -> None:
    assert measure(fit(parts, limit)) <= limit
