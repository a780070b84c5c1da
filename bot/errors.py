"""Every error Muster raises on purpose, as one tree.

    BotError
    ├── UserError                  what the person asked cannot be done as asked
    │   ├── InvalidRequest         an option is out of range, or options contradict each other
    │   ├── MissingPermissions     the bot may not do here what it would have to do
    │   ├── NotAllowed             this person may not do that to this job
    │   ├── TooManyJobs            this person has enough jobs here for now
    │   └── JobGone                the job is no longer known
    ├── ProviderError              a remote service did not do what it was asked
    │   ├── Unavailable            not reachable, or answering with 5xx: try again later
    │   ├── Busy                   it asked us to slow down (`retry_after`)
    │   ├── Paused                 it shut our address out for a while (`retry_after`)
    │   ├── Maintenance            it takes no new work at the moment
    │   ├── Rejected               it refused this request for good (`code`)
    │   │   ├── ContentRefused     its safety filter said no
    │   │   └── KudosNeeded        it wants kudos upfront
    │   ├── Unauthorized           our key is not accepted
    │   ├── RemoteGone             it does not know this request (any more)
    │   ├── SubmissionUncertain    the request left, its answer never came
    │   └── ProtocolError          its answer makes no sense (`path` says where)
    ├── MediaError                 a picture could not be fetched or is not one
    │   └── MediaGone              its link is dead (expired or pruned)
    ├── StoreError                 the database refused a write
    │   ├── DuplicateJob           this interaction already has a job
    │   ├── DuplicateRemote        another job in work has this number of its provider's
    │   ├── InboxFull              more calls came about one request than are kept
    │   └── StaleJob               another process owns the row now
    ├── DeliveryError              Discord did not take a message
    │   ├── ReplyLost              the message or its channel is gone
    │   └── ReplyClosed            no route to the message is open any more
    └── SetupError                 the operator has something to mend (`problems`)

Each carries a `user_message`: one kind sentence with a next step. Boundaries translate foreign exceptions with
`raise … from`. Nothing of a service's own wording reaches a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class BotError(Exception):
    """Root of the tree; `user_message` is safe to show to anybody."""

    #: What a person reads when nothing more precise is known.
    default_user_message: ClassVar[str] = "Something went wrong on my side. Please try again in a moment."

    def __init__(self, detail: str = "", *, user_message: str | None = None) -> None:
        self.user_message = user_message or self.default_user_message
        self.detail = detail or self.user_message
        super().__init__(self.detail)


class UserError(BotError):
    """What the person asked cannot be done as asked."""

    default_user_message = "I can't do that as asked. Please check the options and try again."


class InvalidRequest(UserError):
    """An option is out of range, or two options contradict each other."""

    default_user_message = "One of the options doesn't fit. Please change it and try again."


class MissingPermissions(UserError):
    """The bot may not do here what it would have to do."""

    default_user_message = "I'm missing a permission in this channel. Please ask somebody who manages this server."


class NotAllowed(UserError):
    """This person may not do that to this job."""

    default_user_message = (
        "Only the person who asked for this, or somebody with **Manage Messages**, can do that. "
        "You can start your own with `/imagine`."
    )


class TooManyJobs(UserError):
    """This person has enough jobs here for now; `open_jobs` says how many that is."""

    default_user_message = (
        "You already have as many requests here as I keep for one person. "
        "Please wait for one to be done, or cancel one: `/jobs list` shows them."
    )

    def __init__(self, detail: str = "", *, open_jobs: int = 0, user_message: str | None = None) -> None:
        super().__init__(detail, user_message=user_message)
        self.open_jobs = open_jobs


class JobGone(UserError):
    """The job is no longer known here."""

    default_user_message = "I no longer have the details of this one. Please start a new one with `/imagine`."


class ProviderError(BotError):
    """A remote service did not do what it was asked."""

    default_user_message = "The AI Horde gave an answer I can't use. Please try again in a moment."


class Unavailable(ProviderError):
    """Not reachable, or answering with 5xx; nothing was accepted, so trying again is safe."""

    default_user_message = "The AI Horde isn't answering right now. Your place is kept; I'll go on once it is back."


class Busy(ProviderError):
    """The service asked us to slow down; `retry_after` is in seconds.

    With `asked=False` our own pace says so, before the service has to: it was not asked, so nothing is known of it.
    """

    default_user_message = (
        "The AI Horde is taking no more requests from me this moment. Yours is kept here and goes in as soon as it can."
    )

    def __init__(
        self, detail: str = "", *, retry_after: float = 5.0, asked: bool = True, user_message: str | None = None
    ) -> None:
        super().__init__(detail, user_message=user_message)
        self.retry_after = retry_after
        self.asked = asked


class Paused(ProviderError):
    """The service shut our address out; `retry_after` is in seconds. With `asked=False` we know, and did not ask."""

    default_user_message = "The AI Horde has paused this bot for a while. New requests wait here until it lets us in."

    def __init__(
        self, detail: str = "", *, retry_after: float = 60.0, asked: bool = True, user_message: str | None = None
    ) -> None:
        super().__init__(detail, user_message=user_message)
        self.retry_after = retry_after
        self.asked = asked


class Maintenance(ProviderError):
    """The service takes no new work at the moment."""

    default_user_message = "The AI Horde is in maintenance. Your request is kept and goes in when it's back."


class Rejected(ProviderError):
    """The service refused this request for good; `code` is its own word for why (an open set)."""

    default_user_message = "The AI Horde can't take this combination of options. Please change one and try again."

    def __init__(self, detail: str = "", *, code: str = "", user_message: str | None = None) -> None:
        super().__init__(detail, user_message=user_message)
        self.code = code


class ContentRefused(Rejected):
    """The service's safety filter said no."""

    default_user_message = (
        "The AI Horde's safety filter refused this prompt; nothing was charged. Please put it differently."
    )


