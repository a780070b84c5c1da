"""Rows: whatever a job holds survives the way through its columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import JSON, RowMapping
from sqlalchemy.dialects import sqlite

from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.progress import Progress
from bot.domain.replies import ReplyAddress
from bot.domain.requests import ImageRequest
from bot.domain.results import ImageArtifact, Result
from bot.domain.stages import Stage
from bot.errors import StoreError
from bot.store.rows import job_from_row, job_to_row
from bot.store.tables import Moment, jobs
from tests.factories import make_job

DIALECT = sqlite.dialect()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SNOWFLAKE = st.integers(min_value=0, max_value=2**63 - 1)
MOMENT = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))

REQUEST = st.builds(
    ImageRequest,
    prompt=TEXT.filter(str.strip),
    negative=TEXT,
    model=TEXT,
    width=st.sampled_from([64, 512, 3072]),
    height=st.sampled_from([64, 832]),
    count=st.integers(1, 10),
    steps=st.integers(1, 100),
    guidance=st.floats(0, 30),
    sampler=TEXT,
    seed=TEXT,
)
REPLY = st.builds(
    ReplyAddress,
    application_id=SNOWFLAKE,
    interaction_id=SNOWFLAKE,
    token=TEXT.map(SecretStr),
    token_until=MOMENT,
    channel_id=SNOWFLAKE,
    guild_id=st.none() | SNOWFLAKE,
    message_id=st.none() | SNOWFLAKE,
    detached=TEXT,
)
PROGRESS = st.builds(
    Progress,
    ends_at=st.none() | MOMENT,
    impossible_since=st.none() | MOMENT,
    quiet_since=st.none() | MOMENT,
    kudos=st.none() | NUMBER,
)
ARTIFACT = st.builds(ImageArtifact, remote_id=TEXT, worker=TEXT, notes=st.lists(TEXT, max_size=3).map(tuple))
JOB = st.builds(
    Job,
    id=TEXT.map(JobId),
    request=REQUEST,
    reply=REPLY,
    asker_id=SNOWFLAKE,
    created_at=MOMENT,
    stage=st.sampled_from(Stage),
    progress=st.none() | PROGRESS,
    artifacts=st.lists(ARTIFACT, max_size=3).map(tuple),
    result=st.none() | st.builds(Result, message=TEXT),
    cost=st.none() | NUMBER,
    cadence=NUMBER,
    due_at=st.none() | MOMENT,
    owner=st.none() | TEXT.map(ProcessId),
    **{
        name: st.none() | MOMENT
        for name in ("held_since", "attempted_at", "accepted_at", "submitted_at", "started_at", "ended_at")
    },
    delivered_at=st.none() | MOMENT,
)


def through_columns(row: dict[str, Any]) -> RowMapping:
    """What comes back of a row, column by column, without a database."""
    stored = {}
    for name, value in row.items():
        match jobs.c[name].type:
            case JSON():
                stored[name] = json.loads(json.dumps(value))
            case Moment() as moment:
                stored[name] = moment.process_result_value(moment.process_bind_param(value, DIALECT), DIALECT)
            case _:
                stored[name] = value
    return cast("RowMapping", stored)


@given(job=JOB)
def test_any_job_survives_its_columns(job: Job) -> None:
    assert job_from_row(through_columns(job_to_row(job))) == job


def test_row_covers_every_column_that_is_the_jobs() -> None:
    stores_own = {"previous_due_at", "nudges", "seen_nudges"}
    assert set(job_to_row(make_job())) == set(jobs.c.keys()) - stores_own


@given(earlier=MOMENT, later=MOMENT)
def test_stored_moments_sort_as_they_are(earlier: datetime, later: datetime) -> None:
    first, second = (Moment().process_bind_param(moment, DIALECT) for moment in (earlier, later))
    assert first is not None
    assert second is not None
    assert (first < second) is (earlier < later)


def test_naive_time_is_refused() -> None:
    with pytest.raises(TypeError):
        Moment().process_bind_param(datetime(2026, 1, 1), DIALECT)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("stage", "dreaming", id="unknown-stage"),
        pytest.param("kind", "music", id="unknown-kind"),
        pytest.param("request", {"prompt": "private"}, id="incomplete"),
        pytest.param("request", job_to_row(make_job())["request"] | {"prompt": "private " * 1000}, id="beyond-limits"),
        pytest.param("progress", "private", id="not-an-object"),
    ],
)
def test_senseless_row_is_a_store_error_without_its_content(column: str, value: object) -> None:
    row = through_columns(job_to_row(make_job())) | {column: value}  # type: ignore[operator]
    with pytest.raises(StoreError, match="can't be read") as caught:
        job_from_row(row)
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_documents_of_another_version_are_read() -> None:
    row = job_to_row(make_job(stage=Stage.WAITING))
    row["progress"] = {"stage": "waiting", "invented_later": 1}
    assert job_from_row(through_columns(row)).progress == Progress(stage=Stage.WAITING)
