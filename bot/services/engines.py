"""From what a person asked of an engine to a complete `EngineRequest`."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Protocol

from bot.domain.engines import Engine, EngineRequest, Input, Medium, Setting, Value
from bot.domain.jobs import JobId
from bot.domain.requests import SizeChoice
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest
from bot.services.engine_pictures import picture_remarks
from bot.services.engine_settings import lines_of, read_lines, settled
from bot.services.imagining import ImageWish

#: How an engine stands among models: `osais:diffusion`.
TAG = "osais:"
#: The engine that paints from words alone, as `/imagine` does.
PAINTER = "diffusion"
MOST_FILES = 4
LEAST_SEED, MOST_SEED = 1, 1_000_000
#: Most bytes of a sound or a film that is passed on; configs say less, but nobody knows whether that is enforced.
MAX_MEDIA = 8 * 1024 * 1024
#: Native side of Stable Diffusion 1, in pixels.
NATIVE = 512
_SETTING_FILES = "cimg"


class KnowsEngines(Protocol):
    """Knows which engines there are, from memory."""

    def engines(self) -> Sequence[Engine]:
        """Every engine, in a fixed order."""
        ...

    def get(self, name: str) -> Engine | None:
        """The engine of that name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineWish:
    """What a person chose in `/osais run`."""

    engine: str
    prompt: str = ""
    image: SourceMedia | None = None
    audio: SourceMedia | None = None
    video: SourceMedia | None = None
    #: Lines of `name = value`.
    settings: str = ""
    #: Whether only the one who asks sees the reply.
    private: bool = False
    #: The run that this is a changed copy of.
    parent_id: JobId | None = None

    def source(self, medium: Medium) -> SourceMedia | None:
        """What was handed in of that sort."""
        return {Medium.IMAGE: self.image, Medium.AUDIO: self.audio, Medium.VIDEO: self.video}[medium]


