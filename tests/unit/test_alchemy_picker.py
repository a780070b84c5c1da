"""What a picker shows of pictures, read back from it: all that is needed to work on them later."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.domain.sources import SourceMedia
from bot.ui.alchemy_picker import FormsSelect, WhichSelect, embeds_of, sources_in, view_of

URL = "https://cdn.discordapp.com/attachments/1/2/{}?ex=1&is=2&hm=3"


def source(name: str, **about: Any) -> SourceMedia:
    """A picture with this name."""
    return SourceMedia(url=URL.format(name), filename=name, width=640, height=480, **about)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(source("photo.png"), id="somebodys"),
        pytest.param(source("abc-0.webp", own=True), id="ours"),
        pytest.param(source("SPOILER_photo.png"), id="hidden"),
        pytest.param(source("SPOILER_abc-0.webp", own=True), id="ours-and-hidden"),
    ],
)
def test_pictures_are_read_back_as_they_were_shown(shown: SourceMedia) -> None:
    embeds = embeds_of([shown, source("other.png")], lead="Which picture?")
    message: Any = SimpleNamespace(embeds=[discord.Embed.from_dict(embed.to_dict()) for embed in embeds])
    assert sources_in(message) == [shown, source("other.png")]
    assert ("thumbnail" in embeds[0].to_dict()) is not shown.spoiler


def test_pictures_of_ours_are_said_to_be_once() -> None:
    ours = [source("abc-0.webp", own=True), source("SPOILER_abc-1.webp", own=True)]
    embeds = embeds_of(ours, lead="Which picture?", note="Not understood: `wibble`.")
    message: Any = SimpleNamespace(embeds=[discord.Embed.from_dict(embed.to_dict()) for embed in embeds])
    assert sources_in(message) == ours
    assert [bool(embed.author.name) for embed in embeds] == [True, False]


def test_name_cannot_make_a_picture_ours() -> None:
    message: Any = SimpleNamespace(embeds=embeds_of([source("One of mine · 9×9.png")], lead="One of mine"))
    (read,) = sources_in(message)
    assert (read.own, read.width) == (False, 640)


@pytest.mark.parametrize(
    ("made", "custom_id"),
    [
        pytest.param(FormsSelect(source("a.png")), "alchemy:forms", id="forms"),
        pytest.param(FormsSelect(source("a.png"), private=True), "alchemy:forms:private", id="private"),
        pytest.param(WhichSelect(7, ()), "alchemy:which:7:-", id="which"),
        pytest.param(WhichSelect(7, (), to_paint=True), "alchemy:which:7:+", id="to-paint"),
    ],
)
async def test_choice_says_what_it_is_about_in_its_custom_id(made: FormsSelect | WhichSelect, custom_id: str) -> None:
    assert made.custom_id == custom_id
    match = made.template.fullmatch(custom_id)
    assert match is not None
    again = await type(made).from_custom_id(None, made, match)  # type: ignore[arg-type]
    assert again.custom_id == custom_id
    assert view_of(again).is_persistent()
