"""Where pictures are in a message, as Discord describes them; whether they are any is for the fetcher to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import discord

from bot.domain.sources import SPOILER, SourceMedia
from bot.errors import InvalidRequest
from bot.render.escaping import code_span

#: By content type, or where Discord told none, by the name's end.
_TYPES = "image/"
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif", ".svg", ".tif", ".tiff", ".heic")

SHOWN_NAME = 60
NO_PICTURE = "{name} is no picture. Please attach a PNG, JPEG, WebP or GIF."


def source_of(
    attachment: discord.Attachment, *, message: discord.Message | None = None, own: bool = False
) -> SourceMedia:
    """An attachment of a command, or of a message."""
    hidden = SPOILER if attachment.is_spoiler() else ""
    return SourceMedia(
        url=attachment.url,
        filename=f"{hidden}{attachment.filename.removeprefix(SPOILER)}",
        content_type=attachment.content_type or "",
        size=attachment.size,
        width=attachment.width or 0,
        height=attachment.height or 0,
        attachment_id=attachment.id,
        message_id=message.id if message is not None else None,
        channel_id=message.channel.id if message is not None else None,
        own=own,
    )


def picture_of(attachment: discord.Attachment) -> SourceMedia:
    """An attachment of a command that has to be a picture. Raises `InvalidRequest` for what surely is none."""
    if not _may_be_picture(attachment) and not attachment.filename.lower().endswith(_ENDINGS):
        raise InvalidRequest(user_message=NO_PICTURE.format(name=code_span(attachment.filename, SHOWN_NAME)))
    return source_of(attachment)


def pictures_of(message: discord.Message, *, me: int | None) -> Sequence[SourceMedia]:
    """The pictures of a message: attached, forwarded, or shown in an embed; each address once."""
    own = message.author.id == me
    found = (*_attached(message, own=own), *_forwarded(message), *_embedded(message.embeds, message))
    by_url = {source.url: source for source in reversed(found)}
    return tuple(reversed(by_url.values()))


def is_blank(message: discord.Message, *, me: int | None) -> bool:
    """Whether Discord has kept what is in a message from us, as it does without the message-content intent."""
    written = message.content or message.attachments or message.embeds or message.components
    seen = written or message.stickers or message.poll
    return message.author.id != me and not seen and not message.is_system() and not message.message_snapshots


def _attached(message: discord.Message, *, own: bool) -> Iterator[SourceMedia]:
    for attachment in message.attachments:
        if _may_be_picture(attachment):
            yield source_of(attachment, message=message, own=own)


def _forwarded(message: discord.Message) -> Iterator[SourceMedia]:
    for snapshot in message.message_snapshots:
        for attachment in snapshot.attachments:
            if _may_be_picture(attachment):
                yield source_of(attachment)
        yield from _embedded(snapshot.embeds, None)


def _embedded(embeds: Sequence[discord.Embed], message: discord.Message | None) -> Iterator[SourceMedia]:
    """Pictures of embeds, by Discord's own copy of them: no other host is asked for anything."""
    for embed in embeds:
        for media in (embed.image, embed.thumbnail):
            url = media.proxy_url or ""
            if url:
                yield SourceMedia(
                    url=url,
                    filename=url.partition("?")[0].rpartition("/")[2][:100],
                    width=media.width or 0,
                    height=media.height or 0,
                    channel_id=message.channel.id if message is not None else None,
                )
                break


def _may_be_picture(attachment: discord.Attachment) -> bool:
    if attachment.content_type:
        return attachment.content_type.startswith(_TYPES)
    return attachment.filename.lower().endswith(_ENDINGS)
