"""The settings of an engine as lines people write, `name = value`: prefilled, read back, and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.domain.engines import Engine, Kind, Parameter, Setting, Value
from bot.errors import InvalidRequest

_YES, _NO = frozenset({"yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})
#: What a random number is written as.
RANDOM = "random"
#: Longest text that a setting takes.
LONGEST_TEXT = 500
#: Faults that are told at once; more than these are no slips any more.
MOST_FAULTS = 8
#: What begins the remark behind a value, which says what else it may be.
NOTE = "#"


def lines_of(engine: Engine, chosen: Mapping[str, Value] | None = None) -> str:
    """Every setting on a line of its own, as it stands or as `chosen`, with what it may be behind it."""
    given = chosen or {}
    return "\n".join(_line(one, given.get(one.name, one.default)) for one in engine.parameters)


def read_lines(engine: Engine, text: str) -> dict[str, Value]:
    """Read such lines; an empty value, or `random`, leaves a setting out.

    Raises one `InvalidRequest` that names every line with a fault.
    """
    found: dict[str, Value] = {}
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(NOTE):
            continue
        try:
            _read_line(engine, line, found)
        except _LineError as fault:
            faults.append(f"Line {number} of the settings: {fault}.")
    if faults:
        over = len(faults) - MOST_FAULTS
        more = [f"And {over} more like these."] if over > 0 else []
        raise InvalidRequest(user_message="\n".join((*faults[:MOST_FAULTS], *more)))
    return found


class _LineError(Exception):
    """What is wrong with a line."""


def _read_line(engine: Engine, line: str, found: dict[str, Value]) -> None:
    """Put what a line sets into `found`. Raises `_LineError`."""
    name, sign, written = (part.strip() for part in line.partition("="))
    parameter = engine.parameter(name)
    if not sign:
        raise _LineError("write it as `name = value`")
    if parameter is None:
        raise _LineError(f"{engine.name} has no such setting; there {_there_are(engine)}")
    if name in found:
        raise _LineError(f"`{name}` is there twice")
    written = _without_note(parameter, written)
    if not written or (parameter.random and written.casefold() == RANDOM):
        return
    found[name] = _value(parameter, written)


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


def _line(parameter: Parameter, value: Value | None) -> str:
    line, note = f"{parameter.name} = {_written(parameter, value)}", _note(parameter)
    return f"{line}  {NOTE} {note}" if note else line


def _note(parameter: Parameter) -> str:
    """What a setting may be; empty where anything goes."""
    if parameter.allowed:
        return ", ".join(_written(parameter, one) for one in parameter.allowed)
    if parameter.kind is Kind.SWITCH:
        return "yes, no"
    low, high = parameter.lowest, parameter.highest
    bounds = _range(low, high).removeprefix("from ") if low is not None or high is not None else ""
    return ", or ".join(filter(None, (bounds, RANDOM if parameter.random else "")))


def _without_note(parameter: Parameter, written: str) -> str:
    """The value alone. In a text only the very remark that stood there is one: it may hold the sign itself."""
    if parameter.kind is Kind.TEXT:
        return written.removesuffix(f"{NOTE} {_note(parameter)}").rstrip()
    return written.partition(NOTE)[0].rstrip()


def _written(parameter: Parameter, value: Value | None) -> str:
    if value is None:
        return RANDOM if parameter.random else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(parameter: Parameter, written: str) -> Value:
    if len(written) > LONGEST_TEXT:
        raise _LineError(f"`{parameter.name}` takes up to {LONGEST_TEXT} characters; these are {len(written)}")
    value = _parsed(parameter.kind, written)
    if value is None:
        raise _LineError(f"`{parameter.name}` is a {parameter.kind.value}; I can't read one there")
    if parameter.allowed and value not in parameter.allowed:
        choices = ", ".join(f"`{_written(parameter, one)}`" for one in parameter.allowed)
        raise _LineError(f"`{parameter.name}` is one of {choices}")
    low, high = parameter.lowest, parameter.highest
    if isinstance(value, (int, float)) and not (value if low is None else low) <= value <= (
        value if high is None else high
    ):
        raise _LineError(f"`{parameter.name}` goes {_range(low, high)}")
    return value


def _parsed(kind: Kind, written: str) -> Value | None:
    try:
        match kind:
            case Kind.TEXT:
                return written
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
        return f"up to {_figure(high)}" if high is not None else f"from {_figure(low)} on"
    return f"from {_figure(low)} to {_figure(high)}"


def _figure(number: float | None) -> str:
    """A bound as people write numbers: a million is no 1e+06."""
    return "" if number is None else f"{number:.0f}" if number == round(number) else f"{number:g}"


def _there_are(engine: Engine) -> str:
    names = ", ".join(f"`{one.name}`" for one in engine.parameters)
    return f"are {names}" if names else "are none at all"
