"""No prompt, model, worker, or note whatever breaks a limit of Discord's, or mentions anybody but the asker."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.jobs import Job
from bot.domain.progress import Progress
from bot.domain.requests import ImageRequest
from bot.domain.results import Censorship, ImageArtifact, Outcome, Result
from bot.domain.stages import Stage
from bot.errors import InvalidRequest
from bot.render import RenderedMessage, messages, render_details, render_error, render_help, render_job
from bot.render.escaping import measure
from tests.factories import ASKER, NOW, make_job, make_reply, make_request

MENTION = re.compile(r"@(?:everyone|here|[!&]?\d+)", re.IGNORECASE)
ESCAPED_OR_OURS = re.compile(rf"\\[^0-9A-Za-z\s]|<@{ASKER}>|<t:\d+:[Rf]>|\[AI Horde\]\(https://aihorde\.net\)")
MARKUP_OF_OTHERS = re.compile(r"<[@#:a/ti]|\]\(|://")

#: Drawing a whole job is slow on a busy machine; neither that nor a slow example is a failure.
CALM = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

MENTIONS = ("@everyone", "@here", "<@1>", "<@!2>", "<@&1>", "<#4>", "<t:5:R>", "<:a:6>", "</c:8>")
PUNCTUATION = ("```", "`", "\\", "**", "||", "[x](https://e.org)", "https://e.org")
ODDITIES = ("\n", "\n# h", " ", "\u202e", "\u200b", "\ud800", "\udfff", "\x00", "\u2028", "👩\u200d🚀")
LONG = ("e" + "\u0301" * 6, "🚀" * 40, "a" * 60, "ﷺ" * 9)
NASTY = st.sampled_from((*MENTIONS, *PUNCTUATION, *ODDITIES, *LONG))


def others_text(limit: int) -> st.SearchStrategy[str]:
    """Anything somebody else could have written, up to `limit` characters."""
    anything = st.one_of(
        st.text(alphabet=st.characters(), max_size=limit),
        st.lists(NASTY, max_size=30).map("".join),
        st.sampled_from(["🚀", "`", "@1", "<@&1>", "\\", "*", "\u0301", "\ud800"]).map(lambda unit: unit * limit),
    )
    return anything.map(lambda text: text[:limit])


REQUESTS = st.builds(
    lambda prompt, negative, model, seed, **numbers: ImageRequest(
        prompt=prompt if prompt.strip() else "x", negative=negative, model=model, seed=seed, **numbers
    ),
    prompt=others_text(4000),
    negative=others_text(1000),
    model=others_text(300),
    seed=others_text(100),
    count=st.integers(1, 10),
    width=st.sampled_from([64, 1024, 3072]),
    height=st.sampled_from([64, 1024, 3072]),
    nsfw=st.booleans(),
)
ARTIFACTS = st.builds(
    ImageArtifact,
    index=st.just(0),
    remote_id=st.just("remote"),
    seed=others_text(200),
    model=others_text(200),
    worker=others_text(200),
    width=st.sampled_from([0, 64, 1024]),
    height=st.sampled_from([64, 1024]),
    censored=st.sampled_from([None, None, *Censorship]),
    unreadable=st.booleans(),
    seed_exact=st.booleans(),
    notes=st.lists(others_text(400), max_size=4).map(tuple),
)
MOMENTS = st.none() | st.integers(0, 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds))
PROGRESS = st.builds(
    Progress,
    stage=st.sampled_from([Stage.WAITING, Stage.PROCESSING]),
    finished=st.integers(0, 12),
    restarted=st.integers(0, 3),
    queue_position=st.none() | st.integers(0, 10**6),
    ends_at=MOMENTS,
    queue_moved=st.booleans(),
    possible=st.booleans(),
    impossible_since=st.just(NOW),
    kudos=st.none() | st.floats(0, 1e6),
)
RESULTS = st.none() | st.builds(
    Result,
    outcome=st.sampled_from(Outcome),
    message=others_text(1000),
    code=others_text(20),
    reference=others_text(60),
)
REPLIES = st.builds(make_reply, ephemeral=st.booleans(), by_channel=st.booleans())


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """Draw any job, also ones that could hardly be."""
    artifacts = draw(st.lists(ARTIFACTS, max_size=12))
    return make_job(
        request=draw(REQUESTS),
        reply=draw(REPLIES),
        stage=draw(st.sampled_from(Stage)),
        progress=draw(st.none() | PROGRESS),
        artifacts=tuple(replace(artifact, index=index) for index, artifact in enumerate(artifacts)),
        result=draw(RESULTS),
        cost=draw(st.none() | st.floats(0, 1e6)),
        hold=draw(st.just("") | others_text(800)),
        held_since=draw(MOMENTS),
        due_at=draw(MOMENTS),
        ended_at=draw(MOMENTS),
        cancel_requested=draw(st.booleans()),
    )


def assert_fits(message: RenderedMessage) -> None:
    """Check everything Discord would refuse a message for, counting in the least favourable way."""
    assert measure(message.content) <= messages.MAX_CONTENT
    assert len(message.files) <= messages.MAX_FILES
    assert len(message.controls) + (message.menu is not None) <= messages.MAX_ROWS
    for choice in message.menu.choices if message.menu else ():
        assert 0 < measure(choice.label) <= messages.MAX_CHOICE
    assert len(message.menu.choices if message.menu else ()) <= messages.MAX_CHOICES
    for row in message.controls:
        assert 1 <= len(row) <= messages.MAX_ROW
        assert all(0 < measure(control.label) <= messages.MAX_LABEL for control in row)
    embed = message.embed
    assert embed is not None
    assert measure(embed.title) <= messages.MAX_TITLE
    assert 0 < measure(embed.description.strip()) <= messages.MAX_DESCRIPTION
    assert measure(embed.footer) <= messages.MAX_FOOTER
    assert len(embed.fields) <= messages.MAX_FIELDS
    for field in embed.fields:
        assert 0 < measure(field.name) <= messages.MAX_FIELD_NAME
        assert field.value.strip()
        assert measure(field.value) <= messages.MAX_FIELD_VALUE
    assert sum(map(measure, texts(message))) <= messages.MAX_EMBED
    assert 0 <= embed.colour <= 0xFFFFFF


def texts(message: RenderedMessage) -> tuple[str, ...]:
    """All the text of a message."""
    assert message.embed is not None
    pairs = (text for field in message.embed.fields for text in (field.name, field.value))
    return (message.content, message.embed.title, message.embed.description, *pairs, message.embed.footer)


def assert_harmless(message: RenderedMessage) -> None:
    """Check that nobody but the asker is mentioned, and that it can be written as JSON."""
    for text in texts(message):
        text.encode("utf-8")
        assert not MENTION.search(text.replace(f"<@{ASKER}>", ""))


def assert_no_markup_of_others(message: RenderedMessage) -> None:
    """Check that outside of code nothing of others' text is read as markup."""
    for text in texts(message):
        outside_code = re.sub(r"(?<!\\)```.*?```|(?<!\\)`[^`\n]*`", "", text, flags=re.DOTALL)
        assert not MARKUP_OF_OTHERS.search(ESCAPED_OR_OURS.sub("", outside_code))


