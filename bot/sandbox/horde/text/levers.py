"""What a test may do to the text side of the horde; `POST /sandbox/horde/text` calls the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.levers import accounted
from bot.sandbox.horde.requests import Censorship
from bot.sandbox.horde.text.catalogue import check_family
from bot.sandbox.horde.text.floor import TextFloor
from bot.sandbox.horde.text.generator import Quirk
from bot.sandbox.horde.text.requests import TextJob, TextRequest, TextState
from bot.sandbox.horde.text.scribes import Scribe
from bot.sandbox.horde.text.world import TextWorld

#: What may be changed of a worker.
FEATURES = frozenset(
    {
        "tokens_per_second",
        "max_length",
        "max_context_length",
        "trusted",
        "online",
        "paused",
        "maintenance",
        "ignores_stops",
        "threads",
    }
)


class TextLevers:
    """Operations on the text world between the calls of its users; `changed` lets views and workers see it at once."""

    def __init__(self, text: TextWorld, floor: TextFloor, changed: Callable[[], None]) -> None:
        self._text = text
        self._floor = floor
        self._changed = changed

    # --- workers and queue ---------------------------------------------------------------------------------------

    def set_workers(self, names: Iterable[str] | None = None, **features: float | bool) -> list[Scribe]:
        """Change features of the workers named (default: all of them)."""
        unknown = set(features) - FEATURES
        if unknown:
            raise ValueError(f"a text worker has no {', '.join(sorted(unknown))}")
        wanted = None if names is None else set(names)
        chosen = [scribe for scribe in self._text.hall.scribes if wanted is None or scribe.name in wanted]
        for scribe in chosen:
            for name, value in features.items():
                setattr(scribe, name, value)
        self._changed()
        return chosen

    def add_worker(
        self,
        models: Iterable[str],
        *,
        name: str | None = None,
        family: str | None = None,
        **features: float | bool,
    ) -> Scribe:
        """Let one more worker join; `family` is the chat format its models were taught, if unknown."""
        models = list(models)
        if family is not None:
            self._text.hall.families |= dict.fromkeys(models, check_family(family))
        scribe = self._text.hall.add(models, name=name)
        self.set_workers([scribe.name], **features)
        return scribe

    def keep_only(self, *names: str) -> None:
        """Send home every worker but those named."""
        self._text.hall.scribes[:] = [scribe for scribe in self._text.hall.scribes if scribe.name in names]
        self._changed()

    def set_model(self, name: str, count: int) -> None:
        """Have exactly `count` workers serve the model; 0: nobody."""
        self._text.hall.serve(name, count)
        self._changed()

    def set_queue(self, length: int) -> None:
        """Keep `length` texts of other people waiting from now on."""
        self._text.background_length = length
        self._floor.invite_strangers()
        self._changed()

    def set_crowd(self, workers: int) -> None:
        """Have so many more workers in the list (about 700 bytes each) who serve nobody."""
        self._text.crowd = workers
        self._changed()

    def set_impossible(self, on: bool = True) -> None:
        """Have no worker able to serve anything: `is_possible` turns false at each request's next verdict."""
        self._text.impossible = on
        self._changed()

    # --- mishaps -------------------------------------------------------------------------------------------------

    def fault_next(self, count: int = 1) -> None:
        """The next `count` jobs of real requests fault at once; they go back to the queue each time."""
        self._text.plans.faults = count

    def silence_next(self, count: int = 1) -> None:
        """The next `count` jobs are never answered: they return after 150 s and a sweep."""
        self._text.plans.silences = count

    def censor_next(self, count: int = 1, kind: Censorship | str = Censorship.NSFW) -> None:
        """The next `count` texts are withheld: state `censored` for `nsfw`, state `csam` for `csam`."""
        self._text.plans.censor(count, kind)

    def quirk_next(self, quirk: Quirk | str, count: int = 1) -> None:
        """The next `count` answers have this untidiness; kinds add up in the order given."""
        self._text.plans.quirks.extend([Quirk(quirk)] * count)

    def set_quirks(self, on: bool) -> None:
        """Whether answers are untidy now and then without being asked to."""
        self._text.quirky = on

    def close_queue(self) -> None:
        """Drop what waits, as maintenance does."""
        for request in self._text.requests.values():
            request.close()

    def expire(self, request_id: str) -> None:
        """Have the horde forget a request now."""
        request = self.request(request_id)
        request.release_hold()
        del self._text.requests[request.id]

    def request(self, request_id: str) -> TextRequest:
        """The request with that id; a 404 `HordeError` when it is gone."""
        found = self._text.requests.get(request_id)
        if found is None:
            raise HordeError(404, f"No text request {request_id!r}.")
        return found

    # --- all of it in one call -----------------------------------------------------------------------------------

    def apply(self, body: dict[str, Any]) -> dict[str, object]:
        """What `POST /sandbox/horde/text` does: every key is one lever; answers the state afterwards."""
        levers: dict[str, Callable[[Any], object]] = {
            "workers": lambda value: self.set_workers(**value),
            "worker": lambda value: self.add_worker(**value),
            "keep_only": lambda value: self.keep_only(*value),
            "model": lambda value: self.set_model(**value),
            "queue": self.set_queue,
            "crowd": self.set_crowd,
            "impossible": self.set_impossible,
            "paused": lambda value: self.set_workers(paused=value),
            "fault": self.fault_next,
            "silence": self.silence_next,
            "censor": lambda value: self.censor_next(value, body.get("kind", Censorship.NSFW)),
            "quirks": self.set_quirks,
            "expire": self.expire,
            "kind": lambda _: None,
            **{quirk.value: partial(self.quirk_next, quirk) for quirk in Quirk},
        }
        unknown = set(body) - set(levers)
        if unknown:
            raise ValueError(f"no such lever: {', '.join(sorted(unknown))}")
        for name, value in body.items():
            levers[name](value)
        return self.state()

    # --- looking on ----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        """Everything of interest, for the control API and for tests that print it."""
        text = self._text
        return {
            "impossible": text.impossible,
            "background_length": text.background_length,
            "crowd": text.crowd,
            "waiting": text.waiting_texts(),
            "workers": [_worker_state(scribe) for scribe in text.hall.scribes],
            "requests": [_request_state(request) for request in text.own_requests()],
        }


def _worker_state(scribe: Scribe) -> dict[str, object]:
    features = {name: getattr(scribe, name) for name in sorted(FEATURES)}
    return {"id": scribe.id, "name": scribe.name, "models": list(scribe.models), "busy": scribe.busy, **features}


def _request_state(request: TextRequest) -> dict[str, object]:
    order = request.order
    return {
        **accounted(request),
        "prompt": order.prompt,
        "models": list(order.models),
        "n": order.n,
        "max_length": order.max_length,
        "max_context_length": order.max_context_length,
        "stop_sequence": list(order.stop_sequence),
        "webhook": order.webhook,
        "jobs": [_job_state(job) for job in request.jobs],
    }


def _job_state(job: TextJob) -> dict[str, object]:
    return {
        "id": job.id,
        "state": job.state.value,
        "worker": job.scribe.name,
        "model": job.model,
        "family": job.family,
        "understood": job.understood,
        "looks_like": job.looks_like,
        "quirk": job.quirk,
        "cut": job.cut,
        "tokens": job.tokens,
        "text": job.text,
        "outcome": TextState.of(job.censorship).value,
    }
