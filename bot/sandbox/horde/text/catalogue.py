"""The text models the simulated horde knows: the public reference (a selection of it) and what each one understands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bot.sandbox.horde.text.chat_format import BASE
from bot.sandbox.horde.text.chat_formats import FORMATS

#: Families of the models served, by name without backend; all others count as Alpaca, the fallback of most merges.
FAMILIES: Mapping[str, str] = {
    "Mistral-7B-Instruct-v0.1": "mistral_v1",
    "Mixtral-8x7B-Instruct-v0.1": "mistral_v1",
    "L3-8B-Stheno-v3.2": "llama3",
    "Meta-Llama-3.1-8B-Instruct": "llama3",
    "Cydonia-24B-v4.3": "mistral_v7_tekken",
    "Mistral-Nemo-Instruct-2407": "mistral_v3_tekken",
    "Mistral-Large-Instruct-2407": "mistral_v3",
    "Mistral-Large-Instruct-2411": "mistral_v7",
    "gemma-3-12b-it": "gemma",
    "gemma-4-31B-it": "gemma4",
    "gemma-4-E4B-it": "gemma4_edge",
    "Qwen2.5-7B-Instruct": "chatml",
    "Qwen3-8B": "qwen3",
    "Qwen3.5-27B": "qwen3_5",
    "DeepSeek-R1-Distill-Llama-8B": "deepseek_r1",
    "DeepSeek-V3": "deepseek3",
    "LLaMA2-13B-Tiefighter": "alpaca",
    "Fimbulvetr-11B-v2": "alpaca",
    "mythalion-13b": "metharme",
    "Wizard-Vicuna-13B-Uncensored": "vicuna",
    "c4ai-command-r-v01": "command_r",
    "Phi-3.5-mini-instruct_Uncensored": "phi3",
    "GLM-4-9B-0414": "glm4",
    "GLM-4.7-Flash": "glm4_7",
    "gpt-oss-20b": "harmony",
    "Noromaid-v0.4-Mixtral-Instruct-8x7b-Zloss": "chatml",
    "pythia-12b": BASE,
    "Muse-of-Walt": "chatml",
}
#: Models that think when the prompt leaves it to them.
THINKERS = frozenset({"Qwen3-8B", "Qwen3.5-27B", "DeepSeek-R1-Distill-Llama-8B", "gpt-oss-20b", "GLM-4.7-Flash"})
DEFAULT_FAMILY = "alpaca"
DEFAULT_BILLIONS = 7.0
_QUANT = re.compile(r"(?i)([-.](i1-)?i?q\d\w*|-gguf|-exl2|-awq|-gptq|-fp8)+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCard:
    """What the simulator knows of one served model: the format it was taught, whether it thinks, its size."""

    name: str
    family: str
    thinks: bool = False
    billions: float = DEFAULT_BILLIONS


def bare_name(name: str) -> str:
    """The model's own name: without backend, organisation, quantisation and owner of a custom model."""
    return _QUANT.sub("", name.partition("::")[0].rpartition("/")[2])


def card_of(name: str, families: Mapping[str, str] | None = None) -> TextCard:
    """The card of a model by its full name; `families` (full name to family) overrides what is known."""
    bare = bare_name(name)
    family = (families or {}).get(name) or FAMILIES.get(bare, DEFAULT_FAMILY)
    parameters = next((row["parameters"] for row in _rows() if row["name"] == bare), None)
    billions = parameters / 1e9 if parameters else DEFAULT_BILLIONS
    return TextCard(name=name, family=family, thinks=bare in THINKERS, billions=billions)


def check_family(family: str) -> str:
    """The family's name again; a `ValueError` for one that is not in the table."""
    if family != BASE and family not in FORMATS:
        raise ValueError(f"no format {family!r}; there are {', '.join((BASE, *FORMATS))}")
    return family


def text_reference(served: tuple[str, ...] = ()) -> dict[str, dict[str, object]]:
    """The reference in the shape of the public `db.json`: each model under its bare name and its backends' names."""
    entries: dict[str, dict[str, object]] = {}
    for row in _rows():
        for name in (row["name"], f"koboldcpp/{row['name']}"):
            entries[name] = _entry(name, row)
    for name in served:
        for row in _rows():
            if name.endswith(f"/{row['name']}"):
                entries.setdefault(name, _entry(name, row))
    return entries


def _entry(name: str, row: Mapping[str, Any]) -> dict[str, object]:
    bare = row["name"]
    optional = {key: row[key] for key in ("instruct_format", "settings") if key in row}
    return {
        "name": name,
        "model_name": bare,
        "parameters": row["parameters"],
        "baseline": row["baseline"],
        "description": "",
        "version": "1",
        "style": row["style"],
        "nsfw": row["nsfw"],
        "display_name": bare.replace("-", " "),
        "url": "",
        "tags": [row["style"]],
        **optional,
    }


@cache
def _rows() -> tuple[Mapping[str, Any], ...]:
    raw = json.loads(files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return tuple(raw)
