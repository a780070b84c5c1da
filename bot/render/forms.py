"""The Horde's forms in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.alchemy import DESCRIBING, TILE, Form, cost_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FormText:
    """How one form is called, and what it does in a few words."""

    name: str
    emoji: str
    does: str


FORMS: Mapping[Form, FormText] = MappingProxyType(
    {
        Form.CAPTION: FormText(name="Caption", emoji="💬", does="one sentence that says what is seen"),
        Form.TAGS: FormText(name="Tags", emoji="🏷️", does="subject, artists, mediums, each with a percentage"),
        Form.DESCRIBE: FormText(name="Description", emoji="📝", does="a longer description"),
        Form.PALETTE: FormText(name="Palette", emoji="🎨", does="the main colours"),
        Form.AESTHETIC: FormText(name="Aesthetic score", emoji="⭐", does="how pleasing it is, out of ten"),
        Form.NSFW: FormText(name="NSFW check", emoji="🔞", does="whether it is safe for work"),
        Form.VECTORIZE: FormText(name="Vector drawing", emoji="📐", does="an SVG file"),
        Form.UPSCALE_4X: FormText(name="Upscaled ×4", emoji="🔍", does="RealESRGAN: good for most pictures"),
        Form.UPSCALE_2X: FormText(name="Upscaled ×2", emoji="🔍", does="RealESRGAN: twice the size"),
        Form.UPSCALE_4X_ANIME: FormText(name="Upscaled ×4, anime", emoji="🔍", does="RealESRGAN: for drawings"),
        Form.UPSCALE_SIAX: FormText(name="Upscaled ×4, Siax", emoji="🔍", does="NMKD Siax: crisp all-rounder"),
        Form.UPSCALE_ANIME_SHARP: FormText(name="Upscaled ×4, AnimeSharp", emoji="🔍", does="sharp lines"),
        Form.UPSCALE_NOMOS: FormText(name="Upscaled ×4, Nomos8kSC", emoji="🔍", does="for photos"),
        Form.UPSCALE_LSDIR: FormText(name="Upscaled ×4, LSDIRplus", emoji="🔍", does="for photos of nature"),
        Form.UPSCALE_PHOTO: FormText(name="Upscaled ×4, photo", emoji="🔍", does="NomosWebPhoto: photos of the web"),
        Form.UPSCALE_NOMOS2: FormText(name="Upscaled ×4, Nomos2", emoji="🔍", does="photos, with fine texture"),
        Form.UPSCALE_NOMOS2_HQ: FormText(name="Upscaled ×4, Nomos2 HQ", emoji="🔍", does="best quality, slow"),
        Form.UPSCALE_ANIMATION_2X: FormText(name="Upscaled ×2, animation", emoji="🔍", does="frames of animation"),
        Form.FACES_GFPGAN: FormText(name="Faces repaired", emoji="🙂", does="GFPGAN"),
        Form.FACES_GFPGAN_13: FormText(name="Faces repaired, GFPGAN 1.3", emoji="🙂", does="softer than GFPGAN"),
        Form.FACES_CODEFORMERS: FormText(
            name="Faces repaired, CodeFormers", emoji="🙂", does="for badly damaged faces"
        ),
        Form.FACES_RESTOREFORMER: FormText(name="Faces repaired, RestoreFormer", emoji="🙂", does="keeps likeness"),
        Form.CUTOUT: FormText(name="Cut out", emoji="✂️", does="removes the background"),
    }
)


def name_of(form: Form) -> str:
    """What people call it."""
    return FORMS[form].name


def price_note(form: Form, width: int = 0, height: int = 0) -> str:
    """Write what it costs, the Horde's fee not included; for an unknown size, by the tile."""
    if form in DESCRIBING or (width and height):
        return f"{cost_of(form, width, height):g} kudos"
    return f"{cost_of(form, TILE, TILE):g} kudos per {TILE}×{TILE}"
