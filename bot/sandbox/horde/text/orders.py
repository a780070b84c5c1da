"""What the server makes of a `POST /generate/text/async` body, and the schema that a body has to pass first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.horde.orders import MAX_WORKERS
from bot.sandbox.horde.schema import Field

_BOOL = Field(kind="boolean")
_TEXT = Field(kind="string")


def _number(minimum: float, maximum: float) -> Field:
    return Field(kind="number", minimum=minimum, maximum=maximum)


_PARAMS: Mapping[str, Field] = {
    "n": Field(kind="integer", minimum=1, maximum=20),
    "max_length": Field(kind="integer", minimum=16, maximum=4096),
    "max_context_length": Field(kind="integer", minimum=80, maximum=1_048_576),
    "temperature": _number(0.0, 5.0),
    "top_p": _number(0.001, 1.0),
    "top_k": Field(kind="integer", minimum=0, maximum=200),
    **dict.fromkeys(("top_a", "typical", "tfs", "min_p"), _number(0.0, 1.0)),
    "rep_pen": _number(1.0, 3.0),
    "rep_pen_range": Field(kind="integer", minimum=0, maximum=4096),
    "rep_pen_slope": _number(0.0, 10.0),
    "smoothing_factor": _number(0.0, 10.0),
    **dict.fromkeys(("dynatemp_range", "dynatemp_exponent"), _number(0.0, 5.0)),
    "sampler_order": Field(kind="array", items=Field(kind="integer")),
    "stop_sequence": Field(kind="array", items=_TEXT),
    **dict.fromkeys(
        ("singleline", "frmttriminc", "frmtrmblln", "frmtrmspch", "frmtadsnsp", "use_default_badwordsids"), _BOOL
    ),
}
_FLAGS = (
    "trusted_workers",
    "validated_backends",
    "slow_workers",
    "extra_slow_workers",
    "worker_blacklist",
    "dry_run",
    "disable_batching",
    "allow_downgrade",
)
#: `prompt` is not required here: the argument parser behind the schema asks for it, in its own words.
TEXT_SCHEMA = Field(
    kind="object",
    fields={
        "prompt": _TEXT,
        "params": Field(kind="object", fields=_PARAMS),
        "softprompt": Field(kind="string", min_length=1),
        **dict.fromkeys(_FLAGS, _BOOL),
        "workers": Field(kind="array", items=_TEXT),
        "models": Field(kind="array", items=_TEXT),
        "proxied_account": _TEXT,
        "extra_source_images": Field(kind="array", items=Field(kind="object")),
        "webhook": Field(kind="string", min_length=10, max_length=1024),
        "style": Field(kind="string", min_length=3, max_length=1024),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrder:
    """One text request as the server understands it, with its real defaults. Lengths are in tokens."""

    prompt: str
    models: tuple[str, ...] = ()
    n: int = 1
    max_length: int = 80
    max_context_length: int = 2048
    stop_sequence: tuple[str, ...] = ()
    sampler_order: tuple[int, ...] | None = None
    trusted_workers: bool = False
    validated_backends: bool = False
    slow_workers: bool = True
    extra_slow_workers: bool = False
    workers: tuple[str, ...] = ()
    worker_blacklist: bool = False
    extra_source_images: bool = False
    proxied_account: str | None = None
    dry_run: bool = False
    disable_batching: bool = False
    allow_downgrade: bool = False
    webhook: str | None = None
    style: str | None = None


_TOP = ("prompt", "proxied_account", "webhook", "style", *_FLAGS)


def text_order_from(payload: Mapping[str, Any]) -> TextOrder:
    """Read a body that passed the schema; unknown fields are dropped without a word."""
    params: Mapping[str, Any] = payload.get("params", {})
    values: dict[str, Any] = {name: payload[name] for name in _TOP if name in payload}
    values |= {name: params[name] for name in ("n", "max_length", "max_context_length") if name in params}
    values |= {name: tuple(params[name]) for name in ("stop_sequence", "sampler_order") if name in params}
    values["models"] = tuple(payload.get("models", ()))
    values["workers"] = tuple(payload.get("workers", ())[:MAX_WORKERS])
    values["extra_source_images"] = bool(payload.get("extra_source_images"))
    return TextOrder(**values)
