"""Other people's words, made unable to write any token or role marker of any template: nobody can forge a turn.

What a template writes is either a token (`<|im_start|>`, `[INST]`, `]~b]`), recognised by its brackets, or a plain
word that begins a turn (`### Instruction`, `USER:`). Brackets of tokens become look-alikes, and so does the colon or
the # of a marker; nothing is dropped, so the model still sees what the person meant. The look-alikes are chosen such
that Unicode's compatibility forms do not lead back to the original, and the compatibility forms of the originals
(＜, ［, ：) are treated like them.

Everything that stems from outside goes through here: questions, names, captions, personas, and the answers of models,
which repeat what they were told to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bot.chat.templates import TemplateBook, bundled

_BRACKETS = str.maketrans(
    {"<": "‹", "＜": "‹", ">": "›", "＞": "›", "[": "⟦", "［": "⟦", "]": "⟧", "］": "⟧", "◁": "◃", "▷": "▹"}
)
_COLON, _SHARP = "\ua789", "♯"

_TOKEN = re.compile(r"<<?[^<>\s]{1,48}>>?|\[[^\[\]\s]{1,48}\]|\]~!?b[\[\]]|\[e~\[|◁/?\w+▷")
_MARKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]*:")
#: Tokens of families that nobody has written down yet look like this.
_UNKNOWN_TAG = r"[<＜][|｜][^|｜<>＜＞\n]{1,48}[|｜]?[>＞]|[<＜]/?[^|｜<>＜＞\s]{1,48}[|｜][>＞]"
#: Thoughts and ends as finetunes and older backends write them, beyond those of the templates.
_MORE_TOKENS = ("<think>", "</think>", "<thinking>", "</thinking>", "<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>",
                "<eod>", "[BOS]", "[EOS]", "[EOT]", "[THINK]", "[/THINK]", "<mm:think>", "</mm:think>", "◁think▷",
                "◁/think▷", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
                "[/TOOL_RESULTS]", "[IMG]", "<sop>", "<eop>", "[sMASK]", "[MASK]")  # fmt: skip
_MORE_SPEAKERS = ("user", "assistant", "system", "human", "ai", "bot", "model", "developer", "tool", "narrator")
_HEADINGS = r"instructions?|response|input|output|system|user|assistant|human|question|answer|context"
_HEADED = re.compile(rf"(?i)[#＃]{{2,}}(?=[ \t]*(?:{_HEADINGS})\b)")
#: Vicuna's and OpenChat's turns begin in the middle of a line, for a model even in the middle of a word.
_ANYWHERE = re.compile(r"(USER|ASSISTANT|GPT4 Correct (?:System|User|Assistant))[ \t]*[:：]")
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
#: Format characters that mean something: between letters of some scripts, and within emoji.
JOINERS = "\u200c\u200d"


def neutralise(text: str, *, book: TemplateBook | None = None, names: Iterable[str] = ()) -> str:
    """Return `text` without any token or role marker; `names` (other speakers) may not begin a line either."""
    book = book or bundled()
    cleaned = sendable(text)
    harmless = _tokens_pattern(tokens(book)).sub(lambda match: match.group().translate(_BRACKETS), cleaned)
    harmless = _HEADED.sub(lambda match: _SHARP * len(match.group()), harmless)
    harmless = _ANYWHERE.sub(rf"\1{_COLON}", harmless)
    return _speakers_pattern((*speakers(book), *names)).sub(rf"\1\2{_COLON}", harmless)


def sendable(text: str) -> str:
    """Drop what cannot be sent or seen (control and format characters), and make all line ends alike."""
    lines = _LINE_ENDS.sub("\n", text)
    return "".join(filter(None, map(_kept, lines)))


def tokens(book: TemplateBook) -> tuple[str, ...]:
    """Every token of every family, longest first."""
    found = {
        token for template in book.families.values() for text in template.strings for token in _TOKEN.findall(text)
    }
    return tuple(sorted({*found, *_MORE_TOKENS}, key=lambda token: (-len(token), token)))


def speakers(book: TemplateBook) -> tuple[str, ...]:
    """Every plain word that begins a turn in some family, without its colon."""
    strings = (text for template in book.families.values() for text in template.strings)
    lines = (line.strip() for text in strings for line in _TOKEN.sub("\n", text).splitlines())
    found = {line[:-1].casefold() for line in lines if _MARKER.fullmatch(line)}
    return tuple(sorted({*found, *_MORE_SPEAKERS}))


@lru_cache(maxsize=8)
def _tokens_pattern(known: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join((*(_loosely(token) for token in known), _UNKNOWN_TAG)), re.IGNORECASE)


@lru_cache(maxsize=256)
def _speakers_pattern(known: Sequence[str]) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in sorted(set(known), key=len, reverse=True) if word)
    return re.compile(rf"^([ \t>*_\"'-]{{0,8}})({words})[*_ \t]{{0,4}}[:：]", re.IGNORECASE | re.MULTILINE)


def _loosely(token: str) -> str:
    """Match a token in its compatibility forms too."""
    return "".join(
        f"[{re.escape(char)}{chr(ord(char) + 0xFEE0)}]" if char in "<>[]|" else re.escape(char) for char in token
    )


def _kept(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":
            return character if character in "\n\t" else ""
        case "Cf":
            return character if character in JOINERS else ""
        case "Cs":
            return "\ufffd"
        case _:
            return character
