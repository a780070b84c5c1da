"""What a text model's name tells: who serves it, how large it is, whether it was taught to chat.

Names come as `backend/organisation/Name-12B-Instruct-Q4_K_M`, users' own ones as `Name::user#1`. They are taken apart
here for comparing only; what is sent to the Horde is always the name as it came.
"""

from __future__ import annotations

import re

#: How a model was made small, or packed, for one backend; the answers are about the same.
_PACKING = re.compile(
    r"""(?ix)
    (?: [-_.] (?:
        (?:i1[-_.])? i?q[2-8](?:_[0-9a-z]+)*   # -Q4_K_M, .i1-IQ3_XS
      | gguf | ggml | exl[23] | awq | gptq(?:[-_]int[48])? | fp(?:8|16)(?:[-_]dynamic)? | bf16 | int[48] | nvfp4
      | (?:[2-8](?:\.\d+)?) bpw | w[48]a(?:8|16) | bnb[-_]4bit | 4bit | 8bit | h[68]
      | imat(?:rix)? | i1
    ))+ $
    """
)
_SIZE = re.compile(r"(?<![a-df-z0-9.])(?<![a-z]e)(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)(b|m)(?![a-z])")
_CHAT_WORDS = re.compile(
    r"(?:^|[-_. ])(?:it|inst|instruct\w*|chat\w*|assistant|sft|dpo|rlhf|orpo|rp|abliterated|heretic)(?:[-_. ]|$)"
)
_BASE_WORDS = re.compile(r"(?:^|[-_. ])(?:base|pt|pretrain(?:ed)?)(?:[-_. ]|$)")
#: Makers' own models, which are base models unless their name says otherwise; finetunes have names of their own.
_MAKERS_BASE = re.compile(
    r"""(?x)
    (?:meta[-_])?llama[-_ ]?(?:[123](?:\.\d)?[-_])?\d+(?:\.\d)?b(?:[-_]hf)?
    | mistral[-_]7b(?:[-_]v0\.\d)? | mi[sx]tral[-_]8x\d+b(?:[-_]v0\.\d)?
    | qwen[12]?(?:\.5)?[-_]\d+(?:\.\d)?b
    | gemma[-_]?[1234]?[-_]e?\d+b(?:[-_]a4b)?
    | yi[-_](?:1\.5[-_])?\d+b(?:[-_]200k)?
    | falcon[-_]?\d*[-_]\d+b
    | phi[-_][12](?:[-._]5)?
    | solar[-_]10\.7b(?:[-_]v1\.0)?
    | (?:.*[-_])?(?:opt|pythia|bloomz?|fairseq[-_]dense|gpt[-_]?(?:2|j|neo|neox)|cerebras[-_]gpt|open[-_]?llama
        |redpajama|mpt|rwkv|stablelm|galactica|xglm)(?:[-_].*)?
    """
)


def bare_name(name: str) -> str:
    """Return the model's own name: without backend, organisation, packing, and a custom model's owner."""
    own = name.strip().partition("::")[0].rstrip("/").rpartition("/")[2]
    return _PACKING.sub("", own) or own


def same_model_key(name: str) -> str:
    """Return what is equal for all names of one model, and for those only; a user's own model is nobody else's."""
    owner = name.partition("::")[2]
    key = re.sub(r"[\s_]+", "-", bare_name(name).casefold())
    return f"{key}::{owner.casefold()}" if owner else key


def parameters_of(name: str) -> int:
    """Read the number of parameters off a name; 0 when it does not say. Of several the largest counts."""
    found = [(many, size, unit) for many, size, unit in _SIZE.findall(bare_name(name).casefold()) if float(size)]
    if not found:
        return 0
    return max(round(int(many or 1) * float(size) * (1e9 if unit == "b" else 1e6)) for many, size, unit in found)


def is_base(name: str) -> bool:
    """Whether a model was, by its name, never taught to answer."""
    bare = bare_name(name).casefold()
    if _CHAT_WORDS.search(bare):
        return False
    return bool(_BASE_WORDS.search(bare) or _MAKERS_BASE.fullmatch(bare))