class KudosNeeded(Rejected):
    """The service wants kudos upfront for something this large."""

    default_user_message = (
        "The AI Horde asks for kudos in advance for a request this large. "
        "Please choose a smaller size, fewer steps, or fewer pictures."
    )


class Unauthorized(ProviderError):
    """Our key is not accepted."""

    default_user_message = "The AI Horde doesn't accept this bot's key. Please tell whoever runs the bot."


class RemoteGone(ProviderError):
    """The service does not know this request (any more)."""

    default_user_message = "The AI Horde no longer knows this request; it has probably expired. Please try again."


class SubmissionUncertain(ProviderError):
    """The request left us, but its answer never came: it may or may not have been accepted."""

    default_user_message = (
        "The connection broke just as I was handing this to the AI Horde, so I can't tell whether it arrived. "
        "I haven't sent it a second time; press **Try again** if you'd like me to."
    )


class ProtocolError(ProviderError):
    """The service's answer makes no sense; `path` says where in it."""

    def __init__(self, detail: str = "", *, path: str = "", user_message: str | None = None) -> None:
        super().__init__(f"{detail} (at {path})" if path else detail, user_message=user_message)
        self.path = path


class MediaError(BotError):
    """A picture could not be fetched, or is not one."""

    default_user_message = "I couldn't read that picture. Please try another file (PNG, JPEG, or WebP)."


class MediaGone(MediaError):
    """The picture's link is dead: expired, or the file was pruned."""

    default_user_message = "That picture's link no longer works. Please send it again."


class StoreError(BotError):
    """The database refused a write."""


class DuplicateJob(StoreError):
    """This interaction (or source message) already has a job."""


class DuplicateRemote(StoreError):
    """Another job that is in work has this number of its provider's: what comes of the two could not be told apart."""

    default_user_message = (
        "The service gave this request the number of another one, so what comes of the two can't be told apart. "
        "I let go of it rather than mix them up. Please try again."
    )


class InboxFull(StoreError):
    """More calls came about one request than are kept; this one is not."""


class StaleJob(StoreError):
    """Another process owns the row now; whatever was about to be written is void."""


class DeliveryError(BotError):
    """Discord did not take a message."""

    default_user_message = "Discord didn't take my message. I'll try again."


class ReplyLost(DeliveryError):
    """The message or its channel is gone."""


class ReplyClosed(DeliveryError):
    """No route to the message is open any more (an ephemeral reply after 15 minutes)."""


class SetupError(BotError):
    """The operator has something to mend; `problems` are plain lines, each with its fix, free of secrets."""

    default_user_message = "The bot is not set up yet. Please tell whoever runs it."

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))
