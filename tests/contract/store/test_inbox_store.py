"""What every `InboxStore` promises."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest

from bot.domain.callbacks import Callback, Notice, Upload
from bot.domain.stages import Stage
from bot.errors import InboxFull
from bot.store.base import InboxStore, JobStore
from bot.store.inbox import STRANGERS_BYTES, STRANGERS_MOST
from tests.factories import NOW, make_job

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
UID = "1678361974000"
PICTURE = bytes(range(256)) * 4


def notice(stage: int = 2, *, remote_id: str = UID, after: timedelta = timedelta(), text: str = "") -> Callback:
    said = Notice(stage=stage, filename="default", description=text, engine="ping")
    return Callback(provider="osais", remote_id=remote_id, received_at=NOW + after, said=said)


def upload(data: bytes = PICTURE, *, remote_id: str = UID, name: str = "a.png") -> Callback:
    digest = hashlib.sha256(data).hexdigest()
    said = Upload(name=name, media_type="image/png", size=len(data), sha256=digest, engine="ping")
    return Callback(provider="osais", remote_id=remote_id, received_at=NOW, said=said)


async def test_calls_come_back_in_their_order_with_their_bytes(inbox: InboxStore) -> None:
    assert await inbox.put(notice(1))
    assert await inbox.put(upload(), PICTURE)
    assert await inbox.put(notice(2, text="half \ud800 a character"))
    calls = await inbox.of("osais", UID)
    assert [call.said for call in calls[:2]] == [notice(1).said, upload().said]
    assert [call.received_at for call in calls] == [NOW] * 3
    assert [call.id for call in calls] == sorted({call.id for call in calls})
    assert await inbox.content(calls[1].id) == PICTURE
    assert await inbox.content(calls[0].id) is None
    assert await inbox.content(999_999) is None
    assert await inbox.of("osais", "another") == await inbox.of("other", UID) == []


async def test_the_same_call_is_kept_once(inbox: InboxStore) -> None:
    assert await inbox.put(notice(2))
    assert await inbox.put(upload(), PICTURE)
    assert not await inbox.put(notice(2, after=SECOND))
    assert not await inbox.put(upload(name="b.png"), PICTURE)
    assert await inbox.put(notice(2, text="another sentence"))
    assert await inbox.put(notice(2, remote_id="another"))
    assert await inbox.put(upload(remote_id="another"), PICTURE)
    assert len(await inbox.of("osais", UID)) == 3


async def test_strangers_are_kept_for_two_minutes(store: JobStore, inbox: InboxStore) -> None:
    await inbox.put(notice(1))
    await inbox.put(notice(1, remote_id="7"))
    await store.add(make_job(stage=Stage.WAITING, provider="osais", remote_id="7"))
    assert await inbox.purge(now=NOW + 119 * SECOND) == 0
    assert await inbox.purge(now=NOW + 120 * SECOND) == 1
    assert [await inbox.of("osais", UID), len(await inbox.of("osais", "7"))] == [[], 1]


async def test_strangers_are_limited_in_number(store: JobStore, inbox: InboxStore) -> None:
    await store.add(make_job(stage=Stage.WAITING, provider="osais", remote_id="7"))
    calls = [notice(number, remote_id=str(number + 10)) for number in range(STRANGERS_MOST)]
    assert all(await asyncio.gather(*(inbox.put(call) for call in calls)))
    assert await inbox.put(notice(1, remote_id="9"))
    assert await inbox.put(notice(1, remote_id="7")), "calls for requests of ours do not count"
    assert [len(await inbox.of("osais", uid)) for uid in ("9", "10", "11")] == [1, 0, 1], "the oldest makes room"
    assert await inbox.put(notice(2, remote_id="9", after=2 * MINUTE))
    assert [len(await inbox.of("osais", uid)) for uid in ("9", "11", "7")] == [1, 0, 1], "and all that are too old"


async def test_strangers_are_limited_in_size(inbox: InboxStore) -> None:
    half = bytes(STRANGERS_BYTES // 2)
    assert await inbox.put(upload(half), half)
    other = b"1" + half[1:]
    assert await inbox.put(upload(other, remote_id="2"), other)
    assert len(await inbox.of("osais", UID)) == 1
    assert await inbox.put(upload(remote_id="3"), PICTURE)
    assert [len(await inbox.of("osais", uid)) for uid in (UID, "2", "3")] == [0, 1, 1], "the oldest makes room"


async def test_one_request_is_limited_as_well(
    store: JobStore, inbox: InboxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.inbox.JOBS_MOST", 2)
    await store.add(make_job(stage=Stage.WAITING, provider="osais", remote_id=UID))
    assert [await inbox.put(notice(stage)) for stage in (1, 2)] == [True, True]
    with pytest.raises(InboxFull):  # which is no acknowledgement
        await inbox.put(notice(5))
    assert not await inbox.put(notice(2)), "a repeated one is known all the same"
    assert len(await inbox.of("osais", UID)) == 2


@pytest.mark.parametrize(
    ("minutes", "taken"), [pytest.param(14, True, id="in-time"), pytest.param(16, False, id="too-late")]
)
async def test_late_calls_are_taken_for_a_while(
    store: JobStore, inbox: InboxStore, *, minutes: int, taken: bool
) -> None:
    ended = NOW - minutes * MINUTE
    job = make_job(stage=Stage.ENDED, provider="osais", remote_id=UID, ended_at=ended, delivered_at=ended)
    await store.add(job)
    assert await inbox.put(upload(), PICTURE) is taken


async def test_calls_go_a_day_after_their_job_was_shown(store: JobStore, inbox: InboxStore) -> None:
    await inbox.put(upload(), PICTURE)
    ended = make_job(stage=Stage.ENDED, provider="osais", remote_id=UID, ended_at=NOW, delivered_at=NOW)
    await store.add(ended)
    await inbox.put(notice(0, remote_id=ended.id))
    assert await inbox.purge(now=NOW + 23 * HOUR) == 0
    assert await inbox.purge(now=NOW + 24 * HOUR) == 2


async def test_hints_may_stand_under_a_jobs_own_id(store: JobStore, inbox: InboxStore) -> None:
    job = make_job(stage=Stage.SUBMITTING)
    await store.add(job)
    assert await inbox.put(notice(0, remote_id=job.id))
    assert await inbox.purge(now=NOW + HOUR) == 0


async def test_another_process_reads_what_this_one_wrote(inbox: InboxStore, other_inbox: InboxStore) -> None:
    await inbox.put(upload(), PICTURE)
    (call,) = await other_inbox.of("osais", UID)
    assert await other_inbox.content(call.id) == PICTURE
    assert not await other_inbox.put(upload(), PICTURE)


async def test_requests_that_a_file_came_for_are_found_by_when_it_came(inbox: InboxStore) -> None:
    await inbox.put(notice(remote_id="1"))
    await inbox.put(upload(remote_id="2"), PICTURE)
    assert await inbox.files_since("osais", NOW) == {"2"}
    assert await inbox.files_since("osais", NOW + timedelta(seconds=1)) == frozenset()
    assert await inbox.files_since("another", NOW) == frozenset()
