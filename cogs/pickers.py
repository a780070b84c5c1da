"""What is done with which picture, by choosing: pickers are shown, and what is chosen from them is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from bot.domain.alchemy import Form
from bot.domain.sources import SourceMedia
from bot.errors import MediaGone, NotAllowed
from bot.services.ports import KnowsAlchemists
from bot.ui.alchemy_picker import FormsSelect, ImagineButton, WhichSelect, embeds_of, sources_in, view_of
from bot.ui.errors import errors_answered
from bot.ui.prompt_form import PromptForm
from cogs.picture_work import PictureWork

NOT_YOURS = "Only the person who asked can choose here. Reply to the picture yourself, or use `/alchemy`."


class Pickers:
    """Shows pickers, and acts on what is chosen from them."""

    def __init__(self, work: PictureWork, alchemists: KnowsAlchemists) -> None:
        self._work = work
        self._alchemists = alchemists

    # -- shown ----------------------------------------------------------------------------------------------------

    async def offer(
        self, interaction: discord.Interaction[Any], pictures: Sequence[SourceMedia], *, private: bool = False
    ) -> None:
        """Offer everything that can be done with a picture; of several, ask which one first."""
        if len(pictures) > 1:
            await self._ask_which(interaction, pictures)
            return
        source = pictures[0]
        select = FormsSelect(source, self._alchemists.missing(list(Form)), self._work.engines, private=private)
        await interaction.response.send_message(
            embeds=embeds_of([source], lead="What shall I do with it?"), view=view_of(select), ephemeral=True
        )

    async def do(
        self, interaction: discord.Interaction[Any], pictures: Sequence[SourceMedia], forms: Sequence[Form]
    ) -> None:
        """Have the forms made of a picture; of several, ask which one first."""
        if len(pictures) > 1:
            await self._ask_which(interaction, pictures, forms)
            return
        await self._work.start(interaction, pictures[0], forms)

    async def offer_to_paint(self, interaction: discord.Interaction[Any], pictures: Sequence[SourceMedia]) -> None:
        """Offer both ways to paint from a picture; of several, ask which one first."""
        if len(pictures) > 1:
            await self._ask_which(interaction, pictures, to_paint=True)
            return
        await interaction.response.send_message(
            embeds=embeds_of(pictures, lead="Paint from this picture"),
            view=view_of(ImagineButton("caption"), ImagineButton("source")),
            ephemeral=True,
        )

    @staticmethod
    async def _ask_which(
        interaction: discord.Interaction[Any],
        pictures: Sequence[SourceMedia],
        forms: Sequence[Form] = (),
        *,
        to_paint: bool = False,
    ) -> None:
        select = WhichSelect(interaction.user.id, forms, pictures, to_paint=to_paint)
        await interaction.response.send_message(
            embeds=embeds_of(pictures, lead="Which picture?"), view=view_of(select), ephemeral=True
        )

    # -- chosen (`bot.ui.alchemy_picker.Picks`) -------------------------------------------------------------------

    async def opened(self, interaction: discord.Interaction[Any], asker_id: int | None) -> None:
        """Open the picker for the one who asked."""
        async with errors_answered(interaction):
            _check_asker(interaction, asker_id)
            await self.offer(interaction, [_picked(interaction)])

    async def which(
        self, interaction: discord.Interaction[Any], asker_id: int | None, number: int, forms: Sequence[Form]
    ) -> None:
        """Go on with one picture of several."""
        async with errors_answered(interaction):
            _check_asker(interaction, asker_id)
            source = _picked(interaction, number)
            if forms:
                await self._work.start(interaction, source, forms)
            else:
                await self.offer(interaction, [source])

    async def to_paint(self, interaction: discord.Interaction[Any], asker_id: int | None, number: int) -> None:
        """Offer both ways to paint from one picture of several."""
        async with errors_answered(interaction):
            _check_asker(interaction, asker_id)
            await self.offer_to_paint(interaction, [_picked(interaction, number)])

    async def forms(self, interaction: discord.Interaction[Any], forms: Sequence[Form], *, private: bool) -> None:
        """Do what was chosen."""
        async with errors_answered(interaction):
            await self._work.start(interaction, _picked(interaction), forms, private=private)

    async def engine(self, interaction: discord.Interaction[Any], name: str, *, private: bool) -> None:
        """Have an engine do it."""
        async with errors_answered(interaction):
            await self._work.run(interaction, name, _picked(interaction), private=private)

    async def imagine(self, interaction: discord.Interaction[Any], way: str) -> None:
        """Caption the picture first, or open the form to paint from it."""
        async with errors_answered(interaction):
            source = _picked(interaction)
            if way == "caption":
                await self._work.start(interaction, source, [Form.CAPTION])
            else:
                await interaction.response.send_modal(PromptForm(from_picture=True))


def _check_asker(interaction: discord.Interaction[Any], asker_id: int | None) -> None:
    if asker_id is not None and interaction.user.id != asker_id:
        raise NotAllowed(f"user {interaction.user.id} is not {asker_id}", user_message=NOT_YOURS)


def _picked(interaction: discord.Interaction[Any], number: int = 0) -> SourceMedia:
    """The picture that the picker shows under this number. Raises `MediaGone`."""
    sources = sources_in(interaction.message)
    if number >= len(sources):
        raise MediaGone("the picker shows no such picture")
    return sources[number]
