"""Read a small, harmless subset of SVG: flat shapes with one colour each.

There is no XML library below this: a strict pattern takes elements with plain attributes, and the first thing it does
not know (a doctype, an entity, a style sheet, a script, an image, a text, a group with attributes) ends the reading
with "not simple". Everything is capped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Characters of a drawing that is read at all; outlines and corners it may have.
MAX_TEXT, MAX_SHAPES, MAX_POINTS = 512 * 1024, 5000, 100_000
#: Straight pieces that stand for one curve.
PIECES = 8
#: Coordinates beyond this are nonsense.
MAX_COORDINATE = 1e6

_ATTRIBUTE = r"""\s+[A-Za-z_:][\w:.-]{0,40}\s?=\s?(?:"[^"<&]*"|'[^'<&]*')"""
_ELEMENT = re.compile(rf"<(/?)([A-Za-z]{{1,20}})((?:{_ATTRIBUTE})*)\s*(/?)>")
_ONE_ATTRIBUTE = re.compile(r"""([A-Za-z_:][\w:.-]*)\s?=\s?(?:"([^"]*)"|'([^']*)')""")
_BETWEEN = re.compile(r"\s*(?:<\?xml[^<>?]*\?>\s*)?(?:<!--(?:(?!--)[^<>])*-->\s*)*")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?"
_NUMBERS = re.compile(_NUMBER)
_STEP = re.compile(r"\s*([MmLlHhVvCcQqZz])([^A-DF-Za-df-z]*)")
_TRANSLATE = re.compile(rf"\s*translate\(\s*({_NUMBER})(?:[\s,]+({_NUMBER}))?\s*\)\s*")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
#: How many numbers one step of a path takes.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4}
#: Attributes that would change how a shape looks, in ways that are not drawn here.
_UNKNOWN_LOOKS = frozenset({"style", "class", "filter", "mask", "clip-path", "fill-opacity", "opacity", "stroke"})

Point = tuple[float, float]
Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An area of one colour (`#rgb` or `#rrggbb`). Where there are several outlines, some are holes in others."""

    outlines: tuple[tuple[Point, ...], ...]
    fill: str
    #: What lies within an even number of outlines is a hole; else, what the outlines go around in both directions.
    even_odd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Shapes, from the lowest to the topmost, and the part of the plane that is shown."""

    left: float
    top: float
    width: float
    height: float
    shapes: tuple[Shape, ...]


class _NotSimple(Exception):
    """Something that is not drawn here."""


def read_svg(text: str) -> Drawing | None:
    """Read a drawing; None when it is not simple enough, or makes no sense."""
    if len(text) > MAX_TEXT:
        return None
    try:
        elements = list(_elements(text.strip().removeprefix("\ufeff")))
        if not elements or elements[0][0] != "svg":
            return None
        left, top, width, height = _frame(elements[0][1])
        shapes: list[Shape] = []
        outlines = points = 0
        for name, attributes in elements[1:]:
            for shape in _shapes(name, attributes):
                shapes.append(shape)
                outlines += len(shape.outlines)
                points += sum(map(len, shape.outlines))
                if outlines > MAX_SHAPES or points > MAX_POINTS:
                    return None
    except (_NotSimple, ValueError, OverflowError):
        return None
    return Drawing(left=left, top=top, width=width, height=height, shapes=tuple(shapes)) if shapes else None


def _elements(text: str) -> Iterator[tuple[str, Attributes]]:
    """Walk the opening tags; closing ones are only checked to be there at all."""
    place = _skip(text, 0)
    while place < len(text):
        match = _ELEMENT.match(text, place)
        if match is None:
            raise _NotSimple
        if not match[1]:
            yield (
                match[2].lower(),
                {name: double or single for name, double, single in _ONE_ATTRIBUTE.findall(match[3])},
            )
        place = _skip(text, match.end())


def _skip(text: str, place: int) -> int:
    match = _BETWEEN.match(text, place)
    return match.end() if match else place


def _frame(attributes: Attributes) -> tuple[float, float, float, float]:
    box = _numbers(attributes["viewBox"]) if "viewBox" in attributes else []
    if not box:
        sides = [_NUMBERS.match(attributes.get(name, "")) for name in ("width", "height")]
        box = [0.0, 0.0, *(float(side[0]) for side in sides if side)]
    if len(box) != 4 or not all(0 < side <= MAX_COORDINATE for side in box[2:]):
        raise _NotSimple
    if max(box[2:]) > 50 * min(box[2:]):
        raise _NotSimple
    return box[0], box[1], box[2], box[3]


