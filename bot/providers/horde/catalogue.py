"""Which models there are, who serves them, and which one to take when nobody chose.

Answers come from memory. `refresh` is called once in a while by whoever owns the loop; while it fails the last list
stays. What a model *is* comes from the image model reference, a public file; until it has been read, and when it
can't be, from `image-models.jsonl` beside this module: a compact copy made in November 2026 from
https://github.com/Haidra-Org/AI-Horde-image-model-reference (`stable_diffusion.json`), one model a line, reduced to
the fields that `wire.Reference` reads.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import resources

from bot.clock import Clock
from bot.errors import InvalidRequest
from bot.providers.base import ModelInfo
from bot.providers.horde.client import HordeClient
from bot.providers.horde.naming import close_names, did_you_mean, folded
from bot.providers.horde.suitability import model_info
from bot.providers.horde.wire import ActiveModel, Reference
from bot.providers.outages import Outages

log = logging.getLogger(__name__)

#: The reference changes a few times a month; when it cannot be read it is asked for again sooner. Seconds.
REFERENCE_EVERY, REFERENCE_RETRY = 6 * 3600.0, 600.0
#: General, but raw: nobody should get these without having chosen them while something better is served.
_DATED = frozenset({"stable_diffusion", "stable_diffusion_2.0", "stable_diffusion_2.1", "SDXL 1.0"})
#: Taken when nothing is known of who serves what.
FAVOURITE = "AlbedoBase XL (SDXL)"


class Catalogue:
    """The Horde's image models, answered from memory."""

    def __init__(self, client: HordeClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._reference: dict[str, Reference] = _by_name(bundled())
        self._active: dict[str, ActiveModel] = {}
        self._models: tuple[ModelInfo, ...] = ()
        self._unserved: tuple[ModelInfo, ...] = ()
        self._reference_due = clock.monotonic()
        self._live = False
        self._outages = Outages(log, action="catalogue")
        self._rebuild()

    @property
    def live(self) -> bool:
        """Whether a list of who serves what has ever arrived."""
        return self._live

    async def refresh(self) -> None:
        """Ask anew, keeping what is known where that fails; never raises a `ProviderError`."""
        rows = await self._outages.asked("list of models", self._client.models)
        if rows is not None:
            self._active = {row.name: row for row in rows}
            self._live = True
        self._rebuild()
        if self._clock.monotonic() >= self._reference_due:
            await self._refresh_reference()
            self._rebuild()

    def models(self) -> Sequence[ModelInfo]:
        """Return the models, most workers first; before the first live list, the bundled ones without workers."""
        return self._models

    def unserved(self) -> Sequence[ModelInfo]:
        """Return the known models that are not among `models()`, by name: nobody serves them at the moment."""
        return self._unserved

    def info(self, name: str) -> ModelInfo:
        """Describe a model by its exact name, as well as can be told when it is unknown."""
        return model_info(self._reference.get(name) or Reference(name=name), self._active.get(name))

    def default_model(self, *, nsfw: bool = False) -> ModelInfo:
        """Return the model most workers serve among good general ones; `nsfw` admits those made for that too."""
        served = [model for model in self._models if model.workers > 0 and (nsfw or not model.nsfw)]
        tests: tuple[Callable[[ModelInfo], bool], ...] = (
            lambda model: model.generalist and model.name not in _DATED,
            lambda model: model.generalist,
            lambda model: not self._inpainting(model.name),
        )
        for good in tests:
            fitting = [model for model in served if good(model)]
            if fitting:
                return max(fitting, key=lambda model: (model.workers, model.native, -model.eta, model.name))
        return self.info(FAVOURITE)

    def find(self, text: str) -> ModelInfo:
        """Return the model a person means: exact name in any case, else the only one that begins so.

        Raises `InvalidRequest` naming close ones.
        """
        wanted = folded(text)
        exact = next((model for model in (*self._models, *self._unserved) if folded(model.name) == wanted), None)
        if exact is not None:
            return exact
        beginning = [model for model in self._models if wanted and folded(model.name).startswith(wanted)]
        if len(beginning) == 1:
            return beginning[0]
        close = close_names(wanted, [model.name for model in beginning or self._models])
        question = did_you_mean(text, close, kind="model", command="/imagine model:")
        raise InvalidRequest("unknown model", user_message=question)

    def _inpainting(self, name: str) -> bool:
        known = self._reference.get(name)
        return known.inpainting if known else "inpaint" in name.lower()

    async def _refresh_reference(self) -> None:
        rows = await self._outages.asked("image model reference", self._client.reference)
        self._reference_due = self._clock.monotonic() + (REFERENCE_RETRY if rows is None else REFERENCE_EVERY)
        if rows:
            self._reference = _by_name(rows)

    def _rebuild(self) -> None:
        names: Iterable[str] = self._active if self._live else self._reference
        models = (self.info(name) for name in names)
        self._models = tuple(sorted(models, key=lambda model: (-model.workers, model.eta, model.name.lower())))
        missing = (self.info(name) for name in sorted(self._reference, key=str.lower) if name not in self._active)
        self._unserved = tuple(missing) if self._live else ()


@cache
def bundled() -> tuple[Reference, ...]:
    """Read the copy of the reference that ships with Muster."""
    text = resources.files(__package__ or "").joinpath("image-models.jsonl").read_text(encoding="utf-8")
    return tuple(Reference.model_validate(json.loads(line)) for line in text.splitlines() if line.strip())


def _by_name(rows: Iterable[Reference]) -> dict[str, Reference]:
    return {row.name: row for row in rows}
