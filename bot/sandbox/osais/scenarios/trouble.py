"""Scenarios about what goes wrong: failures of the AI, silence, strangers, bad files, and a difficult API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox.osais.engines import Kind
from bot.sandbox.osais.making import Forgery
from bot.sandbox.osais.plays import (
    Ended,
    Expected,
    ExpireBearers,
    Made,
    Notify,
    Pause,
    Play,
    Poll,
    Reply,
    ReplyKind,
    Step,
    Upload,
    error,
)
from bot.sandbox.osais.scenarios.base import (
    CALLS,
    Change,
    Scenario,
    each,
    first,
    is_stage,
    preceded,
    set_to,
    without,
    without_stages,
)
from bot.sandbox.osais.wire import TokenSent

_ERROR_TEXT = "AI stopped with error"
_FORGED = {"notify_token": TokenSent.WRONG, "upload_token": TokenSent.WRONG}
_FORBIDDEN = Expected(refusals=frozenset({403}))
_NOT_FOUND = Expected(refusals=frozenset({404}))
_UNSUPPORTED = Expected(refusals=frozenset({415}))
_TOO_LARGE = Expected(refusals=frozenset({413}))
#: A uid nobody was ever given: 2001-09-09.
UNKNOWN_UID = 1_000_000_000_000


def _cut_after(*stages: int) -> Change:
    """Nothing more comes after the first notification of one of these stages; without stages: nothing at all."""

    def change(play: Play) -> Play:
        place = first(play.steps, lambda step: is_stage(step, *stages))
        end = first(play.steps, lambda step: isinstance(step, Reply)) if not stages else place
        return play if end is None else play.with_steps(play.steps[: end + 1])

    return change


def _error_at_once(play: Play) -> Play:
    kept = _cut_after(1)(play).steps
    return play.with_steps([*kept, error("CUDA out of memory"), Ended()])


def _error_after_files(play: Play) -> Play:
    """The run dies when half of the files (at least one) are there."""
    kept: list[Step] = []
    uploaded = 0
    for step in play.steps:
        if is_stage(step, 5) or isinstance(step, Ended):
            continue
        if isinstance(step, Upload):
            uploaded += 1
        kept.append(step)
        if uploaded >= max(1, play.files // 2):
            break
    return play.with_steps([*kept, error("CUDA out of memory"), Ended()])


def _error_before_files(play: Play) -> Play:
    """-1 comes, and every file after it all the same."""
    steps = [step for step in play.steps if not is_stage(step, 4, 5) and not isinstance(step, Upload)]
    late = [step for step in play.steps if isinstance(step, Upload)]
    return play.with_steps([*steps, error("one of the AIs gave up"), Pause(seconds=2, scaled=False), *late])


def _stopped_with_error(play: Play) -> Play:
    """How the library reports a failure: stage 5 with a text, and no file."""
    kept = _cut_after(3)(play).steps
    return play.with_steps([*kept, Notify(stage=5, descr=_ERROR_TEXT), Ended()])


def _unknown(step: Step) -> Iterable[Step]:
    """Each call also for a uid that nobody knows: acknowledged, and nothing comes of it."""
    if isinstance(step, Notify):
        yield replace(step, fields={**step.fields, "uid": UNKNOWN_UID})
    if isinstance(step, Upload):
        yield replace(step, fields={"uid": UNKNOWN_UID}, name=f"{UNKNOWN_UID}_0001.png")
    yield step


def _bad_file(forgery: Forgery, expected: Expected) -> Change:
    """The first file is a forgery, which has to be refused; the others are good."""

    def change(step: Step) -> Iterable[Step]:
        match step:
            case Made(file=0):
                yield replace(step, forgery=forgery)
            case Upload(file=0):
                yield replace(step, forgery=forgery, expected=expected)
            case _:
                yield step

    return each(change)


def _reply(kind: ReplyKind) -> Change:
    return each(lambda step: [Reply(kind=kind)] if isinstance(step, Reply) else [step])


def _expires_after_start(step: Step) -> Iterable[Step]:
    yield step
    if is_stage(step, 2):
        yield ExpireBearers()


TROUBLE = (
    Scenario(name="error-at-once", summary="-1 right after stage 1", change=_error_at_once),
    Scenario(name="error-after-files", summary="-1 after half of the files", change=_error_after_files),
    Scenario(name="error-before-files", summary="-1, and the files come all the same", change=_error_before_files),
    Scenario(name="stop-with-error", summary='stage 5 "AI stopped with error", no file', change=_stopped_with_error),
    Scenario(name="silence", summary="nothing comes after the answer, ever", change=_cut_after()),
    Scenario(name="silence-after-start", summary="nothing comes after stage 2, ever", change=_cut_after(2)),
    Scenario(
        name="silence-after-file",
        summary="nothing comes after the first stage 4, not even its file; the run never ends",
        change=_cut_after(4),
    ),
    Scenario(name="callbacks-lost", summary="no call at all, but a check shows everything", change=without(*CALLS)),
    Scenario(name="stop-lost", summary="stage 5 never comes", change=without_stages(5)),
    Scenario(name="half-lost", summary="each call is lost with a chance of one half", change=set_to(loss=0.5)),
    Scenario(
        name="retries", summary="a call without acknowledgement is sent again, three times", change=set_to(retries=3)
    ),
    Scenario(
        name="wrong-token",
        summary="each call first with a wrong token: 403",
        change=preceded(*CALLS, wire=_FORGED, expected=_FORBIDDEN),
    ),
    Scenario(
        name="wrong-path",
        summary="each call first to a wrong path: 404",
        change=preceded(*CALLS, wire={"wrong_path": True}, expected=_NOT_FOUND),
    ),
    Scenario(name="unknown-uid", summary="each call also for a uid nobody knows", change=each(_unknown)),
    Scenario(name="not-a-file", summary="the first file is noise: 415", change=_bad_file(Forgery.NOISE, _UNSUPPORTED)),
    Scenario(name="html", summary="the first file is a web page: 415", change=_bad_file(Forgery.HTML, _UNSUPPORTED)),
    Scenario(name="svg", summary="the first file is an SVG: 415", change=_bad_file(Forgery.SVG, _UNSUPPORTED)),
    Scenario(
        name="empty-file",
        summary="the first file is empty: 400 or 415",
        change=_bad_file(Forgery.EMPTY, Expected(refusals=frozenset({400, 415}))),
    ),
    Scenario(name="oversize", summary="the first file has 33 MiB: 413", change=_bad_file(Forgery.OVERSIZE, _TOO_LARGE)),
    Scenario(
        name="huge-picture",
        summary="the first file says it has 900 megapixels: 413 or 415",
        change=_bad_file(Forgery.HUGE_PICTURE, Expected(refusals=frozenset({413, 415}))),
    ),
    Scenario(
        name="mp4-instead",
        summary="a picture engine sends a film: 415",
        change=_bad_file(Forgery.MP4, _UNSUPPORTED),
    ),
    Scenario(
        name="wav-instead",
        summary="a picture or film engine sends a sound: 415",
        change=_bad_file(Forgery.WAV, _UNSUPPORTED),
    ),
    Scenario(
        name="film",
        summary="every file is a film (vtoonify may make one)",
        change=set_to(kind=Kind.MP4),
    ),
    Scenario(
        name="big-files",
        summary="files of 12 MiB, more than Discord takes",
        change=each(lambda step: [replace(step, big=True)] if isinstance(step, Made) else [step]),
    ),
    Scenario(name="reply-error", summary="accepted, but answered 500", change=_reply(ReplyKind.ERROR)),
    Scenario(name="reply-html", summary="accepted, but a proxy answers with a page", change=_reply(ReplyKind.HTML)),
    Scenario(name="reply-never", summary="accepted, but never answered", change=_reply(ReplyKind.NEVER)),
    Scenario(name="reply-no-uid", summary="answered 201 with data: null", change=_reply(ReplyKind.NO_UID)),
    Scenario(name="bearer-expires", summary="every Bearer dies after stage 2", change=each(_expires_after_start)),
    Scenario(
        name="poll-nulls", summary="a check of an unfinished request has nulls", change=set_to(poll=Poll(nulls=True))
    ),
    Scenario(
        name="poll-unknown-first",
        summary="the first two checks know nothing of the request",
        change=set_to(poll=Poll(unknown=2)),
    ),
    Scenario(name="poll-s3-names", summary="a check names files as s3://...", change=set_to(poll=Poll(s3_names=True))),
    Scenario(
        name="poll-never-ends",
        summary="callbacks work, but a check never says that it ended",
        change=without(Ended),
    ),
    Scenario(
        name="poll-empty",
        summary="no call comes, and a check says it ended without a file",
        change=without(Made, *CALLS),
    ),
)
