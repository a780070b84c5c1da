"""`/imagine`: pictures from words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.delivery import Delivery, InteractionOpener
from bot.domain.requests import MAX_NEGATIVE, Aspect, SizeChoice
from bot.errors import InvalidRequest
from bot.render import model_choice
from bot.render.messages import MAX_CHOICES
from bot.services.imagining import ImageWish, Imagining
from bot.services.jobs import JobService
from cogs.context import address_of, age_restricted, check_permissions
from cogs.pictures import source_of

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

    def __init__(
        self,
        jobs: JobService,
        imagining: Imagining,
        delivery: Delivery,
        clock: Clock,
        engines: PaintingEngines | None = None,
    ) -> None:
        """`engines` stand among the models, where there are any."""
        self._engines = engines
        self._jobs = jobs
        self._imagining = imagining
        self._delivery = delivery
        self._clock = clock

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
    @app_commands.choices(
        aspect=[app_commands.Choice(name=aspect.value, value=aspect.value) for aspect in Aspect],
        size=[app_commands.Choice(name=size.value, value=size.value) for size in SizeChoice],
    )
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
            source=source_of(image) if image is not None else None,
            strength=strength / 100 if strength is not None else None,
        )
        if self._engines is not None and self._engines.is_meant(model):
            await self._engines.paint(interaction, wish, private=private)
            return
        await self._jobs.submit(
            self._imagining.complete(wish),
            asker_id=interaction.user.id,
            address=address_of(interaction, private=private),
            reply=InteractionOpener(interaction, self._delivery, self._clock),
        )

    @imagine.autocomplete("model")
    async def _models(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer models from memory; people may still send something else."""
        choices = [model_choice(model) for model in self._imagining.choices(typed)]
        engines = list(self._engines.painters(typed)) if self._engines is not None else []
        found = [*choices[: MAX_CHOICES - len(engines)], *engines]
        return [app_commands.Choice(name=name, value=value) for name, value in found]
