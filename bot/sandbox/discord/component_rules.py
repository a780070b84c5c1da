"""What components a message or a modal may hold (Discord docs, "Component Reference")."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

from .errors import FormErrors
from .model import Json


class ComponentKind(IntEnum):
    """Component types of the API."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS: Final = frozenset({3, 5, 6, 7, 8})
MODAL_FIELDS: Final = frozenset({3, 4, 5, 6, 7, 8, 19, 21, 22, 23})
LINK_STYLE: Final = 5
PREMIUM_STYLE: Final = 6

_MODAL_ONLY: Final = frozenset({4, 18, 19, 21, 22, 23})
_V2_TOP: Final = frozenset({1, 9, 10, 12, 13, 14, 17})
_V2_ONLY: Final = frozenset({9, 10, 11, 12, 13, 14, 17})
_MODAL_TOP: Final = frozenset({1, 10, 18})


def walk(components: Any, path: str = "components") -> Iterator[tuple[str, Json]]:
    """Yield every component with its place in the body, nested ones too."""
    for number, component in enumerate(components if isinstance(components, list) else []):
        if isinstance(component, dict):
            here = f"{path}.{number}"
            yield here, component
            yield from walk(component.get("components"), f"{here}.components")
            for key in ("accessory", "component"):
                if isinstance(component.get(key), dict):
                    yield from walk([component[key]], f"{here}.{key}")


def check_components(errors: FormErrors, components: Any, *, v2: bool, path: str = "components") -> None:
    """Note what is wrong with the components of a message."""
    if not isinstance(components, list):
        errors.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    everything = list(walk(components, path))
    _check_ids(errors, everything)
    for place, component in everything:
        if component.get("type") in _MODAL_ONLY:
            errors.choices(f"{place}.type", "1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17")
        elif component.get("type") in _V2_ONLY and not v2:
            errors.choices(f"{place}.type", "1, 2, 3, 5, 6, 7, 8")
        else:
            _check_one(errors, component, place)
    if v2:
        _check_v2(errors, components, everything, path)
        return
    errors.length(path, components, 0, 5)
    for number, component in enumerate(components):
        if component.get("type") != ComponentKind.ROW:
            errors.choices(f"{path}.{number}.type", "1")


def check_modal(errors: FormErrors, modal: Json) -> None:
    """Note what is wrong with the data of a modal."""
    errors.length("custom_id", modal.get("custom_id"), 1, 100)
    errors.length("title", modal.get("title"), 1, 45)
    components = modal.get("components")
    errors.length("components", components if isinstance(components, list) else [], 1, 5)
    everything = list(walk(components))
    _check_ids(errors, everything)
    for number, component in enumerate(components if isinstance(components, list) else []):
        if component.get("type") not in _MODAL_TOP:
            errors.choices(f"components.{number}.type", "1, 10, 18")
    for place, component in everything:
        kind = component.get("type")
        if kind == ComponentKind.LABEL:
            errors.length(f"{place}.label", component.get("label"), 1, 45)
            errors.length(f"{place}.description", component.get("description"), 0, 100)
            if not isinstance(component.get("component"), dict):
                errors.required(f"{place}.component")
        elif kind == ComponentKind.TEXT_INPUT:
            _check_text_input(errors, component, place)
        elif kind in SELECTS:
            _check_select(errors, component, place)
        elif kind in _V2_ONLY | {ComponentKind.BUTTON} and kind != ComponentKind.TEXT_DISPLAY:
            errors.choices(f"{place}.type", "3, 4, 5, 6, 7, 8, 10, 18, 19, 21, 22, 23")


def _check_ids(errors: FormErrors, everything: list[tuple[str, Json]]) -> None:
    seen: set[str] = set()
    for place, component in everything:
        if (custom_id := component.get("custom_id")) is None:
            continue
        errors.length(f"{place}.custom_id", str(custom_id), 1, 100)
        if custom_id in seen:
            code = "COMPONENT_CUSTOM_ID_DUPLICATED"
            errors.add(f"{place}.custom_id", code, "Component custom id cannot be duplicated")
        seen.add(custom_id)


