"""The settings of an engine as lines people write, `name = value`: prefilled, read back, and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.domain.engines import Engine, Kind, Parameter, Setting, Value
from bot.errors import InvalidRequest

_YES, _NO = frozenset({"yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})
#: What a random number is written as.
RANDOM = "random"


def lines_of(engine: Engine, chosen: Mapping[str, Value] | None = None) -> str:
    """Every setting on a line of its own, as it stands or as `chosen`."""
    given = chosen or {}
    return "\n".join(f"{one.name} = {_written(one, given.get(one.name, one.default))}" for one in engine.parameters)


def read_lines(engine: Engine, text: str) -> dict[str, Value]:
    """Read such lines; an empty value, or `random`, leaves a setting out. Raises `InvalidRequest` naming the line."""
    found: dict[str, Value] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, written = (part.strip() for part in line.partition("="))
        parameter = engine.parameter(name)
        if not sign:
            raise _wrong(number, "write it as `name = value`")
        if parameter is None:
            raise _wrong(number, f"{engine.name} has no such setting; there {_there_are(engine)}")
        if name in found:
            raise _wrong(number, f"`{name}` is there twice")
        if not written or (parameter.random and written.casefold() == RANDOM):
            continue
        found[name] = _value(parameter, written, number)
    return found


def settled(engine: Engine, chosen: Mapping[str, Value], *, inputs: Sequence[str], draw: int) -> Iterator[Setting]:
    """What is sent: what was chosen, the defaults of the rest, `draw` for what is random.

    What counts only with, or only without, a file that was (not) handed in is left out.
    """
    for parameter in engine.parameters:
        if parameter.only_with and parameter.only_with not in inputs:
            continue
        if parameter.only_without and parameter.only_without in inputs:
            continue
        value = chosen.get(parameter.name, draw if parameter.random else parameter.default)
        if value is not None:
            yield Setting(name=parameter.name, value=value)


def _written(parameter: Parameter, value: Value | None) -> str:
    if value is None:
        return RANDOM if parameter.random else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(parameter: Parameter, written: str, number: int) -> Value:
    value = _parsed(parameter.kind, written)
    if value is None:
        raise _wrong(number, f"`{parameter.name}` is a {parameter.kind.value}; I can't read one there")
    if parameter.allowed and value not in parameter.allowed:
        choices = ", ".join(f"`{_written(parameter, one)}`" for one in parameter.allowed)
        raise _wrong(number, f"`{parameter.name}` is one of {choices}")
    low, high = parameter.lowest, parameter.highest
    if isinstance(value, (int, float)) and not (value if low is None else low) <= value <= (
        value if high is None else high
    ):
        raise _wrong(number, f"`{parameter.name}` goes {_range(low, high)}")
    return value


def _parsed(kind: Kind, written: str) -> Value | None:
    try:
        match kind:
            case Kind.TEXT:
                return written[:500]
            case Kind.SWITCH:
                word = written.casefold()
                return True if word in _YES else False if word in _NO else None
            case Kind.WHOLE:
                return int(written)
            case Kind.NUMBER:
                value = float(written.replace(",", "."))
                return value if abs(value) < 1e9 else None
    except ValueError:
        return None


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"up to {high:g}" if high is not None else f"from {low:g} on"
    return f"from {low:g} to {high:g}"


def _there_are(engine: Engine) -> str:
    names = ", ".join(f"`{one.name}`" for one in engine.parameters)
    return f"are {names}" if names else "are none at all"


def _wrong(number: int, what: str) -> InvalidRequest:
    return InvalidRequest(user_message=f"Line {number} of the settings: {what}.")
