"""One text model as people choose it, joined from who serves it and what the reference knows of it.

The Horde lists a model once for each backend and packing (`koboldcpp/X`, `aphrodite/org/X`, `koboldcpp/X-Q4_K_M`).
For people these are one model; a request names all of them, so that any of those workers may take it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.limits import Limits, WorkerLimits, clamp
from bot.chat.names import bare_name, parameters_of, same_model_key
from bot.chat.planning import Voice
from bot.chat.resolution import Chosen, Evidence, resolve
from bot.chat.templates import TemplateBook
from bot.providers.horde.text_wire import TextReference
from bot.providers.horde.wire import ActiveModel

#: The Horde's `eta` for a model that nobody serves.
NEVER = 10_000
#: A model that nobody chose has at least so many parameters, and at most so many seconds of queue.
SMALLEST, LONGEST_ETA = 7e9, 120
#: How large a model counts whose size nobody tells.
_UNKNOWN_SIZE = 7e9
_POPULAR = frozenset({"popular", "recommended", "featured"})
_FOR_FICTION = frozenset({"roleplay", "story", "adventure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextModel:
    """One model under all its names."""

    #: The exact name that most workers serve, and the other exact names, as the Horde gives them.
    name: str
    aliases: tuple[str, ...] = ()
    #: Its own name, without backend and packing.
    title: str
    #: Worker threads online.
    workers: int = 0
    #: Seconds until a new request would probably be done.
    eta: int = NEVER
    #: 0: unknown.
    parameters: int = 0
    baseline: str = ""
    style: str = ""
    tags: tuple[str, ...] = ()
    nsfw: bool = False
    chosen: Chosen
    settings: tuple[tuple[str, float], ...] = ()
    #: Of the workers online that serve it under any of its names.
    limits: tuple[WorkerLimits, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every exact name."""
        return (self.name, *self.aliases)

    @property
    def size(self) -> str:
        """Its size as people write it: "24B"; empty when unknown."""
        if not self.parameters:
            return ""
        billions = self.parameters / 1e9
        return f"{billions:.0f}B" if billions >= 10 else f"{billions:.1f}".rstrip("0").rstrip(".") + "B"

    @property
    def base(self) -> bool:
        """Whether it was never taught to answer: it only goes on with what is written."""
        return self.chosen.evidence is Evidence.BASE

    def clamp(self, wanted: int, *, trusted: bool = False) -> Limits:
        """Choose the limits for an answer of `wanted` tokens."""
        return clamp([one for one in self.limits if one.trusted or not trusted], wanted)

    def voice(self, *, trusted: bool = False) -> Voice:
        """Return what a request depends on."""
        workers = tuple(one for one in self.limits if one.trusted or not trusted)
        return Voice(
            name=self.name, aliases=self.aliases, chosen=self.chosen, workers=workers, settings=dict(self.settings)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known about models."""

    #: Who serves what, by name.
    active: Mapping[str, ActiveModel]
    #: What a model is, by `same_model_key`.
    reference: Mapping[str, TextReference]
    #: What workers take, by the name of what they serve.
    limits: Mapping[str, Sequence[WorkerLimits]]
    book: TemplateBook
    #: The operator's templates, by name.
    overrides: Mapping[str, str]


def join(names: Iterable[str], known: Known) -> tuple[TextModel, ...]:
    """Make one model of all names of a model, the best served first."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(same_model_key(name), []).append(name)
    models = (_model(group, known) for group in groups.values())
    return tuple(sorted(models, key=lambda model: (-model.workers, model.eta, model.title.casefold(), model.name)))


def _model(group: Sequence[str], known: Known) -> TextModel:
    active = known.active
    served = [active[name] for name in group if name in active and active[name].count > 0]
    ordered = sorted(group, key=lambda name: (-(active[name].count if name in active else 0), name.casefold(), name))
    card = known.reference.get(same_model_key(group[0]).partition("::")[0]) or TextReference(name=group[0])
    parameters = card.parameters or parameters_of(group[0])
    overriding = [family for key, family in known.overrides.items() if key.casefold() in _names_of(group)]
    chosen = resolve(
        known.book,
        ordered[0],
        label=card.instruct_format,
        baseline=card.baseline,
        parameters=parameters,
        overrides={ordered[0]: overriding[0]} if overriding else None,
    )
    return TextModel(
        name=ordered[0],
        aliases=tuple(ordered[1:]),
        title=bare_name(ordered[0]),
        workers=sum(row.count for row in served),
        eta=min((round(row.eta) for row in served), default=NEVER),
        parameters=parameters,
        baseline=card.baseline,
        style=card.style.casefold(),
        tags=tuple(tag.casefold() for tag in card.tags),
        nsfw=card.nsfw or "nsfw" in {tag.casefold() for tag in card.tags},
        chosen=chosen,
        settings=tuple(sorted(card.settings.items())),
        limits=tuple(one for name in group for one in known.limits.get(name, ())),
    )


def _names_of(group: Iterable[str]) -> set[str]:
    return {text.casefold() for name in group for text in (name, bare_name(name))}


def score(model: TextModel) -> float:
    """Say how good a choice a model is for somebody who did not choose; comparable only among models."""
    size = max(model.parameters or _UNKNOWN_SIZE, 1e9) / 1e9
    quality = 1.0
    if model.chosen.evidence is Evidence.NOTHING:
        quality *= 0.7  # most likely addressed in the wrong format
    if model.style in _FOR_FICTION:
        quality *= 0.85
    if model.chosen.thinks:
        quality *= 0.8  # twice the tokens, twice the wait
    popular = 0.5 if _POPULAR & set(model.tags) else 0.0
    return math.log2(size) * quality + popular - model.eta / 60 - (1.0 if model.workers == 1 else 0.0)


def best(models: Iterable[TextModel], *, nsfw: bool = False, pinned: Sequence[str] = ()) -> TextModel | None:
    """Choose for somebody who did not; None when nobody serves anything that talks.

    `pinned` are the operator's favourites, the first that is served wins. `nsfw` admits models made for that.
    """
    served = [model for model in models if model.workers > 0 and not model.base and (nsfw or not model.nsfw)]
    keys = {same_model_key(name): rank for rank, name in enumerate(reversed(pinned), start=1)}
    favourites = [model for model in served if same_model_key(model.name) in keys]
    if favourites:
        return max(favourites, key=lambda model: keys[same_model_key(model.name)])
    large = [model for model in served if not model.parameters or model.parameters >= SMALLEST]
    quick = [model for model in large if model.eta <= LONGEST_ETA]
    return max(quick or large or served, key=lambda model: (score(model), model.name), default=None)
