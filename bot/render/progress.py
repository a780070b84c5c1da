"""A job that is under way, as a message.

The same job always gives the same message: estimates are moments (`<t:…:R>`, the reader's client counts down), the bar
follows the stage. The one exception is `IMPOSSIBLE_AFTER`: a request nobody can serve is explained once it has been so
for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.jobs import ImageJob, Job, WaitsFor
from bot.domain.progress import Progress
from bot.domain.requests import ImageRequest, SizeChoice
from bot.domain.stages import Stage
from bot.render import phrases
from bot.render.escaping import inline, sentence
from bot.render.messages import Colour, Control, RenderedEmbed, RenderedMessage
from bot.render.progress_bar import arrival, stages, stages_bar
from bot.render.times import kudos, pictures, relative

#: How long "no worker could do this" must hold before it is told: it often passes by itself.
IMPOSSIBLE_AFTER = timedelta(seconds=20)
#: A pause at least this long gets its end shown; with shorter ones, each try would cause an edit.
LONG_HOLD = timedelta(seconds=60)
#: What the Horde gives without kudos in advance, nearly always (server 5.1.5: `require_upfront_kudos`).
COMMON_AREA, COMMON_STEPS = 1024 * 1024, 40
MAX_SENTENCE = 500


def render_progress(job: ImageJob, now: datetime, *, can_collect: bool = False) -> RenderedMessage:
    """Show how far the job is, what it waits for, and how to stop it."""
    troubles = tuple(_troubles(job, now))
    painted, asked = _painted(job), job.request.count
    lines = (
        phrases.prompt_line(job.request),
        stages(job, f"Painting {painted}/{asked}"),
        " · ".join(filter(None, (stages_bar(job, painted, asked), arrival(job)))),
        _facts(job),
        *troubles,
    )
    embed = RenderedEmbed(description="\n".join(lines), colour=_colour(job, troubles))
    return RenderedMessage(
        embed=embed, files=phrases.files(job), controls=(running_controls(job, can_collect=can_collect),), job_id=job.id
    )


def _colour(job: ImageJob, troubles: tuple[str, ...]) -> Colour:
    """Waiting for one's turn is no trouble."""
    in_the_way = len(troubles) - (job.waits_for is WaitsFor.TURN)
    return Colour.AMBER if in_the_way > 0 else Colour.BLUE


def _painted(job: ImageJob) -> int:
    told = job.progress.finished if job.progress else 0
    return min(job.request.count, max(told, len(job.images)))


def _facts(job: ImageJob) -> str:
    request = job.request
    facts = (
        inline(request.model, phrases.SHOWN_NAME),
        pictures(request.count),
        phrases.size(request.width, request.height),
        f"≈ {kudos(job.cost)}" if job.cost is not None else "",
        phrases.asker(job),
    )
    return " · ".join(filter(None, facts))


def _troubles(job: ImageJob, now: datetime) -> Iterator[str]:
    """Say what is in the way, most important first."""
    if job.cancel_requested:
        yield "🛑 Stopping… Pictures already being painted may still arrive."
    if job.hold:
        yield hold_line(job)
    if job.progress is None or job.cancel_requested:
        return
    if impossible(job.progress, now):
        yield f"⚠ {_what_to_change(job.request)}"
    if job.progress.restarted:
        yield _restarted(job.progress.restarted)
    if job.progress.queue_moved:
        yield "↪ This takes longer than first expected."


def hold_line(job: Job) -> str:
    """Say why it waits here, and since when; a place in line is no trouble, and needs no time."""
    told = sentence(job.hold, MAX_SENTENCE)
    if job.waits_for is WaitsFor.TURN:
        return f"⏳ {told}"
    if job.held_since is None:
        return f"⚠ {told}"
    since = f"since {relative(job.held_since)}"
    # A service that does not answer is tried again and again: naming the next try would be an edit for each.
    last_try = max(job.held_since, job.attempted_at or job.held_since)
    told_when = job.waits_for is not WaitsFor.SERVICE and job.stage is Stage.QUEUED
    if told_when and job.due_at is not None and job.due_at - last_try >= LONG_HOLD:
        return f"⚠ {told} ({since}; next try {relative(job.due_at)})"
    return f"⚠ {told} ({since})"


def impossible(progress: Progress, now: datetime) -> bool:
    """Whether nobody could do it for so long that people should know."""
    since = progress.impossible_since
    return not progress.possible and since is not None and now - since >= IMPOSSIBLE_AFTER


def _what_to_change(request: ImageRequest) -> str:
    """Name what in this request few or no workers take, in one sentence."""
    changes = ["another model"]
    if request.width * request.height > COMMON_AREA or request.size is SizeChoice.LARGE:
        changes.append("a smaller size")
    if request.steps > COMMON_STEPS:
        changes.append("fewer steps")
    if request.nsfw:
        changes.append("a channel that is not age-restricted (not every worker serves those)")
    choice = changes[0] if len(changes) == 1 else f"{', '.join(changes[:-1])} or {changes[-1]}"
    model = inline(request.model, phrases.SHOWN_NAME)
    return (
        f"No worker online can paint this with {model} at the moment: "
        f"wait for one to come, or press **Cancel** and try {choice}."
    )


def _restarted(count: int) -> str:
    what = "A worker gave up on a picture" if count == 1 else f"Workers gave up on {pictures(count)}"
    return f"🔁 {what}; another one takes over."


def running_controls(job: Job, *, can_collect: bool) -> tuple[Control, ...]:
    """The buttons of any job that is under way."""
    cancel = replace(phrases.CANCEL, disabled=job.cancel_requested)
    # A reply that only the interaction token can edit stays as it is when the token ends, perhaps while the bot is
    # down: its way back has to be there from the start.
    token_only = job.reply.ephemeral or not job.reply.by_channel
    return (cancel, phrases.COLLECT) if can_collect or token_only else (cancel,)
