"""`/alchemy` and its kin, the Apps menu of messages, and the pickers: something done with a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.delivery import Delivery, InteractionOpener
from bot.domain.alchemy import UPSCALERS, AlchemyRequest, Form
from bot.domain.jobs import JobId
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest, MediaGone, NotAllowed
from bot.render.forms import FORMS, name_of
from bot.services.jobs import JobService
from bot.services.ports import KnowsAlchemists
from bot.services.words import MAX_TEXT, parse, presets
from bot.ui.alchemy_picker import FormsSelect, ImagineButton, WhichSelect, embeds_of, sources_in, view_of
from bot.ui.errors import answer_error
from bot.ui.prompt_form import PromptForm
from cogs.context import address_of, check_permissions
from cogs.pictures import pictures_of, source_of

#: The name of the provider that does it.
PROVIDER = "horde-alchemy"
#: What *Describe picture* asks for.
DESCRIBE = (Form.CAPTION, Form.TAGS)
NO_PICTURE = "There is no picture in that message. Please choose one that has a PNG, JPEG, WebP or GIF attached."
NOT_YOURS = "Only the person who asked can choose here. Reply to the picture yourself, or use `/alchemy`."
UNKNOWN_WORDS = (
    "I don't know what to do with that. Try words such as `caption`, `tags`, `describe`, `palette`, `score`, `nsfw`, "
    "`svg`, `cutout`, `faces`, or `upscale` (with `anime`, `photo`, `2x`, `4x`)."
)

#: Engines that do what a form does too, and what that is.
ENGINES = {"rembg": "Cut out", "gfpgan": "Faces repaired"}
NO_ENGINE = "That engine isn't there any more. Please choose something else."

Words = app_commands.Range[str, 1, MAX_TEXT]
_UPSCALERS = [
    app_commands.Choice(name=f"{name_of(form)}: {FORMS[form].does}"[:100], value=form.value)
    for form in Form
    if form in UPSCALERS
]


def request_for(source: SourceMedia, forms: Sequence[Form], alchemists: KnowsAlchemists) -> AlchemyRequest:
    """Ask for the forms that somebody online does; the others stand in the reply as left out, from the start.

    Raises `InvalidRequest` when there is nobody for any of them: what nobody does waits until it is forgotten.
    """
    wanted = tuple(dict.fromkeys(forms))
    missing = alchemists.missing(wanted)
    if wanted and len(missing) == len(wanted):
        names = ", ".join(f"**{name_of(form)}**" for form in missing)
        raise InvalidRequest(
            user_message=f"Nobody online does this at the moment: {names}. I haven't asked; please try again later."
        )
    served = tuple(form for form in wanted if form not in missing)
    return AlchemyRequest(source=source, forms=served, left_out=missing)


class WorkingEngines(Protocol):
    """Engines of another service that work on pictures."""

    async def work(
        self, interaction: discord.Interaction[Any], engine: str, source: SourceMedia, *, private: bool = False
    ) -> None:
        """Have one work on a picture, as the answer to this interaction."""
        ...


class Alchemy(commands.Cog):
    """What can be done with a picture, by command, menu, or picker."""

    def __init__(
        self,
        jobs: JobService,
        delivery: Delivery,
        alchemists: KnowsAlchemists,
        clock: Clock,
        tree: app_commands.CommandTree[Any],
        engines: WorkingEngines | None = None,
    ) -> None:
        """`engines` are offered beside the forms, where there are any."""
        self._engines = engines
        self._jobs = jobs
        self._delivery = delivery
        self._alchemists = alchemists
        self._clock = clock
        self._tree = tree
        self._menus = (
            app_commands.ContextMenu(name="Alchemy…", callback=self.alchemy_menu),
            app_commands.ContextMenu(name="Describe picture", callback=self.describe_menu),
            app_commands.ContextMenu(name="Upscale ×4", callback=self.upscale_menu),
            app_commands.ContextMenu(name="Imagine from this", callback=self.imagine_menu),
        )

    async def cog_load(self) -> None:
        """Put the menus into the tree: a cog takes in slash commands only."""
        for menu in self._menus:
            self._tree.add_command(menu)

    async def cog_unload(self) -> None:
        """Take them out again."""
        for menu in self._menus:
            self._tree.remove_command(menu.name, type=menu.type)

    # -- commands -------------------------------------------------------------------------------------------------

    @app_commands.command(name="alchemy", description="Do something with a picture: describe, upscale, cut out, …")
    @app_commands.describe(
        image="The picture",
        forms="What to do, for example: caption, tags, upscale anime. Left out, you choose from a list",
        private="Only you see the reply",
    )
    async def alchemy(
        self,
        interaction: discord.Interaction[Any],
        image: discord.Attachment,
        forms: Words | None = None,
        private: bool = False,
    ) -> None:
        """Do what the words say, or offer everything."""
        source = source_of(image)
        if forms is None:
            await self._offer(interaction, [source], private=private)
            return
        asked = parse(forms)
        if not asked.forms:
            raise InvalidRequest(user_message=UNKNOWN_WORDS)
        await self.start(interaction, source, asked.forms, private=private)

    @alchemy.autocomplete("forms")
    async def _presets(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer what is asked for most; people may write anything else."""
        return [app_commands.Choice(name=title, value=words) for words, title in presets(typed)]

    @app_commands.command(name="upscale", description="Make a picture larger")
    @app_commands.describe(image="The picture", model="How; left out, ×4 for most pictures", private="Only you see it")
    @app_commands.choices(model=_UPSCALERS)
    async def upscale(
        self,
        interaction: discord.Interaction[Any],
        image: discord.Attachment,
        model: str = Form.UPSCALE_4X.value,
        private: bool = False,
    ) -> None:
        """Make it larger."""
        await self.start(interaction, source_of(image), [Form(model)], private=private)

    @app_commands.command(name="caption", description="Say in a sentence what a picture shows")
    @app_commands.describe(image="The picture", private="Only you see the reply")
    async def caption(
        self, interaction: discord.Interaction[Any], image: discord.Attachment, private: bool = False
    ) -> None:
        """Caption it."""
        await self.start(interaction, source_of(image), [Form.CAPTION], private=private)

    @app_commands.command(name="cutout", description="Remove the background of a picture")
    @app_commands.describe(image="The picture", private="Only you see the reply")
    async def cutout(
        self, interaction: discord.Interaction[Any], image: discord.Attachment, private: bool = False
    ) -> None:
        """Cut it out."""
        await self.start(interaction, source_of(image), [Form.CUTOUT], private=private)

    # -- the menu of a message ------------------------------------------------------------------------------------

    async def alchemy_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Offer everything that can be done."""
        await self._offer(interaction, self._pictures(interaction, message))

    async def describe_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Caption and tag it."""
        await self._do(interaction, message, DESCRIBE)

    async def upscale_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Make it four times as large."""
        await self._do(interaction, message, [Form.UPSCALE_4X])

    async def imagine_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Offer both ways to paint from it."""
        pictures = self._pictures(interaction, message)
        if len(pictures) > 1:
            select = WhichSelect(interaction.user.id, (), pictures, to_paint=True)
            await interaction.response.send_message(
                embeds=embeds_of(pictures, lead="Which picture?"), view=view_of(select), ephemeral=True
            )
            return
        await self._offer_to_paint(interaction, pictures[0])

    @staticmethod
    async def _offer_to_paint(interaction: discord.Interaction[Any], source: SourceMedia) -> None:
        await interaction.response.send_message(
            embeds=embeds_of([source], lead="Paint from this picture"),
            view=view_of(ImagineButton("caption"), ImagineButton("source")),
            ephemeral=True,
        )

    @staticmethod
    def _pictures(interaction: discord.Interaction[Any], message: discord.Message) -> Sequence[SourceMedia]:
        me = interaction.client.user
        pictures = pictures_of(message, me=me.id if me is not None else None)
        if not pictures:
            raise InvalidRequest(user_message=NO_PICTURE)
        return pictures

    async def _do(self, interaction: discord.Interaction[Any], message: discord.Message, forms: Sequence[Form]) -> None:
        pictures = self._pictures(interaction, message)
        if len(pictures) == 1:
            await self.start(interaction, pictures[0], forms)
        else:
            await self._ask_which(interaction, pictures, forms)

    async def _offer(
        self, interaction: discord.Interaction[Any], pictures: Sequence[SourceMedia], *, private: bool = False
    ) -> None:
        if len(pictures) > 1:
            await self._ask_which(interaction, pictures, ())
            return
        source = pictures[0]
        engines = ENGINES if self._engines else None
        select = FormsSelect(source, self._alchemists.missing(list(Form)), engines, private=private)
        await interaction.response.send_message(
            embeds=embeds_of([source], lead="What shall I do with it?"), view=view_of(select), ephemeral=True
        )

    @staticmethod
    async def _ask_which(
        interaction: discord.Interaction[Any], pictures: Sequence[SourceMedia], forms: Sequence[Form]
    ) -> None:
        await interaction.response.send_message(
            embeds=embeds_of(pictures, lead="Which picture?"),
            view=view_of(WhichSelect(interaction.user.id, forms, pictures)),
            ephemeral=True,
        )

    # -- pickers --------------------------------------------------------------------------------------------------

    async def opened(self, interaction: discord.Interaction[Any], asker_id: int | None) -> None:
        """Open the picker for the one who asked."""
        try:
            _check_asker(interaction, asker_id)
            await self._offer(interaction, [_picked(interaction, 0)])
        except Exception as error:  # noqa: BLE001 - the boundary: the person gets a sentence, the log the rest
            await answer_error(interaction, error)

    async def which(
        self, interaction: discord.Interaction[Any], asker_id: int | None, number: int, forms: Sequence[Form]
    ) -> None:
        """Go on with one picture of several."""
        try:
            _check_asker(interaction, asker_id)
            source = _picked(interaction, number)
            if forms:
                await self.start(interaction, source, forms)
            else:
                await self._offer(interaction, [source])
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    async def to_paint(self, interaction: discord.Interaction[Any], asker_id: int | None, number: int) -> None:
        """Offer both ways to paint from one picture of several."""
        try:
            _check_asker(interaction, asker_id)
            await self._offer_to_paint(interaction, _picked(interaction, number))
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    async def forms(self, interaction: discord.Interaction[Any], forms: Sequence[Form], *, private: bool) -> None:
        """Do what was chosen."""
        try:
            await self.start(interaction, _picked(interaction, 0), forms, private=private)
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    async def engine(self, interaction: discord.Interaction[Any], name: str, *, private: bool) -> None:
        """Have an engine do it."""
        try:
            await self._engine(name).work(interaction, name, _picked(interaction, 0), private=private)
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    def _engine(self, name: str) -> WorkingEngines:
        if self._engines is None or name not in ENGINES:
            raise MediaGone(f"no engine {name}", user_message=NO_ENGINE)
        return self._engines

    async def imagine(self, interaction: discord.Interaction[Any], way: str) -> None:
        """Caption the picture first, or open the form to paint from it."""
        try:
            source = _picked(interaction, 0)
            if way == "caption":
                await self.start(interaction, source, [Form.CAPTION])
            else:
                await interaction.response.send_modal(PromptForm(from_picture=True))
        except Exception as error:  # noqa: BLE001 - the boundary, as above
            await answer_error(interaction, error)

    # -- the one way in -------------------------------------------------------------------------------------------

    async def start(
        self,
        interaction: discord.Interaction[Any],
        source: SourceMedia,
        forms: Sequence[Form],
        *,
        private: bool = False,
        parent_id: JobId | None = None,
    ) -> None:
        """Have the forms made of the picture, as the answer to this interaction. Raises `UserError`."""
        check_permissions(interaction)
        await self._jobs.submit(
            request_for(source, forms, self._alchemists),
            asker_id=interaction.user.id,
            address=address_of(interaction, private=private),
            reply=InteractionOpener(interaction, self._delivery, self._clock),
            provider=PROVIDER,
            parent_id=parent_id,
        )


def _check_asker(interaction: discord.Interaction[Any], asker_id: int | None) -> None:
    if asker_id is not None and interaction.user.id != asker_id:
        raise NotAllowed(f"user {interaction.user.id} is not {asker_id}", user_message=NOT_YOURS)


def _picked(interaction: discord.Interaction[Any], number: int) -> SourceMedia:
    """The picture that the picker shows under this number. Raises `MediaGone`."""
    sources = sources_in(interaction.message)
    if number >= len(sources):
        raise MediaGone("the picker shows no such picture")
    return sources[number]
