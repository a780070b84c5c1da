"""The Horde's JSON as it arrives. Extra keys pass, null means left out, a missing or odd one is a `ProtocolError`.

Fields that decide something are required; the rest have the value that means "not told", for hordes of other versions.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import ProtocolError

ModelT = TypeVar("ModelT", bound="Wire")


class Wire(BaseModel):
    """Base of everything that arrives."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_told(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class Accepted(Wire):
    """202 of `POST /generate/async`."""

    id: str = Field(min_length=1)
    #: The price of ONE image before the model's factor (server 5.1.5).
    kudos: float | None = None


class Check(Wire):
    """`GET /generate/check/{id}`."""

    waiting: int
    processing: int
    finished: int
    done: bool
    faulted: bool
    restarted: int = 0
    is_possible: bool = True
    queue_position: int = 0
    wait_time: float = 0
    kudos: float | None = None


class Meta(Wire):
    """One entry of `gen_metadata`: an open set of words."""

    type: str
    value: str = ""
    ref: str | None = None


class Generation(Wire):
    """One delivered image."""

    id: str = Field(min_length=1)
    #: A signed link (or base64, or `N/A`).
    img: str = ""
    seed: str = ""
    censored: bool = False
    model: str = ""
    worker_name: str = ""
    gen_metadata: list[Meta] = []


class Status(Check):
    """`GET` and `DELETE /generate/status/{id}`."""

    generations: list[Generation]


class FormStatus(Wire):
    """One form of an alchemy status."""

    form: str = Field(min_length=1)
    state: str
    #: Whatever the worker sent, under the form's name.
    result: Any = None


class AlchemyStatus(Wire):
    """`GET` and `DELETE /interrogate/status/{id}`."""

    #: Rows of `FormStatus`, in any order; read one by one, so that an odd one does not spoil the rest.
    forms: list[Any]


class Alchemist(Wire):
    """One row of `GET /workers?type=interrogation`."""

    online: bool = True
    maintenance_mode: bool = False
    forms: list[str] = []


class Performance(Wire):
    """What we read of `GET /status/performance`."""

    #: Alchemists online.
    interrogator_count: int


class ActiveModel(Wire):
    """One row of `GET /status/models`."""

    name: str = Field(min_length=1)
    #: Worker threads online.
    count: int = 0
    #: Seconds; 10000 when nobody serves it.
    eta: float = 0


class Active(Wire):
    """Ids of requests that have not expired."""

    image: list[str] = []


class User(Wire):
    """`GET /find_user`; a shared key is told no more than the public part."""

    username: str
    id: int
    kudos: float = 0
    concurrency: int = 30
    trusted: bool = False
    active_generations: Active | None = None


class Heartbeat(Wire):
    """`GET /status/heartbeat`."""

    message: str
    version: str = ""


class Requirements(Wire):
    """What a model wants its parameters to be; all optional."""

    min_steps: int | None = None
    max_steps: int | None = None
    cfg_scale: float | None = None
    min_cfg_scale: float | None = None
    max_cfg_scale: float | None = None
    clip_skip: int | None = None
    samplers: list[str] = []
    schedulers: list[str] = []


class Reference(Wire):
    """One model in the image model reference."""

    name: str = Field(min_length=1)
    baseline: str = ""
    nsfw: bool = False
    inpainting: bool = False
    style: str = ""
    trigger: list[str] = []
    requirements: Requirements = Requirements()


def parse(model: type[ModelT], data: Any) -> ModelT:
    """Read `data` as `model`. Raises `ProtocolError` with the path of the first problem (never the value)."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or "$"
        raise ProtocolError(f"{model.__name__}: {first['msg']}", path=path) from None


def parse_rows(model: type[ModelT], rows: Any) -> list[ModelT]:
    """Read a list whose rows are independent: odd ones are left out. Raises `ProtocolError` when it is no list."""
    if not isinstance(rows, list):
        raise ProtocolError(f"list of {model.__name__}: not a list", path="$")
    good = []
    for row in rows:
        try:
            good.append(model.model_validate(row))
        except ValidationError:
            continue
    return good
