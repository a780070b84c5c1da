"""From what a person typed to a complete `ImageRequest`: model, size, and everything that suits the model."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.requests import DEFAULT_STRENGTH, Aspect, ImageRequest, SizeChoice
from bot.domain.sizes import dimensions, dimensions_near
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest
from bot.providers.base import ModelInfo

#: Seeds of our own are 32-bit numbers: the Horde shifts larger ones down (server 5.1.5).
SEED_SPACE = 2**32
#: How many models one autocomplete answer holds (Discord: 25 choices).
CHOICES = 25


class ModelList(Protocol):
    """What models there are, answered from memory."""

    def models(self) -> Sequence[ModelInfo]:
        """All known ones, best served first."""
        ...

    def unserved(self) -> Sequence[ModelInfo]:
        """Known ones that nobody serves now and that are not among `models()`."""
        ...

    def default_model(self, *, nsfw: bool = False) -> ModelInfo:
        """The one to use when nobody chose."""
        ...

    def find(self, text: str) -> ModelInfo:
        """The model meant by `text`. Raises `InvalidRequest` naming close ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWish:
    """What a person chose in `/imagine`, the rest left open (None or empty)."""

    prompt: str
    negative: str = ""
    model: str = ""
    aspect: Aspect = Aspect.SQUARE
    size: SizeChoice = SizeChoice.NATIVE
    count: int = 1
    steps: int | None = None
    guidance: float | None = None
    seed: str = ""
    nsfw: bool = False
    #: A picture to start from: it decides the shape. And how much of it may change, 0.01 to 1.
    source: SourceMedia | None = None
    strength: float | None = None


class Imagining:
    """Completes wishes."""

    def __init__(self, models: ModelList) -> None:
        self._models = models

    def complete(self, wish: ImageWish) -> ImageRequest:
        """Fill in what was left open. Raises `InvalidRequest` with a sentence for the person."""
        chosen = wish.model.strip()
        model = self._models.find(chosen) if chosen else self._models.default_model(nsfw=wish.nsfw)
        width, height = _size(wish, model.native)
        return ImageRequest(
            prompt=_clean(wish.prompt),
            negative=_clean(wish.negative),
            model=model.name,
            width=width,
            height=height,
            count=wish.count,
            steps=wish.steps or model.steps,
            guidance=round(model.guidance if wish.guidance is None else wish.guidance, 2),
            sampler=model.sampler,
            karras=model.karras,
            clip_skip=model.clip_skip,
            seed=_clean(wish.seed) or _new_seed(),
            nsfw=wish.nsfw,
            aspect=wish.aspect,
            size=wish.size,
            model_chosen=bool(chosen),
            seed_chosen=bool(wish.seed.strip()),
            source=wish.source,
            strength=round(DEFAULT_STRENGTH if wish.strength is None else wish.strength, 2),
        )

    def again(self, request: ImageRequest, *, nsfw: bool) -> ImageRequest:
        """The same wish with a new seed, in a channel that may have other rules."""
        return replace(request, seed=_new_seed(), seed_chosen=False, nsfw=request.nsfw and nsfw)

    def edited(self, request: ImageRequest, changes: Changes, *, nsfw: bool) -> ImageRequest:
        """The request with the changes of the edit form. Raises `InvalidRequest`."""
        model = changes.model.strip()
        same_model = not model or model.casefold() == request.model.casefold()
        steps, guidance = _steps_and_guidance(changes.steps_and_guidance)
        wish = ImageWish(
            prompt=changes.prompt,
            negative=changes.negative,
            model=request.model if same_model else model,
            aspect=request.aspect,
            size=request.size,
            count=request.count,
            steps=steps or (request.steps if same_model else None),
            guidance=guidance if guidance is not None else (request.guidance if same_model else None),
            seed=changes.seed,
            nsfw=request.nsfw and nsfw,
            source=request.source,
            strength=request.strength,
        )
        return self.complete(wish)

    def choices(self, typed: str) -> Sequence[ModelInfo]:
        """The models whose name holds what was typed so far, best served first; last those that nobody serves."""
        wanted = typed.strip().casefold()
        known = (*self._models.models(), *(self._models.unserved() if wanted else ()))
        return [model for model in known if wanted in model.name.casefold()][:CHOICES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What came back from the edit form, as typed."""

    prompt: str
    negative: str = ""
    model: str = ""
    seed: str = ""
    #: `steps / guidance`, for example `25 / 7`; empty leaves both.
    steps_and_guidance: str = ""


_PAIR = re.compile(r"\s*(?P<steps>\d{1,4})?\s*(?:[/,;]\s*(?P<guidance>\d{1,3}(?:[.,]\d{1,4})?)?\s*)?")


def _steps_and_guidance(text: str) -> tuple[int | None, float | None]:
    match = _PAIR.fullmatch(text)
    if match is None:
        raise InvalidRequest(user_message="I can't read the steps and guidance; write them like `25 / 7`.")
    steps, guidance = match["steps"], match["guidance"]
    return (int(steps) if steps else None, float(guidance.replace(",", ".")) if guidance else None)


def _size(wish: ImageWish, native: int) -> tuple[int, int]:
    """Width and height: near the source's shape where Discord told it, else as chosen."""
    source = wish.source
    if source is None or source.width <= 0 or source.height <= 0:
        return dimensions(wish.aspect, wish.size, native)
    return dimensions_near(source.width / source.height, wish.size, native)


def _clean(text: str) -> str:
    """Leave out what neither the database nor the Horde takes: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip()


def _new_seed() -> str:
    return str(secrets.randbelow(SEED_SPACE))