def assert_safe(job: Job) -> None:
    """Check all that is shown of a job."""
    later = NOW + timedelta(hours=1)
    for message in (render_job(job, later, can_collect=True, notes=("Made smaller to fit.",)), render_details(job)):
        assert_fits(message)
        assert_harmless(message)


@CALM
@given(jobs())
def test_any_job_renders_within_limits_and_without_mentions(job: Job) -> None:
    assert_safe(job)


@CALM
@given(jobs())
def test_any_words_of_others_stay_words(job: Job) -> None:
    # Holds and results' sentences are ours, and may hold markup.
    ours = replace(job, hold="", result=job.result and replace(job.result, message=""))
    assert_no_markup_of_others(render_job(ours, NOW))
    assert_no_markup_of_others(render_details(ours))


@CALM
@given(jobs())
def test_equal_jobs_render_equally(job: Job) -> None:
    twin = deepcopy(job)
    assert render_job(job, NOW) == render_job(twin, NOW)
    assert render_job(job, NOW).fingerprint == render_job(twin, NOW).fingerprint
    assert render_details(job) == render_details(twin)


@CALM
@given(jobs())
def test_withheld_pictures_are_never_attached(job: Job) -> None:
    withheld = {artifact.index for artifact in job.artifacts if not artifact.usable}
    assert not withheld & {file.index for file in render_job(job, NOW).files}


@CALM
@given(others_text(3000), others_text(60))
def test_any_error_renders_within_limits(sentence: str, reference: str) -> None:
    message = render_error(InvalidRequest(user_message=sentence), reference)
    assert_fits(message)
    assert_harmless(message)


def test_help_renders_within_limits() -> None:
    message = render_help(command_ids={"imagine": 2**63, "help": 2**63})
    assert_fits(message)
    assert_harmless(message)


def test_prompt_of_four_thousand_rockets_fits() -> None:
    job = make_job(request=make_request(prompt="🚀" * 4000, negative="🚀" * 1000))
    assert_fits(render_job(job, NOW))
    assert_fits(render_details(job))
