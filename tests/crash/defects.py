"""Three planted defects, each a promise broken on purpose: the crash test and the auditor have to notice every one.

They are put into a child at its start; nothing in the bot knows of them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from tests.crash.rims import wrap


class Defect(StrEnum):
    """What is broken."""

    #: A request whose answer was lost is sent again without looking whether it arrived.
    RESUBMIT = "resubmit after a crash"
    #: What is attached already is attached once more.
    FORGET_FILES = "forget attachments already there"
    #: That a reply shows the end is never noted.
    LOSE_MARK = "lose the delivered mark"


def spoil(defect: Defect) -> None:
    """Break this promise for the rest of the process's life. Raises `AttributeError` if there is nothing to break."""
    from bot.delivery import edits  # noqa: PLC0415 - in the child only
    from bot.providers.horde import HordeAlchemyProvider, HordeImageProvider  # noqa: PLC0415
    from bot.services.reply_book import ReplyBook  # noqa: PLC0415

    match defect:
        case Defect.RESUBMIT:
            for provider in (HordeImageProvider, HordeAlchemyProvider):
                wrap(provider, "recover", _nothing)
        case Defect.FORGET_FILES:
            wrap(edits, "_has", lambda _: lambda *_: False)
        case Defect.LOSE_MARK:
            wrap(ReplyBook, "delivered", _nothing)


def _nothing(_: Callable[..., Any]) -> Callable[..., Any]:
    async def do_nothing(*_: object, **__: object) -> None:
        return None

    return do_nothing
