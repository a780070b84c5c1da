"""A question as a message: while it is in work like any job, at the end as plain text, in several messages if long.

The answer is what a model wrote: it was tidied when it came (`bot.chat.cleaning`), and its markup is shown on purpose.
Whatever people wrote is quoted like everywhere else, with its markup off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chat.code_spans import left_open, on_its_own
from bot.chat.names import bare_name
from bot.domain.conversation import Flaw, Role, TextArtifact
from bot.domain.jobs import TextJob
from bot.domain.results import Censorship, Outcome, Result
from bot.render import phrases
from bot.render.escaping import inline, measure, sentence
from bot.render.messages import (
    MAX_CONTENT,
    Colour,
    Control,
    ControlStyle,
    Drawn,
    FileRef,
    RenderedEmbed,
    RenderedMessage,
)
from bot.render.progress import hold_line, impossible, running_controls
from bot.render.progress_bar import arrival, stages, stages_bar
from bot.render.results import COLOURS, MAX_SENTENCE
from bot.render.splitting import DEFAULT_LIMIT, split
from bot.render.times import duration, kudos

#: More messages than this are a flood; the whole answer is attached instead.
MAX_PARTS = 3
MAX_REMARK = 200
#: The usual persona is not worth a word.
USUAL_PERSONA = "assistant"

AGAIN = Control(verb="reask", label="Again", emoji="🔁")
TRY_AGAIN = Control(verb="reask", label="Try again", emoji="🔁", style=ControlStyle.PRIMARY)
CONTINUE = Control(verb="continue", label="Continue", emoji="➡\ufe0f", style=ControlStyle.PRIMARY)
REPLY = Control(verb="reply", label="Reply", emoji="↩\ufe0f")
THOUGHTS = Control(verb="details", label="Thoughts", emoji="💭")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What may be sent to where the reply is, as far as is known."""

    #: Further messages.
    can_post: bool = True
    #: Files.
    can_attach: bool = True


def render_text(
    job: TextJob, now: datetime, *, can_collect: bool = False, notes: Sequence[str] = (), room: Room | None = None
) -> RenderedMessage:
    """Show a question: under way, or with its answer. Without a `room` everything may be sent."""
    if job.result is None:
        return _progress(job, now, can_collect=can_collect)
    if job.answer is None:
        return _failed(job, job.result, can_collect=can_collect)
    return _answered(job, job.answer, notes, room or Room(), can_collect=can_collect)


def question_of(job: TextJob) -> str:
    """What was asked last, as it was written."""
    return next((turn.text for turn in reversed(job.request.turns) if turn.role is Role.USER), "")


# -- under way ----------------------------------------------------------------------------------------------------


def _progress(job: TextJob, now: datetime, *, can_collect: bool) -> RenderedMessage:
    troubles = tuple(_troubles(job, now))
    waits = (sentence(job.hold, MAX_SENTENCE),) if job.hold and job.request.unready else ()
    lines = (
        _asked(job),
        stages(job, "Writing"),
        # An answer comes in one piece: while it is written, the bar stands in the middle of that.
        " · ".join(filter(None, (stages_bar(job, 1, 2), arrival(job)))),
        " · ".join(filter(None, (_model(job.request.model), *_persona(job), phrases.asker(job)))),
        *waits,
        *troubles,
    )
    embed = RenderedEmbed(description="\n".join(lines), colour=Colour.AMBER if troubles else Colour.BLUE)
    return RenderedMessage(embed=embed, controls=(running_controls(job, can_collect=can_collect),), job_id=job.id)


def _asked(job: TextJob) -> str:
    mark = "➡" if job.request.continuing else "💬"
    return f"{mark} **{inline(question_of(job), phrases.SHOWN_PROMPT)}**"


def _troubles(job: TextJob, now: datetime) -> Iterator[str]:
    """Say what is in the way, most important first."""
    if job.cancel_requested:
        yield "🛑 Stopping… An answer that is being written may still arrive."
    if job.hold and not job.request.unready:
        yield hold_line(job)
    if job.request.stepped_down:
        yield "🔁 No worker could take this at its full length; I'm asking for less."
    elif job.request.retries:
        yield "🔁 The first answer was no good; I'm asking once more."
    if job.progress is None or job.cancel_requested:
        return
    if impossible(job.progress, now):
        model = _model(job.request.model)
        yield f"⚠ No worker online serves {model} at the moment: wait for one, or press **Cancel** and choose another."
    if job.progress.restarted:
        yield "🔁 A worker gave up on this; another one takes over."
    if job.progress.queue_moved:
        yield "↪ This takes longer than first expected."


# -- answered -----------------------------------------------------------------------------------------------------


def _answered(
    job: TextJob, answer: TextArtifact, notes: Sequence[str], room: Room, *, can_collect: bool
) -> RenderedMessage:
    below = "\n".join(f"-# {line}" for line in _below(job, answer, notes))
    limit = min(DEFAULT_LIMIT, MAX_CONTENT - measure(below) - 2)
    said = split("\n".join(filter(None, (_quoted(job), _text(job, answer)))), limit)
    alone = job.reply.ephemeral or not job.reply.by_channel or not room.can_post
    message = RenderedMessage(controls=_controls(answer, can_collect=can_collect), job_id=job.id)
    if len(said) == 1:
        return replace(message, content=f"{said[0]}\n{below}")
    if len(said) <= MAX_PARTS and not alone:
        return replace(message, content=said[0], more_content=(*said[1:-1], f"{said[-1]}\n{below}"))
    if not room.can_attach:
        rest = "-# ✂ The rest is too long to be shown, and I may not attach files here: **Attach Files** is missing."
        return replace(message, content=_closed(split(said[0], limit - measure(rest))[0], rest, below))
    whole = FileRef(name=f"{job.id}-answer.md", index=answer.index, drawn=Drawn.ANSWER)
    first = split(said[0], limit - measure(_ATTACHED))[0]
    return replace(message, content=_closed(first, _ATTACHED, below), files=(whole,))


