"""Job to row and back, written out: what a column holds is decided here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy import RowMapping

from bot.domain.conversation import TextRequest
from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.kinds import ARTIFACTS, REQUESTS, Request
from bot.domain.outgoing import Outgoing
from bot.domain.progress import Progress
from bot.domain.replies import ReplyAddress
from bot.domain.results import Artifact, Result
from bot.domain.stages import Stage
from bot.errors import BotError, StoreError

log = logging.getLogger(__name__)

# Documents: unknown keys pass and missing ones take their default, so rows outlive changes of these types.
_requests: Final[Mapping[str, TypeAdapter[Request]]] = {kind: TypeAdapter(made) for kind, made in REQUESTS.items()}
_artifacts: Final[Mapping[str, TypeAdapter[tuple[Artifact, ...]]]] = {
    kind: TypeAdapter(tuple[made, ...])  # type: ignore[valid-type]
    for kind, made in ARTIFACTS.items()
}
_progress: TypeAdapter[Progress | None] = TypeAdapter(Progress | None)
_result: TypeAdapter[Result | None] = TypeAdapter(Result | None)
_outbox: TypeAdapter[tuple[Outgoing, ...]] = TypeAdapter(tuple[Outgoing, ...])


def job_to_row(job: Job) -> dict[str, Any]:
    """Every column a job decides; the rest (nudges) belongs to the store."""
    return _reply_to_row(job.reply) | {
        "id": job.id,
        "provider": job.provider,
        "kind": job.request.kind,
        "request": _requests[job.request.kind].dump_python(job.request, mode="json"),
        "asker_id": job.asker_id,
        "stage": job.stage.value,
        "progress": _progress.dump_python(job.progress, mode="json"),
        "artifacts": _artifacts[job.request.kind].dump_python(job.artifacts, mode="json"),
        "result": _end_to_document(job),
        "remote_id": job.remote_id,
        "cost": job.cost,
        "hold": job.hold,
        "waits_for": job.waits_for.value,
        "held_since": job.held_since,
        "attempts": job.attempts,
        "attempted_at": job.attempted_at,
        "parent_id": job.parent_id,
        "created_at": job.created_at,
        "accepted_at": job.accepted_at,
        "submitted_at": job.submitted_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "delivered_at": job.delivered_at,
        "notified_at": job.notified_at,
        "due_at": job.due_at,
        "cadence": job.cadence,
        "cancel_requested": job.cancel_requested,
        "owner": job.owner,
        "version": job.version,
    }


def job_from_row(row: RowMapping) -> Job:
    """The job a row holds. Raises `StoreError` (without the row's content) when it makes no sense."""
    try:
        return _job_from_row(row)
    except (ValueError, TypeError, BotError) as error:
        # Not chained: the text of a ValidationError shows the prompt.
        raise StoreError(f"the row of job {row['id']} can't be read: {_outline(error)}") from None


def readable(rows: Iterable[RowMapping]) -> list[Job]:
    """The jobs of those rows that can be read; one that can't is logged and must not stand in the others' way."""
    jobs = []
    for row in rows:
        try:
            jobs.append(job_from_row(row))
        except StoreError as error:
            log.error("job unreadable: %s", error, extra={"action": "job.unreadable", "job_id": row["id"]})  # noqa: TRY400
    return jobs


def parts_of(kind: str, request: object) -> int:
    """How many parts a row's request asks for; 1 where it cannot be read."""
    try:
        return _requests[kind].validate_python(request).parts
    except (KeyError, ValueError, TypeError, BotError):
        return 1


def wordless(request: object) -> object:
    """A text's request, as it stands in a row, without what was said; as it is where it cannot be read."""
    texts = _requests[TextRequest.kind]
    try:
        read = texts.validate_python(request)
    except (ValueError, TypeError, BotError):
        return request
    return texts.dump_python(read.wordless(), mode="json") if isinstance(read, TextRequest) else request


def _job_from_row(row: RowMapping) -> Job:
    kind = row["kind"]
    if kind not in REQUESTS:
        raise ValueError(kind)
    return Job(
        id=JobId(row["id"]),
        provider=row["provider"],
        request=_requests[kind].validate_python(row["request"]),
        asker_id=row["asker_id"],
        reply=_reply_from_row(row),
        created_at=row["created_at"],
        stage=Stage(row["stage"]),
        progress=_progress.validate_python(row["progress"]),
        artifacts=_artifacts[kind].validate_python(row["artifacts"]),
        result=_result.validate_python(row["result"]),
        outbox=_outbox.validate_python((row["result"] or {}).get("outbox", ())),
        remote_id=row["remote_id"],
        cost=row["cost"],
        hold=row["hold"],
        waits_for=WaitsFor(row["waits_for"]),
        held_since=row["held_since"],
        attempts=row["attempts"],
        attempted_at=row["attempted_at"],
        parent_id=JobId(row["parent_id"]) if row["parent_id"] is not None else None,
        accepted_at=row["accepted_at"],
        submitted_at=row["submitted_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        delivered_at=row["delivered_at"],
        notified_at=row["notified_at"],
        due_at=row["due_at"],
        cadence=row["cadence"],
        cancel_requested=row["cancel_requested"],
        owner=ProcessId(row["owner"]) if row["owner"] is not None else None,
        version=row["version"],
    )


def _end_to_document(job: Job) -> dict[str, Any] | None:
    """How it ended, and what was sent beside the reply because of it: no job has the second without the first."""
    document: dict[str, Any] | None = _result.dump_python(job.result, mode="json")
    if document is None or not job.outbox:
        return document
    return document | {"outbox": _outbox.dump_python(job.outbox, mode="json")}


def _reply_to_row(reply: ReplyAddress) -> dict[str, Any]:
    return {
        "application_id": reply.application_id,
        "interaction_id": reply.interaction_id,
        "source_message_id": reply.source_message_id,
        "token": reply.token.get_secret_value(),
        "token_until": reply.token_until,
        "channel_id": reply.channel_id,
        "guild_id": reply.guild_id,
        "message_id": reply.message_id,
        "ephemeral": reply.ephemeral,
        "by_channel": reply.by_channel,
        "size_limit": reply.size_limit,
        "detached": reply.detached,
    }


def _reply_from_row(row: RowMapping) -> ReplyAddress:
    return ReplyAddress(
        application_id=row["application_id"],
        interaction_id=row["interaction_id"],
        source_message_id=row["source_message_id"],
        token=SecretStr(row["token"]),
        token_until=row["token_until"],
        channel_id=row["channel_id"],
        guild_id=row["guild_id"],
        message_id=row["message_id"],
        ephemeral=row["ephemeral"],
        by_channel=row["by_channel"],
        size_limit=row["size_limit"],
        detached=row["detached"],
    )


def _outline(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ", ".join(f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors(include_input=False))
    return type(error).__name__
