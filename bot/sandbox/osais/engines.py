"""The engines: their configs as published, what they make, and what a call of one has to bring."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from bot.sandbox.osais.assumptions import Assumed


class Kind(StrEnum):
    """What sort of file an engine makes; the value is its extension."""

    PNG = "png"
    WAV = "wav"
    MP4 = "mp4"


#: What each engine makes. The documentation files vtoonify under videos, its code returns a picture.
KINDS: Mapping[str, Kind] = {
    "ping": Kind.PNG,
    "diffusion": Kind.PNG,
    "vqgan": Kind.PNG,
    "cnet": Kind.PNG,
    "vtoonify": Kind.PNG,
    "sadtalker": Kind.MP4,
    "rembg": Kind.PNG,
    "gfpgan": Kind.PNG,
    "coquitts": Kind.WAV,
    "facefusion": Kind.MP4,
}
#: Parameters that OSAIS adds; a client has no business sending them.
SERVER_SIDE = frozenset(
    {"output", "idir", "odir", "engine", "version", "username", "uid", "uid_backlog", "token", "cycle"}
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "float": (int, float),
    "boolean": (bool,),
    "function": (int, float, str),
}


class BadParameterError(ValueError):
    """A call that this engine cannot take; the text is what the service says."""

    assumed = Assumed.BAD_PARAMETER


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a config, whichever generation it is written in."""

    name: str
    mandatory: bool
    type: str
    default: object
    allowed: tuple[object, ...] = ()
    lowest: float | None = None
    highest: float | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Parameter:
        """Read a parameter of a config file."""
        second, accept, ui = raw.get("value", {}), raw.get("accept", {}), raw.get("ui", {})
        return cls(
            name=raw["in"],
            mandatory=bool(raw.get("isMandatory")),
            type=raw.get("type", "string"),
            default=second.get("default", raw.get("default")),
            allowed=tuple(second.get("set") or accept.get("$in") or ()),
            lowest=second.get("min", ui.get("min")),
            highest=second.get("max", ui.get("max")),
        )

    def fits(self, value: object) -> bool:
        """Whether a value is of the type."""
        kinds = _TYPES.get(self.type, (object,))
        return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))

    def oddity(self, value: object) -> str | None:
        """What the web form would not have let through; nobody knows whether the service itself minds."""
        if self.allowed and value not in self.allowed:
            return f"{self.name}={value} is not among {list(self.allowed)}"
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        low, high = self.lowest, self.highest
        if (low is not None and value < low) or (high is not None and value > high):
            return f"{self.name}={value} is not in {low}..{high}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine."""

    name: str
    kind: Kind
    config: Mapping[str, Any]
    parameters: Mapping[str, Parameter]

    @property
    def cost_ms(self) -> int:
        """What a run costs by default, in milliseconds."""
        return int(self.config.get("default_cost", 1000))

    def shown(self) -> dict[str, object]:
        """The config as the public endpoint answers it: `params` is called `aParam` there."""
        config = self.config
        return {
            "engine": self.name,
            "version": config["version"],
            "name": config["name"],
            "description": config["description"],
            "isFree": config.get("isFree", False),
            "requiresGPU": config.get("requiresGPU", True),
            "aParam": config["params"],
        }

    def filled(self, given: Mapping[str, object], rng: Random) -> dict[str, object]:
        """The parameters as the AI gets them, defaults filled in; raises `BadParameterError`."""
        filled: dict[str, object] = {}
        for parameter in self.parameters.values():
            value = given.get(parameter.name)
            if value is not None and not parameter.fits(value):
                raise BadParameterError(f"{parameter.name} must be of type {parameter.type}")
            if value is None and parameter.type == "function":
                value = rng.randint(1, 1_000_000) if parameter.default == "$random" else None
            elif value is None or value == "":
                value = parameter.default
                if value is None and parameter.mandatory:
                    raise BadParameterError(f"{parameter.name} is required")
            if value is not None:
                filled[parameter.name] = value
        # What no config has is passed on nowhere, but a check shows it.
        return {**{name: value for name, value in given.items() if name not in SERVER_SIDE}, **filled}

    def oddities(self, given: Mapping[str, object]) -> Iterator[str]:
        """What a careful client would not have sent, in sentences."""
        for name, value in given.items():
            parameter = self.parameters.get(name)
            if name in SERVER_SIDE:
                yield f"{name} is added by OSAIS"
            elif parameter is None:
                # ping lost its size between two versions of its config; the documentation still asks for it.
                if not (self.name == "ping" and name in {"width", "height"}):
                    yield f"{name} is not a parameter of {self.name}"
            elif value is not None and (oddity := parameter.oddity(value)):
                yield oddity


@cache
def load_engine(name: str, version: str = "") -> Engine:
    """The engine of that name from its config file, or from that of an older version (`v1.0.3`)."""
    file = f"{name}.{version}.json" if version else f"{name}.json"
    config = json.loads((files("bot.sandbox.osais") / "configs" / file).read_text(encoding="utf-8"))
    parameters = [Parameter.read(raw) for raw in config["params"]]
    return Engine(name=name, kind=KINDS[name], config=config, parameters={one.name: one for one in parameters})
