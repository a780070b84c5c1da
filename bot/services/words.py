"""What people write when they want something done with a picture: "upscale anime, caption" → forms.

A few words stand for themselves. `upscale` takes the words beside it ("anime upscale", "upscale 2x") to choose one of
the Horde's eleven upscalers. What is neither is kept as unknown: the caller decides whether it is somebody's chatter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.alchemy import DESCRIBING, Form

#: Longest text looked at, in characters: nobody needs more words than there are forms.
MAX_TEXT = 400

_TOKEN = re.compile(r"[\w.]+(?:-[\w.]+)*")
#: An engine of OSAIS that does what a form does too: there is more than one gfpgan.
_ENGINE = re.compile(r"\bosais:(rembg|gfpgan)\b")
_MENTION = re.compile(r"<(?:@[!&]?|#|a?:\w+:)\d+>")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(table: Mapping[Form, str]) -> dict[str, Form]:
    return {word: form for form, words in table.items() for word in words.split()}


_PLAIN = _words(
    {
        Form.CAPTION: "caption captions captioned title subtitle alt beschriftung bildunterschrift légende leyenda",
        Form.TAGS: "tags tag tagged interrogate interrogation keywords booru schlagworte mots-clés etiquetas",
        Form.DESCRIBE: "describe description described explain beschreibe beschreibung décris describir descripción",
        Form.PALETTE: "palette palettes colour colours color colors swatch farben couleurs colores",
        Form.AESTHETIC: "score rate rating rated aesthetic aesthetics beauty bewerte note puntuación",
        Form.NSFW: "nsfw sfw safe unsafe lewd",
        Form.VECTORIZE: "svg vector vectorize vectorise vectors trace vektor vecteur vectorizar",
        Form.CUTOUT: "cutout cut-out cut background backgroundless transparent bg freistellen détourer recortar",
        Form.FACES_GFPGAN: "faces face portrait gesichter gesicht visages visage caras cara",
        Form.FACES_CODEFORMERS: "codeformer codeformers",
        Form.FACES_RESTOREFORMER: "restoreformer",
        Form.UPSCALE_SIAX: "siax",
        Form.UPSCALE_ANIME_SHARP: "animesharp",
        Form.UPSCALE_NOMOS: "nomos",
        Form.UPSCALE_LSDIR: "lsdir",
    }
)
#: People may also write what the Horde calls a form.
_EXACT = {form.value.casefold(): form for form in Form}
_UPSCALE = _set("upscale upscaled upscaler upscaling enlarge bigger larger enhance hochskalieren agrandir")
#: What chooses among upscalers, by what it means.
_MODIFIERS = {
    **dict.fromkeys(_set("2x x2 double twice"), "2"),
    **dict.fromkeys(_set("4x x4 quadruple"), "4"),
    **dict.fromkeys(_set("anime manga cartoon drawing illustration"), "anime"),
    **dict.fromkeys(_set("photo photos photograph realistic real web"), "photo"),
    **dict.fromkeys(_set("animation video"), "animation"),
    **dict.fromkeys(_set("sharp sharper"), "sharp"),
    **dict.fromkeys(_set("detail details detailed hq best"), "hq"),
}
#: Enough by themselves to mean "upscale".
_SIZES = frozenset({"2", "4"})
_EVERYTHING = _set("all everything")
#: Said in passing.
_FILLERS = _set(
    "a an and also by can could fix for from give i image img in into is it its last make me my of off on out picture "
    "pic pics please pls remove repair restore run show that the then these this to too und what with you your"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was understood of a text, and what was not."""

    forms: tuple[Form, ...]
    unknown: tuple[str, ...] = ()
    #: The engine that is to do it instead; it works alone.
    engine: str = ""

    @property
    def clear(self) -> bool:
        """Whether the text asks for something, and for nothing else."""
        return bool(self.forms or self.engine) and not self.unknown


