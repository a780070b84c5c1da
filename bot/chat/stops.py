"""Stop sequences: where the model's turn ends, whoever would speak next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.chat.prompting import speaker_names
from bot.chat.templates import Template
from bot.domain.conversation import Turn

#: The Horde's caps: distinct sequences, characters in all.
MAX_STOPS, MAX_CHARACTERS = 128, 2000


def stops_for(template: Template, turns: Sequence[Turn] = ()) -> tuple[str, ...]:
    """Return the stop sequences for a conversation, the most important first, within the caps.

    Speakers' tags are added: in families without tokens of their own also the plain one. A part of what ends a thought
    is never one (Harmony's `<|end|>`), or the answer behind the thought would not come.
    """
    guards = [f"\n{name}:" for name in speaker_names(turns)]
    if not template.marked and template.user[0].strip():
        guards.append("\nUser:")
    closer = template.thought[1] if template.thought else ""
    wanted = (stop for stop in (*template.stop, *guards) if stop not in closer)
    return within_caps(wanted)


def within_caps(stops: Iterable[str]) -> tuple[str, ...]:
    """Leave out repetitions, and what goes beyond the Horde's caps."""
    kept: list[str] = []
    characters = 0
    for stop in dict.fromkeys(stops):
        if stop.strip() and len(kept) < MAX_STOPS and characters + len(stop) <= MAX_CHARACTERS:
            kept.append(stop)
            characters += len(stop)
    return tuple(kept)
