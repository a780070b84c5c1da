"""Which template a model gets: what the operator says, then what the model reference says, then what its name says.

Community names mostly do not tell their format, and a finetune may have changed the one of the model it was made from;
so the order is: the operator's override, the reference's label, the name, the name of what it was made from, Alpaca.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.names import bare_name, is_base, parameters_of
from bot.chat.templates import FALLBACK, PLAIN, NamePattern, Template, TemplateBook

#: Up to here a Gemma 4 is one of the small ones, which need no empty thought.
_EDGE = 6_000_000_000
_MISTRALS = ("mistral_v1", "mistral_v3", "mistral_v3_tekken", "mistral_v7", "mistral_v7_tekken")
#: Mistral's formats by size, for finetunes that tell nothing but "Mistral": (below so many parameters, format).
_MISTRAL_BY_SIZE = (
    (10e9, "mistral_v1"),
    (18e9, "mistral_v3_tekken"),
    (23e9, "mistral_v3"),
    (40e9, "mistral_v7_tekken"),
    (60e9, "mistral_v1"),
)


class Evidence(StrEnum):
    """What a template was chosen by."""

    OPERATOR = "operator"
    LABEL = "label"
    NAME = "name"
    BASELINE = "baseline"
    NOTHING = "nothing"
    #: A base model: there is no template to find.
    BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A model's template, why it is that one, and whether the model will think before it answers."""

    template: Template
    evidence: Evidence
    thinks: bool = False


def resolve(
    book: TemplateBook,
    name: str,
    *,
    label: str = "",
    baseline: str = "",
    parameters: int = 0,
    overrides: Mapping[str, str] | None = None,
    thinking: bool = False,
) -> Chosen:
    """Choose the template of the model called `name`.

    `label` is the reference's `instruct_format`, `baseline` what the model was made from, `overrides` the operator's
    (model name, with or without backend, to family). Models that think only if they are let do so with `thinking`.
    """
    for key, family in (overrides or {}).items():
        if key.casefold() in {name.casefold(), bare_name(name).casefold()} and family in book.families:
            return _chosen(book, family, Evidence.OPERATOR, thinking)
    size = parameters or parameters_of(name) or parameters_of(baseline)
    family = _by_label(book, label, (name, baseline), size)
    if family:
        return _chosen(book, family, Evidence.LABEL, thinking)
    if is_base(name):
        return Chosen(template=book[PLAIN], evidence=Evidence.BASE)
    for text, evidence in ((name, Evidence.NAME), (baseline, Evidence.BASELINE)):
        row = _by_name(book, text)
        if row is not None:
            return _chosen(book, row.family, evidence, thinking, row)
    return Chosen(template=book[FALLBACK], evidence=Evidence.NOTHING)


def _chosen(
    book: TemplateBook, family: str, evidence: Evidence, thinking: bool, row: NamePattern | None = None
) -> Chosen:
    template = book[family]
    # Gemma's case is the other way round: its plain form is the calm one.
    if thinking and not template.thinks:
        eager = next((one for one in book.families.values() if one.calm == template.name and one.thinks), None)
        if eager is not None and template.name.startswith("gemma4"):
            return Chosen(template=eager, evidence=evidence, thinks=True)
    calm = template.calm if row is None or row.calm is None else row.calm
    if calm and not thinking:
        return Chosen(template=book[calm], evidence=evidence)
    thinks = template.thinks if row is None or row.thinks is None else row.thinks
    return Chosen(template=template, evidence=evidence, thinks=thinks)


def _by_label(book: TemplateBook, label: str, texts: tuple[str, ...], size: int) -> str:
    folded = re.sub(r"[^a-z0-9]", "", label.casefold())
    if folded == "mistral":
        return _mistral(book, texts, size)
    if folded == "gemma4":
        return _gemma4(book, texts, size)
    return book.formats.get(folded, "")


def _mistral(book: TemplateBook, texts: tuple[str, ...], size: int) -> str:
    """Tell which of Mistral's formats a bare "Mistral" means: from a telling name, else from the size."""
    for text in texts:
        row = _by_name(book, text)
        # A hit on the last resort, "mistral", says no more than the label did.
        if row is not None and row.family in _MISTRALS[1:]:
            return row.family
    return next(
        (family for below, family in _MISTRAL_BY_SIZE if 0 < size < below), "mistral_v3" if size else "mistral_v1"
    )


def _gemma4(book: TemplateBook, texts: tuple[str, ...], size: int) -> str:
    for text in texts:
        row = _by_name(book, text)
        if row is not None and row.family in {"gemma4", "gemma4_edge"}:
            return row.family
    return "gemma4_edge" if 0 < size <= _EDGE else "gemma4"


def _by_name(book: TemplateBook, name: str) -> NamePattern | None:
    folded = bare_name(name).casefold()
    return next((row for row in book.names if folded and row.pattern.search(folded)), None)
