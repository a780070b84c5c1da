"""A person's jobs as a list."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.stages import Stage
from bot.render.jobs import job_choice, render_jobs
from bot.render.messages import MAX_CHOICE, MAX_DESCRIPTION
from tests.factories import NOW, make_job, make_reply, make_request


def listed(*jobs: object) -> str:
    """The words of the list."""
    embed = render_jobs(jobs).embed  # type: ignore[arg-type]
    assert embed is not None
    return embed.description


def test_list_says_what_became_of_each_and_where_it_is() -> None:
    running, done = make_job(stage=Stage.WAITING), make_job(stage=Stage.ENDED)
    first, second = listed(running, done).splitlines()
    assert first.startswith("⏳ 🎨"), "what kind of job it is"
    assert running.id in first
    assert f"/{running.reply.message_id})" in first
    assert second.startswith("✅")
    assert "kept" not in second


def test_result_nobody_has_seen_is_said_to_be_kept() -> None:
    waiting = make_job(stage=Stage.DELIVERING)
    lost = make_job(stage=Stage.ENDED, reply=make_reply(detached="message deleted"))
    assert listed(waiting, lost).count("kept for `/jobs show`") == 2
    assert "https://" not in listed(lost), "its message is gone"


def test_words_of_people_stay_words() -> None:
    job = make_job(request=make_request(prompt="](https://evil.example) @everyone `x` **b**" * 20))
    told = listed(*[job] * 10)
    assert "@everyone" not in told
    assert "](https://evil" not in told
    assert len(told) <= MAX_DESCRIPTION
    name, value = job_choice(job)
    assert len(name) <= MAX_CHOICE
    assert value == job.id


def test_nothing_yet_says_how_to_begin() -> None:
    assert "/imagine" in listed()


def test_time_is_the_end_where_there_is_one() -> None:
    job = make_job(stage=Stage.ENDED, ended_at=NOW + timedelta(minutes=7))
    assert f"<t:{int((NOW + timedelta(minutes=7)).timestamp())}:R>" in listed(job)