class Engines:
    """Completes wishes."""

    def __init__(self, known: KnowsEngines, *, fits_pictures: bool = True) -> None:
        """`fits_pictures` says that pictures are made to fit, which takes an address of our own to offer them at."""
        self._known = known
        self._fits_pictures = fits_pictures

    def all(self) -> Sequence[Engine]:
        """Every engine."""
        return self._known.engines()

    def choices(self, typed: str) -> Sequence[Engine]:
        """The engines whose name or title holds what was typed so far."""
        wanted = typed.strip().casefold().removeprefix(TAG)
        return [one for one in self.all() if wanted in one.name.casefold() or wanted in one.title.casefold()]

    def painters(self, typed: str) -> Sequence[Engine]:
        """The engines that stand among the models of `/imagine`, by what was typed so far."""
        wanted = typed.strip().casefold()
        return [one for one in self.all() if one.name == PAINTER and wanted in f"{TAG}{one.name}"]

    def find(self, text: str) -> Engine:
        """The engine meant by `text`: by its name, or by how only its name begins. Raises `InvalidRequest`."""
        wanted = text.strip().casefold().removeprefix(TAG)
        begun = [one for one in self.all() if wanted and one.name.casefold().startswith(wanted)]
        engine = self._known.get(wanted) or (begun[0] if len(begun) == 1 else None)
        if engine is None:
            raise InvalidRequest(user_message=self._unknown(wanted, begun))
        return engine

    def _unknown(self, wanted: str, begun: Sequence[Engine]) -> str:
        """Say that there is no such engine, and which are near to it."""
        names = [one.name for one in self.all()]
        near = [one.name for one in begun] or get_close_matches(wanted, names, n=3, cutoff=0.75)
        hint = f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        return f"I know no engine of that name.{hint} There are {', '.join(f'`{name}`' for name in names)}."

    def complete(self, wish: EngineWish) -> EngineRequest:
        """Fill in what was left open. Raises `InvalidRequest` with a sentence for the person."""
        engine = self.find(wish.engine)
        chosen = read_lines(engine, wish.settings)
        return self._request(engine, wish, chosen, remarks=tuple(_remarks(engine, wish)))

    def paint(self, wish: ImageWish) -> EngineRequest:
        """The request of `/imagine` for an engine; what the engine has no use for is named in its remarks."""
        engine = self.find(wish.model)
        if engine.name != PAINTER:
            raise InvalidRequest(user_message=f"`{TAG}{engine.name}` doesn't paint from words; see `/osais run`.")
        width, height = _size(engine, wish)
        chosen: dict[str, Value] = {_SETTING_FILES: wish.count, "width": width, "height": height}
        if wish.steps is not None:
            chosen["steps"] = wish.steps
        if wish.guidance is not None:
            chosen["guidance"] = min(max(wish.guidance, 1.0), 10.0)
        if wish.strength is not None:
            chosen["strength"] = wish.strength
        if wish.seed:
            chosen["seed"] = _seed(wish.seed)
        known = {name: value for name, value in chosen.items() if engine.parameter(name) is not None}
        asked = EngineWish(engine=engine.name, prompt=wish.prompt, image=wish.source)
        return self._request(engine, asked, known, remarks=tuple(_unused(wish)))

    def again(self, request: EngineRequest) -> EngineRequest:
        """The same wish with what was drawn drawn anew."""
        draw = _draw()
        settings = tuple(Setting(name=s.name, value=draw) if s.name in request.drawn else s for s in request.settings)
        return replace(request, settings=settings)

    def as_wish(self, request: EngineRequest) -> EngineWish:
        """What was asked for, to be changed: its settings as lines, without what was drawn. Raises `InvalidRequest`."""
        engine = self.find(request.engine)
        chosen = {one.name: one.value for one in request.settings if one.name not in request.drawn}
        return EngineWish(
            engine=engine.name,
            prompt=request.prompt,
            image=request.image,
            audio=request.audio,
            video=request.video,
            settings=lines_of(engine, chosen),
        )

    def _request(
        self, engine: Engine, wish: EngineWish, chosen: Mapping[str, Value], *, remarks: tuple[str, ...]
    ) -> EngineRequest:
        prompt = _clean(wish.prompt)
        _check(engine, wish, prompt)
        taken = {one.medium: one for one in engine.inputs}
        inputs = [one.name for one in engine.inputs if wish.source(one.medium) is not None]
        settings = tuple(settled(engine, chosen, inputs=inputs, draw=_draw()))
        taken_picture = engine.input(Medium.IMAGE)
        if wish.image is not None and taken_picture is not None:
            remarks = (*remarks, *picture_remarks(engine.name, taken_picture, wish.image, fits=self._fits_pictures))
        return EngineRequest(
            engine=engine.name,
            title=engine.title,
            makes=engine.makes,
            prompt=prompt if engine.takes_words else "",
            settings=settings,
            image=wish.image if Medium.IMAGE in taken else None,
            audio=wish.audio if Medium.AUDIO in taken else None,
            video=wish.video if Medium.VIDEO in taken else None,
            expected=_expected(engine, settings),
            usual_ms=engine.usual_ms,
            drawn=tuple(one.name for one in engine.parameters if one.random and one.name not in chosen),
            remarks=remarks,
        )


_CALLED = {Medium.IMAGE: "`image`", Medium.AUDIO: "`audio`", Medium.VIDEO: "`video`"}
_A = {Medium.IMAGE: "a picture", Medium.AUDIO: "a sound", Medium.VIDEO: "a film"}


