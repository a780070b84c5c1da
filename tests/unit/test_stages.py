"""Stages: what may follow what."""

from __future__ import annotations

import pytest

from bot.domain.stages import NEXT, REMOTE, TERMINAL, Stage, may_follow


def test_every_stage_has_a_line_in_the_table() -> None:
    assert set(NEXT) == set(Stage)


def test_only_ended_is_terminal() -> None:
    assert frozenset({Stage.ENDED}) == TERMINAL


def test_every_stage_can_reach_the_end() -> None:
    for start in Stage:
        reached, todo = {start}, [start]
        while todo:
            for following in NEXT[todo.pop()] - reached:
                reached.add(following)
                todo.append(following)
        assert Stage.ENDED in reached


@pytest.mark.parametrize("stage", sorted(REMOTE))
def test_another_request_of_a_job_begins_in_our_queue(stage: Stage) -> None:
    assert may_follow(stage, Stage.QUEUED)
    assert not may_follow(stage, Stage.SUBMITTING)


def test_staying_is_not_a_move() -> None:
    assert not any(may_follow(stage, stage) for stage in Stage)
