"""How each family of models wants a conversation written: the simulator's own reading of their templates.

The bot has a table of the same kind. This one is kept apart from it on purpose (nothing here is imported there or the
other way round), so that a slip in one of them shows as nonsense in the answers instead of passing twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.horde.text.chat_format import ChatFormat, Pair, Thinking

_TOKEN = re.compile(r"</?[|｜]?[^<>\s]{1,32}[|｜]?>|\[/?[A-Z_]{3,16}\]|\[\|\w+\|\]|\]~!?b\[?\]?|\[e~\[")
_THINK: Pair = ("<think>\n", "\n</think>\n\n")


def _tagged(family: str, opener: str, closer: str, names: tuple[str, str, str], *, end: str) -> ChatFormat:
    """A format in which all roles look alike: `opener` with the role's name in place of `*`."""
    system, user, assistant = ((opener.replace("*", name), closer) for name in names)
    return ChatFormat(family=family, system=(system,), user=user, assistant=assistant, end=end)


_PLAIN_NAMES = ("system", "user", "assistant")
_CHATML = _tagged("chatml", "<|im_start|>*\n", "<|im_end|>\n", _PLAIN_NAMES, end="<|im_end|>")
_QWEN3 = replace(_CHATML, family="qwen3", thought=_THINK)
_QWEN3_OPENED = replace(_QWEN3, open="<|im_start|>assistant\n<think>\n", thinking=Thinking.OPENED)
_QWEN3_CLOSED = replace(_QWEN3, open="<|im_start|>assistant\n<think>\n\n</think>\n\n", thinking=Thinking.CLOSED)
_LLAMA2 = ChatFormat(
    family="llama2",
    fold=("<<SYS>>\n", "\n<</SYS>>\n\n"),
    user=("[INST] ", " [/INST]"),
    assistant=(" ", " </s><s>"),
    open="",
    end="</s>",
)
_FOLD: Pair = ("", "\n\n")
_MISTRAL = ChatFormat(
    family="mistral_v1",
    fold=_FOLD,
    user=(" [INST] ", " [/INST]"),
    assistant=(" ", "</s>"),
    open="",
    end="</s>",
    blanks_matter=True,
)
_MISTRAL_V3 = replace(_MISTRAL, family="mistral_v3", user=("[INST] ", "[/INST]"))
_MISTRAL_V3_TEKKEN = replace(
    _MISTRAL_V3, family="mistral_v3_tekken", user=("[INST]", "[/INST]"), assistant=("", "</s>")
)
_MISTRAL_V7 = replace(_MISTRAL_V3, family="mistral_v7", fold=None, system=(("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"),))
_MISTRAL_V7_TEKKEN = replace(
    _MISTRAL_V3_TEKKEN, family="mistral_v7_tekken", fold=None, system=(("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),)
)
_GEMMA4 = ChatFormat(
    family="gemma4",
    system=(("<|turn>system\n", "<turn|>\n"),),
    user=("<|turn>user\n", "<turn|>\n"),
    assistant=("<|turn>model\n", "<turn|>\n"),
    end="<turn|>",
    thought=("<|channel>thought\n", "<channel|>"),
)
_GEMMA4_THINK = replace(
    _GEMMA4, needs="<|turn>system\n<|think|>", system=(("<|turn>system\n<|think|>\n", "<turn|>\n"),), asked=True
)
_GEMMA4_CLOSED = replace(_GEMMA4, open="<|turn>model\n<|channel>thought\n<channel|>", thinking=Thinking.CLOSED)
_GLM = ChatFormat(
    family="glm4",
    start=("[gMASK]<sop>", "<sop>", ""),
    system=(("<|system|>\n", ""),),
    user=("<|user|>\n", ""),
    assistant=("<|assistant|>\n", ""),
    open="<|assistant|>",
    end="<|user|>",
)
_GLM4_5 = replace(
    _GLM,
    family="glm4_5",
    assistant=("<|assistant|>\n<think></think>\n", ""),
    thought=("\n<think>", "</think>\n"),
)
_GLM4_5_CLOSED = replace(
    _GLM4_5, user=("<|user|>\n", "/nothink"), open="<|assistant|>\n<think></think>", thinking=Thinking.CLOSED
)
_GLM4_7 = replace(
    _GLM,
    family="glm4_7",
    system=(("<|system|>", ""),),
    user=("<|user|>", ""),
    assistant=("<|assistant|></think>", ""),
    open="<|assistant|><think>",
    thought=("<think>", "</think>"),
    thinking=Thinking.OPENED,
)
_GLM4_7_CLOSED = replace(_GLM4_7, open="<|assistant|></think>", thinking=Thinking.CLOSED)
_PHI3 = _tagged("phi3", "<|*|>\n", "<|end|>\n", _PLAIN_NAMES, end="<|end|>")
_ALPACA = ChatFormat(
    family="alpaca",
    system=(("", "\n\n"),),
    user=("### Instruction:\n", "\n\n"),
    assistant=("### Response:\n", "</s>\n\n"),
    end="</s>",
)
_DEEPSEEK3 = ChatFormat(
    family="deepseek3",
    system=(("", ""),),
    user=("<｜User｜>", ""),
    assistant=("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    end="<｜end▁of▁sentence｜>",
)
_DEEPSEEK_R1 = replace(_DEEPSEEK3, family="deepseek_r1", thought=_THINK)
_DEEPSEEK3_1 = replace(
    _DEEPSEEK3,
    family="deepseek3_1",
    assistant=("<｜Assistant｜></think>", "<｜end▁of▁sentence｜>"),
    open="<｜Assistant｜><think>",
    thought=("<think>", "</think>"),
    thinking=Thinking.OPENED,
)
_COHERE = "<|START_OF_TURN_TOKEN|><|*_TOKEN|>"
_COMMAND_R = _tagged(
    "command_r",
    _COHERE,
    "<|END_OF_TURN_TOKEN|>",
    ("SYSTEM", "USER", "CHATBOT"),
    end="<|END_OF_TURN_TOKEN|>",
)
_KIMI = _tagged("kimi_k2", "<|im_*|>*<|im_middle|>", "<|im_end|>", _PLAIN_NAMES, end="<|im_end|>")
_SEED = replace(
    _tagged("seed_oss", "<seed:bos>*\n", "<seed:eos>", _PLAIN_NAMES, end="<seed:eos>"),
    thought=("<seed:think>", "</seed:think>"),
)
_HARMONY = ChatFormat(
    family="harmony",
    needs="<|start|>system<|message|>You are ChatGPT",
    system=(("<|start|>system<|message|>", "<|end|>"), ("<|start|>developer<|message|># Instructions\n\n", "<|end|>")),
    user=("<|start|>user<|message|>", "<|end|>"),
    assistant=("<|start|>assistant<|channel|>final<|message|>", "<|end|>"),
    open="<|start|>assistant",
    end="<|return|>",
    thought=("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
_HARMONY_FINAL = replace(_HARMONY, open="<|start|>assistant<|channel|>final<|message|>", thinking=Thinking.CLOSED)
_MINIMAX_M2 = ChatFormat(
    family="minimax_m2",
    start=("]~!b[", ""),
    system=(("]~b]system\n", "[e~[\n"),),
    user=("]~b]user\n", "[e~[\n"),
    assistant=("]~b]ai\n", "[e~[\n"),
    open="]~b]ai\n<think>\n",
    end="[e~[",
    thought=("<think>\n", "</think>"),
    thinking=Thinking.OPENED,
)
_ALL = (
    _CHATML,
    _QWEN3_CLOSED,
    _QWEN3_OPENED,
    _QWEN3,
    replace(_QWEN3_CLOSED, family="qwen3_5"),
    replace(_QWEN3_OPENED, family="qwen3_5"),
    _LLAMA2,
    replace(_LLAMA2, assistant=(" ", " </s>")),
    _tagged("llama3", "<|start_header_id|>*<|end_header_id|>\n\n", "<|eot_id|>", _PLAIN_NAMES, end="<|eot_id|>"),
    _tagged("llama4", "<|header_start|>*<|header_end|>\n\n", "<|eot|>", _PLAIN_NAMES, end="<|eot|>"),
    _MISTRAL,
    _MISTRAL_V3,
    _MISTRAL_V3_TEKKEN,
    _MISTRAL_V7,
    _MISTRAL_V7_TEKKEN,
    ChatFormat(
        family="gemma",
        fold=_FOLD,
        user=("<start_of_turn>user\n", "<end_of_turn>\n"),
        assistant=("<start_of_turn>model\n", "<end_of_turn>\n"),
        end="<end_of_turn>",
    ),
    _GEMMA4_THINK,
    _GEMMA4_CLOSED,
    _GEMMA4,
    replace(_GEMMA4_THINK, family="gemma4_edge"),
    replace(_GEMMA4, family="gemma4_edge"),
    _COMMAND_R,
    replace(
        _COMMAND_R,
        family="command_a",
        assistant=(
            "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_RESPONSE|>",
            "<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",
        ),
        end="<|END_RESPONSE|>",
    ),
    _GLM,
    replace(_GLM, family="chatglm3", start=("[gMASK]sop", "")),
    _GLM4_5_CLOSED,
    _GLM4_5,
    _GLM4_7,
    _GLM4_7_CLOSED,
    _PHI3,
    _tagged("phi4", "<|im_start|>*<|im_sep|>", "<|im_end|>", _PLAIN_NAMES, end="<|im_end|>"),
    _tagged("phi4_mini", "<|*|>", "<|end|>", _PLAIN_NAMES, end="<|end|>"),
    _tagged("metharme", "<|*|>", "", ("system", "user", "model"), end="</s>"),
    ChatFormat(
        family="vicuna",
        system=(("", " "),),
        user=("USER: ", " "),
        assistant=("ASSISTANT: ", "</s>"),
        open="ASSISTANT:",
        end="</s>",
    ),
    _ALPACA,
    replace(_ALPACA, assistant=("### Response:\n", "\n\n")),
    ChatFormat(
        family="deepseek2",
        system=(("", "\n\n"),),
        user=("User: ", "\n\n"),
        assistant=("Assistant: ", "<｜end▁of▁sentence｜>"),
        open="Assistant:",
        end="<｜end▁of▁sentence｜>",
    ),
    _DEEPSEEK3,
    replace(_DEEPSEEK_R1, open="<｜Assistant｜><think>\n", thinking=Thinking.OPENED),
    _DEEPSEEK_R1,
    _DEEPSEEK3_1,
    replace(_DEEPSEEK3_1, open="<｜Assistant｜></think>", thinking=Thinking.CLOSED),
    _tagged("granite", "<|start_of_role|>*<|end_of_role|>", "<|end_of_text|>\n", _PLAIN_NAMES, end="<|end_of_text|>"),
    _KIMI,
    replace(
        _KIMI,
        family="kimi_k2_thinking",
        assistant=("<|im_assistant|>assistant<|im_middle|><think></think>", "<|im_end|>"),
        open="<|im_assistant|>assistant<|im_middle|>",
        thought=("<think>", "</think>"),
    ),
    _SEED,
    _HARMONY_FINAL,
    _HARMONY,
    _tagged("zephyr", "<|*|>\n", "</s>\n", _PLAIN_NAMES, end="</s>"),
    _tagged("stablelm_zephyr", "<|*|>\n", "<|endoftext|>\n", _PLAIN_NAMES, end="<|endoftext|>"),
    ChatFormat(
        family="falcon_chat",
        system=(("System: ", "\n"),),
        user=("User: ", "\n"),
        assistant=("Falcon: ", "\n"),
        open="Falcon:",
        end="<|endoftext|>",
    ),
    ChatFormat(
        family="falcon_instruct",
        system=(("", "\n\n"),),
        user=("User: ", "\n\n"),
        assistant=("Assistant: ", "\n\n"),
        open="Assistant:",
        end="<|endoftext|>",
    ),
    _tagged("falcon3", "<|*|>\n", "\n", _PLAIN_NAMES, end="<|endoftext|>"),
    ChatFormat(
        family="minimax_m1",
        start=("<begin_of_document>", ""),
        system=(("<beginning_of_sentence>system ai_setting=assistant\n", "<end_of_sentence>\n"),),
        user=("<beginning_of_sentence>user name=user\n", "<end_of_sentence>\n"),
        assistant=("<beginning_of_sentence>ai name=assistant\n", "<end_of_sentence>\n"),
        end="<end_of_sentence>",
    ),
    _MINIMAX_M2,
    ChatFormat(
        family="openchat",
        system=(("GPT4 Correct System: ", "<|end_of_turn|>"),),
        user=("GPT4 Correct User: ", "<|end_of_turn|>"),
        assistant=("GPT4 Correct Assistant: ", "<|end_of_turn|>"),
        open="GPT4 Correct Assistant:",
        end="<|end_of_turn|>",
    ),
    ChatFormat(
        family="exaone",
        system=(("[|system|]", "[|endofturn|]\n"),),
        user=("[|user|]", "\n"),
        assistant=("[|assistant|]", "[|endofturn|]\n"),
        end="[|endofturn|]",
    ),
)
#: Every family's ways of writing, the longer opening before the one it begins with.
FORMATS: Mapping[str, tuple[ChatFormat, ...]] = {
    family: tuple(one for one in _ALL if one.family == family) for family in dict.fromkeys(one.family for one in _ALL)
}
#: Every token of every format. A text that holds one of them was not made harmless, and confuses any model.
TOKENS = frozenset(
    token
    for chat in _ALL
    for text in (*(part for pair in (*chat.system, chat.user, chat.assistant) for part in pair), *(chat.thought or ()))
    for token in _TOKEN.findall(text)
)
