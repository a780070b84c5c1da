"""A person's own jobs as a list, and as choices of a command."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from bot.domain.jobs import Job, is_alchemy, is_engine, is_image, is_text
from bot.domain.preferences import Notify
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.render.engines import EMOJI
from bot.render.escaping import code_span, fit, inline, plain
from bot.render.forms import name_of
from bot.render.messages import MAX_CHOICE, MAX_DESCRIPTION, Colour, RenderedEmbed, RenderedMessage
from bot.render.times import relative

SHOWN_SUBJECT, SHOWN_ID = 60, 40

_MARKS = MappingProxyType(
    {
        Outcome.FINISHED: "✅",
        Outcome.PARTIAL: "◐",
        Outcome.CENSORED: "🙈",
        Outcome.FAILED: "✖",
        Outcome.CANCELLED: "🛑",
        Outcome.EXPIRED: "⌛",
        Outcome.REJECTED: "✖",
    }
)
_KINDS = MappingProxyType({"image": "🎨", "text": "💬", "alchemy": "⚗️"})
_NOTIFY = MappingProxyType(
    {
        Notify.OFF: "I don't tell you of late answers; they come into the message that is already there.",
        Notify.DM: "When an answer takes longer than five minutes, I send you a direct message.",
        Notify.PING: (
            "When an answer takes longer than five minutes, I mention you beside it; "
            "of private ones I tell you by direct message."
        ),
    }
)


def render_jobs(jobs: Sequence[Job]) -> RenderedMessage:
    """List jobs, one line each."""
    lines = fit(map(_line, jobs), MAX_DESCRIPTION - 100)
    told = lines or "Nothing yet: start with `/imagine` or `/ask`."
    return RenderedMessage(embed=RenderedEmbed(title="Your jobs", description=told, colour=Colour.GREY))


def render_notify(notify: Notify) -> str:
    """Say what was chosen."""
    return _NOTIFY[notify]


def job_choice(job: Job) -> tuple[str, str]:
    """A job as a line to choose: its words and its id."""
    return plain(f"{_mark(job)} {_kind(job)} {_subject(job)} ({job.id})", MAX_CHOICE), job.id


def _line(job: Job) -> str:
    subject = inline(_subject(job), SHOWN_SUBJECT)
    link = _link(job)
    named = f"[{subject}]({link})" if link else f"**{subject}**"
    when = relative(job.ended_at or job.created_at)
    return f"{_mark(job)} {_kind(job)} {named} · {_state(job)} {when} · {code_span(job.id, SHOWN_ID)}"


def _mark(job: Job) -> str:
    return _MARKS[job.result.outcome] if job.result is not None else "⏳"


def _kind(job: Job) -> str:
    """An emoji for what was asked for: the one that its own message begins with."""
    if is_engine(job):
        return EMOJI[job.request.makes]
    return _KINDS.get(job.request.kind, "▫️")


def _state(job: Job) -> str:
    if job.result is None:
        return f"{job.stage.value}, asked"
    if job.reply.detached or job.stage is Stage.DELIVERING:
        return f"{job.result.outcome.value}, kept for `/jobs show`,"
    return job.result.outcome.value


def _subject(job: Job) -> str:
    """A few words for what was asked."""
    if is_image(job):
        return job.request.prompt
    if is_text(job):
        return job.request.turns[-1].text if job.request.turns else "a question"
    if is_alchemy(job):
        return ", ".join(name_of(form) for form in job.request.forms)
    return str(getattr(job.request, "prompt", "") or job.request.kind)


def _link(job: Job) -> str:
    """Where the reply is; empty when it is gone."""
    reply = job.reply
    if reply.message_id is None or reply.detached:
        return ""
    return f"https://discord.com/channels/{reply.guild_id or '@me'}/{reply.channel_id}/{reply.message_id}"
