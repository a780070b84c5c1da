"""Pure translations between alchemy requests, their progress, and the Horde's payloads and statuses (server 5.1.5).

The Horde lists the forms of a request in another order each time, so everything goes by a form's name.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from bot.domain.alchemy import AlchemyRequest, Form, FormState
from bot.domain.progress import PartProgress, Progress
from bot.domain.stages import Stage
from bot.providers.horde.wire import AlchemyStatus, FormStatus, parse_rows

log = logging.getLogger(__name__)

#: Something may still come of a form in these.
OPEN = frozenset({FormState.WAITING, FormState.PROCESSING})
#: Which of two entries for one form tells more, best first.
_TELLING = (FormState.DONE, FormState.PROCESSING, FormState.WAITING, FormState.FAULTED, FormState.CANCELLED)


def payload_of(request: AlchemyRequest, source: str, *, trusted_workers: bool = False) -> dict[str, Any]:
    """Build the body of `POST /interrogate/async` around a picture in base64."""
    return {
        "forms": [{"name": form.value} for form in request.forms],
        "source_image": source,
        "slow_workers": True,  # without them every form costs a kudo more
        "trusted_workers": trusted_workers,
    }


def states_of(status: AlchemyStatus, request: AlchemyRequest) -> dict[Form, tuple[FormState, Any]]:
    """Tell state and result of each form asked for, in the request's order.

    A form that the answer lacks will not come once all the others have ended: then it counts as faulted.
    """
    listed: dict[str, tuple[FormState, Any]] = {}
    for row in parse_rows(FormStatus, status.forms):
        found = _state(row.state), row.result
        known = listed.get(row.form)
        if known is None or _TELLING.index(found[0]) < _TELLING.index(known[0]):
            listed[row.form] = found
    still_open = any(state in OPEN for state, _ in listed.values())
    unlisted = (FormState.WAITING if still_open else FormState.FAULTED), None
    return {form: listed.get(form.value, unlisted) for form in request.forms}


@lru_cache(maxsize=64)  # so that an unknown word is logged once, not at every look
def _state(word: str) -> FormState:
    try:
        return FormState(word)
    except ValueError:
        log.warning("the horde told an unknown state", extra={"action": "horde.unknown-state", "state": word[:40]})
        return FormState.WAITING


def ended(states: Mapping[Form, tuple[FormState, Any]]) -> bool:
    """Whether nothing more will come. The whole's own `state` is no help: cancelled altogether, it says `partial`."""
    return not any(state in OPEN for state, _ in states.values())


def progress_of(states: Mapping[Form, tuple[FormState, Any]], *, missing: Collection[Form] = ()) -> Progress:
    """Turn the states into progress; `missing` are the forms nobody online offers."""
    by_state = [state for state, _ in states.values()]
    over = ended(states)
    waiting = [form for form, (state, _) in states.items() if state is FormState.WAITING]
    processing, finished = by_state.count(FormState.PROCESSING), by_state.count(FormState.DONE)
    hopeless = bool(waiting) and not processing and all(form in missing for form in waiting)
    return Progress(
        stage=Stage.WAITING if len(waiting) == len(states) else Stage.PROCESSING,
        waiting=len(waiting),
        processing=processing,
        finished=finished,
        possible=not hopeless,
        over=over,
        faulted=over and not finished and FormState.FAULTED in by_state,
        parts=tuple(PartProgress(name=form.value, state=state.value) for form, (state, _) in states.items()),
    )
