"""Conversations from turns to requests: what is remembered, who may go on, what waits for what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.conversation import Role, Turn
from bot.domain.turns import ConversationId, KeptTurn, TurnId
from bot.errors import InvalidRequest, JobGone, NotAllowed
from bot.services.conversations import _joined, export_of
from bot.services.personas import built_in
from bot.services.talking import _require_reach
from tests.factories import NOW


def turn(name: str, parent: str | None = None, *, role: Role = Role.USER, **fields: Any) -> KeptTurn:
    """A turn of Ada's conversation."""
    values: dict[str, Any] = {
        "id": TurnId(name),
        "conversation_id": ConversationId("a"),
        "parent_id": None if parent is None else TurnId(parent),
        "role": role,
        "text": f"text of {name}",
        "author": "Ada" if role is Role.USER else "",
        "author_id": 1,
        "owner_id": 1,
        "channel_id": 7,
        "created_at": NOW + timedelta(seconds=1),
    }
    return KeptTurn(**values | fields)


def test_an_answer_and_what_carries_it_on_are_one() -> None:
    said = [
        Turn(role=Role.USER, text="Why?"),
        Turn(role=Role.ASSISTANT, text="Because"),
        Turn(role=Role.ASSISTANT, text=" so."),
    ]
    assert [one.text for one in _joined(said)] == ["Why?", "Because so."]


def test_a_copy_tells_where_a_branch_begins() -> None:
    text = export_of([turn("a"), turn("b", "a", role=Role.ASSISTANT, model="Nemo"), turn("c", "b"), turn("d", "b")])
    assert "### 1. Ada" in text
    assert "### 2. Muster (Nemo)" in text
    assert "### 4. Ada · 2026-11-21 12:00 UTC · in answer to 2" in text
    assert export_of([]) == ""


def test_a_copy_of_code_in_two_answers_is_two_blocks() -> None:
    begun = turn("b", "a", role=Role.ASSISTANT, text="Here:\n```python\nx = 1\ny")
    rest = turn("c", "b", role=Role.ASSISTANT, text=" = 2\n```\nDone.")
    text = export_of([turn("a"), begun, rest])
    assert "```python\nx = 1\ny\n```" in text
    assert "```python\n = 2\n```\nDone." in text


def test_a_forged_id_reaches_no_other_channel_and_no_private_conversation() -> None:
    _require_reach(turn("a"), 2, 7)
    with pytest.raises(JobGone):
        _require_reach(turn("a"), 1, 8)
    with pytest.raises(NotAllowed):
        _require_reach(turn("a", private=True), 2, 7)


def test_personas_are_found_by_name_and_title() -> None:
    personas = built_in()
    assert personas.find("") is personas.default
    assert personas.find("TUTOR").name == "tutor"
    assert personas.known("gone") is personas.default
    with pytest.raises(InvalidRequest, match="tutor"):
        personas.find("nobody")
