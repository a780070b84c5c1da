"""`/imagine`: pictures from words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.requests import MAX_NEGATIVE, Aspect, SizeChoice
from bot.errors import InvalidRequest
from bot.render import model_choice
from bot.render.messages import MAX_CHOICES
from bot.services.imagining import ImageWish, Imagining
from cogs.choices import offered, one_of
from cogs.context import age_restricted, check_permissions
from cogs.pictures import picture_of
from cogs.submissions import Submissions

Prompt = app_commands.Range[str, 1, 1000]
Negative = app_commands.Range[str, 0, MAX_NEGATIVE]
Strength = app_commands.Range[int, 1, 100]
Count = app_commands.Range[int, 1, 4]
Steps = app_commands.Range[int, 1, 100]
Guidance = app_commands.Range[float, 0, 30]
Seed = app_commands.Range[str, 1, 100]


class PaintingEngines(Protocol):
    """Engines that paint as models do."""

    def is_meant(self, model: str) -> bool:
        """Whether a model's name means an engine."""
        ...

    def painters(self, typed: str) -> Sequence[tuple[str, str]]:
        """Those that fit what was typed so far, as (name, value) of a choice."""
        ...

    async def paint(self, interaction: discord.Interaction[Any], wish: ImageWish, *, private: bool) -> None:
        """Paint it with the engine that the wish names, as the answer to this interaction."""
        ...


class Imagine(commands.Cog):
    """Pictures from words."""

    def __init__(self, submissions: Submissions, imagining: Imagining, engines: PaintingEngines | None = None) -> None:
        """`engines` stand among the models, where there are any."""
        self._submissions = submissions
        self._imagining = imagining
        self._engines = engines

    @app_commands.command(name="imagine", description="Paint pictures from words")
    @app_commands.describe(
        prompt="What to paint",
        negative="What to keep out of the picture",
        model="Which model paints; left out, a good one with many workers",
        aspect="Width to height",
        size="How large, relative to what the model likes best",
        count="How many pictures",
        steps="Sampling steps; left out, what suits the model",
        guidance="How closely to follow the prompt; left out, what suits the model",
        image="A picture to start from; its shape decides the size",
        strength="How much of that picture may change, in percent; left out, 60",
        seed="The same seed and options give the same picture; left out, a random one",
        private="Only you see the reply",
    )
    @app_commands.choices(aspect=one_of(Aspect), size=one_of(SizeChoice))
    async def imagine(
        self,
        interaction: discord.Interaction[Any],
        prompt: Prompt,
        negative: Negative = "",
        model: str = "",
        aspect: str = Aspect.SQUARE.value,
        size: str = SizeChoice.NATIVE.value,
        count: Count = 1,
        steps: Steps | None = None,
        guidance: Guidance | None = None,
        image: discord.Attachment | None = None,
        strength: Strength | None = None,
        seed: Seed | None = None,
        private: bool = False,
    ) -> None:
        """Paint pictures from words."""
        check_permissions(interaction)
        if strength is not None and image is None:
            raise InvalidRequest(user_message="`strength` says how much of a picture may change: give an `image` too.")
        wish = ImageWish(
            prompt=prompt,
            negative=negative,
            model=model,
            aspect=Aspect(aspect),
            size=SizeChoice(size),
            count=count,
            steps=steps,
            guidance=guidance,
            seed=seed or "",
            nsfw=age_restricted(interaction),
            source=picture_of(image) if image is not None else None,
            strength=strength / 100 if strength is not None else None,
        )
        if self._engines is not None and self._engines.is_meant(model):
            await self._engines.paint(interaction, wish, private=private)
            return
        await self._submissions.submit(interaction, self._imagining.complete(wish), private=private)

    @imagine.autocomplete("model")
    async def _models(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer models from memory; people may still send something else."""
        choices = [model_choice(model) for model in self._imagining.choices(typed)]
        engines = list(self._engines.painters(typed)) if self._engines is not None else []
        return offered([*choices[: MAX_CHOICES - len(engines)], *engines])
