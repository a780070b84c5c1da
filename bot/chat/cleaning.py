"""From what a worker sent to what a person reads, step by step.

In this order: stop sequences, thoughts, debris of templates, the last sentence's end, blank lines, mentions, code
fences, the operator's word filter, and in the end the judgement whether it is an answer at all. Every step is a
function of its own, and harmless to what is clean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.chat.blocking import without_words
from bot.chat.budget import estimate_tokens
from bot.chat.code_spans import FENCE, close_fence, code_spans
from bot.chat.harmless import sendable, tokens
from bot.chat.repetition import loops
from bot.chat.sentences import ends_well, to_sentence_end
from bot.chat.templates import Template, TemplateBook
from bot.chat.thoughts import split_thoughts
from bot.domain.conversation import Flaw

#: More than any answer of 4096 tokens; workers send what they like.
MAX_TEXT = 40_000
MAX_THOUGHT = 20_000
#: An answer with this share of the tokens allowed was cut off.
NEARLY_ALL = 0.95
#: Estimates are too high by up to this factor.
TOO_HIGH = 0.7
#: The least the Horde shortens an answer to (server 5.1.5).
SHORTENED_TO = 256

_ZERO_WIDTH = "\u200b"
_MENTION = re.compile(r"@(?=everyone|here)|(?<=<)@(?=[!&]?\d)", re.IGNORECASE)
_INVITE = re.compile(r"(?i)(discord(?:app)?)\.(?=gg/|com/invite/|me/|io/|li/)|(?<![\w.])(dsc)\.(?=gg/)")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*){2,}")
_PARTIAL_TOKEN = re.compile(r"(?:<[|｜]?/?|\[/?)[A-Za-z_:▁]{0,40}[|｜]?\Z")
#: Tokens without bars or underscores that cannot be anything else.
_SURE = frozenset(
    {
        "[INST]", "[/INST]", "</s>", "<<SYS>>", "<</SYS>>", "[gMASK]", "<sop>", "<eos>", "<bos>", "[e~[", "]~b]",
        "]~!b[", "[/THINK]", "[THINK]", "</think>", "<think>",
    }
)  # fmt: skip
_LEAD = re.compile(r"\A\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """An answer as people read it, and what was found out on the way."""

    text: str
    thought: str = ""
    flaw: Flaw | None = None
    #: It stops in the middle.
    cut: bool = False
    #: White space it began with, for joining it to what it carries on.
    lead: str = ""
    #: Tokens of everything that was sent, estimated.
    tokens: int = 0
    #: A token of another family: the model is not of the one believed.
    leaked: str = ""


def tidy(
    raw: str,
    *,
    template: Template,
    book: TemplateBook,
    stops: Collection[str] = (),
    max_length: int,
    names: Collection[str] = (),
    prompt: str = "",
    continuing: bool = False,
    in_code: bool = False,
    blocked: Collection[str] = (),
) -> Tidied:
    """Do all of it. `names` may stand in front of the answer, `prompt` may have been sent back before it.

    `continuing`: it goes on from an answer begun, `in_code`: which stopped in a block of code. `blocked` words are
    shown to nobody. A block in which this one is cut off stays open, so that it can be carried on.
    """
    text = sendable(raw[: MAX_TEXT + len(prompt)])
    text = without_echo(text, sendable(prompt))[:MAX_TEXT]
    used = estimate_tokens(text)
    text, stopped = cut_at_stop(text, own_stops(template, stops))
    split = split_thoughts(text, template, continuing=continuing)
    answer, named = cut_at_stop(split.answer, stops)
    answer, leaked = without_debris(answer, template, book, names=names)
    block = f"{FENCE}\n" if in_code else ""
    cut = not (stopped or named or leaked) and was_cut(block + answer, tokens=used, max_length=max_length)
    lead = _LEAD.match(answer)
    whole = block + answer.strip()
    # A begun answer is joined to this one: a colon or a capital at its start may be in the middle of a sentence.
    whole = collapse_blank_lines(to_sentence_end(whole)) if cut else close_fence(collapse_blank_lines(whole))
    answer = whole.removeprefix(block)
    return Tidied(
        text=without_words(break_mentions(answer), blocked),
        thought=without_words(break_mentions(split.thought)[:MAX_THOUGHT], blocked),
        flaw=flaw_of(answer, unfinished=split.unfinished),
        cut=cut and bool(answer),
        lead=lead.group() if lead and continuing else "",
        tokens=used,
        leaked=leaked,
    )


def own_stops(template: Template, stops: Iterable[str]) -> tuple[str, ...]:
    """Return the stops that end a turn wherever they stand, thoughts included: tokens, not people's names."""
    names = {stop for stop in stops if stop.startswith("\n")}
    closer = template.thought[1] if template.thought else ""
    return tuple(stop for stop in dict.fromkeys((*template.stop, *stops)) if stop not in names and stop not in closer)


def cut_at_stop(text: str, stops: Iterable[str]) -> tuple[str, bool]:
    """Cut at the first stop sequence; tells whether there was one. One at the very beginning is debris, not a stop."""
    start = len(text) - len(text.lstrip())
    hits = [text.find(stop, start + 1) for stop in stops if stop]
    found = min((hit for hit in hits if hit >= 0), default=None)
    return (text, False) if found is None else (text[:found], True)


