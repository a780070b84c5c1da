"""From turns to the exact prompt: other people's words made harmless, then framed as the model's family wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.chat.harmless import neutralise
from bot.chat.templates import TODAY, Template, TemplateBook
from bot.domain.conversation import Role, TextRequest, Turn

#: Longest part of a name that is told to the model, and longest caption.
MAX_NAME, MAX_CAPTION = 32, 600

_NOT_IN_NAMES = re.compile(r"[^\w .'-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One role's words as they go into the prompt: harmless, trimmed, with speakers and pictures told."""

    role: Role
    text: str


def prompt_of(request: TextRequest, book: TemplateBook, *, today: date) -> str:
    """Write the prompt of a request."""
    messages = messages_of(request.turns, book)
    return write(book[request.template], messages, system=neutralise(request.system, book=book), today=today)


def messages_of(turns: Sequence[Turn], book: TemplateBook) -> tuple[Message, ...]:
    """Make turns harmless and alternate: what one role says in a row is one message, and a person's comes first."""
    names = speaker_names(turns)
    told = names if len(names) > 1 else ()
    messages: list[Message] = []
    for turn in turns:
        text = _words_of(turn, book, told)
        if messages and messages[-1].role is turn.role:
            messages[-1] = Message(role=turn.role, text="\n".join(filter(None, (messages[-1].text, text))))
        elif messages or turn.role is Role.USER:
            messages.append(Message(role=turn.role, text=text))
    return tuple(messages)


def speaker_names(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Tell who speaks, each once, in order, as the model is told it."""
    names = (display_name(turn.author) for turn in turns if turn.role is Role.USER)
    return tuple(dict.fromkeys(name for name in names if name))


def display_name(author: str) -> str:
    """Make a name harmless: one line, no punctuation that a template could be made of."""
    return " ".join(_NOT_IN_NAMES.sub(" ", author).split())[:MAX_NAME].strip()


def write(template: Template, messages: Sequence[Message], *, system: str = "", today: date) -> str:
    """Frame harmless messages. A last one of the model's own is left open, to be carried on."""
    begun = messages[-1].text if messages and messages[-1].role is Role.ASSISTANT else None
    spoken = messages if begun is None else messages[:-1]
    parts = [template.start.replace(TODAY, today.isoformat()), _system(template, system.strip())]
    fold = _fold(template, system.strip())
    for message in spoken:
        before, behind = template.user if message.role is Role.USER else template.assistant
        parts += [before, fold if message.role is Role.USER else "", message.text, behind]
        fold = "" if message.role is Role.USER else fold
    # An answer begun is history: it stands where answers stand, behind no thought.
    parts += [template.opening] if begun is None else [template.assistant[0], begun]
    return "".join(parts)


def _system(template: Template, system: str) -> str:
    if template.system is None or not (system or template.always_system):
        return ""
    before, behind = template.system
    return f"{before}{system}{behind}"


def _fold(template: Template, system: str) -> str:
    if template.fold is None or not system:
        return ""
    before, behind = template.fold
    return f"{before}{system}{behind}"


def _words_of(turn: Turn, book: TemplateBook, names: Sequence[str]) -> str:
    """Tell one turn: who speaks where several do, what was said, what the pictures show."""
    lines = [neutralise(turn.text, book=book, names=names).strip()]
    for number, caption in enumerate(turn.captions, start=1):
        quoted = " ".join(neutralise(caption, book=book).replace('"', "'").split())[:MAX_CAPTION]
        lines.append(f'Picture {number} (described by a machine): "{quoted}"')
    text = "\n".join(filter(None, lines))
    name = display_name(turn.author)
    if name not in names or turn.role is not Role.USER:
        return text
    return f"{neutralise(f'{name}:', book=book)} {text}"  # somebody may be called "System"
