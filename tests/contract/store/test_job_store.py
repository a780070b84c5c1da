"""What every `JobStore` promises."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import MISSING, fields, replace
from datetime import timedelta
from functools import partial

import pytest
from pydantic import SecretStr
from sqlalchemy import event, insert, text, update

from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress
from bot.domain.results import Censorship, Outcome, Result
from bot.domain.stages import Stage
from bot.errors import DuplicateJob, DuplicateRemote, JobGone, StaleJob, StoreError
from bot.store.artifacts import SqlArtifactStore
from bot.store.base import JobStore
from bot.store.engine import Database
from bot.store.jobs import SqlJobStore
from bot.store.processes import SqlProcessStore
from bot.store.rows import job_to_row
from bot.store.tables import jobs
from tests.factories import ASKER, NOW, OWNER, make_artifact, make_job, make_progress, make_reply, make_request

SECOND = timedelta(seconds=1)
STALE = NOW - timedelta(seconds=30)
OTHER = ProcessId("process-2")


def full_job() -> Job:
    """A job none of whose fields has its default."""
    ticks = itertools.count(1)

    def tick() -> timedelta:
        return timedelta(microseconds=next(ticks))

    return Job(
        id=JobId("job-full"),
        provider="horde",
        request=make_request(
            prompt="“灯塔” 🗼 naïve\n\tl'été — \u202eabc\U0001f469\u200d\U0001f680", negative="ß", count=3, karras=False
        ),
        asker_id=2**63 - 1,
        reply=ReplyAddress(
            application_id=1,
            interaction_id=2**62 + 1,
            source_message_id=2**62 + 2,
            token=SecretStr("hush"),
            token_until=NOW + tick(),
            channel_id=3,
            guild_id=4,
            message_id=5,
            ephemeral=True,
            by_channel=False,
            size_limit=6,
            detached="deleted",
        ),
        created_at=NOW + tick(),
        stage=Stage.DELIVERING,
        progress=make_progress(ends_at=NOW + tick(), impossible_since=NOW + tick(), kudos=1.25, possible=False),
        artifacts=(make_artifact(0, notes=("LoRA missing",)), make_artifact(1, censored=Censorship.CSAM)),
        result=Result(outcome=Outcome.PARTIAL, message="Some came.", code="gone", reference="ab12"),
        remote_id="remote-full",
        cost=12.625,
        hold="The AI Horde isn't answering",
        waits_for=WaitsFor.SERVICE,
        held_since=NOW + tick(),
        attempts=3,
        attempted_at=NOW + tick(),
        parent_id=JobId("job-parent"),
        accepted_at=NOW + tick(),
        submitted_at=NOW + tick(),
        started_at=NOW + tick(),
        ended_at=NOW + tick(),
        delivered_at=NOW + tick(),
        notified_at=NOW + tick(),
        outbox=(Outgoing(part="f1", channel_id=3, begun_at=NOW + tick(), message_id=7, files=("a-10",)),),
        due_at=NOW + tick(),
        cadence=7.5,
        cancel_requested=True,
        owner=OWNER,
        version=9,
    )


def defaults_left(value: Job | ReplyAddress) -> list[str]:
    return [f.name for f in fields(value) if f.default is not MISSING and getattr(value, f.name) == f.default]


async def test_every_field_comes_back(store: JobStore) -> None:
    job = full_job()
    assert defaults_left(job) == defaults_left(job.reply) == [], "extend full_job() with the new field"
    await store.add(job)
    assert await store.get(job.id) == job


@pytest.mark.parametrize("stage", Stage)
async def test_job_in_any_stage_comes_back(store: JobStore, stage: Stage) -> None:
    job = make_job(stage=stage)
    await store.add(job)
    assert await store.get(job.id) == job


async def test_times_come_back_aware(store: JobStore) -> None:
    job = make_job(stage=Stage.PROCESSING)
    await store.add(job)
    found = await store.get(job.id)
    assert found
    assert found.progress
    assert found.progress.ends_at
    assert found.due_at
    for moment in (found.created_at, found.due_at, found.reply.token_until, found.progress.ends_at):
        assert moment.utcoffset() == timedelta(0)


async def test_unknown_job_is_none(store: JobStore) -> None:
    assert await store.get(JobId("nobody")) is None


async def test_second_job_of_one_interaction_is_refused(store: JobStore) -> None:
    job = make_job()
    await store.add(job)
    again = make_job(reply=make_reply(interaction_id=job.reply.interaction_id))
    with pytest.raises(DuplicateJob):
        await store.add(again)
    assert await store.get(again.id) is None


async def test_duplicate_in_a_burst_harms_nobody_else(store: JobStore) -> None:
    burst = [make_job() for _ in range(10)]
    burst.insert(5, make_job(reply=burst[0].reply))
    outcomes = await asyncio.gather(*map(store.add, burst), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [DuplicateJob]
    assert len(await store.history(ASKER, limit=99)) == 10


async def test_burst_of_adds_shares_commits(store: JobStore, database: Database) -> None:
    commits: list[object] = []
    event.listen(database.engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(store.add(make_job()) for _ in range(100)))
    assert len(commits) <= 3
    assert len(await store.history(ASKER, limit=200)) == 100


async def test_change_writes_and_counts_the_version(store: JobStore) -> None:
    job = make_job(stage=Stage.SUBMITTING)
    await store.add(job)
    changed = await store.change(job.id, OWNER, lambda j: j.submitted(remote_id="r-1", cost=3.0, now=NOW))
    assert (changed.stage, changed.remote_id, changed.version) == (Stage.WAITING, "r-1", job.version + 1)
    assert await store.get(job.id) == changed


async def test_equal_change_is_not_written(store: JobStore, database: Database) -> None:
    job = make_job(stage=Stage.PROCESSING)
    await store.add(job)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    news = make_progress(Stage.PROCESSING)
    assert await store.change(job.id, OWNER, lambda j: j.advance(news, NOW + SECOND)) == job
    assert not [statement for statement in statements if statement.startswith(("UPDATE", "INSERT"))]


async def test_change_of_a_missing_job_is_refused(store: JobStore) -> None:
    with pytest.raises(JobGone):
        await store.change(JobId("nobody"), OWNER, lambda job: job)


async def test_error_in_a_change_leaves_the_row(store: JobStore) -> None:
    job = make_job()
    await store.add(job)

    def fail(_job: Job) -> Job:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        await store.change(job.id, OWNER, fail)
    assert await store.get(job.id) == job


async def test_stale_owner_is_refused(store: JobStore, other_store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING)
    await store.add(job)
    assert await other_store.lease(OTHER, now=NOW, stale_before=STALE, limit=5), "the owner has no heartbeat"
    with pytest.raises(StaleJob):
        await store.change(job.id, OWNER, lambda j: replace(j, hold="mine"))
    found = await other_store.get(job.id)
    assert found
    assert (found.owner, found.hold) == (OTHER, "")


async def test_concurrent_changes_all_count(store: JobStore) -> None:
    job = make_job(attempts=0)
    await store.add(job)
    more = (store.change(job.id, OWNER, lambda j: replace(j, attempts=j.attempts + 1)) for _ in range(30))
    await asyncio.gather(*more)
    found = await store.get(job.id)
    assert found
    assert (found.attempts, found.version) == (30, 30)


async def test_lease_takes_due_jobs_earliest_first(store: JobStore) -> None:
    offsets = [3, -5, 0, -1, -3]
    made = {offset: make_job(due_at=NOW + offset * SECOND, cadence=4.5) for offset in offsets}
    for job in made.values():
        await store.add(job)
    leased = await store.lease(OWNER, now=NOW, stale_before=STALE, limit=3)
    assert [job.id for job in leased] == [made[offset].id for offset in (-5, -3, -1)]
    assert {(job.owner, job.version, job.due_at) for job in leased} == {(OWNER, 1, NOW + 4.5 * SECOND)}
    assert [job.id for job in await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9)] == [made[0].id]
    assert await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9) == []


async def test_lease_takes_what_is_urgent_before_what_is_merely_due(store: JobStore) -> None:
    merely_due = make_job(stage=Stage.WAITING, due_at=NOW - 900 * SECOND)
    new = make_job(stage=Stage.QUEUED, due_at=NOW - SECOND)
    pressed = make_job(stage=Stage.PROCESSING, due_at=NOW + 60 * SECOND)
    for job in (merely_due, new, pressed):
        await store.add(job)
    await store.nudge(pressed.id, NOW)
    urgent = await store.lease(OWNER, now=NOW, stale_before=STALE, limit=2)
    assert [job.id for job in urgent] == [new.id, pressed.id]
    assert await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9, urgent=True) == []
    assert [job.id for job in await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9)] == [merely_due.id]


async def test_lease_leaves_out_what_is_in_hand_unless_there_is_news(store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING, due_at=NOW)
    await store.add(job)
    assert await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9, in_hand={job.id}) == []
    assert await store.next_due(OWNER, stale_before=STALE, in_hand={job.id}) is None
    await store.nudge(job.id, NOW)
    assert await store.next_due(OWNER, stale_before=STALE, in_hand={job.id}) == NOW
    assert [one.id for one in await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9, in_hand={job.id})] == [
        job.id
    ]


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(make_job(accepted_at=None), id="never-accepted"),
        pytest.param(make_job(stage=Stage.ENDED), id="ended"),
        pytest.param(make_job(stage=Stage.ENDED, due_at=NOW), id="ended-and-due"),
        pytest.param(make_job(due_at=None), id="never-due"),
        pytest.param(make_job(due_at=NOW + SECOND), id="due-later"),
    ],
)
async def test_lease_leaves_alone(store: JobStore, job: Job) -> None:
    await store.add(job)
    assert await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9) == []


async def test_two_processes_never_lease_one_job_twice(
    store: JobStore, other_store: JobStore, database: Database
) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(insert(jobs), [job_to_row(make_job(owner=None)) for _ in range(600)])

    async def drain(mine: JobStore, owner: ProcessId) -> list[JobId]:
        taken: list[JobId] = []
        while leased := await mine.lease(owner, now=NOW, stale_before=STALE, limit=7):
            taken += [job.id for job in leased]
        return taken

    lanes = [drain(store, OWNER), drain(other_store, OTHER), drain(store, OWNER), drain(other_store, OTHER)]
    taken = list(itertools.chain(*await asyncio.gather(*lanes)))
    assert len(taken) == len(set(taken)) == 600


async def test_next_due_is_the_earliest_that_lease_would_take(store: JobStore) -> None:
    assert await store.next_due(OWNER, stale_before=STALE) is None
    for job in (
        make_job(due_at=NOW + 9 * SECOND),
        make_job(due_at=NOW + 4 * SECOND),
        make_job(due_at=NOW, accepted_at=None),
        make_job(stage=Stage.ENDED),
    ):
        await store.add(job)
    assert await store.next_due(OWNER, stale_before=STALE) == NOW + 4 * SECOND


async def test_cancel_reaches_the_owner_whoever_asks(store: JobStore, other_store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING, due_at=NOW + 60 * SECOND)
    await store.add(job)
    assert await other_store.request_cancel(job.id, NOW)
    (leased,) = await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9)
    assert leased.cancel_requested


async def test_cancel_survives_a_write_of_the_owner(store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING)
    await store.add(job)
    await store.request_cancel(job.id, NOW)
    changed = await store.change(job.id, OWNER, lambda _: replace(job, hold="a value from before the cancel"))
    assert changed.hold
    assert changed.cancel_requested


@pytest.mark.parametrize(
    ("job", "cancelled", "nudged"),
    [
        pytest.param(make_job(), True, True, id="queued"),
        pytest.param(make_job(stage=Stage.PROCESSING), True, True, id="processing"),
        pytest.param(make_job(stage=Stage.DELIVERING), False, True, id="over-not-shown"),
        pytest.param(make_job(stage=Stage.ENDED), False, False, id="ended"),
    ],
)
async def test_mailbox_tells_whether_it_was_too_late(store: JobStore, job: Job, cancelled: bool, nudged: bool) -> None:
    await store.add(job)
    assert await store.request_cancel(job.id, NOW) is cancelled
    assert await store.nudge(job.id, NOW) is nudged


async def test_mailbox_of_an_unknown_job(store: JobStore) -> None:
    assert not await store.request_cancel(JobId("nobody"), NOW)
    assert not await store.nudge(JobId("nobody"), NOW)


async def test_fresh_token_reaches_a_job_that_another_process_owns(store: JobStore) -> None:
    job = make_job(stage=Stage.DELIVERING, due_at=None, owner=ProcessId("somebody-else"))
    await store.add(job)
    until = NOW + 60 * SECOND
    token = SecretStr("a fresh one")
    assert await store.renew_reply(job.id, application_id=7, token=token, until=until, now=NOW)
    found = await store.get(job.id)
    assert found is not None
    assert (found.reply.token.get_secret_value(), found.reply.token_until) == ("a fresh one", until)
    assert found.reply.application_id == 7
    assert found.due_at == NOW


async def test_nudge_makes_due_and_never_puts_off(store: JobStore) -> None:
    later, earlier, never = (make_job(due_at=due) for due in (NOW + 60 * SECOND, NOW - SECOND, None))
    for job in (later, earlier, never):
        await store.add(job)
        assert await store.nudge(job.id, NOW)
    found = [await store.get(job.id) for job in (later, earlier, never)]
    assert [job.due_at for job in found if job] == [NOW, NOW - SECOND, NOW]


async def test_nudge_since_the_lease_outlives_the_owners_write(store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING)
    await store.add(job)
    await store.lease(OWNER, now=NOW, stale_before=STALE, limit=1)
    await store.nudge(job.id, NOW + SECOND)
    put_off = await store.change(job.id, OWNER, lambda j: replace(j, due_at=NOW + 60 * SECOND))
    assert put_off.due_at == NOW + SECOND
    (leased,) = await store.lease(OWNER, now=NOW + SECOND, stale_before=STALE, limit=1)
    assert leased.id == job.id
    put_off = await store.change(job.id, OWNER, lambda j: replace(j, due_at=NOW + 60 * SECOND))
    assert put_off.due_at == NOW + 60 * SECOND, "the second lease has seen the nudge"


async def test_nudge_does_not_hold_back_an_earlier_look(store: JobStore) -> None:
    job = make_job(due_at=NOW + 60 * SECOND)
    await store.add(job)
    await store.nudge(job.id, NOW + 30 * SECOND)
    sooner = await store.change(job.id, OWNER, lambda j: replace(j, due_at=NOW))
    assert sooner.due_at == NOW


async def test_nudge_does_not_keep_an_ended_job_due(store: JobStore) -> None:
    job = make_job(stage=Stage.DELIVERING)
    await store.add(job)
    await store.nudge(job.id, NOW)
    ended = await store.change(job.id, OWNER, lambda j: j.delivered(NOW))
    assert ended.due_at is None


async def test_forgotten_rows_are_taken_over(store: JobStore) -> None:
    mine_old = make_job(accepted_at=None, created_at=STALE - SECOND)
    mine_young = make_job(accepted_at=None)
    orphan = make_job(accepted_at=None, owner=None)
    dead = make_job(accepted_at=None, owner=OTHER, created_at=NOW + SECOND)
    for job in (dead, mine_young, orphan, mine_old, make_job(), make_job(stage=Stage.ENDED, accepted_at=None)):
        await store.add(job)
    taken = await store.unaccepted(OWNER, stale_before=STALE)
    assert [job.id for job in taken] == [mine_old.id, orphan.id, dead.id]
    assert {job.owner for job in taken} == {OWNER}


async def test_row_closed_as_never_acknowledged_is_taken_up_again(store: JobStore) -> None:
    closed = make_job(stage=Stage.ENDED, accepted_at=None, ended_at=NOW)
    others = [make_job(accepted_at=None), make_job(), make_job(stage=Stage.ENDED)]
    for job in (closed, *others):
        await store.add(job)
    reopen = partial(
        store.reopen, message_id=5, application_id=7, token=SecretStr("fresh"), until=NOW + SECOND, now=NOW
    )
    assert [await reopen(job.id) for job in others] == [False] * len(others)
    assert await reopen(closed.id)
    assert not await reopen(closed.id), "it is open"
    assert closed.id in [job.id for job in await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9)]
    row = await store.get(closed.id)
    assert row is not None
    assert (row.stage, row.accepted_at, row.ended_at, row.reply.message_id) == (Stage.QUEUED, NOW, None, 5)
    assert (row.reply.token.get_secret_value(), row.reply.token_until) == ("fresh", NOW + SECOND)


async def test_history_of_what_is_under_way_leaves_out_all_that_is_over(store: JobStore) -> None:
    running = make_job(created_at=NOW)
    over = [make_job(stage=stage, created_at=NOW + SECOND) for stage in (Stage.DELIVERING, Stage.ENDED)]
    for each in (running, *over):
        await store.add(each)
    assert [job.id for job in await store.history(ASKER, limit=1, under_way=True)] == [running.id]


async def test_job_is_found_by_its_remote_id(store: JobStore) -> None:
    job = make_job(stage=Stage.WAITING)
    for each in (job, make_job(stage=Stage.WAITING), make_job()):
        await store.add(each)
    assert job.remote_id
    assert await store.find_by_remote("horde", job.remote_id) == job
    assert await store.find_by_remote("elsewhere", job.remote_id) is None


async def test_known_remote_ids_are_those_of_one_provider(store: JobStore) -> None:
    first, ended, other = make_job(stage=Stage.WAITING), make_job(stage=Stage.ENDED), make_job(stage=Stage.WAITING)
    elsewhere = make_job(stage=Stage.WAITING, provider="elsewhere")
    for job in (first, ended, other, make_job(), elsewhere):
        await store.add(job)
    asked = [str(job.remote_id) for job in (first, ended, elsewhere)]
    assert await store.known_remote_ids("horde", [*asked, "nobody's"]) == {first.remote_id, ended.remote_id}
    assert await store.known_remote_ids("horde", ()) == frozenset()


async def test_history_is_a_persons_own_newest_first(store: JobStore) -> None:
    made = [make_job(created_at=NOW + offset * SECOND) for offset in (2, 0, 1)]
    for job in (*made, make_job(asker_id=ASKER + 1)):
        await store.add(job)
    assert [job.id for job in await store.history(ASKER, limit=2)] == [made[0].id, made[2].id]


async def test_unreadable_row_is_set_aside_and_stands_in_nobodys_way(
    store: SqlJobStore, processes: SqlProcessStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = make_job(stage=Stage.WAITING, due_at=NOW - SECOND), make_job()
    await asyncio.gather(store.add(bad), store.add(good))
    async with database.engine.begin() as connection:
        damaged = {"prompt": "a private prompt"}
        await connection.execute(update(jobs).where(jobs.c.id == bad.id).values(request=damaged))
    assert [job.id for job in await store.lease(OWNER, now=NOW, stale_before=STALE, limit=9)] == [good.id]
    assert bad.id in caplog.text
    with pytest.raises(StoreError) as caught:
        await store.get(bad.id)
    assert "private" not in caplog.text + str(caught.value)
    assert await store.in_work() == [], "nor does it use up its asker's share"
    await store.add(make_job(), at_most=2)
    later = NOW + timedelta(days=1)
    assert bad.id not in [job.id for job in await store.lease(OWNER, now=later, stale_before=STALE, limit=9)]
    assert caplog.text.count(bad.id) == 1, "it is told once, not at every lease"
    async with database.engine.begin() as connection:
        mended = job_to_row(bad)["request"]
        await connection.execute(update(jobs).where(jobs.c.id == bad.id).values(request=mended))
    await processes.enter(OTHER, host="host", pid=1, now=later)
    assert [job.id for job in await store.lease(OWNER, now=later, stale_before=STALE, limit=9)] == [bad.id]


async def test_unreadable_row_that_was_never_acknowledged_is_closed(
    store: JobStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    bad = make_job(accepted_at=None, created_at=STALE - SECOND)
    await store.add(bad)
    async with database.engine.begin() as connection:
        await connection.execute(update(jobs).where(jobs.c.id == bad.id).values(request={}))
    for _ in range(3):
        assert await store.unaccepted(OWNER, stale_before=STALE) == []
    assert caplog.text.count(bad.id) == 1
    assert await store.purge(before=NOW) == 1


async def test_errors_never_show_the_token(store: JobStore, database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE artifacts"))
        await connection.execute(text("DROP TABLE jobs"))
    with pytest.raises(StoreError) as caught:
        await store.add(make_job(reply=make_reply(token=SecretStr("hush-hush"))))
    assert "hush-hush" not in str(caught.value)
    assert "hush-hush" not in str(caught.value.__cause__)


async def test_work_is_counted_by_person_and_provider(store: JobStore) -> None:
    queued, submitting = make_job(), make_job(stage=Stage.SUBMITTING, request=make_request(count=5))
    waiting = make_job(stage=Stage.WAITING, progress=make_progress(waiting=3))
    others = make_job(stage=Stage.PROCESSING, asker_id=2, progress=make_progress(Stage.PROCESSING, waiting=0))
    elsewhere, done = make_job(stage=Stage.WAITING, provider="horde-text"), make_job(stage=Stage.DELIVERING)
    for job in (queued, submitting, waiting, others, elsewhere, done):
        await store.add(job)
    found = {(one.provider, one.asker_id): (one.jobs, one.waiting) for one in await store.in_work()}
    assert found == {("horde", ASKER): (2, 8), ("horde", 2): (1, 0), ("horde-text", ASKER): (1, 1)}
    others_only = await store.in_work(without=[submitting.id, waiting.id, elsewhere.id])
    assert [(one.asker_id, one.jobs) for one in others_only] == [(2, 1)]


async def test_jobs_done_with_long_ago_are_deleted_with_what_they_brought(
    store: JobStore, artifacts: SqlArtifactStore
) -> None:
    old, fresh, waiting = make_job(stage=Stage.ENDED), make_job(stage=Stage.ENDED), make_job(stage=Stage.DELIVERING)
    await store.add(old)
    await store.add(replace(fresh, delivered_at=NOW + 40 * SECOND))
    await store.add(waiting)
    await artifacts.put(old.id, 0, b"picture", owner=OWNER, now=NOW)
    assert await store.purge(before=NOW + 30 * SECOND) == 1
    assert await store.get(old.id) is None
    assert await artifacts.get(old.id, 0) is None
    assert await store.get(fresh.id) is not None
    assert await store.get(waiting.id) is not None, "nobody has seen its end yet"
    assert await store.purge(before=NOW + 30 * SECOND) == 0


async def test_jobs_that_ended_lately_are_found_by_their_owner(store: JobStore) -> None:
    ended, running = make_job(stage=Stage.ENDED, provider="osais"), make_job(stage=Stage.WAITING, provider="osais")
    for job in (ended, running, make_job(stage=Stage.ENDED, provider="horde")):
        await store.add(job)
    assert [job.id for job in await store.ended_since("osais", OWNER, NOW, stale_before=STALE)] == [ended.id]
    assert await store.ended_since("osais", OWNER, NOW + SECOND, stale_before=STALE) == []
    (adopted,) = await store.ended_since("osais", OTHER, NOW, stale_before=STALE)
    assert adopted.owner == OTHER, "the one that ended it has no heartbeat"


async def test_number_of_a_job_in_work_is_nobody_elses(store: JobStore, other_store: JobStore) -> None:
    first, second = (make_job(stage=Stage.SUBMITTING, provider="osais", owner=one) for one in (OWNER, OTHER))
    await store.add(first)
    await store.add(second)

    def numbered(job: Job) -> Job:
        return job.submitted(remote_id="1678361974000", cost=None, now=NOW)

    await store.change(first.id, OWNER, numbered)
    with pytest.raises(DuplicateRemote):
        await other_store.change(second.id, OTHER, numbered)
    row = await store.get(second.id)
    assert row is not None
    assert (row.stage, row.remote_id) == (Stage.SUBMITTING, None)
