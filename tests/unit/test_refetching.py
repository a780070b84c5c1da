"""A fresh address for a picture whose old one has died."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.delivery.refetching import DiscordRefetcher
from bot.delivery.routes import Routes
from bot.domain.sources import SourceMedia
from bot.errors import DeliveryError, ReplyLost, Unavailable

#: What hangs on the message: pasted pictures all have the same name.
PASTED = [SimpleNamespace(id=number, filename="image.png", url=f"https://cdn/{number}") for number in (1, 2)]
SECOND = SourceMedia(url="", filename="image.png", attachment_id=2, message_id=7, channel_id=8)


class Channel:
    """Stands for the roads to Discord: one message, or what goes wrong on the way to it."""

    def __init__(self, found: list[SimpleNamespace] | Exception) -> None:
        self._found = found

    async def fetch(self, _channel_id: int, _message_id: int) -> Any:
        """The message."""
        if isinstance(self._found, Exception):
            raise self._found
        return SimpleNamespace(attachments=self._found)


def refetcher(found: list[SimpleNamespace] | Exception) -> DiscordRefetcher:
    """One that finds this."""
    return DiscordRefetcher(cast("Routes", Channel(found)))


async def test_address_is_that_of_the_attachment_meant_whatever_its_name() -> None:
    assert await refetcher(PASTED).fresh_url(SECOND) == "https://cdn/2"


async def test_address_is_found_by_name_where_the_id_changed() -> None:
    assert await refetcher(PASTED[:1]).fresh_url(SECOND) == "https://cdn/1"


@pytest.mark.parametrize("found", [[], ReplyLost("deleted")], ids=["no-attachment", "no-message"])
async def test_picture_that_is_gone_has_no_address(found: list[SimpleNamespace] | Exception) -> None:
    assert await refetcher(found).fresh_url(SECOND) is None


async def test_discord_not_answering_is_told_as_such() -> None:
    with pytest.raises(Unavailable):
        await refetcher(DeliveryError("HTTP 503")).fresh_url(SECOND)
