"""Filling in a modal the way Discord's client does: prefilled values, checks, and the shape that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .component_rules import MODAL_FIELDS, ComponentKind, walk
from .errors import ActRefusedError
from .model import Json

TEXT_LENGTH: Final = 4000


def fill_in(components: list[Json], values: Mapping[str, Any], files: Mapping[str, list[Json]]) -> list[Json]:
    """Return the components of a submission; `ActRefusedError` names the field that does not fit."""
    fields = {component["custom_id"] for _, component in walk(components) if component.get("type") in MODAL_FIELDS}
    labels = {component.get("label") for _, component in walk(components)}
    if unknown := [name for name in (*values, *files) if name not in fields | labels]:
        raise ActRefusedError(f"The form has no field {unknown[0]!r}; it has {', '.join(sorted(fields))}.")
    return [_submitted(component, None, values, files) for component in components]


def _submitted(component: Json, label: str | None, values: Mapping[str, Any], files: Mapping[str, list[Json]]) -> Json:
    kind = component["type"]
    shell: Json = {"type": kind, "id": component.get("id", 1)}
    if kind == ComponentKind.ROW:
        return shell | {"components": [_submitted(inside, None, values, files) for inside in component["components"]]}
    if kind == ComponentKind.LABEL:
        return shell | {"component": _submitted(component["component"], component["label"], values, files)}
    if kind not in MODAL_FIELDS:
        return shell
    names = [component["custom_id"], label or component.get("label")]
    given = next((values[name] for name in names if name in values), None)
    shell["custom_id"] = component["custom_id"]
    if kind == ComponentKind.TEXT_INPUT:
        return shell | {"value": _text(component, given)}
    if kind == ComponentKind.FILE_UPLOAD:
        uploads = next((files[name] for name in names if name in files), [])
        return shell | {"values": _several(component, [file["id"] for file in uploads])}
    if kind == ComponentKind.RADIO_GROUP:
        return shell | {"value": given if given is not None else _defaults(component, None)}
    if kind == ComponentKind.CHECKBOX:
        return shell | {"value": bool(component.get("default") if given is None else given)}
    chosen = given if given is not None else _defaults(component, [])
    return shell | {"values": _several(component, [chosen] if isinstance(chosen, str) else list(chosen))}


def _text(field: Json, given: Any) -> str:
    text = str(field.get("value") or "" if given is None else given)
    name = field.get("label") or field["custom_id"]
    low, high = field.get("min_length") or 0, field.get("max_length") or TEXT_LENGTH
    if not text and field.get("required", True):
        raise ActRefusedError(f"The field {name!r} is required.")
    if text and not low <= len(text) <= high:
        raise ActRefusedError(f"The field {name!r} has {len(text)} characters; it takes {low} to {high}.")
    return text


def _several(field: Json, chosen: list[str]) -> list[str]:
    required = field.get("required", True)
    low, high = field.get("min_values", 1), field.get("max_values", 1)
    if not (low if required else 0) <= len(chosen) <= high:
        raise ActRefusedError(f"The field {field['custom_id']!r} takes {low} to {high} values, not {len(chosen)}.")
    offered = [option["value"] for option in field.get("options") or []]
    if offered and (wrong := [value for value in chosen if value not in offered]):
        raise ActRefusedError(f"{wrong[0]!r} is not offered; choices are {', '.join(offered)}.")
    return chosen


def _defaults(field: Json, nothing: Any) -> Any:
    chosen = [option["value"] for option in field.get("options") or [] if option.get("default")]
    if isinstance(nothing, list):
        return chosen
    return chosen[0] if chosen else nothing
