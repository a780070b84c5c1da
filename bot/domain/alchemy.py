"""Alchemy: what can be done with a picture (the Horde's word for captioning, tagging, upscaling and the like)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from bot.domain.results import Artifact
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest


class Form(StrEnum):
    """The Horde's 23 forms by their exact names (server 5.1.5: `forms` and `post_processing`)."""

    CAPTION = "caption"
    TAGS = "interrogation"
    DESCRIBE = "describe"
    PALETTE = "palette"
    AESTHETIC = "aesthetic"
    NSFW = "nsfw"
    VECTORIZE = "vectorize"
    UPSCALE_4X = "RealESRGAN_x4plus"
    UPSCALE_2X = "RealESRGAN_x2plus"
    UPSCALE_4X_ANIME = "RealESRGAN_x4plus_anime_6B"
    UPSCALE_SIAX = "NMKD_Siax"
    UPSCALE_ANIME_SHARP = "4x_AnimeSharp"
    UPSCALE_NOMOS = "4xNomos8kSC"
    UPSCALE_LSDIR = "4xLSDIRplus"
    UPSCALE_PHOTO = "4xNomosWebPhoto_RealPLKSR"
    UPSCALE_NOMOS2 = "4xNomos2_realplksr_dysample"
    UPSCALE_NOMOS2_HQ = "4xNomos2_hq_dat2"
    UPSCALE_ANIMATION_2X = "2xModernSpanimationV1"
    FACES_GFPGAN = "GFPGAN"
    FACES_GFPGAN_13 = "GFPGANv1.3"
    FACES_CODEFORMERS = "CodeFormers"
    FACES_RESTOREFORMER = "RestoreFormer"
    CUTOUT = "strip_background"


#: Those that tell something of a picture; the others make a new one of it.
DESCRIBING = frozenset(
    {Form.CAPTION, Form.TAGS, Form.DESCRIBE, Form.PALETTE, Form.AESTHETIC, Form.NSFW, Form.VECTORIZE}
)
UPSCALERS = frozenset(form for form in Form if form.name.startswith("UPSCALE"))
FACE_FIXERS = frozenset(form for form in Form if form.name.startswith("FACES"))


#: Side of the squares by which the Horde counts a picture's size, in pixels (server 5.1.5).
TILE = 512
#: Kudos the Horde adds for each form it takes, whatever the form costs (server 5.1.5).
FEE = 2.0


def tiles(width: int, height: int) -> int:
    """How many squares of 512×512 pixels cover a picture."""
    return math.ceil(width / TILE) * math.ceil(height / TILE)


def cost_of(form: Form, width: int, height: int) -> float:
    """Kudos one form costs for a picture of that size in pixels, `FEE` not included (server 5.1.5)."""
    if form not in DESCRIBING:
        return 3.0 * tiles(width, height)
    return 3.0 if form is Form.TAGS else 1.0


def price_of(forms: Iterable[Form], width: int, height: int) -> float:
    """Kudos several forms cost, each counted once, `FEE` not included."""
    return sum(cost_of(form, width, height) for form in set(forms))


class FormState(StrEnum):
    """How far one form is; the Horde's own words."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAULTED = "faulted"
    CANCELLED = "cancelled"

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self is FormState.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class AlchemyRequest:
    """A wish to have something done with one picture, complete."""

    kind: ClassVar[str] = "alchemy"

    source: SourceMedia
    #: In the order people named them, each once.
    forms: tuple[Form, ...]
    #: Asked for too, but nobody online did it then: never handed over, only told.
    left_out: tuple[Form, ...] = ()
    #: What people should know ("I don't know `wibble`").
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the Horde would accept and never finish (server 5.1.5: empty forms are a 202)."""
        if not self.forms:
            raise InvalidRequest(
                user_message="Tell me what to do with the picture, for example `caption` or `upscale`."
            )
        if len(set(self.forms)) != len(self.forms):
            object.__setattr__(self, "forms", tuple(dict.fromkeys(self.forms)))

    @property
    def wanted(self) -> tuple[Form, ...]:
        """All that people asked for, whether or not it could be had."""
        return (*self.forms, *self.left_out)

    @property
    def parts(self) -> int:
        """How many results are expected."""
        return len(self.forms)

    @property
    def sources(self) -> tuple[SourceMedia, ...]:
        """What has to be fetched before it can be handed over."""
        return (self.source,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormArtifact(Artifact):
    """What came of one form: a file, or something to read."""

    form: Form
    state: FormState = FormState.DONE
    #: What there is to read, as JSON text: a string, a number, a list, or an object; empty for files.
    told: str = ""

    @property
    def value(self) -> Any:
        """What there is to read, parsed; None for files and for nonsense."""
        try:
            return json.loads(self.told) if self.told else None
        except ValueError:
            return None

    @property
    def usable(self) -> bool:
        """Whether there is something to show."""
        return self.state is FormState.DONE and not self.unreadable
