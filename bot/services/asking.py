"""From what a person chose in `/ask` to a complete `TextRequest`: the model, who it is to be, what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.chat.planning import Voice, plan, second_try, step_down
from bot.chat.templates import TemplateBook
from bot.domain.conversation import MAX_LENGTH, AnswerLength, Creativity, TextRequest, Turn
from bot.domain.jobs import Job, is_text
from bot.errors import InvalidRequest
from bot.services.personas import Persona, Personas

#: Longer answers need kudos in advance, which an anonymous key has none of (server 5.1.5).
FREE_LENGTH = 512
#: How long no worker may be able to take a request before less is asked for.
STEP_DOWN_AFTER = timedelta(seconds=20)
_STEPPED_DOWN = "No worker could take this at its full length, so I asked for a shorter answer and less memory."


class TextModel(Protocol):
    """One text model as people choose it."""

    @property
    def name(self) -> str:
        """Its exact name at the provider."""
        ...

    @property
    def title(self) -> str:
        """Its own name, as people write it."""
        ...

    @property
    def workers(self) -> int:
        """Worker threads online."""
        ...

    @property
    def eta(self) -> int:
        """Seconds until a new request would probably be done."""
        ...

    @property
    def size(self) -> str:
        """Its size as people write it; empty when unknown."""
        ...

    @property
    def nsfw(self) -> bool:
        """Whether it is made for sexual content."""
        ...

    def voice(self, *, trusted: bool = False) -> Voice:
        """What a request depends on."""
        ...


class TextModels(Protocol):
    """Which text models there are, answered from memory."""

    @property
    def book(self) -> TemplateBook:
        """The templates that models are addressed in."""
        ...

    def find(self, text: str, *, nsfw: bool = True) -> TextModel:
        """The model meant by `text`. Raises `InvalidRequest` naming close ones."""
        ...

    def choose(self, *, nsfw: bool = False) -> TextModel | None:
        """The one to take when nobody chose; None when nobody serves anything that talks."""
        ...

    def choices(self, typed: str = "", *, nsfw: bool = True) -> Sequence[TextModel]:
        """The models that fit what was typed so far."""
        ...

    def info(self, name: str) -> TextModel:
        """What is known of an exact name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWish:
    """How somebody wants to be answered, the rest left open (empty)."""

    model: str = ""
    #: Whether a person named the model; one that we chose before may be replaced without a word.
    model_chosen: bool = True
    persona: str = ""
    length: AnswerLength = AnswerLength.NORMAL
    creativity: Creativity = Creativity.BALANCED
    #: Whether models made for sexual content may be used (the channel is age-restricted).
    nsfw: bool = False


class Asking:
    """Completes wishes."""

    def __init__(self, models: TextModels, personas: Personas, *, anonymous: bool) -> None:
        """`anonymous`: the key has no kudos, so answers stay within what is free."""
        self._models = models
        self.personas = personas
        self._longest = FREE_LENGTH if anonymous else MAX_LENGTH

    def complete(self, wish: AskWish, turns: Sequence[Turn]) -> TextRequest:
        """Write the request for a new question. Raises `InvalidRequest` with a sentence for the person."""
        chosen = wish.model.strip()
        model = self._models.find(chosen, nsfw=wish.nsfw) if chosen else self._automatic(wish)
        return self._written(wish, model, self.personas.find(wish.persona), turns, model_chosen=bool(chosen))

    def go_on(self, wish: AskWish, turns: Sequence[Turn]) -> TextRequest:
        """Write the request for a conversation that had a model already; one that is gone is replaced, and said so."""
        persona = self.personas.known(wish.persona)
        try:
            model = self._models.find(wish.model, nsfw=wish.nsfw) if wish.model else self._automatic(wish)
        except InvalidRequest:
            model = self._automatic(wish)
            gone = f"{self._models.info(wish.model).title} is not there any more; {model.title} answers instead."
            written = self._written(wish, model, persona, turns, model_chosen=False)
            return replace(written, remarks=(gone,)) if wish.model_chosen else written
        return self._written(wish, model, persona, turns, model_chosen=wish.model_chosen and bool(wish.model))

    def second_try(self, job: Job) -> TextRequest | None:
        """The one request that is made unasked, after an answer that was no good; None for no (more) such."""
        if not is_text(job) or job.cancel_requested or not job.texts or job.answer is not None:
            return None
        workers = self._models.info(job.request.model).voice().workers
        again = second_try(job.request, job.texts[-1], self._models.book, workers)
        spent = job.texts[-1].kudos
        cost = f" (it cost {spent:g} kudos)" if spent else ""
        told = f"The first try was no good{cost}; this is the second."
        return replace(again, remarks=(*again.remarks, told)) if again is not None else None

    def step_down(self, job: Job, now: datetime) -> TextRequest | None:
        """A smaller request in place of one that no worker has been able to take for a while; None for none.

        Where nobody serves the model at all, a smaller one would change nothing.
        """
        since = job.progress.impossible_since if job.progress is not None else None
        if not is_text(job) or job.cancel_requested or since is None or now - since < STEP_DOWN_AFTER:
            return None
        smaller = step_down(job.request, self._models.info(job.request.model).voice(), self._models.book)
        return replace(smaller, remarks=(*smaller.remarks, _STEPPED_DOWN)) if smaller is not None else None

    def choices(self, typed: str, *, nsfw: bool) -> Sequence[TextModel]:
        """The models that fit what was typed so far, at most as many as an autocomplete answer holds."""
        return self._models.choices(typed, nsfw=nsfw)

    def find(self, text: str, *, nsfw: bool) -> str:
        """The exact name of the model meant by `text`. Raises `InvalidRequest` naming close ones."""
        return self._models.find(text.strip(), nsfw=nsfw).name

    def title(self, name: str) -> str:
        """A model's own name, without backend and packing."""
        return self._models.info(name).title

    def is_nsfw(self, name: str) -> bool:
        """Whether a model is made for sexual content."""
        return self._models.info(name).nsfw

    def _automatic(self, wish: AskWish) -> TextModel:
        model = self._models.choose(nsfw=wish.nsfw)
        if model is None:
            raise InvalidRequest(
                user_message="Nobody serves a text model at the moment. Please try again in a few minutes."
            )
        return model

    def _written(
        self, wish: AskWish, model: TextModel, persona: Persona, turns: Sequence[Turn], *, model_chosen: bool
    ) -> TextRequest:
        return plan(
            model.voice(),
            turns,
            self._models.book,
            system=persona.system,
            persona=persona.name,
            length=wish.length,
            creativity=wish.creativity,
            model_chosen=model_chosen,
            max_tokens=self._longest,
        )


def wish_of(request: TextRequest, *, nsfw: bool) -> AskWish:
    """What was wanted of a request before: whoever goes on from it wants the same."""
    return AskWish(
        model=request.model,
        model_chosen=request.model_chosen,
        persona=request.persona,
        length=request.length,
        creativity=request.creativity,
        nsfw=nsfw,
    )
