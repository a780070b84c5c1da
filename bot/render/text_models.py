"""Text models and personas as people choose them."""

from __future__ import annotations

from typing import Protocol

from bot.render.escaping import inline, plain
from bot.render.messages import Colour, RenderedEmbed, RenderedMessage
from bot.render.models import MAX_CHOICE, Served, traffic_light
from bot.render.times import roughly

MAX_SHOWN_TEXT = 1500


class TextModelLike(Served, Protocol):
    """What has to be known of a text model to offer it."""

    @property
    def title(self) -> str:
        """Its own name."""
        ...

    @property
    def size(self) -> str:
        """Its size as people write it; empty when unknown."""
        ...


class PersonaLike(Protocol):
    """What has to be known of a persona to offer it."""

    @property
    def name(self) -> str:
        """What commands call it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def about(self) -> str:
        """What it is like."""
        ...

    @property
    def system(self) -> str:
        """What the model is told."""
        ...


def text_model_choice(model: TextModelLike) -> tuple[str, str]:
    """Write a model as (name, value) of a choice: `🟢 Nemo — 12B · 4 workers · ~10 s`."""
    workers = f"{model.workers} worker" + ("" if model.workers == 1 else "s")
    eta = roughly(model.eta) if model.workers else ""
    facts = " · ".join(filter(None, (model.size, workers, eta)))
    light = traffic_light(model, nobody="⚪")
    return f"{light} {plain(model.title, MAX_CHOICE - len(facts) - 5)} — {facts}"[:MAX_CHOICE], _value(model)


def persona_choice(persona: PersonaLike) -> tuple[str, str]:
    """Write a persona as (name, value) of a choice."""
    return plain(f"{persona.title} — {persona.about}", MAX_CHOICE), persona.name


def render_personas(personas: tuple[PersonaLike, ...]) -> RenderedMessage:
    """List the personas there are."""
    lines = (f"`{persona.name}` **{inline(persona.title, 60)}**: {inline(persona.about, 200)}" for persona in personas)
    hint = "Choose one with `/ask persona:`; `/persona show` tells what it is told."
    return RenderedMessage(embed=RenderedEmbed(title="Personas", description="\n".join((*lines, "", hint))))


def render_persona(persona: PersonaLike) -> RenderedMessage:
    """Show what a model is told to be this persona."""
    described = f"*{inline(persona.about, 200)}*\n\n{inline(persona.system, MAX_SHOWN_TEXT)}"
    return RenderedMessage(embed=RenderedEmbed(title=persona.title, description=described, colour=Colour.BLUE))


def _value(model: TextModelLike) -> str:
    """The exact name where a choice can hold it."""
    return model.name if len(model.name) <= MAX_CHOICE else model.title[:MAX_CHOICE]
