"""What people want: typed, validated on construction, the same whichever provider serves it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest

#: Longest prompt a modal can hold (Discord: a text input holds 4000 characters).
MAX_PROMPT = 4000
MAX_NEGATIVE = 1000
MAX_COUNT = 10
MAX_SEED = 100
MIN_STEPS, MAX_STEPS = 1, 100
MIN_GUIDANCE, MAX_GUIDANCE = 0.0, 30.0
#: How much of a source may change (0.01 to 1) when nobody said so.
DEFAULT_STRENGTH = 0.6
#: The Horde's step and range for width and height, in pixels (server 5.1.5: `params.width`).
SIZE_STEP, MIN_SIDE, MAX_SIDE = 64, 64, 3072


class Aspect(StrEnum):
    """Width to height, as offered in `/imagine`."""

    SQUARE = "1:1"
    LANDSCAPE = "3:2"
    PORTRAIT = "2:3"
    CLASSIC = "4:3"
    CLASSIC_PORTRAIT = "3:4"
    WIDE = "16:9"
    TALL = "9:16"
    CINEMA = "21:9"

    @property
    def ratio(self) -> float:
        """Width divided by height."""
        width, height = self.value.split(":")
        return int(width) / int(height)


class SizeChoice(StrEnum):
    """How large a picture, relative to the model's native area."""

    SMALL = "small"
    NATIVE = "native"
    LARGE = "large"

    @property
    def area_factor(self) -> float:
        """What the model's native area is multiplied with."""
        return {SizeChoice.SMALL: 0.5, SizeChoice.NATIVE: 1.0, SizeChoice.LARGE: 1.5}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A wish for pictures, complete: nothing in it is left to a provider's own defaults."""

    kind: ClassVar[str] = "image"

    #: What to paint, as the person wrote it.
    prompt: str
    #: What to avoid; empty for nothing.
    negative: str = ""
    #: The model's exact name at the provider.
    model: str
    #: Pixels, multiples of 64.
    width: int
    height: int
    #: How many pictures.
    count: int = 1
    #: Sampling steps.
    steps: int = 25
    #: Classifier-free guidance, at most two decimals.
    guidance: float = 7.0
    sampler: str = "k_euler_a"
    karras: bool = True
    clip_skip: int = 1
    #: Always set, by us where the person gave none: it is also how a lost request is recognised.
    seed: str
    #: Whether sexual content may be asked for (the channel is age-restricted).
    nsfw: bool = False
    #: Kept so that "Again" and "Edit" offer what was chosen, not what came of it.
    aspect: Aspect = Aspect.SQUARE
    size: SizeChoice = SizeChoice.NATIVE
    #: Whether the person chose the model and the seed, or we did.
    model_chosen: bool = False
    seed_chosen: bool = False
    #: A picture to start from, and how much of it may change (0.01 to 1).
    source: SourceMedia | None = None
    strength: float = DEFAULT_STRENGTH

    def __post_init__(self) -> None:
        """Refuse what no provider could take, with a sentence for the person."""
        if not 0.01 <= self.strength <= 1:
            raise InvalidRequest(user_message="`strength` goes from 1 to 100 percent.")
        if not self.prompt.strip():
            raise InvalidRequest(user_message="The prompt is empty. Tell me what to paint, for example `a lighthouse`.")
        if len(self.prompt) > MAX_PROMPT:
            raise InvalidRequest(
                user_message=f"The prompt is {len(self.prompt)} characters long; please keep it under {MAX_PROMPT}."
            )
        if len(self.negative) > MAX_NEGATIVE:
            raise InvalidRequest(user_message=f"The negative prompt is too long; please keep it under {MAX_NEGATIVE}.")
        if not 1 <= self.count <= MAX_COUNT:
            raise InvalidRequest(user_message=f"I can paint 1 to {MAX_COUNT} pictures at a time.")
        if not MIN_STEPS <= self.steps <= MAX_STEPS:
            raise InvalidRequest(user_message=f"`steps` goes from {MIN_STEPS} to {MAX_STEPS}.")
        if not MIN_GUIDANCE <= self.guidance <= MAX_GUIDANCE:
            raise InvalidRequest(user_message=f"`guidance` goes from {MIN_GUIDANCE:g} to {MAX_GUIDANCE:g}.")
        if len(self.seed) > MAX_SEED:
            raise InvalidRequest(user_message=f"The seed is too long; please keep it under {MAX_SEED} characters.")
        for side in (self.width, self.height):
            if side % SIZE_STEP or not MIN_SIDE <= side <= MAX_SIDE:
                raise InvalidRequest(
                    user_message=f"{self.width}×{self.height} is not a size I can ask for. Please choose another one."
                )

    @property
    def parts(self) -> int:
        """How many results are expected."""
        return self.count

    @property
    def sources(self) -> tuple[SourceMedia, ...]:
        """What has to be fetched before it can be handed over."""
        return (self.source,) if self.source is not None else ()
