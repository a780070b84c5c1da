"""Every family's prompt, compared with what the makers' own formatters write."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.chat.prompting import Message, write
from bot.chat.templates import FALLBACK, TemplateBook, bundled
from bot.domain.conversation import Role
from bot.errors import SetupError
from bot.sandbox.horde.text.chat_formats import FORMATS
from bot.sandbox.horde.text.chat_reading import read_chat

TODAY = date(2026, 11, 21)
GOLDENS = json.loads((Path(__file__).parents[1] / "data" / "chat" / "goldens.json").read_text(encoding="utf-8"))
TALK = (
    Message(role=Role.USER, text="U1"),
    Message(role=Role.ASSISTANT, text="A1"),
    Message(role=Role.USER, text="U2"),
)
OWN = """
[families.mine]
user = ["<u>", "</u>"]
assistant = ["<a>", "</a>"]
stop = ["</a>"]

[formats]
mine = "mine"

[[names]]
pattern = "special"
family = "mine"
"""


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_prompt_is_what_the_makers_formatter_writes(name: str) -> None:
    assert write(bundled().families[name], TALK, system="S", today=TODAY) == GOLDENS[name]["render"]


def test_every_family_has_a_golden_with_its_origin() -> None:
    assert set(bundled().families) == set(GOLDENS)
    assert [name for name, golden in GOLDENS.items() if not golden["executed"]] == ["alpaca_plain", "plain"]


@pytest.mark.parametrize("name", sorted(bundled().families))
def test_prompt_without_a_system_text_leaves_its_part_out(name: str) -> None:
    template = bundled().families[name]
    prompt = write(template, TALK[:1], today=TODAY)
    start = template.start.replace("{today}", TODAY.isoformat())
    always = "".join(template.system) if template.system and template.always_system else ""
    assert prompt == f"{start}{always}{template.user[0]}U1{template.user[1]}{template.opening}"


@pytest.mark.parametrize("name", sorted(bundled().families))
def test_answer_that_is_carried_on_stands_where_answers_stand(name: str) -> None:
    template = bundled().families[name]
    prompt = write(template, TALK[:2], system="S", today=TODAY)
    assert prompt.endswith(f"U1{template.user[1]}{template.assistant[0]}A1")


@pytest.mark.parametrize("name", sorted(bundled().families))
def test_every_family_has_stops_and_ends_a_turn_somehow(name: str) -> None:
    template = bundled().families[name]
    assert template.stop or name == "plain"
    assert template.user[0].strip() or name == "plain"


#: Ways of writing that the simulator files under the family they belong to.
SIM_FAMILIES = {
    "alpaca_plain": "alpaca",
    "glm4_5_nothink": "glm4_5",
    "glm4_7_nothink": "glm4_7",
    "deepseek3_1_nothink": "deepseek3_1",
    "qwen3_nothink": "qwen3",
    "gemma4_think": "gemma4",
}


@pytest.mark.parametrize("name", sorted(set(bundled().families) - {"plain", "deepseek_coder", "solar"}))
def test_simulated_model_of_the_family_reads_the_conversation(name: str) -> None:
    """The simulator has a table of its own."""
    family = SIM_FAMILIES.get(name, name)
    assert family in FORMATS
    system = "You are a lighthouse."
    talk = read_chat(family, write(bundled().families[name], TALK, system=system, today=TODAY))
    assert talk is not None
    assert (talk.questions, talk.answers) == (["U1", "U2"], ["A1"])
    assert system in talk.system


def test_unknown_family_reads_as_the_fallback() -> None:
    assert bundled()["gone"].name == FALLBACK


def test_operators_file_adds_families_formats_and_names() -> None:
    book = bundled().over(OWN)
    assert book["mine"].user == ("<u>", "</u>")
    assert book.formats["mine"] == "mine"
    assert book.names[0].family == "mine"
    assert len(book.families) == len(bundled().families) + 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[families.x", id="no-toml"),
        pytest.param('[families.x]\nuser = ["a", "b"]', id="a-part-is-missing"),
        pytest.param('[families.x]\nuser = ["a", "b"]\nassistant = ["a", "b"]\nstopp = []', id="misspelt"),
        pytest.param('[families.x]\nuser = ["a"]\nassistant = ["a", "b"]', id="no-pair"),
        pytest.param('[formats]\nmine = "nowhere"', id="no-such-family"),
        pytest.param('[[names]]\npattern = "("\nfamily = "chatml"', id="no-pattern"),
        pytest.param("families = 3", id="no-table"),
    ],
)
def test_operators_file_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(SetupError):
        bundled().over(text)


def test_opened_and_marked_are_read_off_the_strings() -> None:
    book: TemplateBook = bundled()
    assert {name for name, one in book.families.items() if one.opened} == {
        "deepseek_r1",
        "deepseek3_1",
        "glm4_7",
        "minimax_m2",
        "qwen3_5",
    }
    assert {name for name, one in book.families.items() if not one.marked} == {
        "alpaca",
        "alpaca_plain",
        "deepseek2",
        "deepseek_coder",
        "falcon_chat",
        "falcon_instruct",
        "openchat",
        "plain",
        "solar",
        "vicuna",
    }
