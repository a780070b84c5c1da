"""An engine's config, in either generation of the format, as an `Engine`: pure, and forgiving to what is new in it.

The first generation (to mid 2023) has `default`, `accept.$in`, `ui.min` and `ui.max`; the second has `value.default`,
`value.set`, `value.min` and `value.max`.
Every key of either is read wherever it stands, so a config may mix them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bot.domain.engines import Engine, Input, Kind, Medium, Parameter, Value
from bot.errors import ProtocolError

#: The engines we know, and what each makes (a config does not say).
MAKES: Mapping[str, Medium] = MappingProxyType(
    {
        "ping": Medium.IMAGE,
        "diffusion": Medium.IMAGE,
        "vqgan": Medium.IMAGE,
        "cnet": Medium.IMAGE,
        "vtoonify": Medium.IMAGE,
        "sadtalker": Medium.VIDEO,
        "rembg": Medium.IMAGE,
        "gfpgan": Medium.IMAGE,
        "coquitts": Medium.AUDIO,
        "facefusion": Medium.VIDEO,
    }
)
#: Sorts of files that may come of it: the documentation files vtoonify under videos.
MAY_SEND: Mapping[str, frozenset[Medium]] = MappingProxyType(
    {name: frozenset({medium, *({Medium.VIDEO} if name == "vtoonify" else ())}) for name, medium in MAKES.items()}
)
#: Engines that do not work without a picture, whatever their config says of it (read in their own code).
NEEDS_PICTURE = frozenset({"cnet", "vtoonify"})
WORDS = "word"
#: What OSAIS adds by itself, or what is nobody's choice: never sent.
NEVER_SENT = frozenset(
    {"output", "idir", "odir", "engine", "version", "username", "uid", "uid_backlog", "token", "cycle"}
    | {"model", "yaml", "backbone", "ver", "watermark", "keep_temp"}
)
#: What clients safely send where documentation and configs disagree (documentation of 2023, configs of 2024), or where
#: neither says: GFPGAN's weight is a share, FaceFusion's distance of a reference face ends at 1.5 (their own options).
SAFE_RANGES: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("diffusion", "steps"): (1, 100),
        ("diffusion", "guidance"): (1, 10),
        ("diffusion", "seed"): (1, 1_000_000),
        ("gfpgan", "weight"): (0, 1),
        ("facefusion", "distance"): (0, 1.5),
    }
)
#: Mandatory, and the config has no default.
DEFAULTS: Mapping[tuple[str, str], Value] = MappingProxyType({("cnet", "neg_word"): "blurry, low quality"})
#: Documented as required, and gone from newer configs.
ALWAYS_SENT: Mapping[str, Mapping[str, Value]] = MappingProxyType({"ping": {"width": 512, "height": 512}})
RANDOM, LEAST_SEED, MOST_SEED = "$random", 1, 1_000_000

_KINDS = {"string": Kind.TEXT, "int": Kind.WHOLE, "float": Kind.NUMBER, "number": Kind.NUMBER, "boolean": Kind.SWITCH}
_MEDIA = {".png": Medium.IMAGE, ".jpg": Medium.IMAGE, ".jpeg": Medium.IMAGE, ".wav": Medium.AUDIO, ".mp4": Medium.VIDEO}
_NAMED = {"url_upload": Medium.IMAGE, "url_audio": Medium.AUDIO, "url_video": Medium.VIDEO}


def may_send(engine: str, media_type: str) -> bool:
    """Whether a file of that media type may come of an engine; one that is not known here may make anything."""
    return engine not in MAY_SEND or media_type.partition("/")[0] in MAY_SEND[engine]


def engine_of(config: Mapping[str, Any], *, usual_ms: int = 0) -> Engine:
    """Read a config; `usual_ms` stands in for a running time that it does not tell. Raises `ProtocolError`."""
    name = str(config.get("engine") or config.get("name") or "")
    rows = config.get("aParam") or config.get("params")
    if name not in MAKES or not isinstance(rows, list):
        raise ProtocolError("not the config of an engine we know", path="aParam")
    named = {str(row["in"]): row for row in rows if isinstance(row, dict) and row.get("in")}
    words = named.get(WORDS)
    return Engine(
        name=name,
        title=str(config.get("name") or name),
        about=str(config.get("description") or ""),
        version=str(config.get("version") or ""),
        makes=MAKES[name],
        takes_words=words is not None,
        needs_words=words is not None and bool(words.get("isMandatory")),
        inputs=tuple(_inputs(name, named)),
        parameters=tuple(_parameters(name, named)),
        usual_ms=_whole(config.get("default_cost")) or usual_ms,
    )


def _inputs(engine: str, named: Mapping[str, Mapping[str, Any]]) -> Iterator[Input]:
    for name, usual in _NAMED.items():
        row = named.get(name)
        if row is None:
            continue
        ui = _object(row.get("ui"))
        endings = tuple(str(ending).lower() for ending in _list(ui.get("filterExt")))
        media = {_MEDIA[ending] for ending in endings if ending in _MEDIA} or {usual}
        yield Input(
            medium=min(media, key=list(Medium).index),
            name=name,
            mandatory=bool(row.get("isMandatory")) or (engine in NEEDS_PICTURE and name == "url_upload"),
            endings=endings,
            most_side=max(_whole(ui.get("maxWidth")), _whole(ui.get("maxHeight"))),
            least_side=max(_whole(ui.get("minWidth")), _whole(ui.get("minHeight"))),
            most_bytes=_whole(ui.get("maxKb")) * 1024,
        )


def _parameters(engine: str, named: Mapping[str, Mapping[str, Any]]) -> Iterator[Parameter]:
    for name, row in named.items():
        if name == WORDS or name in _NAMED or name in NEVER_SENT:
            continue
        if row.get("type") == "function":
            if _default(row) == RANDOM:
                yield Parameter(name=name, kind=Kind.WHOLE, lowest=LEAST_SEED, highest=MOST_SEED, random=True)
            continue
        kind = _KINDS.get(str(row.get("type")), Kind.TEXT)
        value, accept, ui = _object(row.get("value")), _object(row.get("accept")), _object(row.get("ui"))
        condition = _object(ui.get("conditional"))
        low, high = SAFE_RANGES.get((engine, name), (-float("inf"), float("inf")))
        yield Parameter(
            name=name,
            kind=kind,
            default=_fitting(kind, _default(row)) if _default(row) is not None else DEFAULTS.get((engine, name)),
            mandatory=bool(row.get("isMandatory")),
            allowed=_allowed(kind, value.get("set") or accept.get("$in")),
            lowest=_tighter(max, _first_number(value.get("min"), ui.get("min")), low),
            highest=_tighter(min, _first_number(value.get("max"), ui.get("max"), accept.get("$max")), high),
            only_with=str(condition.get("$exist") or ""),
            only_without=str(condition.get("$null") or ""),
        )


def _default(row: Mapping[str, Any]) -> Any:
    told = _object(row.get("value")).get("default")
    return row.get("default") if told is None else told


def _allowed(kind: Kind, told: Any) -> tuple[Value, ...]:
    fitting = (_fitting(kind, one) for one in _list(told))
    return tuple(one for one in fitting if one is not None)


def _fitting(kind: Kind, value: Any) -> Value | None:
    """The value as its kind has it, or None for one that makes no sense."""
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    match kind:
        case Kind.SWITCH:
            return value if isinstance(value, bool) else None
        case Kind.TEXT:
            return value if isinstance(value, str) else None
        case Kind.WHOLE:
            return int(number) if number is not None and float(number).is_integer() else None
        case Kind.NUMBER:
            return float(number) if number is not None else None


def _tighter(choose: Callable[[list[float]], float], told: float | None, safe: float) -> float | None:
    bounds = [bound for bound in (told, safe) if bound is not None and abs(bound) != float("inf")]
    return choose(bounds) if bounds else None


def _first_number(*told: Any) -> float | None:
    return next((one for one in told if isinstance(one, (int, float)) and not isinstance(one, bool)), None)


def _whole(told: Any) -> int:
    return int(told) if isinstance(told, (int, float)) and not isinstance(told, bool) and 0 <= told < 10**9 else 0


def _object(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, dict) else {}


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []
