"""Scenarios about order, number and repetition: what comes when, how often, and how many files there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

from bot.sandbox.osais.plays import Ended, Made, Naming, Notify, Pause, Play, Reply, Step, Upload
from bot.sandbox.osais.scenarios.base import (
    CALLS,
    Change,
    Scenario,
    each,
    each_call,
    first,
    in_turn,
    is_stage,
    notifications,
    set_to,
    without,
    without_stages,
)

#: Clearly after any settling of a client, in seconds.
_A_WHILE = 0.2


def _stop_first(play: Play) -> Play:
    """All files are made and the run stops before any of them is told."""
    news = [step for step in play.steps if is_stage(step, 4) or isinstance(step, Upload)]
    return play.with_steps([*(step for step in play.steps if step not in news), *news])


def _stop_last(play: Play) -> Play:
    """The tidy order that no real AI keeps: the stop after everything."""
    stops = [step for step in play.steps if is_stage(step, 5)]
    return play.with_steps([*(step for step in play.steps if step not in stops), *stops])


def _upload_first(play: Play) -> Play:
    """Every upload before its stage 4."""
    steps = list(play.steps)
    for place in range(len(steps) - 1):
        if is_stage(steps[place], 4) and isinstance(steps[place + 1], Upload):
            steps[place], steps[place + 1] = steps[place + 1], steps[place]
    return play.with_steps(steps)


def _shuffled(play: Play) -> Play:
    """All files are made, then every call comes in any order."""
    calls = [step for step in play.steps if isinstance(step, CALLS)]
    Random(play.seed).shuffle(calls)
    made = [step for step in play.steps if isinstance(step, Made)]
    spaced = [step for call in calls for step in (Pause(seconds=_A_WHILE), call)]
    return play.with_steps([Reply(), *made, *spaced, Ended()])


def _reply_after(count: int | None) -> Change:
    """Answer the submit only after so many calls; None: after all of them."""

    def change(play: Play) -> Play:
        replies = [step for step in play.steps if isinstance(step, Reply)]
        steps = [step for step in play.steps if not isinstance(step, Reply)]
        calls = [place for place, step in enumerate(steps) if isinstance(step, CALLS)]
        place = len(steps) if count is None or count > len(calls) else calls[count - 1] + 1
        return play.with_steps([*steps[:place], *replies, *steps[place:]])

    return change


def _reply_after_first_upload(play: Play) -> Play:
    calls = [step for step in play.steps if isinstance(step, CALLS)]
    place = first(calls, lambda step: isinstance(step, Upload))
    return _reply_after(None if place is None else place + 1)(play)


def _lower_again(step: Step) -> Iterable[Step]:
    yield step
    if is_stage(step, 4):
        yield from (
            Notify(stage=1, descr="Acknowledged request"),
            Notify(stage=2, descr="AI started"),
            Notify(stage=0, descr=""),
        )


def _calls_at_end_again(play: Play) -> Play:
    calls = [step for step in play.steps if isinstance(step, CALLS)]
    return play.with_steps([*play.steps, Pause(seconds=_A_WHILE), *calls])


def _late(seconds: float) -> Change:
    """The last upload comes that many seconds after everything else, its file is made but just before."""

    def change(play: Play) -> Play:
        last = play.files - 1
        late: list[Step] = [step for step in play.steps if isinstance(step, Upload | Made) and step.file == last]
        late += [step for step in play.steps if isinstance(step, Notify) and step.stage == 4 and step.file == last]
        kept = [step for step in play.steps if step not in late]
        return play.with_steps([*kept, Pause(seconds=seconds, scaled=False), *late])

    return change


def _progress(step: Step) -> Iterable[Step]:
    yield step
    if is_stage(step, 3):
        for share in (0.18, 0.55, 0.9):
            yield Pause(seconds=_A_WHILE)
            yield Notify(stage=3, descr=f"Extracting video frames... {share}")


ORDERING = (
    Scenario(name="nominal", summary="as in reality: the last stage 4 and upload come after stage 5"),
    Scenario(name="no-files", summary="the run makes no file at all", count=lambda _: 0),
    Scenario(name="one-file", summary="one file", count=lambda _: 1),
    Scenario(name="four-files", summary="four files", count=lambda _: 4),
    Scenario(name="fewer-files", summary="one file fewer than asked for (but one)", count=lambda n: max(1, n - 1)),
    Scenario(name="more-files", summary="three more than asked for: intermediate frames", count=lambda n: n + 3),
    Scenario(name="stop-first", summary="stage 5, then every stage 4 and upload", change=_stop_first),
    Scenario(name="stop-last", summary="stage 5 after every upload", change=_stop_last),
    Scenario(name="upload-before-4", summary="each upload before its stage 4", change=_upload_first),
    Scenario(
        name="upload-without-notify",
        summary="uploads without their stage 4",
        change=without_stages(4),
    ),
    Scenario(name="uploads-alone", summary="uploads and no notification at all", change=without(Notify)),
    Scenario(name="notify-without-upload", summary="stage 4s, but no upload ever comes", change=without(Upload)),
    Scenario(name="shuffled", summary="all calls in any order", change=_shuffled),
    Scenario(name="before-reply", summary="stages 0 and 1 before the answer to the submit", change=_reply_after(2)),
    Scenario(
        name="upload-before-reply",
        summary="everything up to the first upload before the answer to the submit",
        change=_reply_after_first_upload,
    ),
    Scenario(name="all-before-reply", summary="every call before the answer to the submit", change=_reply_after(None)),
    Scenario(
        name="lower-after-higher", summary="stages 1, 2 and 0 again after each stage 4", change=each(_lower_again)
    ),
    Scenario(name="duplicates", summary="every call twice", change=each_call(lambda call: [call, call])),
    Scenario(name="duplicates-at-end", summary="all calls once more at the end", change=_calls_at_end_again),
    Scenario(
        name="same-bytes-twice",
        summary="each file twice, the second time under another name",
        change=each(
            lambda step: (
                [step, replace(step, name="copy.png", fields={"cycle": 1})] if isinstance(step, Upload) else [step]
            )
        ),
    ),
    Scenario(name="same-name", summary="all files have the same name", change=set_to(naming=Naming.ALL_THE_SAME)),
    Scenario(name="no-stage-0", summary="stage 0 is left out", change=without_stages(0)),
    Scenario(
        name="stages-skipped",
        summary="nothing between stage 1 and the uploads",
        change=without_stages(0, 2, 3, 4),
    ),
    Scenario(
        name="stage-11",
        summary="a stage 11 (an early warning) before stage 3",
        change=each(lambda step: [Notify(stage=11, descr="low memory"), step] if is_stage(step, 3) else [step]),
    ),
    Scenario(
        name="stage-missing",
        summary="a call without stage after stage 2, which means 0",
        change=each(
            lambda step: [step, Notify(stage=0, descr="", omit=frozenset({"stage"}))] if is_stage(step, 2) else [step]
        ),
    ),
    Scenario(name="progress-texts", summary="stage 3 again and again with other texts", change=each(_progress)),
    Scenario(name="late-upload", summary="the last file 60 s late", change=_late(60)),
    Scenario(name="late-upload-closed", summary="the last file 8 minutes late", change=_late(480)),
    Scenario(name="late-upload-gone", summary="the last file 20 minutes late", change=_late(1200)),
    Scenario(name="instant", summary="nothing takes any time", change=without(Pause)),
    Scenario(
        name="instant-and-untold",
        summary="nothing takes any time, and notifications have no text",
        change=in_turn(without(Pause), notifications(descr="")),
    ),
)
