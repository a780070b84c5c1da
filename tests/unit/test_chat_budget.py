"""What fits, and what is asked of workers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.budget import CUT_MARK, context_for, estimate_tokens, fit, shorten_middle
from bot.chat.limits import Limits, WorkerLimits, clamp, free_length
from bot.chat.sampling import clamped, sampling_for, warmer
from bot.chat.stops import MAX_CHARACTERS, MAX_STOPS, stops_for, within_caps
from bot.chat.templates import bundled
from bot.domain.conversation import Creativity, Role, Sampling, Turn
from bot.sandbox.horde.text.tokens import count_tokens

BOOK = bundled()
CHATML = BOOK["chatml"]


def user(text: str, author: str = "Ann") -> Turn:
    return Turn(role=Role.USER, text=text, author=author)


def answer(text: str) -> Turn:
    return Turn(role=Role.ASSISTANT, text=text)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param("", 0, 0, id="nothing"),
        pytest.param("The quick brown fox jumps over the lazy dog. " * 10, 100, 170, id="prose"),
        pytest.param("灯台守は静かな朝に青い扉を見つけました。" * 10, 140, 220, id="japanese"),
        pytest.param("守塔人在清晨找到了蓝色的门。" * 10, 90, 150, id="chinese"),
        pytest.param("빠른 갈색 여우가 게으른 개를 뛰어넘는다. " * 10, 130, 230, id="korean"),
        pytest.param("🦊🚀🌊" * 10, 60, 90, id="emoji"),
        pytest.param("👨‍👩‍👧‍👦" * 5, 40, 100, id="emoji-family"),
        pytest.param("Быстрая лиса прыгает через ленивую собаку. " * 10, 180, 300, id="cyrillic"),
        pytest.param("def answer_of_everything(value_of_input):\n" * 10, 120, 180, id="code"),
    ],
)
def test_estimate_is_near_the_truth_and_rather_above(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most


CODE = "\n".join(f"  x[{n}]+=a{n}*(b{n}-c{n})/{n + 1};" for n in range(90))
NUMBERS = " ".join(str(n * 7919 % 100_000) for n in range(400))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The keeper counted seven boats. " * 40, id="prose"),
        pytest.param("灯台守は静かな朝に。" * 40, id="japanese"),
        pytest.param("🦊 fox " * 40, id="emoji"),
        pytest.param(CODE, id="code"),
        pytest.param(NUMBERS, id="numbers"),
    ],
)
def test_estimate_is_not_below_another_count(text: str) -> None:
    """The simulator counts in a way of its own."""
    assert estimate_tokens(text) >= count_tokens(text) * 0.9


@given(st.text(max_size=200), st.text(max_size=50))
def test_more_text_is_never_fewer_tokens_by_much(text: str, more: str) -> None:
    assert estimate_tokens(text + more) >= estimate_tokens(text) * 0.85


@pytest.mark.parametrize(
    ("prompt", "length", "limit", "context"),
    [
        pytest.param(100, 300, 16_384, 1024, id="small-talk-is-cheap"),
        pytest.param(1000, 300, 16_384, 2048, id="rounded-up"),
        pytest.param(9000, 300, 8192, 8192, id="within-the-workers"),
        pytest.param(100, 500, 400, 500, id="never-below-the-answer"),
    ],
)
def test_only_the_context_that_is_used_is_asked_for(prompt: int, length: int, limit: int, context: int) -> None:
    assert context_for(prompt, length, limit) == context


def test_everything_is_kept_while_it_fits() -> None:
    turns = (user("a"), answer("b"), user("c"))
    fitted = fit(turns, CHATML, BOOK, system="S", context=4096, max_length=300)
    assert (fitted.turns, fitted.dropped, fitted.shortened, fitted.system) == (turns, 0, False, "S")


def test_oldest_turns_go_first_and_no_answer_is_left_without_its_question() -> None:
    turns = tuple(one for n in range(20) for one in (user(f"question {n} " * 20), answer(f"answer {n} " * 20)))
    turns = (*turns, user("and now?"))
    fitted = fit(turns, CHATML, BOOK, system="S", context=1024, max_length=300)
    assert fitted.turns[-1] == turns[-1]
    assert fitted.turns[0].role is Role.USER
    assert fitted.turns == turns[len(turns) - len(fitted.turns) :]
    assert fitted.dropped == len(turns) - len(fitted.turns) > 0
    assert fitted.tokens + 300 <= 1024


@pytest.mark.parametrize("text", ["word " * 5000, "灯台守" * 3000, "🦊" * 3000], ids=["english", "japanese", "emoji"])
def test_newest_turn_that_is_too_large_loses_its_middle(text: str) -> None:
    fitted = fit((user(f"BEGIN {text} END"),), CHATML, BOOK, system="S", context=2048, max_length=300)
    (turn,) = fitted.turns
    assert turn.text.startswith("BEGIN")
    assert turn.text.endswith("END")
    assert CUT_MARK in turn.text
    assert fitted.shortened
    assert fitted.tokens + 300 <= 2048


def test_answer_that_is_carried_on_keeps_its_end() -> None:
    turns = (user("tell"), answer("once " * 4000 + "THE END"))
    fitted = fit(turns, CHATML, BOOK, system="S", context=1024, max_length=300)
    assert fitted.turns[-1].text.endswith("THE END")
    assert fitted.turns[0].text == "tell"
    assert fitted.tokens + 300 <= 1024


def test_persona_never_takes_more_than_half() -> None:
    fitted = fit((user("hi"),), CHATML, BOOK, system="be kind " * 2000, context=1024, max_length=300)
    assert fitted.shortened
    assert fitted.turns[0].text == "hi"


@given(st.text(max_size=300), st.integers(min_value=5, max_value=100))
def test_middle_is_cut_to_what_was_allowed(text: str, allowed: int) -> None:
    short = shorten_middle(text, allowed)
    assert short == text or estimate_tokens(short) <= allowed


def workers(*limits: tuple[int, int]) -> list[WorkerLimits]:
    return [WorkerLimits(max_length=length, max_context=context) for length, context in limits]


@pytest.mark.parametrize(
    ("limits", "wanted", "length", "context"),
    [
        pytest.param([(512, 8192)], 1024, 512, 8192, id="one-worker"),
        pytest.param([(512, 8192), (1024, 16_384)], 1024, 512, 8192, id="two-both"),
        pytest.param([(256, 4096), (512, 8192), (1024, 16_384)], 1024, 512, 8192, id="two-of-three"),
        pytest.param([(80, 1024)] * 2 + [(512, 8192)] * 3, 512, 512, 8192, id="six-in-ten"),
        pytest.param([(80, 1024)] * 3 + [(512, 8192)] * 2, 512, 80, 1024, id="not-six-in-ten"),
        pytest.param([(512, 4096), (512, 32_768), (300, 32_768)], 300, 300, 32_768, id="length-asked-first"),
        pytest.param([(4096, 131_072)] * 4, 120, 120, 131_072, id="no-more-than-wanted"),
        pytest.param([], 4096, 512, 4096, id="nobody-known"),
    ],
)
def test_limits_are_what_most_workers_can_do(
    limits: list[tuple[int, int]], wanted: int, length: int, context: int
) -> None:
    chosen = clamp(workers(*limits), wanted)
    assert (chosen.max_length, chosen.max_context) == (length, context)


@given(
    st.lists(st.tuples(st.integers(16, 4096), st.integers(80, 131_072)), min_size=1, max_size=12),
    st.integers(16, 4096),
)
def test_enough_workers_can_take_what_is_asked(limits: list[tuple[int, int]], wanted: int) -> None:
    chosen = clamp(workers(*limits), wanted)
    able = sum(length >= chosen.max_length and context >= chosen.max_context for length, context in limits)
    # Contexts smaller than the answer are lifted to it, and such workers fall out.
    assert able >= min(len(limits), 2) or chosen.max_context == chosen.max_length
    assert chosen.max_length <= chosen.max_context


def test_stepping_down_reaches_every_worker() -> None:
    some = workers((80, 1024), (512, 8192), (512, 8192))
    all_of_them = clamp(some, 512, share=1.0)
    assert (all_of_them.max_length, all_of_them.workers) == (80, 3)
    assert all_of_them.smaller_than(clamp(some, 512))
    assert not Limits(max_length=1, max_context=1).smaller_than(Limits(max_length=1, max_context=1))


@pytest.mark.parametrize(
    ("threads", "queued", "length"),
    [
        pytest.param(20, 0, 512, id="quiet"),
        pytest.param(0, 200, 332, id="busy"),
        pytest.param(0, 5000, 256, id="very-busy"),
    ],
)
def test_free_length_follows_the_load(threads: int, queued: int, length: int) -> None:
    assert free_length(threads, queued) == length


def test_stops_hold_the_end_of_the_turn_first_and_speakers_behind() -> None:
    stops = stops_for(CHATML, (user("hi", "Ann"), answer("hello"), user("yo", "Bob")))
    assert stops == ("<|im_end|>", "<|im_start|>", "\nAnn:", "\nBob:")


def test_plain_families_stop_at_a_users_tag_too() -> None:
    assert "\nUser:" in stops_for(BOOK["alpaca"])
    assert "\nUser:" not in stops_for(CHATML)


def test_harmonys_own_tags_are_no_stops() -> None:
    stops = stops_for(BOOK["harmony"], (user("hi"),))
    assert not {"<|end|>", "<|start|>", "<|channel|>"} & set(stops)


@given(st.lists(st.text(max_size=80), max_size=300))
def test_stops_stay_within_the_caps(stops: list[str]) -> None:
    kept = within_caps(stops)
    assert len(kept) <= MAX_STOPS
    assert sum(map(len, kept)) <= MAX_CHARACTERS
    assert len(set(kept)) == len(kept)


@pytest.mark.parametrize(
    ("creativity", "settings", "temperature"),
    [
        pytest.param(Creativity.PRECISE, {}, 0.3, id="precise"),
        pytest.param(Creativity.BALANCED, {}, 0.7, id="balanced"),
        pytest.param(Creativity.WILD, {}, 1.1, id="wild"),
        pytest.param(Creativity.BALANCED, {"temperature": 1.0}, 1.0, id="the-cards-own"),
        pytest.param(Creativity.WILD, {"temperature": 1.0}, 1.57, id="shifted-from-the-cards-own"),
        pytest.param(Creativity.WILD, {"temperature": 90.0}, 5.0, id="within-the-range"),
    ],
)
def test_creativity_is_a_temperature(creativity: Creativity, settings: dict[str, float], temperature: float) -> None:
    assert sampling_for(creativity, settings).temperature == temperature


def test_cards_settings_are_clamped_and_unknown_ones_left_out() -> None:
    sampling = sampling_for(Creativity.BALANCED, {"min_p": 7, "top_k": 40.4, "sampler_order": 3, "rep_pen": 0.5})
    assert sampling == Sampling(min_p=1.0, top_k=40, rep_pen=1.0)


def test_second_try_is_a_little_warmer() -> None:
    assert warmer(Sampling(temperature=0.7)).temperature == 0.85
    assert clamped("temperature", 9) == 5