def _check_one(errors: FormErrors, component: Json, place: str) -> None:
    match component.get("type"):
        case ComponentKind.ROW:
            _check_row(errors, component.get("components") or [], f"{place}.components")
        case ComponentKind.BUTTON:
            _check_button(errors, component, place)
        case kind if kind in SELECTS:
            _check_select(errors, component, place)
        case ComponentKind.SECTION:
            errors.length(f"{place}.components", component.get("components") or [], 1, 3)
            if not component.get("accessory"):
                errors.required(f"{place}.accessory")
        case ComponentKind.TEXT_DISPLAY:
            errors.length(f"{place}.content", component.get("content"), 1, 4000)
        case ComponentKind.MEDIA_GALLERY:
            errors.length(f"{place}.items", component.get("items") or [], 1, 10)
        case ComponentKind.FILE:
            if not str((component.get("file") or {}).get("url", "")).startswith("attachment://"):
                errors.add(f"{place}.file.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('attachment',).")
        case ComponentKind.THUMBNAIL | ComponentKind.SEPARATOR | ComponentKind.CONTAINER:
            pass
        case _:
            errors.choices(f"{place}.type", "1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 17")


def _check_row(errors: FormErrors, inside: list[Json], path: str) -> None:
    errors.length(path, inside, 1, 5)
    if len(inside) > 1 and any(component.get("type") in SELECTS for component in inside):
        errors.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The maximum component width for a row is exceeded")


def _check_button(errors: FormErrors, button: Json, place: str) -> None:
    style, custom_id, url = button.get("style"), button.get("custom_id"), button.get("url")
    if not isinstance(style, int) or not 1 <= style <= PREMIUM_STYLE:
        errors.choices(f"{place}.style", "1, 2, 3, 4, 5, 6")
    elif style != PREMIUM_STYLE:
        wanted, stray, most = ("url", custom_id, 512) if style == LINK_STYLE else ("custom_id", url, 100)
        errors.length(f"{place}.{wanted}", button.get(wanted), 1, most)
        if stray:
            errors.add(
                place,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
    if style != PREMIUM_STYLE and not button.get("label") and not button.get("emoji"):
        errors.add(place, "BUTTON_COMPONENT_INVALID_EMPTY", "A button needs a label or an emoji")
    errors.length(f"{place}.label", button.get("label"), 0, 80)


def _check_select(errors: FormErrors, select: Json, place: str) -> None:
    errors.length(f"{place}.custom_id", select.get("custom_id"), 1, 100)
    errors.length(f"{place}.placeholder", select.get("placeholder"), 0, 150)
    low, high = select.get("min_values"), select.get("max_values")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        errors.add(f"{place}.min_values", "BASE_TYPE_MIN_MAX", "min_values is greater than max_values")
    if select.get("type") != ComponentKind.STRING_SELECT:
        return
    options = select.get("options") or []
    errors.length(f"{place}.options", options, 1, 25)
    seen: set[str] = set()
    for number, option in enumerate(options):
        here = f"{place}.options.{number}"
        errors.length(f"{here}.label", option.get("label"), 1, 100)
        errors.length(f"{here}.value", option.get("value"), 1, 100)
        errors.length(f"{here}.description", option.get("description"), 0, 100)
        if option.get("value") in seen:
            errors.add(
                f"{here}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(option.get("value"))
    if isinstance(high, int) and high > len(options):
        errors.add(f"{place}.max_values", "BASE_TYPE_MAX_VALUES", "max_values is more than there are options")


def _check_text_input(errors: FormErrors, field: Json, place: str) -> None:
    errors.length(f"{place}.custom_id", field.get("custom_id"), 1, 100)
    errors.length(f"{place}.label", field.get("label"), 0, 45)
    errors.length(f"{place}.placeholder", field.get("placeholder"), 0, 100)
    errors.length(f"{place}.value", field.get("value"), 0, min(4000, field.get("max_length") or 4000))
    if field.get("style") not in {1, 2}:
        errors.choices(f"{place}.style", "1, 2")


def _check_v2(errors: FormErrors, top: list[Json], everything: list[tuple[str, Json]], path: str) -> None:
    for number, component in enumerate(top):
        if component.get("type") not in _V2_TOP:
            errors.choices(f"{path}.{number}.type", "1, 9, 10, 12, 13, 14, 17")
    for place, component in everything:
        inside = component.get("components") or []
        if component.get("type") == ComponentKind.CONTAINER and any(
            c.get("type") == ComponentKind.CONTAINER for c in inside
        ):
            errors.choices(f"{place}.components", "1, 9, 10, 12, 13, 14")
    if len(everything) > 40:
        errors.add(path, "BASE_TYPE_MAX_LENGTH", "The total number of components must be 40 or fewer.")
    text = sum(len(str(c.get("content") or "")) for _, c in everything if c.get("type") == ComponentKind.TEXT_DISPLAY)
    if text > 4000:
        errors.add(path, "COMPONENT_MAX_TOTAL_COMPONENT_TEXT", "The total displayable text must be 4000 or fewer.")
