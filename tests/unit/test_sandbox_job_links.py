"""Which job a call was made for: by what calls say, by what the bot logs, and by what follows from both."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.call_clues import callback_clues, clues_of
from bot.sandbox.control import Service
from bot.sandbox.job_links import JobLinks, fields_of, job_named_in

REQUEST = "12345678-1234-1234-1234-123456789abc"
WISH = {"prompt": "a lighthouse"}


class Log:
    """Calls as they end, and the job that each was found to be for."""

    def __init__(self) -> None:
        self.jobs: dict[int, str] = {}
        self.links = JobLinks(self.jobs.__setitem__)
        self._number = 0

    def call(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        said: object = None,
        told: object = None,
        status: int | None = 200,
    ) -> int:
        self._number += 1
        self.links.ended(self._number, clues_of(service, method, path, said=said, told=told, status=status))
        return self._number

    def submit(self, said: object = WISH, *, told: object = None, status: int | None = 202) -> int:
        return self.call(Service.HORDE, "POST", "/api/v2/generate/async", said=said, told=told, status=status)


@pytest.fixture
def log() -> Log:
    return Log()


def line(**fields: str) -> str:
    return " ".join(f"{name}={value}" for name, value in {"level": "info", **fields}.items())


def buttons(*jobs: str) -> dict[str, Any]:
    return {"components": [{"type": 1, "components": [{"type": 2, "custom_id": f"job:cancel:{job}"} for job in jobs]}]}


def test_a_reply_is_its_jobs_from_the_acknowledgement_to_edits_by_channel(log: Log) -> None:
    shown = {"resource": {"message": {"id": "42"}}}
    acknowledged = log.call(Service.DISCORD, "POST", "/api/v10/interactions/7/t0ken/callback", told=shown)
    assert log.jobs == {}
    named = log.call(Service.DISCORD, "PATCH", "/api/v10/webhooks/1/t0ken/messages/@original", said=buttons("abc"))
    later = log.call(Service.DISCORD, "PATCH", "/api/v10/channels/5/messages/42", said={"content": "done"})
    other = log.call(Service.DISCORD, "PATCH", "/api/v10/channels/5/messages/43", said={"content": "done"})

    assert log.jobs == {acknowledged: "abc", named: "abc", later: "abc"}
    assert other not in log.jobs


def test_a_remote_request_is_its_jobs_once_the_bot_says_so_with_all_that_follows(log: Log) -> None:
    submitted = log.submit(told={"id": REQUEST})
    links = {"generations": [{"img": "http://127.0.0.1:1/horde-transient/a.webp?sig=1", "worker_id": "w"}]}
    looked = log.call(Service.HORDE, "GET", f"/api/v2/generate/status/{REQUEST}", told=links)
    log.links.logged(line(action="job.submitted", job_id="abc", remote_id=REQUEST))
    fetched = log.call(Service.MEDIA, "GET", "/horde-transient/a.webp")

    assert log.jobs == dict.fromkeys((submitted, looked, fetched), "abc")


def test_a_refused_submission_is_the_jobs_that_was_refused_and_known_again(log: Log) -> None:
    refused = log.submit(told={"message": "slow down"}, status=429)
    log.links.logged(line(action="job.refused", job_id="abc"))
    again = log.submit(told={"message": "slow down"}, status=429)
    taken = log.submit(told={"id": REQUEST})
    assert log.jobs == {refused: "abc", again: "abc"}

    log.links.logged(line(action="job.submitted", job_id="abc", remote_id=REQUEST))
    assert log.jobs[taken] == "abc"


def test_the_same_wish_of_two_people_stays_two_jobs(log: Log) -> None:
    first = log.submit(told={"id": REQUEST})
    log.links.logged(line(action="job.submitted", job_id="one", remote_id=REQUEST))
    second = log.submit(told={"id": REQUEST.replace("1", "2")})
    log.links.logged(line(action="job.submitted", job_id="two", remote_id=REQUEST.replace("1", "2")))
    assert log.jobs == {first: "one", second: "two"}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(line(action="job.uncertain", job_id="abc"), id="cut off"),
        pytest.param(line(action="job.ended", job_id="abc", outcome="rejected"), id="rejected"),
    ],
)
def test_a_submission_without_an_answer_is_the_jobs_that_says_so(said: str, log: Log) -> None:
    cut = log.submit(status=None)
    log.links.logged(said)
    assert log.jobs == {cut: "abc"}


def test_a_job_that_ends_well_takes_no_strangers_call(log: Log) -> None:
    log.submit(status=503)
    log.links.logged(line(action="job.ended", job_id="abc", outcome="finished"))
    assert log.jobs == {}


def test_a_callback_is_the_jobs_whose_request_it_is_about(log: Log) -> None:
    path = "/api/v1/private/client/ai/ping"
    submitted = log.call(Service.OSAIS, "POST", path, said=WISH, told={"data": {"uid": 17}}, status=201)
    log.links.ended(99, callback_clues({"uid": "17", "stage": 1}))
    log.links.logged(line(action="job.submitted", job_id="abc", remote_id="17"))
    assert log.jobs == {submitted: "abc", 99: "abc"}


def test_a_message_with_the_buttons_of_several_jobs_is_nobodys() -> None:
    assert job_named_in(buttons("one", "two")) is None
    assert job_named_in(buttons("one", "one")) == "one"
    assert job_named_in(["no message"]) is None


def test_a_log_line_is_read_with_its_quotes() -> None:
    fields = fields_of('time=2026 message="it said \\"no\\"" action=job.ended code=""')
    assert fields == {"time": "2026", "message": 'it said "no"', "action": "job.ended", "code": ""}
