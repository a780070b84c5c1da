"""The second layer of validation: the JSON schema of an image request, and errors worded as the server words them.

The real server runs a Draft 4 validator and keeps one message per field: when several rules of a field fail, the last
one in schema order wins (a width of 32 is "not a multiple of 64", not "less than the minimum").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.horde.errors import SCHEMA_MESSAGE, HordeError
from bot.sandbox.horde.post_processors import POST_PROCESSORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What the schema says of one value."""

    kind: str
    minimum: float | None = None
    maximum: float | None = None
    multiple: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    choices: tuple[str, ...] | None = None
    items: Field | None = None
    unique: bool = False
    fields: Mapping[str, Field] | None = None
    required: tuple[str, ...] = ()


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def check_schema(schema: Field, value: object) -> None:
    """Raise the 400 with its `errors` map when `value` breaks `schema`."""
    problems = dict(_problems(schema, value, ""))
    if problems:
        raise HordeError(400, SCHEMA_MESSAGE, errors=problems)


def _problems(schema: Field, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if not _KINDS[schema.kind](value):
        yield path, f"{value!r} is not of type {schema.kind!r}"
        return
    for message in (*_range_problems(schema, value), *_length_problems(schema, value)):
        yield path, message
    if isinstance(value, list):
        yield from _list_problems(schema, value, path)
    if isinstance(value, dict):
        yield from _object_problems(schema, value, path)


def _range_problems(schema: Field, value: Any) -> Iterator[str]:
    if schema.minimum is not None and value < schema.minimum:
        yield f"{value!r} is less than the minimum of {schema.minimum}"
    if schema.maximum is not None and value > schema.maximum:
        yield f"{value!r} is greater than the maximum of {schema.maximum}"
    if schema.multiple is not None and value % schema.multiple:
        yield f"{value!r} is not a multiple of {schema.multiple}"
    if schema.choices is not None and value not in schema.choices:
        yield f"{value!r} is not one of {list(schema.choices)!r}"


def _length_problems(schema: Field, value: Any) -> Iterator[str]:
    if schema.min_length is not None and len(value) < schema.min_length:
        yield f"{value!r} should be non-empty" if schema.min_length == 1 else f"{value!r} is too short"
    if schema.max_length is not None and len(value) > schema.max_length:
        yield f"{value!r} is too long"


def _list_problems(schema: Field, value: list[Any], path: str) -> Iterator[tuple[str, str]]:
    if schema.unique and len({repr(item) for item in value}) < len(value):
        yield path, f"{value!r} has non-unique elements"
    if schema.items is not None:
        for index, item in enumerate(value):
            yield from _problems(schema.items, item, f"{path}.{index}")


def _object_problems(schema: Field, value: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    prefix = f"{path}." if path else ""
    for name in schema.required:
        if name not in value:
            yield f"{prefix}{name}", f"{name!r} is a required property"
    for name, member in (schema.fields or {}).items():
        if name in value:
            yield from _problems(member, value[name], f"{prefix}{name}")


_BOOL = Field(kind="boolean")
_TEXT = Field(kind="string")
_SIZE = Field(kind="integer", minimum=64, maximum=3072, multiple=64)
_STRENGTH = Field(kind="number", minimum=-5, maximum=5)
_UNIT = Field(kind="number", minimum=0.01, maximum=1)
_NAME = Field(kind="string", min_length=1, max_length=255)
# The order of the names is the one seen in recorded refusals.
SAMPLERS = [
    "k_dpm_fast",
    "DDIM",
    "k_dpmpp_sde",
    "k_dpm_2",
    "lcm",
    "k_heun",
    "k_euler_a",
    "k_lms",
    "k_dpm_adaptive",
    "k_dpmpp_2s_a",
    "k_dpmpp_2m",
    "k_dpm_2_a",
    "dpmsolver",
    "k_euler",
]
_CONTROL_TYPES = ["canny", "hed", "depth", "normal", "openpose", "seg", "scribble", "fakescribbles", "hough"]

_LORA = Field(
    kind="object",
    required=("name",),
    fields={
        "name": _NAME,
        "model": _STRENGTH,
        "clip": _STRENGTH,
        "inject_trigger": Field(kind="string", min_length=1, max_length=30),
        "is_version": _BOOL,
    },
)
_TI = Field(
    kind="object",
    required=("name",),
    fields={"name": _NAME, "inject_ti": Field(kind="string", choices=("prompt", "negprompt")), "strength": _STRENGTH},
)
_EXTRA_TEXT = Field(
    kind="object",
    fields={"text": Field(kind="string", min_length=1), "reference": Field(kind="string", min_length=3)},
)
_EXTRA_IMAGE = Field(
    kind="object", fields={"image": Field(kind="string", min_length=1), "strength": Field(kind="number")}
)
_PARAMS = Field(
    kind="object",
    fields={
        "sampler_name": Field(kind="string", choices=tuple(SAMPLERS)),
        "cfg_scale": Field(kind="number", minimum=0, maximum=100),
        "denoising_strength": _UNIT,
        "hires_fix_denoising_strength": _UNIT,
        "height": _SIZE,
        "width": _SIZE,
        "post_processing": Field(kind="array", unique=True, items=Field(kind="string", choices=POST_PROCESSORS)),
        "karras": _BOOL,
        "tiling": _BOOL,
        "hires_fix": _BOOL,
        "clip_skip": Field(kind="integer", minimum=1, maximum=12),
        "facefixer_strength": Field(kind="number", minimum=0, maximum=1),
        "loras": Field(kind="array", items=_LORA),
        "tis": Field(kind="array", items=_TI),
        "special": Field(kind="object"),
        "workflow": Field(kind="string", choices=("qr_code",)),
        "transparent": _BOOL,
        "seed": _TEXT,
        "seed_variation": Field(kind="integer", minimum=1, maximum=1000),
        "control_type": Field(kind="string", choices=tuple(_CONTROL_TYPES)),
        "image_is_control": _BOOL,
        "return_control_map": _BOOL,
        "extra_texts": Field(kind="array", items=_EXTRA_TEXT),
        "steps": Field(kind="integer", minimum=1, maximum=500),
        "n": Field(kind="integer", minimum=1, maximum=20),
    },
)
IMAGE_SCHEMA = Field(
    kind="object",
    required=("prompt",),
    fields={
        "prompt": Field(kind="string", min_length=1),
        "params": _PARAMS,
        "nsfw": _BOOL,
        "trusted_workers": _BOOL,
        "validated_backends": _BOOL,
        "slow_workers": _BOOL,
        "extra_slow_workers": _BOOL,
        "censor_nsfw": _BOOL,
        "workers": Field(kind="array", items=_TEXT),
        "worker_blacklist": _BOOL,
        "models": Field(kind="array", items=_TEXT),
        "source_image": _TEXT,
        "source_processing": Field(kind="string", choices=("img2img", "inpainting", "outpainting", "remix")),
        "source_mask": _TEXT,
        "extra_source_images": Field(kind="array", items=_EXTRA_IMAGE),
        "r2": _BOOL,
        "shared": _BOOL,
        "replacement_filter": _BOOL,
        "dry_run": _BOOL,
        "proxied_account": _TEXT,
        "disable_batching": _BOOL,
        "allow_downgrade": _BOOL,
        "webhook": Field(kind="string", min_length=10, max_length=1024),
        "style": Field(kind="string", min_length=3, max_length=1024),
    },
)