def _text(job: TextJob, answer: TextArtifact) -> str:
    """What was answered; of code carried on also what it is written in."""
    if not job.request.continuing:
        return answer.text
    begun = job.request.turns[-1].text
    return on_its_own(answer.lead.rpartition("\n")[2] + answer.text, begun) if left_open(begun) else answer.text


_ATTACHED = "-# 📄 The whole answer is attached."


def _closed(*blocks: str) -> str:
    return "\n".join(filter(None, blocks))


def _quoted(job: TextJob) -> str:
    """Quote what was asked: Discord shows nobody but the asker what a command was given."""
    if job.reply.interaction_id is None or job.request.continuing:
        return ""
    return f"> {inline(question_of(job), phrases.SHOWN_PROMPT)}"


def _below(job: TextJob, answer: TextArtifact, notes: Sequence[str]) -> Iterator[str]:
    """Write the small lines under an answer: who wrote it, how long it took, what it cost, and remarks."""
    took = duration(job.ended_at - job.created_at) if job.ended_at is not None else ""
    cost = kudos(answer.kudos) if answer.kudos is not None else ""
    worker = inline(answer.worker, phrases.SHOWN_NAME // 2) if answer.worker else ""
    yield " · ".join(filter(None, (_model(answer.model or job.request.model), *_persona(job), worker, took, cost)))
    if job.request.dropped_turns:
        yield f"The conversation has grown long: the oldest {job.request.dropped_turns} turns were left out."
    if job.request.shortened:
        yield "The middle of what you wrote was left out: it was too long for the model."
    for remark in (*job.request.remarks, *answer.notes, *notes):
        yield sentence(" ".join(remark.split()), MAX_REMARK)


def _controls(answer: TextArtifact, *, can_collect: bool) -> tuple[tuple[Control, ...], ...]:
    more = (CONTINUE,) if answer.cut else ()
    thoughts = (THOUGHTS,) if answer.thought else ()
    row = (AGAIN, *more, REPLY, *thoughts, phrases.DELETE)
    return (row, (phrases.COLLECT,)) if can_collect else (row,)


# -- no answer ----------------------------------------------------------------------------------------------------


def _failed(job: TextJob, result: Result, *, can_collect: bool) -> RenderedMessage:
    opening = filter(None, (_asked(job), phrases.asker(job)))
    lines = [*opening, "", _headline(job, result), *phrases.reference(result)]
    if any(text.kudos for text in job.texts):
        lines.append(f"It cost {kudos(sum(text.kudos or 0.0 for text in job.texts))} all the same.")
    embed = RenderedEmbed(description="\n".join(lines), colour=COLOURS[result.outcome])
    retry = (TRY_AGAIN,) if phrases.repeatable(job) else ()
    controls = (*retry, phrases.DELETE, *((phrases.COLLECT,) if can_collect else ()))
    return RenderedMessage(embed=embed, controls=(controls,), job_id=job.id)


_FLAWS = {
    Flaw.EMPTY.value: "The model had nothing to say",
    Flaw.LOOP.value: "The model got stuck in a loop",
    Flaw.ONLY_THOUGHT.value: "The model thought until its room was used up, and never came to an answer",
}


def _headline(job: TextJob, result: Result) -> str:
    """Say in one or two sentences why there is no answer and what to do next."""
    if result.message:
        return sentence(result.message, MAX_SENTENCE)
    if result.code in _FLAWS:
        twice = ", also when asked once more" if job.request.retries and not job.request.stepped_down else ""
        return f"{_FLAWS[result.code]}{twice}. **Try again**, or choose another model with `/ask model:`."
    match result.outcome:
        case Outcome.CENSORED if phrases.withheld(job, Censorship.CSAM):
            return (
                "🚫 The answer was withheld: the AI Horde's filter against sexual depictions of minors stepped in. "
                "Please don't ask this a second time."
            )
        case Outcome.CENSORED:
            return "🙈 The answer was withheld by a worker's safety filter. Please put the question differently."
        case Outcome.CANCELLED if result.code == "stopped-remotely":
            return phrases.STOPPED_REMOTELY
        case Outcome.CANCELLED:
            return "Cancelled before there was an answer."
        case Outcome.EXPIRED:
            return "The AI Horde let go of this before it was answered; **Try again**, or choose another model."
        case Outcome.REJECTED:
            return "The AI Horde can't take this as asked. Please ask differently, or choose another model."
        case _:
            return "The workers gave up on this one, which is seldom the question's fault. **Try again** usually helps."


def _model(name: str) -> str:
    return inline(bare_name(name), phrases.SHOWN_NAME)


def _persona(job: TextJob) -> tuple[str, ...]:
    persona = job.request.persona
    return (inline(persona, phrases.SHOWN_NAME // 2),) if persona and persona != USUAL_PERSONA else ()