def _check(engine: Engine, wish: EngineWish, prompt: str) -> None:
    """Refuse what the engine cannot do without, or cannot read."""
    if engine.needs_words and not prompt:
        raise InvalidRequest(user_message=f"`{engine.name}` needs words: give a `prompt`.")
    for one in engine.inputs:
        source = wish.source(one.medium)
        if source is None:
            if one.mandatory:
                told = f"`{engine.name}` needs {_A[one.medium]}: attach one as {_CALLED[one.medium]}."
                raise InvalidRequest(user_message=told)
        elif one.medium is not Medium.IMAGE:  # pictures are looked at, and made to fit, before they are handed over
            _check_file(one, source)


def _check_file(taken: Input, source: SourceMedia) -> None:
    name = source.filename.casefold()
    if taken.endings and not name.endswith(taken.endings):
        told = f"{_CALLED[taken.medium]} has to be a file that ends in {' or '.join(taken.endings)}."
        raise InvalidRequest(user_message=told)
    if source.size > MAX_MEDIA:
        told = f"{_CALLED[taken.medium]} is too large; I pass on up to {MAX_MEDIA // 1024**2} MB."
        raise InvalidRequest(user_message=told)


def _remarks(engine: Engine, wish: EngineWish) -> Iterator[str]:
    """Name what the engine has no use for, and files larger than its config wants them."""
    if wish.prompt.strip() and not engine.takes_words:
        yield f"`prompt` is of no use to {engine.name}."
    for medium in Medium:
        source, taken = wish.source(medium), engine.input(medium)
        if source is None:
            continue
        if taken is None:
            yield f"{_CALLED[medium]} is of no use to {engine.name}."
        elif medium is not Medium.IMAGE and taken.most_bytes and source.size > taken.most_bytes:
            yield f"{_CALLED[medium]} is larger than the {taken.most_bytes // 1024} KB that {engine.name} asks for."


def _unused(wish: ImageWish) -> Iterator[str]:
    if wish.negative.strip():
        yield "`negative` is of no use to this engine."
    if wish.guidance is not None and wish.source is not None:
        yield "`guidance` is of no use to this engine together with an `image`."


def _expected(engine: Engine, settings: Sequence[Setting]) -> int:
    """How many files will probably come; only diffusion makes as many as it was asked for."""
    values = {setting.name: setting.value for setting in settings}
    match engine.name:
        case "diffusion":
            return min(MOST_FILES, max(1, _whole(values.get(_SETTING_FILES))))
        case "vqgan" if (interval := _whole(values.get("saveinterval"))) > 0:
            return 1 + _whole(values.get("steps")) // interval
        case _:
            return 1


def _whole(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def _size(engine: Engine, wish: ImageWish) -> tuple[int, int]:
    """The pair of allowed sides that is nearest to the shape asked for, and then to its area."""
    ratio = wish.aspect.ratio
    if wish.source is not None and wish.source.width and wish.source.height:
        ratio = wish.source.width / wish.source.height
    area = NATIVE * NATIVE * (wish.size or SizeChoice.NATIVE).area_factor
    widths, heights = (_sides(engine, name) for name in ("width", "height"))

    def distance(pair: tuple[int, int]) -> float:
        width, height = pair
        shape = max(ratio * height / width, width / height / ratio)
        size = max(area / (width * height), width * height / area)
        return shape**2 * size

    return min(((width, height) for width in widths for height in heights), key=distance)


def _sides(engine: Engine, name: str) -> tuple[int, ...]:
    parameter = engine.parameter(name)
    allowed = [side for side in (parameter.allowed if parameter else ()) if isinstance(side, int)]
    return tuple(allowed) or (NATIVE,)


def _seed(text: str) -> int:
    """The number itself where it is one that engines take, otherwise always the same one for the same text."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and LEAST_SEED <= int(stripped[:9]) <= MOST_SEED and len(stripped) < 9:
        return int(stripped)
    return LEAST_SEED + zlib.crc32(stripped.encode("utf-8", "replace")) % MOST_SEED


def _draw() -> int:
    return LEAST_SEED + secrets.randbelow(MOST_SEED)


def _clean(text: str) -> str:
    """Leave out what neither the database nor the service takes: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip()
