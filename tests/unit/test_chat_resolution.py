"""Which template a model gets."""

from __future__ import annotations

import pytest

from bot.chat.names import bare_name, is_base, parameters_of, same_model_key
from bot.chat.resolution import Evidence, resolve
from bot.chat.templates import bundled


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        pytest.param("koboldcpp/L3-8B-Stheno-v3.2", "L3-8B-Stheno-v3.2", id="backend"),
        pytest.param("aphrodite/Sao10K/L3-8B-Stheno-v3.2", "L3-8B-Stheno-v3.2", id="organisation"),
        pytest.param("koboldcpp/L3-8B-Stheno-v3.2-Q4_K_M", "L3-8B-Stheno-v3.2", id="quantised"),
        pytest.param("koboldcpp/Cydonia-24B-v4.3.i1-IQ3_XS", "Cydonia-24B-v4.3", id="importance-matrix"),
        pytest.param("tabbyAPI/Cydonia-24B-v4.3-4.0bpw-exl2", "Cydonia-24B-v4.3", id="exl2"),
        pytest.param("vllm/Qwen3-8B-AWQ", "Qwen3-8B", id="awq"),
        pytest.param("Qwen3-8B-FP8", "Qwen3-8B", id="fp8"),
        pytest.param("gemma-3-12b-it-GGUF", "gemma-3-12b-it", id="gguf"),
        pytest.param("Muse-of-Walt::walt#1", "Muse-of-Walt", id="custom"),
        pytest.param("Q4_K_M", "Q4_K_M", id="nothing-else"),
    ],
)
def test_name_is_taken_apart(name: str, bare: str) -> None:
    assert bare_name(name) == bare


def test_same_model_has_one_key_under_all_its_names() -> None:
    names = ("koboldcpp/L3-8B-Stheno-v3.2", "aphrodite/Sao10K/L3-8B-Stheno-v3.2", "koboldcpp/l3-8b-stheno-v3.2-Q4_K_M")
    assert len({same_model_key(name) for name in names}) == 1


def test_custom_models_of_two_people_are_not_the_same() -> None:
    keys = {same_model_key(name) for name in ("Muse", "Muse::walt#1", "Muse::ann#2")}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        pytest.param("Qwen2.5-7B-Instruct", 7, id="plain"),
        pytest.param("koboldcpp/gemma-4-26B-A4B-it", 26, id="active-ones-do-not-count"),
        pytest.param("gemma-4-E4B-it", 4, id="effective"),
        pytest.param("Mixtral-8x7B-Instruct-v0.1", 56, id="experts"),
        pytest.param("opt-350m", 0.35, id="millions"),
        pytest.param("phi-3.5-mini-3.8b", 3.8, id="fraction"),
        pytest.param("gpt-neo", 0, id="untold"),
    ],
)
def test_size_is_read_off_the_name(name: str, billions: float) -> None:
    assert parameters_of(name) == round(billions * 1e9)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        pytest.param("koboldcpp/pythia-12b", True, id="old"),
        pytest.param("Llama-3.1-8B", True, id="makers-own"),
        pytest.param("gemma-3-12b-pt", True, id="pretrained"),
        pytest.param("DeepSeek-V3-Base", True, id="base"),
        pytest.param("gemma-3-12b-it", False, id="it"),
        pytest.param("Llama-3.1-8B-Instruct", False, id="instruct"),
        pytest.param("Cydonia-24B-v4.3", False, id="finetune"),
        pytest.param("Qwen3-8B", False, id="hybrid"),
        pytest.param("Mistral-Nemo-Instruct-2407", False, id="nemo"),
    ],
)
def test_base_models_are_known_by_name(name: str, base: bool) -> None:
    assert is_base(name) is base


@pytest.mark.parametrize(
    ("name", "label", "family"),
    [
        pytest.param("Captain-Eris-12B", "ChatML", "chatml", id="chatml"),
        pytest.param("Cydonia-24B-v4", "Mistral V7 tekken", "mistral_v7_tekken", id="v7-small-letters"),
        pytest.param("Cydonia-24B-v4", " mistral v7-Tekken ", "mistral_v7_tekken", id="v7-hyphen"),
        pytest.param("Anubis-70B-v1.1", "Llama 3 Instruct", "llama3", id="llama3-instruct"),
        pytest.param("Anubis-70B-v1.1", "Llama3", "llama3", id="llama3-one-word"),
        pytest.param("Equinox-31B", " Gemma 4", "gemma4", id="gemma4-large"),
        pytest.param("gemma-4-E4B-it", "Gemma 4", "gemma4_edge", id="gemma4-edge"),
        pytest.param("Irix-12B-Model_Stock", "Mistral", "mistral_v3_tekken", id="mistral-12b"),
        pytest.param("Cydonia-v1.3-Magnum-v4-22B", "Mistral", "mistral_v3", id="mistral-22b"),
        pytest.param("Something-24B", "Mistral", "mistral_v7_tekken", id="mistral-24b"),
        pytest.param("Something-7B", "Mistral", "mistral_v1", id="mistral-7b"),
        pytest.param("Luminum-v0.1-123B", "Mistral", "mistral_v3", id="mistral-123b"),
        pytest.param("gemma-4-12B", "Gemma 4", "gemma4", id="a-label-beats-looking-like-a-base"),
    ],
)
def test_label_of_the_reference_comes_before_the_name(name: str, label: str, family: str) -> None:
    chosen = resolve(bundled(), name, label=label)
    assert (chosen.template.name, chosen.evidence) == (family, Evidence.LABEL)


