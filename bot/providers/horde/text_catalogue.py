"""Which text models there are, who serves them within which limits, and which one to take when nobody chose.

Answers come from memory. `refresh` is called once in a while by whoever owns the loop; while it fails the last lists
stay. What a model *is* comes from the text model reference, a public file; until it has been read, and when it can't
be, from `text-models.jsonl` beside this module: a compact copy made in November 2026 from
https://github.com/Haidra-Org/AI-Horde-text-model-reference (`db.json`), one model a line without the backends' copies,
reduced to the fields that `TextReference` reads.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType

from bot.chat.limits import WorkerLimits
from bot.chat.names import same_model_key
from bot.chat.templates import TemplateBook, bundled
from bot.clock import Clock
from bot.errors import InvalidRequest
from bot.providers.horde.naming import close_names, did_you_mean, folded
from bot.providers.horde.text_client import HordeTextClient
from bot.providers.horde.text_models import Known, TextModel, best, join
from bot.providers.horde.text_wire import TextReference, TextWorker
from bot.providers.horde.wire import ActiveModel
from bot.providers.outages import Outages

log = logging.getLogger(__name__)

#: The reference changes a few times a month; when it cannot be read it is asked for again sooner. Seconds.
REFERENCE_EVERY, REFERENCE_RETRY = 24 * 3600.0, 600.0
#: Suggestions that Discord shows at once.
MAX_CHOICES = 25
_NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})


class TextCatalogue:
    """The Horde's text models, answered from memory."""

    def __init__(
        self,
        client: HordeTextClient,
        clock: Clock,
        *,
        book: TemplateBook | None = None,
        overrides: Mapping[str, str] = _NO_OVERRIDES,
        pinned: Sequence[str] = (),
    ) -> None:
        """Take the parts; `overrides` (model name to template) and `pinned` (favourites) are the operator's."""
        self._client = client
        self._clock = clock
        #: The templates that models are resolved to.
        self.book = book or bundled()
        self._overrides = dict(overrides)
        self._pinned = tuple(pinned)
        self._reference = _by_key(bundled_reference())
        self._active: dict[str, ActiveModel] = {}
        self._limits: dict[str, tuple[WorkerLimits, ...]] = {}
        self._models: tuple[TextModel, ...] = ()
        self._reference_due = clock.monotonic()
        self._live = False
        self._outages = Outages(log, action="catalogue")

    @property
    def live(self) -> bool:
        """Whether a list of who serves what has ever arrived."""
        return self._live

    async def refresh(self) -> None:
        """Ask anew, keeping what is known where that fails; never raises a `ProviderError`."""
        rows = await self._outages.asked("list of text models", self._client.models)
        if rows is not None:
            self._active = {row.name: row for row in rows}
            self._live = True
        self._rebuild()
        workers = await self._outages.asked("list of text workers", self._client.workers)
        if workers is not None:
            self._limits = _limits_of(workers)
        self._rebuild()
        if self._clock.monotonic() >= self._reference_due:
            await self._refresh_reference()
            self._rebuild()

    def models(self) -> Sequence[TextModel]:
        """Return the models that somebody serves or waits for, most workers first; none before the first list."""
        return self._models

    def info(self, name: str) -> TextModel:
        """Describe a model by any of its exact names, as well as can be told when nobody serves it."""
        found = next((model for model in self._models if name in model.names), None)
        return found or self._joined([name])[0]

    def choose(self, *, nsfw: bool = False) -> TextModel | None:
        """Choose for somebody who did not; None when nobody serves anything that talks."""
        return best(self._models, nsfw=nsfw, pinned=self._pinned)

    def find(self, text: str, *, nsfw: bool = True) -> TextModel:
        """Return the model a person means: an exact name or title in any case, else the only one that begins so.

        Raises `InvalidRequest` naming close ones. Without `nsfw` those made for that are not found either.
        """
        wanted, key = folded(text), same_model_key(text)
        known = [model for model in self._models if nsfw or not model.nsfw]
        named = [model for model in known if wanted in {folded(name) for name in model.names}]
        titled = [model for model in known if wanted == folded(model.title) or key == same_model_key(model.name)]
        if named or titled:
            return (named or titled)[0]
        beginning = [model for model in known if wanted and folded(model.title).startswith(wanted)]
        if len(beginning) == 1:
            return beginning[0]
        close = close_names(wanted, [model.title for model in beginning or known])
        question = did_you_mean(text, close, kind="text model", command="/ask model:")
        raise InvalidRequest("unknown text model", user_message=question)

    def choices(self, typed: str = "", *, nsfw: bool = True, limit: int = MAX_CHOICES) -> Sequence[TextModel]:
        """Suggest models for what somebody typed so far: served ones first, those that begin so before the others."""
        wanted = folded(typed)
        known = [model for model in self._models if nsfw or not model.nsfw]
        fitting = [model for model in known if all(word in folded(model.title) for word in wanted.split())]
        fitting.sort(key=lambda model: (model.workers == 0, not folded(model.title).startswith(wanted)))
        return fitting[:limit]

    async def _refresh_reference(self) -> None:
        rows = await self._outages.asked("text model reference", self._client.reference)
        self._reference_due = self._clock.monotonic() + (REFERENCE_RETRY if rows is None else REFERENCE_EVERY)
        if rows:
            self._reference = _by_key(rows)

    def _rebuild(self) -> None:
        self._models = self._joined(self._active)

    def _joined(self, names: Iterable[str]) -> tuple[TextModel, ...]:
        known = Known(
            active=self._active,
            reference=self._reference,
            limits=self._limits,
            book=self.book,
            overrides=self._overrides,
        )
        return join(names, known)


@cache
def bundled_reference() -> tuple[TextReference, ...]:
    """Read the copy of the reference that ships with Muster."""
    text = resources.files(__package__ or "").joinpath("text-models.jsonl").read_text(encoding="utf-8")
    return tuple(TextReference.model_validate(json.loads(line)) for line in text.splitlines() if line.strip())


def _by_key(rows: Iterable[TextReference]) -> dict[str, TextReference]:
    """Index the reference by what is equal for all names of a model; of several rows one with a label is taken."""
    found: dict[str, TextReference] = {}
    for row in rows:
        key = same_model_key(row.name)
        if key not in found or (row.instruct_format and not found[key].instruct_format):
            found[key] = row
    return found


def _limits_of(workers: Iterable[TextWorker]) -> dict[str, tuple[WorkerLimits, ...]]:
    """Note for every name the limits of the workers that could take a request for it now."""
    found: dict[str, list[WorkerLimits]] = {}
    for worker in workers:
        if not worker.online or worker.maintenance_mode or worker.max_length < 1:
            continue
        limits = WorkerLimits(
            max_length=worker.max_length, max_context=worker.max_context_length, trusted=worker.trusted
        )
        for name in dict.fromkeys(worker.models):
            found.setdefault(name, []).append(limits)
    return {name: tuple(limits) for name, limits in found.items()}
