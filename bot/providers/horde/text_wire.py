"""The JSON of the Horde's text side as it arrives; the rules are those of `wire`."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field, field_validator

from bot.providers.horde.wire import Check, Meta, Wire


class TextGeneration(Wire):
    """One delivered text. It has no id of its own."""

    text: str = ""
    model: str = ""
    worker_id: str = ""
    worker_name: str = ""
    #: `ok`, `censored` or `csam`.
    state: str = "ok"
    gen_metadata: tuple[Meta, ...] = ()


class TextStatus(Check):
    """`GET` and `DELETE /generate/text/status/{id}`: counters and texts in one."""

    generations: list[TextGeneration]


class TextAccepted(Wire):
    """202 of `POST /generate/text/async`; `kudos` in there is always 0 and means nothing."""

    id: str = Field(min_length=1)


class ActiveTexts(Wire):
    """Ids of requests that have not expired."""

    text: tuple[str, ...] = ()


class TextUser(Wire):
    """`GET /find_user`, as far as texts go; a shared key is told no more than the public part."""

    active_generations: ActiveTexts | None = None


class TextWorker(Wire):
    """One row of `GET /workers?type=text`."""

    models: list[str]
    max_length: int
    max_context_length: int
    online: bool = True
    maintenance_mode: bool = False
    trusted: bool = False


class TextReference(Wire):
    """One model in the text model reference; it names most models several times, once for each backend."""

    name: str = Field(min_length=1)
    #: 0: not told.
    parameters: int = 0
    baseline: str = ""
    nsfw: bool = False
    style: str = ""
    tags: tuple[str, ...] = ()
    instruct_format: str = ""
    settings: dict[str, float] = Field(default_factory=dict)

    @field_validator("parameters", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return round(value) if isinstance(value, float) and math.isfinite(value) else value

    @field_validator("settings", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        """Keep what is a number; the lists in there (sampler orders) are not ours to use."""
        if not isinstance(value, dict):
            return {}
        return {str(key): one for key, one in value.items() if isinstance(one, (int, float)) and math.isfinite(one)}

    @field_validator("tags", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
