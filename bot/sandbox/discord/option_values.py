"""What Discord's client checks before a slash command is sent: the command exists here, every option fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import ActRefusedError
from .model import Json

SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11

#: Option types whose value names a thing, and where it is resolved.
THINGS: Final = {USER: "users", CHANNEL: "channels", ROLE: "roles", MENTIONABLE: "users", ATTACHMENT: "attachments"}
#: JavaScript's safe integers, the only ones Discord takes.
SAFE: Final = 2**53 - 1
STRING_LENGTH: Final = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command as a person typed it: the path of its names and the values that were checked."""

    command: Json
    path: tuple[str, ...] = ()
    #: The options of the command or subcommand that is meant.
    options: list[Json] = field(default_factory=list)

    def nested(self, values: list[Json]) -> list[Json]:
        """Put the values under the subcommand that they belong to."""
        inside, level = values, self.command.get("options") or []
        kinds = []
        for name in self.path:
            option = next(option for option in level if option["name"] == name)
            kinds.append(option["type"])
            level = option.get("options") or []
        for name, kind in zip(reversed(self.path), reversed(kinds), strict=True):
            inside = [{"name": name, "type": kind, "options": inside}]
        return inside


def find_call(commands: Mapping[str, Json], typed: str) -> Call:
    """Find what "/group sub" or "/command" means; `ActRefusedError` says what is known instead."""
    words = typed.strip().lstrip("/").split()
    command = commands.get(words[0]) if words else None
    if command is None:
        known = ", ".join(f"/{name}" for name in sorted(commands)) or "none"
        raise ActRefusedError(f"There is no command {typed!r} here. Known: {known}.")
    options = command.get("options") or []
    path = []
    for word in words[1:]:
        found = next((o for o in options if o["type"] in {SUBCOMMAND, GROUP} and o["name"] == word), None)
        if found is None:
            raise ActRefusedError(f"/{words[0]} has no subcommand {word!r}.")
        path.append(word)
        options = found.get("options") or []
    if any(option["type"] in {SUBCOMMAND, GROUP} for option in options):
        names = ", ".join(option["name"] for option in options)
        raise ActRefusedError(f"/{' '.join(words)} needs one of its subcommands: {names}.")
    return Call(command=command, path=tuple(path), options=options)


def check_values(call: Call, given: Mapping[str, Any], *, partial: str | None = None) -> list[Json]:
    """Return the options as Discord sends them, or `ActRefusedError` with what does not fit.

    With `partial` (autocomplete) only what is given is sent, the named option marked as focused and not checked.
    """
    known = {option["name"]: option for option in call.options}
    if unknown := [name for name in given if name not in known]:
        raise ActRefusedError(f"There is no option {unknown[0]!r}; known: {', '.join(known) or 'none'}.")
    sent: list[Json] = []
    for name, option in known.items():
        if name not in given or given[name] is None:
            if option.get("required") and partial is None:
                raise ActRefusedError(f"The option {name!r} is required.")
            continue
        if name == partial:
            sent.append({"name": name, "type": option["type"], "value": str(given[name]), "focused": True})
        else:
            sent.append({"name": name, "type": option["type"], "value": checked(option, given[name])})
    return sent


def checked(option: Json, value: Any) -> Any:
    """Return the value of one option if it fits (numbers may come as text), else `ActRefusedError`."""
    kind, name = option["type"], option["name"]
    match kind:
        case 3:
            value = _string(option, value)
        case 4 | 10:
            value = _number(option, value)
        case 5:
            if not isinstance(value, bool):
                raise ActRefusedError(f"{name!r} is true or false, not {value!r}.")
        case _:
            value = str(value)
    allowed = [choice["value"] for choice in option.get("choices") or []]
    if allowed and value not in allowed:
        by_name = {choice["name"]: choice["value"] for choice in option["choices"]}
        if value not in by_name:
            raise ActRefusedError(f"{name!r} is one of {', '.join(map(str, allowed))}, not {value!r}.")
        value = by_name[value]
    return value


def _string(option: Json, value: Any) -> str:
    name = option["name"]
    if not isinstance(value, str):
        raise ActRefusedError(f"{name!r} is text, not {value!r}.")
    low, high = option.get("min_length") or 0, option.get("max_length") or STRING_LENGTH
    if not low <= len(value) <= high:
        raise ActRefusedError(f"{name!r} has {len(value)} characters; it takes {low} to {high}.")
    return value


def _number(option: Json, value: Any) -> int | float:
    name, whole = option["name"], option["type"] == INTEGER
    try:
        number = int(str(value)) if whole else float(value)
    except (TypeError, ValueError):
        raise ActRefusedError(f"{name!r} is a {'whole ' if whole else ''}number, not {value!r}.") from None
    low = option["min_value"] if option.get("min_value") is not None else -SAFE
    high = option["max_value"] if option.get("max_value") is not None else SAFE
    if isinstance(value, bool) or not low <= number <= high:
        raise ActRefusedError(f"{name!r} is {value}; it takes {low} to {high}.")
    return number
