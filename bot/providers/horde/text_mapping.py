"""Pure translations between our text requests and artifacts and the Horde's payloads and answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from bot.chat.cleaning import tidy
from bot.chat.code_spans import left_open
from bot.chat.prompting import display_name, prompt_of
from bot.chat.stops import within_caps
from bot.chat.templates import TemplateBook
from bot.domain.conversation import Flaw, TextArtifact, TextRequest
from bot.domain.results import Censorship
from bot.providers.horde.text_wire import TextGeneration

#: Answers up to here never need kudos in advance, however busy the Horde is (server 5.1.5).
ALWAYS_FREE = 256

_CENSORED = {"csam": Censorship.CSAM, "censored": Censorship.NSFW}


def text_payload_of(
    request: TextRequest, book: TemplateBook, *, today: date, trusted_workers: bool = False
) -> dict[str, Any]:
    """Build the body of `POST /generate/text/async`.

    The models are always named: an empty list would mean any model, whose template nobody could know (and together
    with `allow_downgrade` it makes the server fail).
    """
    sampling = request.sampling
    params: dict[str, Any] = {
        "n": 1,
        "max_length": request.max_length,
        "max_context_length": request.context,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "rep_pen": sampling.rep_pen,
        "rep_pen_range": sampling.rep_pen_range,
        "stop_sequence": list(within_caps(request.stops)),
        "frmttriminc": False,  # we trim ourselves, and know then that it was cut
        "singleline": False,
    }
    payload: dict[str, Any] = {
        "prompt": prompt_of(request, book, today=today),
        "params": params,
        "models": list(request.models),
        "trusted_workers": trusted_workers,
        "slow_workers": True,  # without them a request needs kudos in advance
        "allow_downgrade": True,  # a shorter answer, which we tell, rather than none
    }
    if request.avoid_workers:
        payload |= {"workers": list(request.avoid_workers[-5:]), "worker_blacklist": True}
    return payload


def text_artifact_of(
    generation: TextGeneration,
    request: TextRequest,
    book: TemplateBook,
    *,
    today: date,
    remote_id: str,
    kudos: float | None,
    blocked: Collection[str] = (),
) -> tuple[TextArtifact, str]:
    """Describe a delivered text, tidied up; also returns the token by which another family gave itself away.

    A text has no id of its own; there is one for each request. `blocked` words are left out of it.
    """
    template = book[request.template]
    tidied = tidy(
        generation.text,
        template=template,
        book=book,
        stops=request.stops,
        max_length=request.max_length,
        names=[name for name in (display_name(request.persona),) if name],
        prompt=prompt_of(request, book, today=today),
        continuing=request.continuing,
        in_code=request.continuing and bool(left_open(request.turns[-1].text)),
        blocked=blocked,
    )
    censored = censorship_of(generation)
    artifact = TextArtifact(
        index=0,
        remote_id=f"{remote_id}/0",
        model=generation.model or request.model,
        worker=generation.worker_name,
        worker_id=generation.worker_id,
        extension="md",
        censored=censored,
        text="" if censored else tidied.text,
        lead=tidied.lead,
        thought="" if censored else tidied.thought,
        flaw=None if censored else tidied.flaw,
        cut=tidied.cut,
        tokens=tidied.tokens,
        kudos=kudos,
        notes=_notes(request, cut=tidied.cut, flaw=tidied.flaw, tokens=tidied.tokens),
    )
    return artifact, tidied.leaked


def censorship_of(generation: TextGeneration) -> Censorship | None:
    """Tell why a text was withheld: for texts the `state` is true, and the worst kind leaves a remark as well."""
    reasons = {meta.value for meta in generation.gen_metadata if meta.type == "censorship"}
    if Censorship.CSAM in reasons or generation.state == "csam":
        return Censorship.CSAM
    return Censorship.NSFW if reasons else _CENSORED.get(generation.state)


def _notes(request: TextRequest, *, cut: bool, flaw: Flaw | None, tokens: int) -> tuple[str, ...]:
    """Tell an answer shorter than asked: the Horde shortens without saying so (server 5.1.5)."""
    if flaw is None and cut and 0.9 * ALWAYS_FREE <= tokens < 0.9 * request.max_length:
        return (f"The AI Horde was busy and shortened this answer to about {round(tokens, -1)} tokens.",)
    return ()
