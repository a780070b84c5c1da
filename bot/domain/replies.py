"""Where the reply of a job is, and by which roads it can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

NO_TOKEN = SecretStr("")
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
#: The interaction token is not used in its last minute (Discord docs: it lives 15 minutes).
TOKEN_LIFE = timedelta(minutes=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAddress:
    """Where a job's reply is, and by which roads it can be reached."""

    application_id: int
    channel_id: int
    #: Unique: one interaction makes one job. None when a message asked, not an interaction.
    interaction_id: int | None = None
    #: The message that asked, or the one the reply refers to; unique as well.
    source_message_id: int | None = None
    #: Empty when there is none.
    token: SecretStr = NO_TOKEN
    #: Last moment at which the token is used.
    token_until: datetime = LONG_AGO
    guild_id: int | None = None
    message_id: int | None = None
    #: Only the asker sees it, and only the token can edit it.
    ephemeral: bool = False
    #: The bot's own token can edit it by channel and message id.
    by_channel: bool = True
    #: Largest file Discord takes here, in bytes.
    size_limit: int = 10 * 1024 * 1024
    #: Why nobody can see the reply any more; empty while somebody can.
    detached: str = ""

    @property
    def open_to_bot(self) -> bool:
        """Whether the bot's own token can read, edit and send there: it sees no private replies."""
        return self.by_channel and not self.ephemeral

    def token_alive(self, now: datetime) -> bool:
        """Whether the interaction token can still be used."""
        return now < self.token_until