def _shapes(name: str, attributes: Attributes) -> Iterator[Shape]:
    if name == "g" and not attributes:
        return
    if name in {"title", "desc", "metadata"} and not attributes:
        raise _NotSimple  # with words in them, the pattern fails anyway
    if name not in {"path", "rect", "polygon"} or _UNKNOWN_LOOKS & set(attributes):
        raise _NotSimple
    fill = _fill(attributes.get("fill", "#000000"))
    if fill is None:
        return
    dx, dy = _moved(attributes.get("transform"))
    outlines = tuple(
        tuple((x + dx, y + dy) for x, y in outline) for outline in _outlines(name, attributes) if len(outline) >= 2
    )
    if outlines:
        yield Shape(outlines=outlines, fill=fill, even_odd=attributes.get("fill-rule") == "evenodd")


def _outlines(name: str, attributes: Attributes) -> Iterator[list[Point]]:
    if name == "path":
        yield from _path(attributes.get("d", ""))
    elif name == "polygon":
        numbers = _numbers(attributes.get("points", ""))
        yield list(zip(numbers[::2], numbers[1::2], strict=True))
    else:
        x, y, width, height = (_one(attributes.get(key, "0")) for key in ("x", "y", "width", "height"))
        yield [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _fill(value: str) -> str | None:
    """Read a colour; None for "none"."""
    if value == "none":
        return None
    if _COLOUR.fullmatch(value):
        return value
    if match := _RGB.fullmatch(value):
        return "#" + "".join(f"{min(255, int(part)):02x}" for part in match.groups())
    raise _NotSimple


def _moved(transform: str | None) -> Point:
    if transform is None:
        return 0.0, 0.0
    match = _TRANSLATE.fullmatch(transform)
    if match is None:
        raise _NotSimple
    return float(match[1]), float(match[2] or 0)


def _path(text: str) -> Iterator[list[Point]]:
    """Walk the outlines of a path, curves as straight pieces."""
    outline: list[Point] = []
    place = 0
    at: Point = (0.0, 0.0)
    start: Point = at
    while place < len(text.rstrip()):
        match = _STEP.match(text, place)
        if match is None or match.end() == place:
            raise _NotSimple
        place = match.end()
        kind, numbers = match[1], _numbers(match[2])
        if kind in "Zz":
            yield outline
            outline, at = [], start
            continue
        if kind in "Mm" and outline:
            yield outline
            outline = []
        reached = _walked(kind, numbers, at)
        if kind in "Mm":
            start = reached[0]
        elif not outline:
            outline.append(at)
        outline += reached
        at = outline[-1]
    if outline:
        yield outline


def _walked(kind: str, numbers: list[float], at: Point) -> list[Point]:
    """The points that one kind of step reaches from `at`."""
    takes = _TAKES[kind.upper()]
    if not numbers or len(numbers) % takes:
        raise _NotSimple
    points: list[Point] = []
    for begin in range(0, len(numbers), takes):
        given = numbers[begin : begin + takes]
        base = at if kind.islower() else (0.0, 0.0)
        match kind.upper():
            case "H":
                points.append((base[0] + given[0], at[1]))
            case "V":
                points.append((at[0], base[1] + given[0]))
            case _:
                controls = [(base[0] + x, base[1] + y) for x, y in zip(given[::2], given[1::2], strict=True)]
                points += _curve([at, *controls]) if len(controls) > 1 else controls
        at = points[-1]
    return points


def _curve(controls: list[Point]) -> list[Point]:
    """A Bézier curve as straight pieces, without its first point."""
    degree = len(controls) - 1
    made = []
    for piece in range(1, PIECES + 1):
        t = piece / PIECES
        weights = [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)]
        made.append(
            (
                sum(weight * x for weight, (x, _) in zip(weights, controls, strict=True)),
                sum(weight * y for weight, (_, y) in zip(weights, controls, strict=True)),
            )
        )
    return made


def _numbers(text: str) -> list[float]:
    if _NUMBERS.sub("", text).strip(" \t\r\n,"):
        raise _NotSimple
    numbers = [float(found) for found in _NUMBERS.findall(text)]
    if any(abs(number) > MAX_COORDINATE for number in numbers):
        raise _NotSimple
    return numbers


def _one(text: str) -> float:
    numbers = _numbers(text)
    if len(numbers) != 1:
        raise _NotSimple
    return numbers[0]
