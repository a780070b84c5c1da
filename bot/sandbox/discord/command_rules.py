"""What an application command may look like (Discord docs, "Application Commands")."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from .errors import FormErrors
from .model import Json

#: Commands of each type that may stand in one place.
COUNTS: Final = {1: 100, 2: 15, 3: 15, 4: 1}
TOTAL: Final = 8000
OPTIONS: Final = 25
CHOICES: Final = 25

_SUBCOMMAND, _GROUP = 1, 2
_STRING, _INTEGER, _NUMBER = 3, 4, 10
_CLASSES: Final = ((0x0900, 0x097F), (0xA8E0, 0xA8FF), (0x0E00, 0x0E7F))


def good_name(name: str) -> bool:
    r"""Say whether a name matches `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$` and is lower case."""

    def good(letter: str) -> bool:
        in_script = any(low <= ord(letter) <= high for low, high in _CLASSES)
        return letter in "-_'" or unicodedata.category(letter)[0] in "LN" or in_script

    return 1 <= len(name) <= 32 and all(map(good, name)) and name == name.lower()


def check_command(errors: FormErrors, command: Json, path: str = "") -> None:
    """Note what is wrong with one command."""
    kind = command.get("type") or 1
    at = f"{path}." if path else ""
    name = str(command.get("name") or "")
    errors.length(f"{at}name", name, 1, 32)
    if kind == 1:
        if name and not good_name(name):
            errors.add(f"{at}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        errors.length(f"{at}description", command.get("description"), 1, 100)
    elif command.get("description") or command.get("options"):
        code = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_OR_OPTIONS"
        errors.add(f"{at}description", code, "Context menu commands cannot have description or options")
    if kind not in COUNTS:
        errors.choices(f"{at}type", "1, 2, 3, 4")
    _check_options(errors, command.get("options") or [], f"{at}options", depth=0)
    if text_total(command) > TOTAL:
        errors.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({TOTAL})")


def check_all(errors: FormErrors, commands: list[Any]) -> None:
    """Note what is wrong with commands that are to stand in one place together."""
    seen: set[tuple[int, str]] = set()
    counts = dict.fromkeys(COUNTS, 0)
    for place, command in enumerate(commands):
        check_command(errors, command, str(place))
        key = (command.get("type") or 1, str(command.get("name")))
        if key in seen:
            code = "APPLICATION_COMMANDS_DUPLICATE_NAME"
            errors.add(f"{place}.name", code, "Application command names must be unique")
        seen.add(key)
        counts[key[0]] = counts.get(key[0], 0) + 1
    for kind, count in counts.items():
        if count > COUNTS.get(kind, 0):
            sentence = f"Maximum number of application commands of type {kind} reached ({COUNTS.get(kind, 0)})."
            errors.add("", "APPLICATION_COMMAND_MAX", sentence)


def text_total(node: Json) -> int:
    """Return the characters of all names, descriptions and values of a command or an option."""
    total = len(str(node.get("name") or "")) + len(str(node.get("description") or ""))
    for choice in node.get("choices") or []:
        total += len(str(choice.get("name") or "")) + len(str(choice.get("value", "")))
    return total + sum(text_total(option) for option in node.get("options") or [])


def _check_options(errors: FormErrors, options: list[Json], path: str, *, depth: int) -> None:
    if len(options) > OPTIONS:
        errors.length(path, options, 0, OPTIONS)
    _check_order(errors, options, path)
    for place, option in enumerate(options):
        at, kind = f"{path}.{place}", option.get("type")
        name = str(option.get("name") or "")
        errors.length(f"{at}.name", name, 1, 32)
        if name and not good_name(name):
            errors.add(f"{at}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        errors.length(f"{at}.description", option.get("description"), 1, 100)
        if kind in {_SUBCOMMAND, _GROUP}:
            if depth > 1 or (kind == _GROUP and depth > 0):
                errors.add(f"{at}.type", "APPLICATION_COMMAND_OPTIONS_NESTED", "Sub-commands are nested too deep")
            _check_options(errors, option.get("options") or [], f"{at}.options", depth=depth + 1)
        elif kind not in range(3, 12):
            errors.choices(f"{at}.type", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11")
        else:
            _check_value_rules(errors, option, at)


def _check_order(errors: FormErrors, options: Iterable[Json], path: str) -> None:
    seen: set[str] = set()
    optional = False
    kinds = {option.get("type") in {_SUBCOMMAND, _GROUP} for option in options}
    if len(kinds) > 1:
        code = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
        errors.add(path, code, "Sub-command and sub-command group option types are mutually exclusive to other types")
    for place, option in enumerate(options):
        if option.get("name") in seen:
            code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
            errors.add(f"{path}.{place}.name", code, "Option name already exists")
        seen.add(str(option.get("name")))
        if option.get("required") and optional:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            errors.add(f"{path}.{place}", code, "Required options must be placed before non-required options")
        optional = optional or not option.get("required")


def _check_value_rules(errors: FormErrors, option: Json, at: str) -> None:
    choices, kind = option.get("choices") or [], option.get("type")
    if len(choices) > CHOICES:
        errors.length(f"{at}.choices", choices, 0, CHOICES)
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE"
        errors.add(f"{at}.autocomplete", code, "Autocomplete cannot be set to true if choices are present")
    if option.get("autocomplete") and kind not in {_STRING, _INTEGER, _NUMBER}:
        errors.add(
            f"{at}.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE", "This option type has no autocomplete"
        )
    for place, choice in enumerate(choices):
        errors.length(f"{at}.choices.{place}.name", choice.get("name"), 1, 100)
        value = choice.get("value")
        if isinstance(value, str):
            errors.length(f"{at}.choices.{place}.value", value, 1, 100)
        if (kind == _STRING) != isinstance(value, str):
            errors.add(f"{at}.choices.{place}.value", "BASE_TYPE_CONVERT", "The value does not fit the option's type")
    for low, high in (("min_value", "max_value"), ("min_length", "max_length")):
        lowest, highest = option.get(low), option.get(high)
        if lowest is not None and highest is not None and lowest > highest:
            errors.add(f"{at}.{low}", "APPLICATION_COMMAND_OPTIONS_MIN_MAX", f"{low} must not be more than {high}")
