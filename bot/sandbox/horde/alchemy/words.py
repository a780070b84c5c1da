"""Words about a picture: captions, descriptions and tags that follow from what was measured. Artists are invented."""

from __future__ import annotations

from random import Random

from bot.sandbox.horde.alchemy.colours import Look, hexadecimal, name_of

_GROUPS = {
    "sites": ("deviantart", "behance", "flickr", "artstation", "pixiv", "tumblr", "dribbble"),
    "artists": ("A. Painter", "B. Sketcher", "C. Inker", "D. Carver", "E. Dyer", "F. Etcher", "G. Weaver"),
    "flavors": ("soft light", "macro", "film grain", "wide angle", "golden hour", "long shadows", "backlit"),
    "mediums": ("photograph", "digital art", "watercolor", "charcoal", "oil on canvas", "pastel", "gouache"),
    "movements": ("realism", "art deco", "romanticism", "minimalism", "fauvism", "symbolism", "cubism"),
    "techniques": ("long exposure", "cross hatching", "stippling", "impasto", "glazing", "sfumato", "collage"),
}
_THINGS = ("rain", "lantern", "stone", "outdoors", "portrait", "water", "sky", "texture")
_LISTED = 5


def caption(look: Look) -> str:
    """One sentence without a stop, as captions come."""
    return (
        f"a {_shape(look)} {_tone(look)} picture of {look.width} by {look.height} pixels,"
        f" mostly {_colours(look)} ({look.digest[:6]})"
    )


def describe(look: Look) -> str:
    """A small paragraph."""
    texture = "busy, with many fine details" if look.detail > 0.35 else "calm, with large quiet areas"
    lively = "vivid" if look.saturation > 0.5 else "muted"
    sentences = [
        f"This is {caption(look)}.",
        f"Its colours are {lively} and its composition is {texture}.",
        f"The most frequent colour is {hexadecimal(look.colours[0])}.",
    ]
    if look.transparent > 0:
        sentences.append(f"About {round(look.transparent * 100)} percent of it is transparent.")
    return " ".join(sentences)


def interrogation(look: Look) -> dict[str, list[dict[str, object]]]:
    """Seven groups of five with percent-like confidences, the surest first; the colours are among the tags."""
    rng = Random(look.digest)
    seen = [name_of(colour) for colour in look.colours]
    tags = list(dict.fromkeys([*seen, _tone(look), _shape(look)]))[: _LISTED - 1]
    tags += rng.sample(_THINGS, _LISTED - len(tags))
    groups = {name: rng.sample(words, _LISTED) for name, words in _GROUPS.items()}
    return {name: _ranked(words, rng) for name, words in {"tags": tags, **groups}.items()}


def aesthetic(look: Look) -> float:
    """A score between 1 and 10: contrast, colour and detail please, glare and darkness do not."""
    balance = 1 - abs(look.brightness - 0.5) * 2
    score = 1 + 9 * (0.3 * look.contrast + 0.25 * look.saturation + 0.2 * look.detail + 0.25 * balance)
    return round(score, 3)


def _ranked(words: list[str], rng: Random) -> list[dict[str, object]]:
    confidences = sorted((rng.uniform(17, 45) for _ in words), reverse=True)
    return [
        {"text": word, "confidence": round(confidence, 4)} for word, confidence in zip(words, confidences, strict=True)
    ]


def _shape(look: Look) -> str:
    if look.width == look.height:
        return "square"
    return "wide" if look.width > look.height else "tall"


def _tone(look: Look) -> str:
    if look.brightness < 0.4:
        return "dark"
    return "bright" if look.brightness > 0.7 else "soft"


def _colours(look: Look) -> str:
    names = list(dict.fromkeys(map(name_of, look.colours)))
    return names[0] if len(names) == 1 else f"{names[0]} with a touch of {names[1]}"
