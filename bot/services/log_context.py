"""What every line of the log says about a job: which one, where it was, at which service, and the cause."""

from __future__ import annotations

from bot.domain.jobs import Job


def about(job: Job, action: str, cause: Exception | None = None, **more: object) -> dict[str, object]:
    """The `extra` of a log call; `action` names what happened, for machines. Prompts and tokens are never in it."""
    context: dict[str, object] = {"action": action, "job_id": job.id, "stage": job.stage, "provider": job.provider}
    if cause is not None:
        context["cause"] = f"{type(cause).__name__}: {cause}"
    return context | more
