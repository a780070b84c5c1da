"""Request → parameters, and what is known of a run → progress: pure.

Everything OSAIS told of a run lies in the inbox, in the order it came, or in the last check; `progress_of` judges it
all anew each time. So it does not matter who brought the news, in what order, how often, or whether the process that
took it in is still alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.domain.callbacks import Callback, Notice, Upload
from bot.domain.engines import GRACE, SETTLE, EngineRequest, Step
from bot.domain.jobs import EngineJob
from bot.domain.progress import Progress
from bot.domain.stages import Stage
from bot.providers.osais.configs import ALWAYS_SENT, WORDS

#: OSAIS's stages (its NodeJS sample's names); unknown numbers mean nothing.
STEPS: Mapping[int, Step] = MappingProxyType(
    {
        -1: Step.FAILED,
        0: Step.SENT,
        1: Step.RECEIVED,
        2: Step.STARTED,
        3: Step.WORKING,
        4: Step.FILE_DONE,
        5: Step.STOPPED,
    }
)
_ORDER = tuple(Step)
#: What AIs say at each stage anyway: it tells people nothing.
_USUAL = ("Acknowledged request", "AI started", "destination image =", "copied input image to", "AI stopped")
MAX_NOTE = 200
#: Calls that were silent for this long are no longer relied on: then it is asked.
HUSH = timedelta(seconds=10)
#: Between two checks of a silent run: half of the silence, within these bounds, in seconds.
SHORTEST, LONGEST = 3.0, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the last check said."""

    asked_at: datetime
    #: It is known there, and not over: what a check tells of stages, and believed only where no call can tell more.
    running: bool = False
    ended: bool = False
    #: Addresses of files that are announced, and not there yet.
    awaited: tuple[str, ...] = ()
    #: Addresses of files that can never be fetched.
    unreadable: tuple[str, ...] = ()


def params_of(request: EngineRequest, urls: Mapping[str, str]) -> dict[str, Any]:
    """What is sent to the engine: words, settings, and by the service's names for them the addresses of files."""
    params: dict[str, Any] = dict(ALWAYS_SENT.get(request.engine, {}))
    if request.prompt:
        params[WORDS] = request.prompt
    params |= {setting.name: setting.value for setting in request.settings}
    return {**params, **urls}


def uploads_of(calls: Iterable[Callback]) -> list[Callback]:
    """The files that came, the same bytes once."""
    found: dict[str, Callback] = {}
    for call in calls:
        if isinstance(call.said, Upload):
            found.setdefault(call.said.sha256, call)
    return list(found.values())


def progress_of(job: EngineJob, calls: Sequence[Callback], known: Known | None, now: datetime) -> Progress:
    """How far the run is, by everything that was ever told of it."""
    notices = [call.said for call in calls if isinstance(call.said, Notice)]
    files = len(uploads_of(calls))
    before = Step(job.progress.step) if job.progress and job.progress.step else Step.SENT
    step = _step(before, notices, files, known)
    heard_at = _heard_at(job, calls, now, stopped=step.ended and not before.ended)
    if not step.ended and _given_up(job, heard_at, now):
        step = Step.TIMED_OUT
    return Progress(
        stage=Stage.WAITING if step in {Step.SENT, Step.RECEIVED} else Stage.PROCESSING,
        waiting=max(0, job.request.expected - files),
        finished=files,
        over=_over(step, files, job.request.expected, now - heard_at, heard_at, known),
        note=_note(notices, step),
        step=step.value,
        heard_at=heard_at,
    )


def _step(before: Step, notices: Iterable[Notice], files: int, known: Known | None) -> Step:
    """The furthest it ever was; an error outweighs a stop, and a stop whatever comes after it."""
    told = {STEPS[notice.stage] for notice in notices if notice.stage in STEPS}
    reached = {Step.SENT, before, *told, *({Step.FILE_DONE} if files else ())}
    if Step.FAILED in reached:
        return Step.FAILED
    if Step.STOPPED in reached or (known is not None and known.ended):
        return Step.STOPPED
    if known is not None and known.running:
        reached.add(Step.WORKING)
    furthest: Step = max(reached - {Step.TIMED_OUT}, key=_ORDER.index)
    return furthest


def _heard_at(job: EngineJob, calls: Sequence[Callback], now: datetime, *, stopped: bool) -> datetime:
    """When news last came; a check that shows the end is news, and when it came is remembered in the job."""
    moments = [call.received_at for call in calls]
    moments += [moment for moment in (job.submitted_at, job.progress and job.progress.heard_at) if moment]
    if stopped and not any(isinstance(c.said, Notice) and STEPS.get(c.said.stage, Step.SENT).ended for c in calls):
        return now
    return min(now, max(moments, default=now))


def _given_up(job: EngineJob, heard_at: datetime, now: datetime) -> bool:
    return now >= _deadline(job, heard_at)


def _deadline(job: EngineJob, heard_at: datetime) -> datetime:
    """When a run of which no end is told is given up."""
    return max((job.submitted_at or job.created_at) + job.request.patience, heard_at + HUSH)


def ended_at(job: EngineJob, news: Progress) -> datetime | None:
    """Since when nothing more is expected but files; None while it may be at work."""
    if news.heard_at is None or not news.step or not Step(news.step).ended:
        return None
    return _deadline(job, news.heard_at) if news.step == Step.TIMED_OUT else news.heard_at


def _over(step: Step, files: int, expected: int, silence: timedelta, heard_at: datetime, known: Known | None) -> bool:
    """Whether nothing more is waited for. Later files are still added, but nobody is kept waiting for them."""
    match step:
        case Step.TIMED_OUT:
            return True
        case Step.FAILED:  # what was made, and charged, before that may have got lost on its way
            return silence >= SETTLE and known is not None and known.asked_at >= heard_at + SETTLE
        case Step.STOPPED if files >= expected:
            return silence >= SETTLE
        case Step.STOPPED:
            asked = known is not None and known.asked_at >= heard_at + GRACE and not known.awaited
            return silence >= GRACE and asked
        case _:
            return False


def wants_check(news: Progress, known: Known | None, *, expected: int, pushed: bool, now: datetime) -> bool:
    """Whether it is time to ask: calls quiet the asking (`pushed`: there may be any), silence wakes it."""
    heard_at = news.heard_at or now
    silence = now - heard_at
    asked = now - known.asked_at if known is not None else None
    if news.step == Step.STOPPED and news.finished >= expected:
        return False
    if news.step in {Step.STOPPED, Step.FAILED}:
        if silence >= GRACE and not (known is not None and known.awaited):
            return known is None or known.asked_at < heard_at + GRACE
        if news.step == Step.FAILED and silence < GRACE:
            return silence >= SETTLE and (known is None or known.asked_at < heard_at + SETTLE)
    if pushed and silence < HUSH:
        return False
    return asked is None or asked.total_seconds() >= min(max(silence.total_seconds() / 2, SHORTEST), LONGEST) - 0.5


def _note(notices: Sequence[Notice], step: Step) -> str:
    """What the AI said of it that stages do not say: of a failure its reason, otherwise the last remark."""
    told = [notice for notice in notices if notice.description and not notice.description.startswith(_USUAL)]
    if step in {Step.FAILED, Step.STOPPED}:
        ends = [n for n in notices if n.stage in {-1, 5} and n.description and n.description != "AI stopped"]
        return ends[-1].description[:MAX_NOTE] if ends else ""
    return told[-1].description[:MAX_NOTE] if told else ""
