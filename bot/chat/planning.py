"""From what somebody wants said to a complete request: template, length, context, what is remembered, stops."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.budget import context_for, fit
from bot.chat.limits import WorkerLimits, clamp
from bot.chat.resolution import Chosen
from bot.chat.sampling import LENGTHS, THINKING_FACTOR, sampling_for, warmer
from bot.chat.stops import stops_for
from bot.chat.templates import TemplateBook
from bot.domain.conversation import (
    MAX_LENGTH,
    MIN_LENGTH,
    AnswerLength,
    Creativity,
    Flaw,
    TextArtifact,
    TextRequest,
    Turn,
)

#: How often an answer is asked for again without anybody asking for that.
MAX_RETRIES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The model that is to answer, as far as a request depends on it."""

    name: str
    aliases: tuple[str, ...] = ()
    chosen: Chosen
    #: Of the workers that serve it now.
    workers: tuple[WorkerLimits, ...] = ()
    #: What its card says of sampling.
    settings: Mapping[str, float] | None = None


def plan(
    voice: Voice,
    turns: Sequence[Turn],
    book: TemplateBook,
    *,
    system: str = "",
    persona: str = "",
    length: AnswerLength = AnswerLength.NORMAL,
    creativity: Creativity = Creativity.BALANCED,
    model_chosen: bool = False,
    max_tokens: int = MAX_LENGTH,
    share: float | None = None,
) -> TextRequest:
    """Write the request. `max_tokens` caps the answer (512 needs no kudos); `share` 1 asks what every worker can do.

    Raises `InvalidRequest` when there is nothing to answer.
    """
    template = voice.chosen.template
    wanted = min(LENGTHS[length] * (THINKING_FACTOR if voice.chosen.thinks else 1), max_tokens, MAX_LENGTH)
    limits = clamp(voice.workers, wanted) if share is None else clamp(voice.workers, wanted, share=share)
    max_length = max(limits.max_length, MIN_LENGTH)
    fitted = fit(turns, template, book, system=system, context=limits.max_context, max_length=max_length)
    return TextRequest(
        turns=fitted.turns,
        system=fitted.system,
        persona=persona,
        model=voice.name,
        aliases=voice.aliases,
        template=template.name,
        max_length=max_length,
        context=max(context_for(fitted.tokens, max_length, limits.max_context), max_length),
        sampling=sampling_for(creativity, voice.settings),
        stops=stops_for(template, fitted.turns),
        length=length,
        creativity=creativity,
        model_chosen=model_chosen,
        dropped_turns=fitted.dropped,
        shortened=fitted.shortened,
    )


def step_down(request: TextRequest, voice: Voice, book: TemplateBook) -> TextRequest | None:
    """Write a smaller request in place of one that no worker takes; None where that is not what is in the way.

    It asks for what every worker of the model can do, and counts as the one request that is made unasked.
    """
    if request.retries >= MAX_RETRIES or not voice.workers:
        return None
    limits = clamp(voice.workers, request.max_length, share=1.0)
    if request.max_length <= limits.max_length and request.context <= limits.max_context:
        return None
    template = book[request.template]
    max_length = max(limits.max_length, MIN_LENGTH)
    context = max(limits.max_context, max_length)
    fitted = fit(request.turns, template, book, system=request.system, context=context, max_length=max_length)
    return replace(
        request,
        turns=fitted.turns,
        system=fitted.system,
        model=voice.name,
        aliases=voice.aliases,
        max_length=max_length,
        context=max(context_for(fitted.tokens, max_length, context), max_length),
        stops=stops_for(template, fitted.turns),
        dropped_turns=request.dropped_turns + fitted.dropped,
        shortened=request.shortened or fitted.shortened,
        retries=request.retries + 1,
        stepped_down=True,
    )


def second_try(
    request: TextRequest, artifact: TextArtifact, book: TemplateBook, workers: Collection[WorkerLimits] = ()
) -> TextRequest | None:
    """Write the one request that is made without being asked for, after an answer that was no good; None for no more.

    One that only thought gets the calm template of its family, or twice the length; others a little more freedom and,
    where more than one worker serves the model, another worker.
    """
    if request.retries >= MAX_RETRIES or artifact.flaw is None or artifact.censored is not None:
        return None
    again = replace(request, retries=request.retries + 1)
    if artifact.worker_id and len(workers) > 1:
        again = replace(again, avoid_workers=(*request.avoid_workers, artifact.worker_id))
    if artifact.flaw is not Flaw.ONLY_THOUGHT:
        return replace(again, sampling=warmer(request.sampling))
    calm = book[request.template].calm
    if calm:
        return replace(again, template=calm, stops=stops_for(book[calm], request.turns))
    longer = min(request.max_length * 2, MAX_LENGTH)
    if workers:
        longer = min(longer, max(worker.max_length for worker in workers))
    used = request.context - request.max_length
    return replace(again, max_length=max(longer, request.max_length), context=used + max(longer, request.max_length))
