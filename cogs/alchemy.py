"""`/alchemy` and its kin, and the Apps menu of messages: something done with a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.alchemy import UPSCALERS, Form
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest
from bot.render.forms import FORMS, name_of
from bot.render.messages import MAX_CHOICE
from bot.services.words import MAX_TEXT, parse, presets
from cogs.choices import offered
from cogs.pickers import Pickers
from cogs.picture_work import PictureWork
from cogs.pictures import picture_of, pictures_of

#: What *Describe picture* asks for.
DESCRIBE = (Form.CAPTION, Form.TAGS)
NO_PICTURE = "There is no picture in that message. Please choose one that has a PNG, JPEG, WebP or GIF attached."
UNKNOWN_WORDS = (
    "I don't know what to do with that. Try words such as `caption`, `tags`, `describe`, `palette`, `score`, `nsfw`, "
    "`svg`, `cutout`, `faces`, or `upscale` (with `anime`, `photo`, `2x`, `4x`)."
)

Words = app_commands.Range[str, 1, MAX_TEXT]
_UPSCALERS = offered(
    (f"{name_of(form)}: {FORMS[form].does}"[:MAX_CHOICE], form.value) for form in Form if form in UPSCALERS
)


class Alchemy(commands.Cog):
    """What can be done with a picture, by command or menu."""

    def __init__(self, work: PictureWork, pickers: Pickers, tree: app_commands.CommandTree[Any]) -> None:
        self._work = work
        self._pickers = pickers
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
        source = picture_of(image)
        if forms is None:
            await self._pickers.offer(interaction, [source], private=private)
            return
        asked = parse(forms)
        if asked.engine and self._work.engines:
            await self._work.run(interaction, asked.engine, source, private=private)
            return
        if not asked.forms:
            raise InvalidRequest(user_message=UNKNOWN_WORDS)
        await self._work.start(interaction, source, asked.forms, private=private, unknown=asked.unknown)

    @alchemy.autocomplete("forms")
    async def _presets(self, _interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        """Offer what is asked for most; people may write anything else."""
        return offered((title, words) for words, title in presets(typed, engines=bool(self._work.engines)))

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
        await self._work.start(interaction, picture_of(image), [Form(model)], private=private)

    @app_commands.command(name="caption", description="Say in a sentence what a picture shows")
    @app_commands.describe(image="The picture", private="Only you see the reply")
    async def caption(
        self, interaction: discord.Interaction[Any], image: discord.Attachment, private: bool = False
    ) -> None:
        """Caption it."""
        await self._work.start(interaction, picture_of(image), [Form.CAPTION], private=private)

    @app_commands.command(name="cutout", description="Remove the background of a picture")
    @app_commands.describe(image="The picture", private="Only you see the reply")
    async def cutout(
        self, interaction: discord.Interaction[Any], image: discord.Attachment, private: bool = False
    ) -> None:
        """Cut it out."""
        await self._work.start(interaction, picture_of(image), [Form.CUTOUT], private=private)

    # -- the menu of a message ------------------------------------------------------------------------------------

    async def alchemy_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Offer everything that can be done."""
        await self._pickers.offer(interaction, _pictures(interaction, message))

    async def describe_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Caption and tag it."""
        await self._pickers.do(interaction, _pictures(interaction, message), DESCRIBE)

    async def upscale_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Make it four times as large."""
        await self._pickers.do(interaction, _pictures(interaction, message), [Form.UPSCALE_4X])

    async def imagine_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Offer both ways to paint from it."""
        await self._pickers.offer_to_paint(interaction, _pictures(interaction, message))


def _pictures(interaction: discord.Interaction[Any], message: discord.Message) -> Sequence[SourceMedia]:
    """The pictures of a message. Raises `InvalidRequest` where there is none."""
    me = interaction.client.user
    pictures = pictures_of(message, me=me.id if me is not None else None)
    if not pictures:
        raise InvalidRequest(user_message=NO_PICTURE)
    return pictures
