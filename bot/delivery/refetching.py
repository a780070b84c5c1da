"""A fresh address for something that was handed in: Discord's signed ones die within a day."""

from __future__ import annotations

from bot.delivery.routes import Routes
from bot.delivery.translate import Refused
from bot.domain.sources import SourceMedia
from bot.errors import DeliveryError, ReplyClosed, ReplyLost, Unavailable

_NOT_ANSWERING = "Discord isn't answering, so I can't fetch the picture right now; I keep trying."


class DiscordRefetcher:
    """Reads the message again that the picture hangs on."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    async def fresh_url(self, source: SourceMedia) -> str | None:
        """An address that works now; None when the message or the attachment is gone, or can't be seen any more.

        Raises `Unavailable` when Discord isn't answering.
        """
        if source.channel_id is None or source.message_id is None:
            return None
        try:
            message = await self._routes.fetch(source.channel_id, source.message_id)
        except (ReplyLost, ReplyClosed, Refused):
            return None
        except DeliveryError as error:
            raise Unavailable(str(error), user_message=_NOT_ANSWERING) from error
        # Many pictures have the same name (pasted ones are all called image.png), so that comes second.
        by_id = [a.url for a in message.attachments if a.id == source.attachment_id]
        by_name = [a.url for a in message.attachments if a.filename == source.filename]
        return next(iter(by_id + by_name), None)
