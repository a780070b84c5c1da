"""From what a worker sent to what a person reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.cleaning import (
    Tidied,
    break_mentions,
    collapse_blank_lines,
    cut_at_stop,
    flaw_of,
    tidy,
    was_cut,
    without_debris,
    without_echo,
)
from bot.chat.code_spans import close_fence, on_its_own
from bot.chat.repetition import loops
from bot.chat.sentences import ends_well, to_sentence_end
from bot.chat.templates import bundled
from bot.chat.thoughts import split_thoughts
from bot.domain.conversation import Flaw

BOOK = bundled()


def tidied(raw: str, family: str = "chatml", *, max_length: int = 300, **options: object) -> Tidied:
    return tidy(raw, template=BOOK[family], book=BOOK, max_length=max_length, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kept", "stopped"),
    [
        pytest.param("Hello.<|im_end|>", "Hello.", True, id="at-the-end"),
        pytest.param("Hello.<|im_end|>\n<|im_start|>user\nThanks", "Hello.", True, id="ran-on"),
        pytest.param("Hello.\nAnn: thanks", "Hello.", True, id="a-speaker"),
        pytest.param("Hello.", "Hello.", False, id="none"),
        pytest.param("<|im_start|>Hello", "<|im_start|>Hello", False, id="in-front-is-no-stop"),
    ],
)
def test_stop_cuts_at_the_first_one(text: str, kept: str, stopped: bool) -> None:
    assert cut_at_stop(text, ("<|im_end|>", "<|im_start|>", "\nAnn:")) == (kept, stopped)


@given(st.text(max_size=40), st.lists(st.sampled_from(["<|im_end|>", "</s>", "\nAnn:", "x"]), max_size=4), st.text())
def test_stop_cutting_leaves_no_stop_behind_the_first_character(text: str, stops: list[str], rest: str) -> None:
    kept, _ = cut_at_stop(text + "".join(stops) + rest, stops)
    assert all(stop not in kept[len(kept) - len(kept.lstrip()) + 1 :] for stop in stops)


@pytest.mark.parametrize(
    ("family", "text", "thought", "answer", "unfinished"),
    [
        pytest.param("chatml", "Hi.", "", "Hi.", False, id="none"),
        pytest.param("qwen3", "<think>\nHm\n</think>\n\nHi.", "Hm", "Hi.", False, id="own-opener"),
        pytest.param("qwen3_5", "Hm, well\n</think>\n\nHi.", "Hm, well", "Hi.", False, id="opener-in-the-prompt"),
        pytest.param("qwen3_5", "Hm, well, and so", "Hm, well, and so", "", True, id="never-closed"),
        pytest.param("chatml", "<think>Hm", "Hm", "", True, id="unexpected-and-never-closed"),
        pytest.param("chatml", "Hm</think>Hi.", "Hm", "Hi.", False, id="orphan-closer"),
        pytest.param("gemma4", "Hm<channel|>Hi.", "Hm", "Hi.", False, id="gemma"),
        pytest.param("gemma4_think", "<|channel>thought\nHm<channel|>Hi.", "Hm", "Hi.", False, id="gemma-think"),
        pytest.param("seed_oss", "<seed:think>Hm</seed:think>Hi.", "Hm", "Hi.", False, id="seed"),
        pytest.param("command_a", "<|START_THINKING|>Hm<|END_THINKING|>Hi.", "Hm", "Hi.", False, id="cohere"),
        pytest.param("mistral_v7_tekken", "[THINK]Hm[/THINK]Hi.", "Hm", "Hi.", False, id="magistral"),
        pytest.param("chatml", "◁think▷Hm◁/think▷Hi.", "Hm", "Hi.", False, id="kimi"),
        pytest.param(
            "harmony",
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi.",
            "Hm",
            "Hi.",
            False,
            id="harmony",
        ),
        pytest.param("harmony", "<|channel|>final<|message|>Hi.", "", "Hi.", False, id="harmony-at-once"),
        pytest.param("harmony", "<|channel|>analysis<|message|>Hm", "Hm", "", True, id="harmony-unfinished"),
        pytest.param("harmony", "analysisHmassistantfinalHi.", "Hm", "Hi.", False, id="harmony-hidden"),
        pytest.param("chatml", "Write `</think>` to end it.", "", "Write `</think>` to end it.", False, id="in-code"),
        pytest.param(
            "qwen3", "<think>Use ```\n</think>\n\nHi.", "Use ```", "Hi.", False, id="a-block-left-open-in-the-thought"
        ),
        pytest.param("qwen3", "<think>a</think>Hi.<think>b", "a", "Hi.", False, id="a-second-thought"),
        pytest.param("qwen3", "<think>a</think>x</think>Hi.", "a\nx", "Hi.", False, id="the-last-closer-counts"),
    ],
)
def test_thoughts_are_parted_from_the_answer(
    family: str, text: str, thought: str, answer: str, unfinished: bool
) -> None:
    split = split_thoughts(text, BOOK[family])
    assert (split.thought, split.answer.strip(), split.unfinished) == (thought, answer, unfinished)


def test_carried_on_answer_of_a_thinking_model_is_no_thought() -> None:
    split = split_thoughts("and on it went.", BOOK["qwen3_5"], continuing=True)
    assert (split.answer, split.unfinished) == ("and on it went.", False)


@pytest.mark.parametrize(
    ("family", "text", "kept", "leaked"),
    [
        pytest.param("chatml", "Hello.", "Hello.", "", id="clean"),
        pytest.param("chatml", "Assistant: Hello.", "Hello.", "", id="role"),
        pytest.param("chatml", "**Assistant:** Hello.", "Hello.", "", id="bold-role"),
        pytest.param("chatml", "Luna: Hello.", "Hello.", "", id="persona"),
        pytest.param("chatml", "<|im_start|>assistant\nHello.", "Hello.", "", id="opening-repeated"),
        pytest.param("alpaca", "### Response:\nHello.", "Hello.", "", id="heading"),
        pytest.param("alpaca_plain", "Hello.<|im_end|>\n<|im_start|>user\nHi", "Hello.", "<|im_end|>", id="leak"),
        pytest.param("chatml", "Hello. [/INST] More", "Hello. [/INST] More".replace("[/INST]", ""), "", id="strayed"),
        pytest.param("alpaca", "Hello.<|eot_id|>", "Hello.", "<|eot_id|>", id="llama-leak"),
        pytest.param("chatml", "Hello.<|im_e", "Hello.", "", id="half-a-token"),
        pytest.param("chatml", "Use `<|im_end|>` so.", "Use `<|im_end|>` so.", "", id="in-code"),
        pytest.param("chatml", "a <b> c [1] <s>d</s2>", "a <b> c [1] <s>d</s2>", "", id="html"),
        pytest.param("chatml", "Model: T-1000", "Model: T-1000", "", id="an-ordinary-colon"),
        pytest.param("chatml", " Hello.", " Hello.", "", id="white-space-is-no-debris"),
    ],
)
def test_debris_of_templates_is_taken_off(family: str, text: str, kept: str, leaked: str) -> None:
    assert without_debris(text, BOOK[family], BOOK, names=["Luna"]) == (kept, leaked)


def test_prompt_sent_back_is_taken_off() -> None:
    assert without_echo("\nSay hi\nHi!", "Say hi\n").strip() == "Hi!"
    assert without_echo("Hi!", "") == "Hi!"


@pytest.mark.parametrize(
    ("text", "well"),
    [
        pytest.param("It is so.", True, id="sentence"),
        pytest.param('He said "yes."', True, id="quoted"),
        pytest.param("*It is so!*", True, id="italic"),
        pytest.param("そうです。", True, id="japanese"),
        pytest.param("Nice 🦊", True, id="emoji"),
        pytest.param("```py\nx\n```", True, id="code"),
        pytest.param("```py\nx.", False, id="open-code"),
        pytest.param("It is", False, id="middle"),
        pytest.param("Because,", False, id="comma"),
        pytest.param("List:\n1.", False, id="numbering"),
        pytest.param("", True, id="nothing"),
    ],
)
def test_good_ends_are_known(text: str, well: bool) -> None:
    assert ends_well(text) is well


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("One is here. Two is her", "One is here.", id="sentence"),
        pytest.param("そうです。でも", "そうです。", id="japanese"),
        pytest.param("Yes. " + "and so on " * 20, "Yes. " + "and so on " * 20, id="too-little-would-be-left"),
        pytest.param("Take:\n- apples\n- pears\n- plu", "Take:\n- apples\n- pears", id="list"),
        pytest.param("It is so.\n\n2.", "It is so.", id="numbering-is-no-sentence"),
        pytest.param("Run it. Then ```py\nx = 1. y", "Run it. Then ```py\nx = 1. y", id="open-code-stays"),
        pytest.param("Say `a. b` now and the", "Say `a. b` now and the", id="not-in-code"),
        pytest.param("no end at all", "no end at all", id="none"),
    ],
)
def test_torn_off_text_ends_with_a_sentence(text: str, kept: str) -> None:
    assert to_sentence_end(text) == kept


@pytest.mark.parametrize(
    ("text", "tokens", "max_length", "cut"),
    [
        pytest.param("It is so.", 3, 300, False, id="short"),
        pytest.param("It is so", 3, 300, False, id="short-without-a-point"),
        pytest.param("and then it", 299, 300, True, id="full-and-torn"),
        pytest.param("It is so.", 299, 300, False, id="full-by-a-high-estimate-but-whole"),
        pytest.param("It is so.", 420, 300, True, id="full-by-any-estimate"),
        pytest.param("and then it", 260, 1024, True, id="shortened-by-the-horde"),
        pytest.param("It is so.", 260, 1024, False, id="whole-and-short"),
    ],
)
def test_cut_off_is_told_from_finished(text: str, tokens: int, max_length: int, cut: bool) -> None:
    assert was_cut(text, tokens=tokens, max_length=max_length) is cut


@pytest.mark.parametrize(
    "text", ["@everyone", "@here", "<@123456789012345678>", "<@!12>", "<@&223456789012345678>", "@Everyone"]
)
def test_mentions_are_made_inert(text: str) -> None:
    assert text not in break_mentions(f"Hi {text}!")
    assert break_mentions(text).replace("\u200b", "") == text


@pytest.mark.parametrize("link", ["discord.gg/abc", "https://discord.com/invite/abc", "discordapp.com/invite/x"])
def test_invitations_are_made_inert(link: str) -> None:
    assert link not in break_mentions(f"join {link}")


def test_addresses_and_names_with_an_at_sign_stay() -> None:
    assert (
        break_mentions("me@example.org, @ann, discord.com/developers") == "me@example.org, @ann, discord.com/developers"
    )


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        pytest.param("```py\nx", "```py\nx\n```", id="open"),
        pytest.param("```py\nx\n```", "```py\nx\n```", id="closed"),
        pytest.param("```py\nx\n``", "```py\nx\n```", id="half-closed"),
        pytest.param("none", "none", id="none"),
    ],
)
def test_fences_are_closed(text: str, closed: str) -> None:
    assert close_fence(text) == closed


def test_blank_lines_are_collapsed_outside_code_only() -> None:
    text = "a\n\n\n\n\nb\n```\nx\n\n\n\n\ny\n```"
    assert collapse_blank_lines(text) == "a\n\n\nb\n```\nx\n\n\n\n\ny\n```"


@pytest.mark.parametrize(
    ("text", "looping"),
    [
        pytest.param("The tide comes in and the tide goes out. " * 5, True, id="sentence-five-times"),
        pytest.param("The tide comes in and the tide goes out. " * 4, False, id="four-times-is-a-refrain"),
        pytest.param("Well. " + "I think that " * 30, True, id="phrase"),
        pytest.param("ha ha ha ha ha ha", False, id="laugh"),
        pytest.param("ha " * 60, True, id="endless-laugh"),
        pytest.param("行きます。" * 30, True, id="no-spaces"),
        pytest.param("-" * 200, False, id="a-line"),
        pytest.param("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|", False, id="table"),
        pytest.param("```\n" + "print(x)\n" * 40 + "```\nSo.", False, id="code"),
        pytest.param(" ".join(f"Line {n} is new." for n in range(80)), False, id="a-list"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_loops_are_noticed(text: str, looping: bool) -> None:
    assert loops(text) is looping


@pytest.mark.parametrize(
    ("answer", "unfinished", "flaw"),
    [
        pytest.param("Hi.", False, None, id="fine"),
        pytest.param("  \n", False, Flaw.EMPTY, id="empty"),
        pytest.param("", True, Flaw.ONLY_THOUGHT, id="only-thought"),
        pytest.param("again and again and " * 20, False, Flaw.LOOP, id="loop"),
    ],
)
def test_flaws_are_named(answer: str, unfinished: bool, flaw: Flaw | None) -> None:
    assert flaw_of(answer, unfinished=unfinished) is flaw


def test_all_steps_together() -> None:
    raw = "<think>\nHm.\n</think>\n\nAssistant: Hi @everyone!\n\n\n\n\nBye.<|im_end|>\n<|im_start|>user\nThanks!"
    result = tidied(raw, "qwen3")
    assert result.text == "Hi @\u200beveryone!\n\n\nBye."
    assert (result.thought, result.flaw, result.cut, result.leaked) == ("Hm.", None, False, "")


def test_answer_cut_by_its_length_ends_with_a_sentence_and_says_so() -> None:
    result = tidied("The keeper counted seven boats near the mill. " * 3 + "A gull found the", max_length=50)
    assert result.cut
    assert result.text.endswith("the mill.")


def test_answer_that_stopped_by_itself_is_not_cut_however_long() -> None:
    assert not tidied("word " * 300 + "end<|im_end|>").cut


def test_name_in_a_thought_does_not_end_it() -> None:
    result = tidied("Ann asks.\nAnn: hm\n</think>\n\nHi.\nAnn: thanks", "qwen3_5", stops=("\nAnn:",))
    assert (result.text, result.flaw) == ("Hi.", None)


def test_harmony_is_not_cut_behind_its_thought() -> None:
    raw = "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi.<|return|>"
    assert tidied(raw, "harmony").text == "Hi."


def test_code_that_was_cut_off_stays_open_and_is_carried_on_in_its_block() -> None:
    first = tidied("Here:\n```python\n" + "x_1 = 2 * (3 + 4)\n" * 12 + "x_2 =", max_length=200)
    assert first.cut
    assert first.text.endswith("x_2 ="), "what closes it here would end it for the model too"
    last = tidied(" 5\n```\nThat is all.", continuing=True, in_code=True)
    assert (last.text, last.lead, last.cut) == ("5\n```\nThat is all.", " ", False)
    joined = first.text + last.lead + last.text
    assert joined.count("```") == 2
    assert on_its_own(last.text, first.text) == "```python\n5\n```\nThat is all."
    assert on_its_own("```\nThat is all.", first.text) == "That is all."
    assert on_its_own("And so on.", joined) == "And so on."


def test_code_left_open_by_a_model_that_forgot_is_closed_and_no_cut() -> None:
    result = tidied("```python\nprint(1)", max_length=300)
    assert (result.text, result.cut) == ("```python\nprint(1)\n```", False)


def test_carried_on_answer_keeps_the_white_space_it_began_with() -> None:
    assert tidied(" and so it went.", continuing=True).lead == " "
    assert tidied("ly done.", continuing=True).lead == ""
    assert tidied(" Hello.").lead == ""


@pytest.mark.parametrize("family", sorted(set(BOOK.families) - {"plain"}))
def test_clean_answers_stay_as_they_are(family: str) -> None:
    answer = "Yes.\n\n```py\nprint('<s>')\n```\n\n- one\n- two\n\nThat is all."
    template = BOOK[family]
    raw = f"thinking{template.thought[1]}{answer}" if template.opened and template.thought else answer
    assert tidied(raw, family).text == answer


@pytest.mark.parametrize("family", sorted(set(BOOK.families) - {"plain"}))
def test_end_of_the_turn_and_what_follows_are_cut(family: str) -> None:
    template = BOOK[family]
    raw = f"Yes, it is.{template.stop[0]}{template.user[0]}Thanks!{template.user[1]}"
    raw = f"hm{template.thought[1]}{raw}" if template.opened and template.thought else raw
    assert tidied(raw, family).text == "Yes, it is."


@given(st.text(max_size=300), st.sampled_from(sorted(BOOK.families)))
def test_anything_can_be_tidied(raw: str, family: str) -> None:
    result = tidied(raw, family)
    assert result.text.count("```") % 2 == 0
    assert (result.flaw is not None) or result.text
