"""Choosing what to do with which picture: messages that carry their own state, so that a restart changes nothing.

A picker shows each picture as an embed with a thumbnail, or with a link where it was posted as a spoiler. Whoever uses
it sends that message back along with the choice: the address is read from there (Discord keeps those of thumbnails
fresh), the custom id only says what the choice is about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, Self, cast

import discord
from discord import ui

from bot.domain.alchemy import FEE, Form
from bot.domain.sources import SPOILER, SourceMedia
from bot.render.escaping import inline, plain
from bot.render.forms import FORMS, name_of, price_note
from bot.render.messages import MAX_CHOICE, Colour
from bot.ui.job_selects import chosen_values

#: Pictures that one message shows: as many as it may have embeds.
MAX_PICTURES = 10
SHOWN_FILE = 80
#: Forms by a letter each, for custom ids: the order never changes, new ones come last.
_LETTERS = "abcdefghijklmnopqrstuvw"
_BY_LETTER = dict(zip(_LETTERS, Form, strict=True))
_SIZE = re.compile(r"([0-9]{1,6})×([0-9]{1,6})")
_NOT_YET, _TO_PAINT = "-", "+"
#: Above a picture that the bot itself posted: those may be larger. Nobody else can write this into a message of ours.
_OWN = "One of mine"
#: The same for several at once, above the first of them.
_ALL_OWN = "All of these are mine"
HIDDEN = "Posted as a spoiler"
#: What the value of an engine begins with.
ENGINE = "osais:"


class Picks(Protocol):
    """Who acts on choices; the client carries one as `picks`."""

    async def opened(self, interaction: discord.Interaction[Any], asker_id: int | None) -> None:
        """Somebody wants to choose what to do with the picture of this message."""
        ...

    async def which(
        self, interaction: discord.Interaction[Any], asker_id: int | None, number: int, forms: Sequence[Form]
    ) -> None:
        """Somebody chose one picture of several; `forms` is empty when what to do is still to be chosen."""
        ...

    async def to_paint(self, interaction: discord.Interaction[Any], asker_id: int | None, number: int) -> None:
        """Somebody chose which picture of several to paint from."""
        ...

    async def forms(self, interaction: discord.Interaction[Any], forms: Sequence[Form], *, private: bool) -> None:
        """Somebody chose what to do."""
        ...

    async def engine(self, interaction: discord.Interaction[Any], name: str, *, private: bool) -> None:
        """Somebody chose an engine of another service instead."""
        ...

    async def imagine(self, interaction: discord.Interaction[Any], way: str) -> None:
        """Somebody chose how to paint from the picture: `caption` it first, or `source`."""
        ...


class _PickHost(Protocol):
    picks: Picks


def _picks(interaction: discord.Interaction[Any]) -> Picks:
    return cast("_PickHost", interaction.client).picks


class FormsSelect(ui.DynamicItem[ui.Select[Any]], template=r"alchemy:forms(?P<private>:private)?"):
    """Everything that can be done with a picture, several at once."""

    def __init__(
        self,
        source: SourceMedia | None = None,
        missing: Collection[Form] = (),
        engines: Mapping[str, str] | None = None,
        *,
        private: bool = False,
    ) -> None:
        """`engines` of another service are offered too: what they are for, by name. A `private` choice stays so."""
        self._private = private
        select: ui.Select[Any] = ui.Select(
            custom_id=f"alchemy:forms{':private' if private else ''}",
            placeholder="What shall I do with it?",
            min_values=1,
            max_values=len(Form),
        )
        width, height = (source.width, source.height) if source else (0, 0)
        for form in Form if source else ():
            about = f"{price_note(form, width, height)} · {FORMS[form].does}"
            note = f"nobody online does this now · {about}" if form in missing else about
            select.add_option(
                label=name_of(form), value=form.value, emoji=FORMS[form].emoji, description=plain(note, MAX_CHOICE)
            )
        for name, does in (engines or {}).items() if source else ():
            about = f"OSAIS {name}; choose it alone"
            select.add_option(label=f"{does} (OSAIS)", value=f"{ENGINE}{name}", emoji="⚙️", description=about)
        super().__init__(select)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild it, whichever process sent it."""
        return cls(private=match["private"] is not None)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the choice on; what is no form is left out."""
        known = {form.value: form for form in Form}
        chosen = [known[value] for value in chosen_values(interaction) if value in known]
        engines = [value.removeprefix(ENGINE) for value in chosen_values(interaction) if value.startswith(ENGINE)]
        if engines and not chosen:
            await _picks(interaction).engine(interaction, engines[0], private=self._private)
            return
        await _picks(interaction).forms(interaction, chosen, private=self._private)


class WhichSelect(
    ui.DynamicItem[ui.Select[Any]], template=r"alchemy:which:(?P<asker>[0-9]{1,20}):(?P<forms>[a-w]+|-|\+)"
):
    """Which of several pictures."""

    def __init__(
        self, asker_id: int, forms: Sequence[Form], sources: Sequence[SourceMedia] = (), *, to_paint: bool = False
    ) -> None:
        """`to_paint`: it is not for a form, but to be painted from."""
        self._asker_id = asker_id
        self._forms = tuple(forms)
        self._to_paint = to_paint
        letters = {form: letter for letter, form in _BY_LETTER.items()}
        coded = _TO_PAINT if to_paint else "".join(letters[form] for form in forms) or _NOT_YET
        select: ui.Select[Any] = ui.Select(custom_id=f"alchemy:which:{asker_id}:{coded}", placeholder="Choose one")
        for number, source in enumerate(sources[:MAX_PICTURES]):
            label = plain(f"{number + 1} · {source.filename or 'picture'}", MAX_CHOICE)
            select.add_option(label=label, value=str(number))
        super().__init__(select)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild it, whichever process sent it."""
        forms = [_BY_LETTER[letter] for letter in match["forms"] if letter in _BY_LETTER]
        return cls(int(match["asker"]), forms, to_paint=match["forms"] == _TO_PAINT)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the choice on."""
        value = chosen_values(interaction)[0]
        number = int(value) if value.isascii() and value.isdigit() else 0
        if self._to_paint:
            await _picks(interaction).to_paint(interaction, self._asker_id, number)
            return
        await _picks(interaction).which(interaction, self._asker_id, number, self._forms)


class OpenButton(ui.DynamicItem[ui.Button[Any]], template=r"alchemy:open:(?P<asker>[0-9]{1,20})"):
    """A public button that opens a private picker: an answer to a message cannot be private."""

    def __init__(self, asker_id: int) -> None:
        self._asker_id = asker_id
        super().__init__(
            ui.Button(
                label="Choose what to do",
                emoji="⚗️",
                style=discord.ButtonStyle.primary,
                custom_id=f"alchemy:open:{asker_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild it, whichever process sent it."""
        return cls(int(match["asker"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        await _picks(interaction).opened(interaction, self._asker_id)


class ImagineButton(ui.DynamicItem[ui.Button[Any]], template=r"alchemy:imagine:(?P<way>caption|source)"):
    """One of the two ways to paint from a picture."""

    LABELS = {"caption": ("Caption it first", "💬"), "source": ("Start from the picture", "🖼️")}  # noqa: RUF012 - discord.py reads class attributes

    def __init__(self, way: str) -> None:
        self._way = way
        label, emoji = self.LABELS[way]
        super().__init__(ui.Button(label=label, emoji=emoji, custom_id=f"alchemy:imagine:{way}"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild it, whichever process sent it."""
        return cls(match["way"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        await _picks(interaction).imagine(interaction, self._way)


#: What the client has to know, so that choices reach somebody after a restart.
PICKERS = (FormsSelect, WhichSelect, OpenButton, ImagineButton)


def view_of(*items: ui.Item[Any]) -> ui.View:
    """A view of dynamic items only: nothing of it is kept in memory."""
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def embeds_of(sources: Sequence[SourceMedia], *, lead: str = "", note: str = "") -> list[discord.Embed]:
    """One small embed for each picture, holding all that is needed to work on it later; a `note` below the first."""
    listed = sources[:MAX_PICTURES]
    shown = [_embed(number, source) for number, source in enumerate(listed, start=1)]
    if len(listed) > 1 and all(source.own for source in listed):
        for embed in shown:
            embed.remove_author()
        shown[0].set_author(name=_ALL_OWN)
    if lead:
        shown[0].title = lead
    if note:
        shown[0].description = f"{shown[0].description}\n{note}"
    if shown:
        shown[-1].set_footer(text=f"The AI Horde adds {FEE:g} kudos for each thing asked.")
    return shown


def sources_in(message: discord.Message | None) -> list[SourceMedia]:
    """The pictures that a picker of ours shows, read back from it."""
    embeds = message.embeds if message is not None else []
    all_own = bool(embeds) and embeds[0].author.name == _ALL_OWN
    return [_source(embed, all_own=all_own) for embed in embeds if embed.thumbnail.url or embed.url]


def _embed(number: int, source: SourceMedia) -> discord.Embed:
    size = f" · {source.width}×{source.height}" if source.width and source.height else ""
    name = inline(source.filename.removeprefix(SPOILER) or f"picture {number}", SHOWN_FILE)
    embed = discord.Embed(description=f"**{number}** {name}{size}", colour=int(Colour.BLUE))
    if source.own:
        embed.set_author(name=_OWN)
    if not source.spoiler:
        return embed.set_thumbnail(url=source.url)
    # An embed can't veil its picture, and this message may be public: a link stands in for it.
    embed.title, embed.url = HIDDEN, source.url
    embed.description = f"{embed.description}\n{HIDDEN}: the title leads to it."
    return embed


def _source(embed: discord.Embed, *, all_own: bool) -> SourceMedia:
    size = _SIZE.search((embed.description or "").partition("\n")[0].rpartition(" · ")[2])
    url = embed.thumbnail.url or embed.url or ""
    name = re.sub(r"[^\w.-]", "", url.partition("?")[0].rpartition("/")[2]).removeprefix(SPOILER)[:SHOWN_FILE]
    return SourceMedia(
        url=url,
        filename=name if embed.thumbnail.url else f"{SPOILER}{name}",
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        own=all_own or embed.author.name == _OWN,
    )
