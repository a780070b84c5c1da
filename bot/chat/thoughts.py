"""Telling what a model thought from what it answered.

Where the prompt has opened the thought, the output has only its closer; a model of another family than was believed
writes another family's tags. So all closers are looked for, but outside of code: somebody may have asked about them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.code_spans import code_spans
from bot.chat.templates import Pair, Template

_HARMONY_FINAL = "<|channel|>final<|message|>"
_HARMONY_OPENER = re.compile(r"<\|channel\|>(?:analysis|commentary)[^<\n]*<\|message\|>")
_HARMONY_ENDS = re.compile(r"<\|end\|>|<\|start\|>assistant")
#: What is left of Harmony's tags where a backend hides special tokens.
_HARMONY_BARE = re.compile(r"\A\s*analysis(?P<thought>.*?)assistant\s*final(?P<answer>.*)\Z", re.DOTALL)
_PAIRS: tuple[Pair, ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<|channel>thought", "<channel|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("[THINK]", "[/THINK]"),
    ("<thought>", "</thought>"),
    ("◁think▷", "◁/think▷"),
    ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What was thought, and what was said."""

    thought: str
    answer: str
    #: The thought did not come to its end, and nothing was said before it.
    unfinished: bool = False


def split_thoughts(text: str, template: Template, *, continuing: bool = False) -> Split:
    """Part the thought from the answer. `continuing`: the prompt ended inside an answer, behind any thought."""
    harmony = _harmony(text, bare=template.name == "harmony")
    if harmony is not None:
        return harmony
    pairs = _PAIRS if template.thought is None else (template.thought, *_PAIRS)
    behind = _last_closer(text, pairs)
    if behind is not None:
        start, end = behind
        return Split(thought=_bare(text[:start], pairs), answer=_without_new_thought(text[end:], pairs))
    opener = next((opener for opener, _ in pairs if text.lstrip().startswith(opener.strip())), None)
    if opener is not None or (template.opened and not continuing):
        return Split(thought=_bare(text, pairs), answer="", unfinished=True)
    return Split(thought="", answer=_without_new_thought(text, pairs))


def _harmony(text: str, *, bare: bool) -> Split | None:
    before, final, answer = text.rpartition(_HARMONY_FINAL)
    if final:
        thought = _HARMONY_ENDS.sub("", _HARMONY_OPENER.sub("", before))
        return Split(thought=thought.strip(), answer=_HARMONY_ENDS.split(answer)[0])
    opener = _HARMONY_OPENER.match(text.lstrip())
    if opener is not None:
        return Split(thought=_HARMONY_ENDS.sub("", text.lstrip()[opener.end() :]).strip(), answer="", unfinished=True)
    hidden = _HARMONY_BARE.match(text) if bare else None
    return Split(thought=hidden["thought"].strip(), answer=hidden["answer"]) if hidden else None


def _last_closer(text: str, pairs: tuple[Pair, ...]) -> tuple[int, int] | None:
    """Find the last closer outside code; inside of it only where the text begins with its opener."""
    code = code_spans(text)
    found = []
    for opener, closer in pairs:
        closing = closer.strip()
        begins = text.lstrip().startswith(opener.strip())
        hits = [match.start() for match in re.finditer(re.escape(closing), text)]
        outside = [hit for hit in hits if not code.holds(hit)] or (hits if begins else [])
        found += [(hit, hit + len(closing)) for hit in outside[-1:]]
    return max(found, default=None)


def _without_new_thought(text: str, pairs: tuple[Pair, ...]) -> str:
    """Cut off a second thought that begins behind the answer."""
    code = code_spans(text)
    starts = [
        match.start()
        for opener, _ in pairs
        if opener[0] in "<[◁"
        for match in re.finditer(re.escape(opener.strip()), text)
        if not code.holds(match.start()) and text[: match.start()].strip()
    ]
    return text[: min(starts)] if starts else text


def _bare(thought: str, pairs: tuple[Pair, ...]) -> str:
    for opener, closer in pairs:
        thought = thought.replace(closer.strip(), "\n").replace(opener.strip(), "", 1)
    return thought.strip()