@pytest.mark.parametrize(
    ("name", "family", "thinks"),
    [
        pytest.param("koboldcpp/L3-8B-Stheno-v3.2-Q4_K_M", "llama3", False, id="llama3"),
        pytest.param("koboldcpp/Mistral-7B-Instruct-v0.1", "mistral_v1", False, id="mistral-v1"),
        pytest.param("Mistral-Nemo-Instruct-2407", "mistral_v3_tekken", False, id="nemo"),
        pytest.param("Mistral-Large-Instruct-2411", "mistral_v7", False, id="large"),
        pytest.param("Mistral-Small-3.2-24B-Instruct-2506", "mistral_v7_tekken", False, id="small"),
        pytest.param("gpt-oss-20b", "harmony", True, id="harmony"),
        pytest.param("Qwen2.5-7B-Instruct", "chatml", False, id="qwen2.5"),
        pytest.param("Qwen3-8B", "qwen3_nothink", False, id="qwen3-kept-calm"),
        pytest.param("Qwen3-30B-A3B-Instruct-2507", "qwen3", False, id="qwen3-instruct"),
        pytest.param("Qwen3-30B-A3B-Thinking-2507", "qwen3_5", True, id="qwen3-thinking"),
        pytest.param("QwQ-32B", "qwen3_5", True, id="qwq"),
        pytest.param("Qwen3.5-27B", "qwen3_nothink", False, id="qwen3.5-kept-calm"),
        pytest.param("DeepSeek-R1-Distill-Llama-8B", "deepseek_r1", True, id="r1-before-llama"),
        pytest.param("deepseek-coder-6.7b-instruct", "deepseek_coder", False, id="deepseek-coder"),
        pytest.param("DeepSeek-Coder-V2-Lite-Instruct", "deepseek2", False, id="deepseek-coder-v2"),
        pytest.param("GLM-4.7-Flash", "glm4_7_nothink", False, id="glm4.7"),
        pytest.param("GLM-4-9B-0414", "glm4", False, id="glm4"),
        pytest.param("Hermes-3-Llama-3.1-8B", "chatml", False, id="hermes-before-llama"),
        pytest.param("LLaMA2-13B-Tiefighter", "alpaca", False, id="tiefighter-before-llama"),
        pytest.param("mythalion-13b", "metharme", False, id="metharme"),
        pytest.param("Wizard-Vicuna-13B-Uncensored", "vicuna", False, id="vicuna"),
        pytest.param("Phi-3.5-mini-instruct_Uncensored", "phi3", False, id="phi3"),
        pytest.param("phi-4", "phi4", False, id="phi4"),
        pytest.param("c4ai-command-r-v01", "command_r", False, id="command-r"),
    ],
)
def test_name_tells_the_family(name: str, family: str, thinks: bool) -> None:
    chosen = resolve(bundled(), name)
    assert (chosen.template.name, chosen.evidence, chosen.thinks) == (family, Evidence.NAME, thinks)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        pytest.param("Qwen3-8B", "qwen3", id="qwen3"),
        pytest.param("Qwen3.5-27B", "qwen3_5", id="qwen3.5"),
        pytest.param("GLM-4.7-Flash", "glm4_7", id="glm"),
        pytest.param("gemma-4-31B-it", "gemma4_think", id="gemma4"),
    ],
)
def test_models_think_where_they_are_let(name: str, family: str) -> None:
    chosen = resolve(bundled(), name, thinking=True)
    assert (chosen.template.name, chosen.thinks) == (family, True)


def test_baseline_helps_where_the_name_says_nothing() -> None:
    chosen = resolve(bundled(), "Assistant_Pepe_32B", baseline="Qwen/Qwen2.5-32B")
    assert (chosen.template.name, chosen.evidence) == ("chatml", Evidence.BASELINE)


def test_unknown_models_get_alpaca_without_an_end_token() -> None:
    chosen = resolve(bundled(), "koboldcpp/Nobody-Knows-13B")
    assert (chosen.template.name, chosen.evidence) == ("alpaca_plain", Evidence.NOTHING)
    assert "</s>" not in "".join((*chosen.template.user, *chosen.template.assistant))


def test_base_models_get_no_template() -> None:
    chosen = resolve(bundled(), "koboldcpp/pythia-12b")
    assert (chosen.template.name, chosen.evidence) == ("plain", Evidence.BASE)


@pytest.mark.parametrize("key", ["Cydonia-24B-v4", "koboldcpp/Cydonia-24B-v4-Q4_K_M", "cydonia-24b-V4"])
def test_operator_has_the_last_word(key: str) -> None:
    chosen = resolve(
        bundled(), "koboldcpp/Cydonia-24B-v4-Q4_K_M", label="Mistral V7 Tekken", overrides={key: "metharme"}
    )
    assert (chosen.template.name, chosen.evidence) == ("metharme", Evidence.OPERATOR)