def without_echo(text: str, prompt: str) -> str:
    """Take off a prompt that the backend sent back in front of the answer."""
    told = prompt.strip()
    return text.lstrip().removeprefix(told) if told and text.lstrip().startswith(told) else text


def without_debris(
    text: str, template: Template, book: TemplateBook, *, names: Collection[str] = ()
) -> tuple[str, str]:
    """Take off what belongs to templates: tags and "Assistant:" in front, other families' ends, strayed tokens.

    Returns the token by which another family gave itself away too; empty when none did.
    """
    text = _without_leading(text, book, names)
    cut, leaked = _cut_at_foreign_end(text, template, book)
    cut = _PARTIAL_TOKEN.sub("", cut) if _is_partial(cut, template, book) else cut
    code = code_spans(cut)
    pattern = _removable(tokens(book))
    return pattern.sub(lambda match: match.group() if code.holds(match.start()) else "", cut), leaked


def was_cut(text: str, *, tokens: int, max_length: int) -> bool:
    """Judge whether an answer without a stop was cut off by its length: ours, or a shorter one the Horde made of it."""
    if tokens * TOO_HIGH >= NEARLY_ALL * max_length:
        return True
    if not text.strip() or ends_well(text):
        return False
    if code_spans(text.rstrip()).open_end:
        # Nobody stops in the middle of a block, and code has more tokens than it seems to have.
        return tokens >= min(max_length, SHORTENED_TO) / 2
    return tokens >= min(NEARLY_ALL * max_length, SHORTENED_TO * NEARLY_ALL)


def collapse_blank_lines(text: str) -> str:
    """Leave at most two blank lines in a row, code excepted."""
    code = code_spans(text)
    return _BLANK_LINES.sub(lambda match: match.group() if code.holds(match.start()) else "\n\n\n", text)


def break_mentions(text: str) -> str:
    """Make mentions and invitations to servers inert."""
    broken = _MENTION.sub("@" + _ZERO_WIDTH, text)
    return _INVITE.sub(lambda match: f"{match[1] or match[2]}{_ZERO_WIDTH}.", broken)


def flaw_of(answer: str, *, unfinished: bool) -> Flaw | None:
    """Judge whether it is an answer at all."""
    if not answer.strip(f"` \n\t{_ZERO_WIDTH}"):
        return Flaw.ONLY_THOUGHT if unfinished else Flaw.EMPTY
    return Flaw.LOOP if loops(answer) else None


def _without_leading(text: str, book: TemplateBook, names: Collection[str]) -> str:
    pattern = _leading(tokens(book), tuple(sorted(names)))
    found = pattern.match(text)
    # White space in front belongs to the answer unless debris stood there.
    return text[found.end() :] if found and found.group().strip() else text


def _cut_at_foreign_end(text: str, template: Template, book: TemplateBook) -> tuple[str, str]:
    code = code_spans(text)
    foreign = _foreign_ends(tuple(sorted({stop for one in book.families.values() for stop in one.stop})))
    for match in foreign.finditer(text):
        if not code.holds(match.start()) and text[: match.start()].strip():
            token = match.group()
            return text[: match.start()], "" if token in template.stop else token
    return text, ""


def _is_partial(text: str, template: Template, book: TemplateBook) -> bool:
    """Whether the text ends in the middle of a token."""
    found = _PARTIAL_TOKEN.search(text)
    if found is None or text.count(FENCE) % 2:
        return False
    known = (*template.stop, *tokens(book))
    return len(found.group()) > 1 and any(token.startswith(found.group()) for token in known)


@lru_cache(maxsize=8)
def _removable(known: tuple[str, ...]) -> re.Pattern[str]:
    """Match tokens that cannot be anything else: `<s>` or `[IMG]` in an answer may be meant."""
    told = [re.escape(token) for token in known if "|" in token or "｜" in token or "_" in token or token in _SURE]
    return re.compile("|".join(told))


@lru_cache(maxsize=64)
def _leading(known: tuple[str, ...], names: tuple[str, ...]) -> re.Pattern[str]:
    tags = "|".join(re.escape(token) for token in known)
    words = "|".join(re.escape(word) for word in ("assistant", *names) if word)
    heading = r"\#{2,}[ \t]*(?:response|assistant|answer)[ \t]*:?"
    role_in_tag = r"\s*(?:assistant|model|ai)\b(?=\s*\n|[<\[])"
    named = rf"\**(?:{words})\**[ \t]*:\**"
    return re.compile(rf"(?:\s*(?:(?:{tags})(?:{role_in_tag})?|{heading}|{named}))*\s*", re.IGNORECASE)


@lru_cache(maxsize=8)
def _foreign_ends(stops: tuple[str, ...]) -> re.Pattern[str]:
    """Match the ends of turns of any family that has tokens of its own."""
    marked = [stop for stop in stops if stop[:1] in "<[]" and "\n" not in stop]
    return re.compile("|".join(re.escape(stop) for stop in sorted(marked, key=len, reverse=True)))
