"""Other people's words, made harmless and legible for Discord.

Three steps, in this order, and only the last one adds characters:

1. `clean`   drops what no reader should be shown: control characters, text-direction overrides, invisible characters,
   towers of combining marks, halves of surrogate pairs (which JSON could not even carry).
2. `shorten` cuts between whole characters. It runs before escaping, so a cut never falls into an escape.
3. `escape`  puts a backslash before everything Discord would read as markup (masked links, headings, timestamps, custom
   emoji, …), and a zero-width space into everything that looks like a mention.

Each code point becomes at most two, and only single-unit ones do, so `inline(text, n)` never takes more than 2·n of
Discord's characters whichever way they are counted (code points or UTF-16 units).

Discord shows the character behind a backslash as it is when it is neither a letter, a digit, nor a space.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: Breaks a pattern without being seen.
ZERO_WIDTH_SPACE = "\u200b"
ELLIPSIS = "…"
#: What is shown where nothing visible is left.
NOTHING = "—"
#: More combining marks than this on one letter are a prank; Hebrew, Thai, and Vietnamese need fewer.
MAX_MARKS = 4

_ZERO_WIDTH_JOINER = "\u200d"
#: Joiners are kept: emoji families and several scripts are spelled with them.
_KEPT_FORMATS = frozenset({"\u200c", _ZERO_WIDTH_JOINER})
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_JOINER_RUNS = re.compile("[\u200c\u200d]{2,}")
_SPACES = re.compile(r"\s+")
_ALWAYS_MARKUP = re.compile(r"[\\*_~`|\[\]<]")
_LINK_OR_SHORTCODE = re.compile(r":(?=//|[A-Za-z0-9_+~-]+:)")
_LINE_START = re.compile(r"^([^\S\n]*)([#>+-])", re.MULTILINE)
_NUMBERED_LINE = re.compile(r"^([^\S\n]*[0-9]+)([.)])", re.MULTILINE)
_BACKTICK_RUN = re.compile("`(?=`)")
_MENTION = re.compile(r"@(?=everyone|here|[!&]?[0-9])", re.IGNORECASE)


def clean(text: str) -> str:
    """Drop what is invisible, misleading, or cannot be sent; keep lines, at most one blank one in a row."""
    lines = _LINE_ENDS.sub("\n", text)
    kept = _limit_marks(_visible(lines))
    return _BLANK_LINES.sub("\n\n", _JOINER_RUNS.sub(_ZERO_WIDTH_JOINER, kept)).strip()


def fold(text: str) -> str:
    """Put everything on one line, words one space apart."""
    return _SPACES.sub(" ", text).strip()


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` code points, ending with … where something was cut, at a word's end if one is near."""
    if len(text) <= limit:
        return text
    cut = limit - len(ELLIPSIS)
    if cut <= 0:
        return ELLIPSIS[:limit]
    while cut > 0 and inside_character(text, cut):
        cut -= 1
    space = text.rfind(" ", int(cut * 0.8), cut)
    return text[: space if space > 0 else cut].rstrip() + ELLIPSIS


def inside_character(text: str, cut: int) -> bool:
    """Whether a cut before `text[cut]` would take something off the character a reader sees."""
    following = text[cut]
    joins_on = unicodedata.category(following) in {"Mn", "Me", "Mc"} or following in _KEPT_FORMATS
    is_skin_tone = "\U0001f3fb" <= following <= "\U0001f3ff"
    return joins_on or is_skin_tone or text[cut - 1] == _ZERO_WIDTH_JOINER


def escape(text: str) -> str:
    """Make Discord show `text` as it is: no markup, no links, no mentions. Expects `clean` text."""
    escaped = _ALWAYS_MARKUP.sub(r"\\\g<0>", text)
    escaped = _LINK_OR_SHORTCODE.sub(r"\:", escaped)
    escaped = _LINE_START.sub(r"\1\\\2", escaped)
    escaped = _NUMBERED_LINE.sub(r"\1\\\2", escaped)
    return break_mentions(escaped)


def break_mentions(text: str) -> str:
    """Put a zero-width space into everything that looks like a mention of a person, a role, or everyone."""
    return _MENTION.sub("@" + ZERO_WIDTH_SPACE, text)


def inline(text: str, limit: int) -> str:
    """Show somebody's text inside a line: at most `limit` of its characters, or — when nothing can be seen."""
    return escape(shorten(fold(clean(text)), limit)) or NOTHING


def plain(text: str, limit: int) -> str:
    """Show somebody's text where Discord knows neither markup nor mentions (autocomplete): cleaned, on one line."""
    return shorten(fold(clean(text)), limit) or NOTHING


def sentence(text: str, limit: int) -> str:
    """Show our own text, markup included; it may quote others, so mentions are broken and its length is bounded."""
    return break_mentions(shorten(clean(text), limit))


def code_span(text: str, limit: int) -> str:
    """Show somebody's text as `code`; with backticks in it, as escaped text (nothing escapes them inside code)."""
    folded = fold(clean(text))
    if not folded or "`" in folded:
        return inline(text, limit)
    return f"`{break_mentions(shorten(folded, limit))}`"


def code_block(text: str, limit: int) -> str:
    """Show somebody's text in a block to copy from: at most `limit` characters of it, however they are counted.

    Backticks in a row are broken up, as three of them would end the block.
    """
    cleaned = clean(text)
    room = limit
    while measure(body := _unbreakable(shorten(cleaned, room))) > limit:
        room -= max(1, (measure(body) - limit) // 2)
    return f"```\n{body or NOTHING}\n```"


def veiled(text: str, limit: int) -> str:
    """Hide somebody's text until a reader presses on it: at most `limit` characters of it, however they are counted."""
    folded = fold(clean(text))
    room = limit
    while measure(body := escape(shorten(folded, room))) > limit:
        room -= max(1, (measure(body) - limit) // 2)
    return veil(body or NOTHING)


def veil(markup: str) -> str:
    """Hide what is escaped already. The spaces keep an escaped bar at either end apart from ours."""
    return f"|| {markup} ||"


def measure(text: str) -> int:
    """Length in UTF-16 units: the longest of the ways a length limit of Discord's could be counted."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def fit(parts: Iterable[str], limit: int, *, separator: str = "\n", more: str = "… and {count} more") -> str:
    """Join as many whole `parts` as fit into `limit`, and say how many were left out."""
    everything = tuple(parts)
    for kept in range(len(everything), -1, -1):
        left_out = len(everything) - kept
        shown = everything[:kept] if not left_out else (*everything[:kept], more.format(count=left_out))
        joined = separator.join(shown)
        if measure(joined) <= limit:
            return joined
    return ELLIPSIS


def _unbreakable(text: str) -> str:
    return break_mentions(_BACKTICK_RUN.sub("`" + ZERO_WIDTH_SPACE, text))


def _visible(text: str) -> str:
    return "".join(filter(None, map(_shown, text)))


def _shown(character: str) -> str:
    """Return what stands for one character: itself, a space, U+FFFD for half a surrogate pair, or nothing."""
    match unicodedata.category(character):
        case "Cc":
            return character if character == "\n" else " " if character == "\t" else ""
        case "Cf":
            return character if character in _KEPT_FORMATS else ""
        case "Cs":
            return "\ufffd"
        case "Co":
            return ""
        case _:
            return character


def _limit_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        if unicodedata.category(character) in {"Mn", "Me"}:
            marks += 1
        elif character not in _KEPT_FORMATS:
            marks = 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
