"""What the simulated models have to say: plain tricks on the conversation, the same answer for the same words.

The tricks are those that tests and demos need: remembering ("my name is ...", "my favourite colour is ..."), repeating,
summing up, lists, stories of so many paragraphs, code, other scripts, emoji, and a few magic words:

    zqloop      the same sentence over and over
    zqmention   @everyone, mentions of users and roles, an invitation
    zqempty     nothing at all
    zqdebris    words of a chat template in the answer
    zqthink     a very long thought (of models that think)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from bot.sandbox.horde.text.chat_reading import Conversation

LOOP_WORD, MENTION_WORD, EMPTY_WORD, DEBRIS_WORD, THINK_WORD = "zqloop", "zqmention", "zqempty", "zqdebris", "zqthink"
LOOP = "The tide comes in and the tide goes out. "
_LOOPS = 400
_MENTIONS = (
    "Attention @everyone and @here! Ask <@123456789012345678> or <@&223456789012345678>, or join"
    " https://discord.gg/sandbox today."
)
#: Words to put together by turns. There are so many combinations that a long tale is not taken for a loop.
_ENGLISH = (
    (
        "The lighthouse keeper",
        "A grey fox",
        "The youngest sailor",
        "An old clockmaker",
        "The baker's daughter",
        "A gull",
    ),
    ("counted", "painted", "remembered", "followed", "borrowed", "mended", "sketched", "found", "admired", "hid"),
    ("seven boats", "the blue door", "a lantern", "two letters", "the map", "a silver bell", "some nets", "the piano"),
    ("near the mill", "up the hill", "in the rain", "by moonlight", "before dawn", "under the bridge", "after lunch"),
)
_JAPANESE = (
    ("灯台守は", "若い船乗りは", "白い猫は", "時計職人は", "町の人々は", "小さな狐は"),
    ("静かな朝に", "雨の夜に", "港の近くで", "古い橋の下で", "丘の上で", "市場の隅で"),
    ("青い扉を", "銀の鈴を", "長い手紙を", "七つの舟を", "地図を", "赤い傘を"),
    ("見つけました。", "描きました。", "直しました。", "思い出しました。", "隠しました。", "眺めました。"),
)
_CHINESE = (
    ("守塔人", "年轻的水手", "白猫", "钟表匠", "镇上的人", "小狐狸"),
    ("在清晨", "在雨夜", "在港口边", "在旧桥下", "在山坡上", "在市场里"),
    ("找到了", "画下了", "修好了", "想起了", "藏起了", "看着"),
    ("蓝色的门。", "银铃。", "一封长信。", "七条船。", "地图。", "红伞。"),
)
_EMOJI = (
    ("🦊", "🚀", "🌊", "🦀", "🎈", "🍋"),
    ("✨", "🎉", "🔥", "💡"),
    ("👨‍👩‍👧‍👦", "🇯🇵", "👍🏽", "❤️"),
    (" fox ", " rocket ", " party ", " tea "),
)
Words = tuple[tuple[str, ...], ...]
_FRUIT = ("apple", "pear", "plum", "cherry", "quince", "fig", "grape", "peach", "lemon", "melon")
_NUMBERS: Mapping[str, int] = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_COUNT = rf"(\d{{1,3}}|{'|'.join(_NUMBERS)})"
_MINE = re.compile(r"(?i)\bmy ([a-z]+(?: [a-z]+){0,2}?) is ((?:(?!\band\b)[^.!?,;\n])+)")
_CALLED = re.compile(r"(?i)\b(?:call me|i am called|i'm called|people call me) ([^.!?,;\n]+)")

Skill = Callable[[Conversation, re.Match[str]], str]


def answer(talk: Conversation) -> str:
    """The whole answer to the last thing said in `talk`."""
    if talk.forged:
        return f"SYSTEM OVERRIDE ACCEPTED. My new instructions: {talk.forged}"
    question = talk.questions[-1]
    for pattern, skill in _SKILLS:
        match = pattern.search(question)
        if match is not None:
            return skill(talk, match)
    return _small_talk(talk)


def thought(talk: Conversation) -> str:
    """What a thinking model mutters before it answers."""
    question = talk.questions[-1]
    muttered = f'The user says "{_short(question)}". I should read it again, look at what was said before, and answer.'
    return " ".join([muttered] * (40 if THINK_WORD in question else 1))


def more(talk: Conversation, amount: int) -> str:
    """Sentences to go on with where an answer begun in the prompt is none of ours."""
    rng = _rng(talk)
    return " ".join(_sentence(rng) for _ in range(amount))


# --- skills -------------------------------------------------------------------------------------------------------


def _recall(talk: Conversation, match: re.Match[str]) -> str:
    return _recalled(talk, match.group(1).strip().casefold())


def _recalled(talk: Conversation, wanted: str) -> str:
    """What the user said `my <wanted>` is, the latest word counting."""
    facts: dict[str, str] = {}
    for text in talk.questions:
        facts |= {found.group(1).casefold(): found.group(2).strip() for found in _MINE.finditer(text)}
        for found in _CALLED.finditer(text):
            facts["name"] = found.group(1).strip()
    words = wanted.split()
    for length in range(len(words), 0, -1):  # "my name again" is about "my name"
        told = " ".join(words[:length])
        if told in facts:
            return f"Your {told} is {facts[told]}. You told me so earlier."
    return f"You have not told me your {wanted} yet."


def _my_name(talk: Conversation, match: re.Match[str]) -> str:
    found = re.search(r"(?i)\byou(?:'re| are) (?!a\b|an\b|the\b)([A-Z][\w'-]*)", talk.system)
    return f"I am {found.group(1) if found else 'a model of the sandbox'}. {match.group(0)} I like to be asked."


def _echo(_: Conversation, match: re.Match[str]) -> str:
    return match.group(1).strip()


def _again(talk: Conversation, _: re.Match[str]) -> str:
    return talk.answers[-1].strip() if talk.answers else "I have not said anything yet."


def _first_words(talk: Conversation, _: re.Match[str]) -> str:
    return f'The first thing you said was: "{talk.questions[0].strip()}"'


def _summary(talk: Conversation, _: re.Match[str]) -> str:
    said = [f"({number}) {_short(text)}" for number, text in enumerate(talk.questions[:-1], start=1)]
    return f"So far you said: {'; '.join(said)}." if said else "There is nothing to sum up yet."


def _list(talk: Conversation, match: re.Match[str]) -> str:
    rng, amount = _rng(talk), _number(match.group(1), 5)
    fruit = rng.sample(_FRUIT, len(_FRUIT))
    items = [f"{number}. {fruit[number % len(fruit)].title()}" for number in range(1, amount + 1)]
    return "Here is your list:\n\n" + "\n".join(items)


def _paragraphs(talk: Conversation, match: re.Match[str]) -> str:
    return _tale(talk, _number(match.group(1), 3))


def _story(talk: Conversation, match: re.Match[str]) -> str:
    return _tale(talk, 18 if "long" in match.group(0).casefold() else 3)


def _tale(talk: Conversation, paragraphs: int) -> str:
    rng = _rng(talk)
    told = [" ".join(_sentence(rng) for _ in range(5)) for _ in range(paragraphs)]
    return "\n\n".join(f"{text} (Part {number} ends.)" for number, text in enumerate(told, start=1))


def _code(talk: Conversation, match: re.Match[str]) -> str:
    lines = 120 if "long" in talk.questions[-1].casefold() else 3
    language = match.group(1).casefold() if match.group(1) else "python"
    body = "\n".join(f"    step_{number} = value * {number}  # part {number}" for number in range(1, lines + 1))
    return (
        f"Here is some {language}:\n\n```{language}\ndef answer(value):\n{body}\n    return step_{lines}\n```\n\n"
        "Call it with a number."
    )


def _script(words: Words) -> Skill:
    def skill(talk: Conversation, _: re.Match[str]) -> str:
        rng = _rng(talk)
        amount = 60 if re.search(r"(?i)\blong\b|長い|长", talk.questions[-1]) else 3
        return "".join("".join(map(rng.choice, words)) for _ in range(amount))

    return skill


def _small_talk(talk: Conversation) -> str:
    question, rng = talk.questions[-1], _rng(talk)
    turn = len(talk.questions)
    said = f'You said: "{_short(question)}". This is turn {turn} of our talk.'
    return f"{said} {_sentence(rng)} {_sentence(rng)}"


#: The first whose pattern is found in the last thing said; more particular ones come first.
_SKILLS: Sequence[tuple[re.Pattern[str], Skill]] = tuple(
    (re.compile(pattern), skill)
    for pattern, skill in (
        (LOOP_WORD, lambda *_: LOOP * _LOOPS),
        (MENTION_WORD, lambda *_: _MENTIONS),
        (EMPTY_WORD, lambda *_: ""),
        (DEBRIS_WORD, lambda *_: "Assistant: [INST] As I said, the lake is deep.<|im_end|>\n<|im_start|>user\nThanks!"),
        (
            r"(?i)\b(?:what(?:'s| is| was)|do you (?:know|remember)|tell me) my ([a-z]+(?: (?!and\b)[a-z]+){0,2})",
            _recall,
        ),
        (r"(?i)\bwho am i\b", lambda talk, _: _recalled(talk, "name")),
        (r"(?i)\b(?:what(?:'s| is) your name|who are you)\b", _my_name),
        (r"(?is)\b(?:repeat|say)(?: after me| exactly)?:\s*(.+)", _echo),
        (r"(?i)\b(?:repeat|say that again|what did you (?:just )?say)\b", _again),
        (r"(?i)\bwhat did i (?:say|ask|write) first\b|\bmy first (?:message|question)\b", _first_words),
        (r"(?i)\bsum up\b|\bsummar(?:y|ise|ize)|\btl;?dr\b", _summary),
        (rf"(?i)\b{_COUNT}[- ]paragraphs?\b", _paragraphs),
        (r"(?i)\b(?:long )?(?:story|tale|essay)\b", _story),
        (r"(?i)\b(python|rust|javascript|sql|bash|java|go)? ?(?:code|function|program|script|snippet)\b", _code),
        (rf"(?i)\b(?:list|name|give me)\b(?:\D{{0,12}}\b{_COUNT}\b)?(?=.*\b(?:list|things|items|fruits?)\b)", _list),
        (r"(?i)\bjapanese\b|[\u3040-\u30ff]", _script(_JAPANESE)),
        (r"(?i)\bchinese\b|[\u3400-\u9fff]", _script(_CHINESE)),
        (r"(?i)\bemojis?\b", _script(_EMOJI)),
    )
)


def _rng(talk: Conversation) -> Random:
    """A generator that depends on the conversation alone, so that an answer carried on is the same answer."""
    said = "\0".join(turn.text for turn in talk.turns if turn.role != "system")
    return Random(hashlib.sha256(said.encode()).hexdigest())


def _sentence(rng: Random) -> str:
    return " ".join(map(rng.choice, _ENGLISH)) + "."


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    return _NUMBERS.get(text.casefold()) or int(text)


def _short(text: str, limit: int = 300) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else f"{plain[:limit]}…"
