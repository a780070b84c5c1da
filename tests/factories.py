"""Plain functions that make valid domain values: name what matters to the test, leave the rest."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.progress import Progress
from bot.domain.replies import TOKEN_LIFE, ReplyAddress
from bot.domain.requests import ImageRequest
from bot.domain.results import ImageArtifact, Outcome, Result
from bot.domain.stages import REMOTE, Stage

#: Where `ManualClock` starts.
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
#: Who owns the jobs that are made here.
OWNER = ProcessId("process-1")
ASKER = 100_000_000_000_000_001

_ORDER = tuple(Stage)
_numbers = itertools.count(1)


def make_request(**overrides: Any) -> ImageRequest:
    """Make a request for one square picture."""
    request = ImageRequest(prompt="a lighthouse at dusk", model="Deliberate", width=512, height=512, seed="4242")
    return replace(request, **overrides)


def make_reply(**overrides: Any) -> ReplyAddress:
    """Make a reply in a guild's channel, with an interaction id of its own and its message id known."""
    number = next(_numbers)
    reply = ReplyAddress(
        application_id=700_000_000_000_000_001,
        interaction_id=800_000_000_000_000_000 + number,
        token=SecretStr(f"interaction-token-{number}"),
        token_until=NOW + TOKEN_LIFE,
        channel_id=300_000_000_000_000_001,
        guild_id=200_000_000_000_000_001,
        message_id=900_000_000_000_000_000 + number,
    )
    return replace(reply, **overrides)


def make_artifact(index: int = 0, **overrides: Any) -> ImageArtifact:
    """Make a picture that came and can be shown."""
    artifact = ImageArtifact(
        index=index,
        remote_id=f"generation-{index}",
        seed=str(4242 + index),
        model="Deliberate",
        worker="Bright Worker",
        sha256=f"{index:064x}",
        width=512,
        height=512,
        size=1234,
    )
    return replace(artifact, **overrides)


def make_progress(stage: Stage = Stage.WAITING, **overrides: Any) -> Progress:
    """Make a snapshot: third in the queue, or one picture at a worker."""
    if stage is Stage.PROCESSING:
        progress = Progress(stage=stage, processing=1, ends_at=NOW + timedelta(seconds=20))
    else:
        progress = Progress(stage=stage, waiting=1, queue_position=3, ends_at=NOW + timedelta(seconds=60))
    return replace(progress, **overrides)


def make_job(*, stage: Stage = Stage.QUEUED, **overrides: Any) -> Job:
    """Make an accepted job that went the ordinary way up to `stage`, due at `NOW` unless ended.

    Every job has an id, an interaction id and, where the stage has one, a remote id of its own.
    """
    number = next(_numbers)
    job = Job(
        id=JobId(f"job-{number:06}"),
        provider="horde",
        request=overrides.pop("request", None) or make_request(),
        asker_id=ASKER,
        reply=overrides.pop("reply", None) or make_reply(),
        created_at=NOW,
        owner=OWNER,
    )
    job = _walk(job.accepted(message_id=None, now=NOW), stage, remote_id=f"remote-{number:06}")
    return replace(job, **overrides)


def _walk(job: Job, stage: Stage, *, remote_id: str) -> Job:
    reached = _ORDER.index(stage)
    if reached >= _ORDER.index(Stage.SUBMITTING):
        job = job.submitting(NOW)
    if reached >= _ORDER.index(Stage.WAITING):
        job = job.submitted(remote_id=remote_id, cost=10.0, now=NOW)
    if stage in REMOTE:
        job = job.advance(make_progress(stage), NOW)
    if reached >= _ORDER.index(Stage.DELIVERING):
        pictures = (make_artifact(index, remote_id=f"{remote_id}-{index}") for index in range(job.request.parts))
        job = job.with_artifacts(*pictures).concluded(Result(outcome=Outcome.FINISHED), NOW)
    return job.delivered(NOW) if stage is Stage.ENDED else job
