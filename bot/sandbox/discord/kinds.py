"""Kinds, states and flags, by the numbers that Discord gives them."""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum


class ChannelKind(IntEnum):
    """Channel types of the API."""

    TEXT = 0
    DM = 1
    THREAD = 11


class InteractionKind(IntEnum):
    """Interaction types of the API."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CallbackKind(IntEnum):
    """How an interaction may be answered."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


class InteractionState(StrEnum):
    """What the person sees of their interaction."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


class MessageKind(IntEnum):
    """Message types of the API."""

    DEFAULT = 0
    REPLY = 19
    COMMAND = 20
    CONTEXT_MENU = 23


class MessageFlag(IntFlag):
    """Message flags of the API."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class Route(StrEnum):
    """By which way a version of a message came about."""

    PERSON = "person"
    CALLBACK = "callback"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    BOT = "bot"