@dataclass(slots=True)
class _Reader:
    """Reads word by word; a wish to upscale stays open until a word comes that does not belong to it."""

    forms: list[Form] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    modifiers: list[str] = field(default_factory=list)
    upscaling: bool = False

    def take(self, word: str) -> None:
        """Take in one word, in lower case."""
        if word in _UPSCALE:
            if self.upscaling:
                self.close()
            self.upscaling = True
        elif (meaning := _MODIFIERS.get(word)) is not None:
            self.modifiers.append(meaning)
        elif word in _EVERYTHING:
            self.close()
            self.forms += [form for form in Form if form in DESCRIBING]
        elif (form := _PLAIN.get(word) or _EXACT.get(word)) is not None:
            self.close()
            self.forms.append(form)
        elif word not in _FILLERS:
            self.unknown.append(word)

    def close(self) -> None:
        """End a wish to upscale, or forget words that belong to none ("this photo")."""
        if self.upscaling or _SIZES & set(self.modifiers):
            self.forms.append(upscaler(self.modifiers))
        self.upscaling = False
        self.modifiers.clear()


def upscaler(meanings: Iterable[str]) -> Form:
    """Choose the upscaler that fits these words best."""
    told = set(meanings)
    twice = "2" in told
    if "animation" in told or (twice and "anime" in told):
        return Form.UPSCALE_ANIMATION_2X
    if "anime" in told:
        return Form.UPSCALE_ANIME_SHARP if "sharp" in told else Form.UPSCALE_4X_ANIME
    if "photo" in told and not twice:
        return Form.UPSCALE_PHOTO
    if "hq" in told and not twice:
        return Form.UPSCALE_NOMOS2_HQ
    return Form.UPSCALE_2X if twice else Form.UPSCALE_4X


def parse(text: str) -> Asked:
    """Read what is asked for; mentions are left out, each form comes once, in the order named."""
    plain = _MENTION.sub(" ", text[:MAX_TEXT]).casefold().replace("×", "x")
    engine = _ENGINE.search(plain)
    plain = _ENGINE.sub(" ", plain)
    reader = _Reader()
    for segment in re.split(r"[,;+\n&]", plain):
        for word in _TOKEN.findall(segment):
            reader.take(word.strip("._") or word)
        reader.close()
    forms, unknown = tuple(dict.fromkeys(reader.forms)), tuple(reader.unknown)
    if engine is not None and forms:
        return Asked(forms=forms, unknown=(*unknown, engine[0]))
    return Asked(forms=forms, unknown=unknown, engine=engine[1] if engine is not None else "")


#: What `/alchemy` offers while somebody types: the words, and what they stand for.
PRESETS: Sequence[tuple[str, str]] = (
    ("caption, tags", "Describe: caption and tags"),
    ("caption, describe, tags, palette, score, nsfw", "Describe in every way"),
    ("upscale 4x", "Upscale ×4"),
    ("upscale anime", "Upscale ×4, for drawings"),
    ("upscale photo", "Upscale ×4, for photos"),
    ("upscale 2x", "Upscale ×2"),
    ("faces, upscale 4x", "Enhance: faces, then ×4"),
    ("cutout", "Cut out: remove the background"),
    ("faces", "Repair faces"),
    ("palette", "Palette"),
    ("score", "Aesthetic score"),
    ("nsfw", "Is it safe for work?"),
    ("svg", "Vector drawing (SVG)"),
)


#: The same, where OSAIS is offered.
ENGINE_PRESETS: Sequence[tuple[str, str]] = (
    ("osais:rembg", "Cut out: remove the background (OSAIS)"),
    ("osais:gfpgan", "Repair faces (OSAIS)"),
)


def presets(typed: str, *, engines: bool = False) -> Sequence[tuple[str, str]]:
    """The presets that hold what was typed so far, as (words, title)."""
    wanted = typed.strip().casefold()
    known = (*PRESETS, *(ENGINE_PRESETS if engines else ()))
    return [(words, title) for words, title in known if wanted in words or wanted in title.casefold()]
