"""Something done with a picture, from wherever it is asked for: the one way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import discord

from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.jobs import JobId
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest, MediaGone
from bot.render.escaping import code_span
from bot.render.forms import name_of
from bot.services.ports import KnowsAlchemists
from cogs.context import check_permissions
from cogs.submissions import Submissions

#: The name of the provider that does it.
PROVIDER = "horde-alchemy"
#: Engines that do what a form does too, and what that is.
ENGINES = {"rembg": "Cut out", "gfpgan": "Faces repaired"}
#: Words of a sentence that are quoted back where they were not understood, and how much of each.
MOST_WORDS, SHOWN_WORD = 4, 20
NO_ENGINE = "That engine isn't there any more. Please choose something else."


class WorkingEngines(Protocol):
    """Engines of another service that work on pictures."""

    async def work(
        self, interaction: discord.Interaction[Any], engine: str, source: SourceMedia, *, private: bool = False
    ) -> None:
        """Have one work on a picture, as the answer to this interaction."""
        ...


class PictureWork:
    """Has forms made of pictures."""

    def __init__(
        self, submissions: Submissions, alchemists: KnowsAlchemists, engines: WorkingEngines | None = None
    ) -> None:
        """`engines` are offered beside the forms, where there are any."""
        self._submissions = submissions
        self._alchemists = alchemists
        self._engines = engines

    @property
    def engines(self) -> Mapping[str, str]:
        """The engines that are offered beside the forms, and what each does."""
        return ENGINES if self._engines is not None else {}

    async def start(
        self,
        interaction: discord.Interaction[Any],
        source: SourceMedia,
        forms: Sequence[Form],
        *,
        private: bool = False,
        parent_id: JobId | None = None,
        unknown: Sequence[str] = (),
    ) -> None:
        """Have the forms made of the picture, as the answer to this interaction. Raises `UserError`.

        `unknown` are words that were not understood: the reply names them.
        """
        check_permissions(interaction)
        request = request_for(source, forms, self._alchemists, unknown)
        await self._submissions.submit(interaction, request, provider=PROVIDER, private=private, parent_id=parent_id)

    async def run(
        self, interaction: discord.Interaction[Any], engine: str, source: SourceMedia, *, private: bool = False
    ) -> None:
        """Have an engine work on the picture, as the answer to this interaction. Raises `UserError`."""
        if self._engines is None or engine not in ENGINES:
            raise MediaGone(f"no engine {engine}", user_message=NO_ENGINE)
        await self._engines.work(interaction, engine, source, private=private)


def request_for(
    source: SourceMedia, forms: Sequence[Form], alchemists: KnowsAlchemists, unknown: Sequence[str] = ()
) -> AlchemyRequest:
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
    remarks = (unknown_words(unknown),) if unknown else ()
    return AlchemyRequest(source=source, forms=served, left_out=missing, remarks=remarks)


def unknown_words(words: Sequence[str]) -> str:
    """Say which words were not understood, so that none is dropped in silence."""
    shown = [code_span(word, SHOWN_WORD) for word in dict.fromkeys(words)]
    more = ", …" if len(shown) > MOST_WORDS else ""
    return f"Not understood, and left out: {', '.join(shown[:MOST_WORDS])}{more}."
