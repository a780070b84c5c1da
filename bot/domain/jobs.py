"""A job: one request being tracked, from the moment it is written down until its reply shows the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Generic, NewType, Self, TypeAlias, cast

from typing_extensions import TypeIs, TypeVar

from bot.domain.alchemy import AlchemyRequest, FormArtifact
from bot.domain.conversation import TextArtifact, TextRequest
from bot.domain.engines import EngineArtifact, EngineRequest
from bot.domain.kinds import Request
from bot.domain.outgoing import Outgoing
from bot.domain.progress import Progress, steady
from bot.domain.replies import ReplyAddress
from bot.domain.requests import ImageRequest
from bot.domain.results import Artifact, ImageArtifact, Result
from bot.domain.sources import SPOILER
from bot.domain.stages import REMOTE, TERMINAL, Stage, may_follow

JobId = NewType("JobId", str)
ProcessId = NewType("ProcessId", str)
R_co = TypeVar("R_co", bound=Request, default=Request, covariant=True)


class WaitsFor(StrEnum):
    """What a job that is held waits for; the words are the ones in the database."""

    NOTHING = ""
    #: A moment that somebody named ("slow down", maintenance), or another job.
    TIME = "time"
    #: The service does not answer.
    SERVICE = "service"
    #: Its turn in our own queue.
    TURN = "turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[R_co]):
    """A request being tracked. Changed only through the methods below, which return a new value."""

    id: JobId
    provider: str
    request: R_co
    #: Who asked: the only one, besides moderators, who may cancel or delete.
    asker_id: int
    reply: ReplyAddress
    created_at: datetime
    stage: Stage = Stage.QUEUED
    progress: Progress | None = None
    artifacts: tuple[Artifact, ...] = ()
    result: Result | None = None
    #: The provider's id, and what it told at submission.
    remote_id: str | None = None
    #: Kudos: the price told (or estimated) at submission, in all.
    cost: float | None = None
    #: Why it waits here ("The AI Horde isn't answering since …"); empty when it does not.
    hold: str = ""
    #: What has to come for it to go on.
    waits_for: WaitsFor = WaitsFor.NOTHING
    #: Since when it is held, and how often handing it over was tried.
    held_since: datetime | None = None
    attempts: int = 0
    #: When it was last about to be handed over: a lost submission is looked for from here on.
    attempted_at: datetime | None = None
    #: The job this one repeats or edits.
    parent_id: JobId | None = None
    #: Acknowledged to the person: from here on it is never lost.
    accepted_at: datetime | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    delivered_at: datetime | None = None
    #: When its asker was told by a new message that it is over.
    notified_at: datetime | None = None
    #: What was sent, or was about to be, beside the reply of a job that is over.
    outbox: tuple[Outgoing, ...] = ()
    #: When the tracker looks at it next; None for never.
    due_at: datetime | None = None
    #: Seconds until the look after that, unless news changes it; long before submission, so that a slow POST of
    #: ours is not looked at meanwhile.
    cadence: float = 30.0
    cancel_requested: bool = False
    owner: ProcessId | None = None
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether the job has its result (the reply may not show it yet)."""
        return self.result is not None

    @property
    def terminal(self) -> bool:
        """Whether nothing is left to do."""
        return self.stage in TERMINAL

    @property
    def usable(self) -> tuple[Artifact, ...]:
        """The artifacts that can be shown."""
        return tuple(artifact for artifact in self.artifacts if artifact.usable)

    @property
    def images(self) -> tuple[ImageArtifact, ...]:
        """The artifacts of a wish for pictures."""
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, ImageArtifact))

    @property
    def pictures(self) -> tuple[ImageArtifact, ...]:
        """Those of them that can be shown."""
        return tuple(image for image in self.images if image.usable)

    @property
    def forms(self) -> tuple[FormArtifact, ...]:
        """The artifacts of alchemy."""
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, FormArtifact))

    @property
    def files(self) -> tuple[EngineArtifact, ...]:
        """The files that an engine made."""
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, EngineArtifact))

    @property
    def texts(self) -> tuple[TextArtifact, ...]:
        """The artifacts of a question: the answer, and before it one that was no good."""
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, TextArtifact))

    @property
    def answer(self) -> TextArtifact | None:
        """The answer that can be shown; None for no such."""
        return next((text for text in reversed(self.texts) if text.usable), None)

    def file_name(self, artifact: Artifact) -> str:
        """The artifact's file name in Discord: how it is recognised after a restart."""
        return f"{self.file_stem(artifact.index)}.{artifact.extension}"

    def file_stem(self, index: int) -> str:
        """The same without its ending. What is made of a picture that was hidden as a spoiler stays hidden."""
        hidden = any(source.spoiler for source in self.request.sources)
        return f"{SPOILER if hidden else ''}{self.id}-{index}"

    def accepted(self, *, message_id: int | None, now: datetime) -> Self:
        """Note that the person has seen the acknowledgement."""
        reply = replace(self.reply, message_id=message_id or self.reply.message_id)
        return replace(self, reply=reply, accepted_at=self.accepted_at or now, due_at=self.due_at or now)

    def submitting(self, now: datetime) -> Self:
        """Note that the request is about to leave."""
        if not may_follow(self.stage, Stage.SUBMITTING):
            return self
        return replace(self, stage=Stage.SUBMITTING, attempts=self.attempts + 1, attempted_at=now)

    def unsubmitted(self) -> Self:
        """Note that the request surely did not arrive: it may be handed over (again)."""
        return replace(self, stage=Stage.QUEUED) if self.stage is Stage.SUBMITTING else self

    def submitted(self, *, remote_id: str, cost: float | None, now: datetime) -> Self:
        """Note the provider's id: the request is theirs now."""
        if not may_follow(self.stage, Stage.WAITING):
            return self
        return replace(
            self,
            stage=Stage.WAITING,
            remote_id=remote_id,
            cost=cost,
            submitted_at=now,
            progress=Progress(stage=Stage.WAITING, waiting=self.request.parts),
            hold="",
            held_since=None,
            waits_for=WaitsFor.NOTHING,
        )

    def again(self, request: Request, now: datetime) -> Self:
        """Put another request in the place of one that brought nothing usable: it goes the whole way, from our queue.

        The old one's id stays until the new one has its own: whoever looks for a lost submission has to know it.
        """
        if self.over or not may_follow(self.stage, Stage.QUEUED):
            return self
        fresh = replace(self.released(), stage=Stage.QUEUED, request=cast("R_co", request), progress=None, artifacts=())
        return replace(fresh, submitted_at=None, started_at=None, due_at=now, cadence=30.0)

    def held(
        self,
        why: str,
        *,
        until: datetime,
        now: datetime,
        waits_for: WaitsFor = WaitsFor.TIME,
        since: datetime | None = None,
    ) -> Self:
        """Leave it where it is until `until`, telling people why, and since when (`since`, or when it began)."""
        began = self.held_since if self.waits_for is waits_for else None
        return replace(self, hold=why, waits_for=waits_for, held_since=since or began or now, due_at=until)

    def released(self) -> Self:
        """Forget why it was held."""
        if not self.hold and self.waits_for is WaitsFor.NOTHING:
            return self
        return replace(self, hold="", held_since=None, waits_for=WaitsFor.NOTHING)

    def advance(self, news: Progress, now: datetime) -> Self:
        """Take in a snapshot. Late, repeated, or backward news returns the job unchanged."""
        if self.stage not in REMOTE or self.over:
            return self
        if self.progress is not None and news.finished < self.progress.finished:
            return self
        progress = steady(self.progress, news, now)
        stage = Stage.PROCESSING if progress.stage is Stage.PROCESSING else self.stage
        if progress == self.progress and stage is self.stage:
            return self
        started_at = self.started_at or (now if stage is Stage.PROCESSING else None)
        return replace(self, stage=stage, progress=progress, started_at=started_at)

    def with_artifacts(self, *new: Artifact) -> Self:
        """Add artifacts that were not known yet (by the provider's id)."""
        known = {artifact.remote_id for artifact in self.artifacts}
        fresh = tuple(artifact for artifact in new if artifact.remote_id not in known)
        return replace(self, artifacts=self.artifacts + fresh) if fresh else self

    def concluded(self, result: Result, now: datetime) -> Self:
        """Give it its result; the reply is still to show it. A job that has one keeps it."""
        if self.over or not may_follow(self.stage, Stage.DELIVERING):
            return self
        return replace(
            self,
            stage=Stage.DELIVERING,
            result=result,
            ended_at=now,
            due_at=now,
            cadence=30.0,
            hold="",
            held_since=None,
            waits_for=WaitsFor.NOTHING,
        )

    def delivered(self, now: datetime) -> Self:
        """Note that the reply shows the end, or that nobody can see it any more."""
        if self.terminal:
            return self
        return replace(self, stage=Stage.ENDED, delivered_at=now, due_at=None)

    def detached(self, why: str) -> Self:
        """Note that the reply cannot be reached any more; the job itself goes on."""
        return self if self.reply.detached else replace(self, reply=replace(self.reply, detached=why))

    def moved(self, reply: ReplyAddress, now: datetime) -> Self:
        """Give a job whose reply is lost another one, in which its end is still to be shown."""
        return replace(self, reply=reply, due_at=now)

    def sending(self, message: Outgoing) -> Self:
        """Note what is known of a message beside the reply, in the place of what was known of it before."""
        if not self.over:
            raise ValueError(f"job {self.id} is not over: nothing goes beside its reply yet")
        known = {one.part: one for one in self.outbox} | {message.part: message}
        return replace(self, outbox=tuple(known.values()))

    def not_sent(self, part: str) -> Self:
        """Forget a message that surely did not arrive."""
        return replace(self, outbox=tuple(one for one in self.outbox if one.part != part))

    def notified(self, now: datetime) -> Self:
        """Note that its asker was told of the end, or did not want to be."""
        return replace(self, notified_at=self.notified_at or now)


ImageJob: TypeAlias = Job[ImageRequest]
AlchemyJob: TypeAlias = Job[AlchemyRequest]
TextJob: TypeAlias = Job[TextRequest]
EngineJob: TypeAlias = Job[EngineRequest]


def is_image(job: Job) -> TypeIs[ImageJob]:
    """Whether the job is a wish for pictures."""
    return isinstance(job.request, ImageRequest)


def is_alchemy(job: Job) -> TypeIs[AlchemyJob]:
    """Whether the job works on a picture."""
    return isinstance(job.request, AlchemyRequest)


def is_text(job: Job) -> TypeIs[TextJob]:
    """Whether the job is a question."""
    return isinstance(job.request, TextRequest)


def is_engine(job: Job) -> TypeIs[EngineJob]:
    """Whether the job is a wish to have an engine run."""
    return isinstance(job.request, EngineRequest)
