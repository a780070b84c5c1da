"""OSAIS's JSON as it arrives; extra keys pass, a missing one is a `ProtocolError` that names its path.

Source: stored copies of its documentation and sample application; nothing was tried against the live service.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bot.errors import ProtocolError
from bot.providers.osais.numbers import uid_of

M = TypeVar("M", bound=BaseModel)


def _uid(value: Any) -> str:
    """The number as calls tell it, so that both find the same job."""
    number = uid_of(value)
    if number is None:
        raise ValueError("not a uid")
    return str(number)


def _rows(value: Any) -> Any:
    """What is made so far: absent, one, or a list, either also as text; odd rows, and anything else, are left out."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("filename"), str)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Accepted(_Wire):
    """What a submission is answered."""

    uid: Annotated[str, BeforeValidator(_uid)]


class MadeFile(_Wire):
    """A file as a check lists it."""

    #: An address, of `https:` or (as the AIs write it) of `s3:`.
    filename: str


class Checked(_Wire):
    """What a check shows; only that of a finished request is documented."""

    response: Annotated[list[MadeFile], BeforeValidator(_rows)] = []
    ended_at: Any = None


def parse(model: type[M], data: Any) -> M:
    """Read `data` as `model`. Raises `ProtocolError`, which repeats nothing of it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ProtocolError(first["type"], path=".".join(map(str, first["loc"])) or "data") from None
