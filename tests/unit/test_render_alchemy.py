"""Jobs that work on a picture, as messages: each form's line, what was told, files, buttons, and Discord's limits."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.delivery.drawing import preview, swatch
from bot.delivery.svg import read_svg
from bot.domain.alchemy import DESCRIBING, AlchemyRequest, Form, FormArtifact, FormState
from bot.domain.jobs import Job
from bot.domain.progress import PartProgress
from bot.domain.results import Outcome, Result
from bot.domain.sources import SPOILER, SourceFacts, SourceMedia
from bot.domain.stages import Stage
from bot.render import render_job
from bot.render.messages import RenderedMessage
from tests.factories import NOW, make_job, make_progress
from tests.unit.test_render_properties import assert_safe, others_text

SOURCE = SourceMedia(url="https://cdn.discordapp.com/a.png", filename="photo.png", width=640, height=480)
CALM = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def alchemy(*forms: Form, stage: Stage = Stage.WAITING, **overrides: Any) -> Job:
    """Make a job for these forms; nothing has come yet unless artifacts are given."""
    request = AlchemyRequest(source=overrides.pop("source", SOURCE), forms=forms)
    job = make_job(request=request, stage=min(stage, Stage.WAITING, key=list(Stage).index))
    return replace(job, stage=stage, artifacts=overrides.pop("artifacts", ()), **overrides)


def told(form: Form, value: Any, index: int = 0, **overrides: Any) -> FormArtifact:
    """Make what a worker told."""
    artifact = FormArtifact(index=index, remote_id=form.value, form=form, told=json.dumps(value), extension="")
    return replace(artifact, **overrides)


def made(form: Form, index: int = 0, **overrides: Any) -> FormArtifact:
    """Make a file that came."""
    artifact = FormArtifact(index=index, remote_id=form.value, form=form, sha256="a" * 64, width=2560, height=1920)
    return replace(artifact, **overrides)


def ended(*forms: Form, outcome: Outcome = Outcome.FINISHED, **overrides: Any) -> Job:
    """Make a job that is over."""
    result = Result(outcome=outcome)
    return alchemy(*forms, stage=Stage.DELIVERING, result=result, ended_at=NOW, submitted_at=NOW, **overrides)


def text(message: RenderedMessage) -> str:
    """All words of it."""
    assert message.embed is not None
    return "\n".join([message.embed.description, *(f"{f.name}\n{f.value}" for f in message.embed.fields)])


def buttons(message: RenderedMessage) -> list[str]:
    """The verbs of its buttons."""
    return [control.verb for row in message.controls for control in row]


def test_every_form_has_a_line_with_its_own_state() -> None:
    parts = (
        PartProgress(name="caption", state="done"),
        PartProgress(name="palette", state="processing"),
        PartProgress(name="nsfw", state="faulted"),
    )
    job = alchemy(
        Form.CAPTION,
        Form.PALETTE,
        Form.NSFW,
        Form.CUTOUT,
        stage=Stage.PROCESSING,
        progress=replace(make_progress(Stage.PROCESSING), parts=parts),
        artifacts=(told(Form.CAPTION, "a lighthouse"),),
    )
    shown = render_job(job, NOW)
    assert "✔ Caption\n⏳ Palette · a worker is at it\n✖ NSFW check · the workers gave up on it\n⏳ Cut out" in text(
        shown
    )
    assert "a lighthouse" in text(shown)
    assert buttons(shown) == ["cancel"]


def test_result_tells_values_and_attaches_files() -> None:
    job = ended(
        Form.CAPTION,
        Form.TAGS,
        Form.PALETTE,
        Form.AESTHETIC,
        Form.NSFW,
        Form.VECTORIZE,
        Form.UPSCALE_4X,
        artifacts=(
            told(Form.CAPTION, "a lighthouse"),
            told(Form.TAGS, {"tags": [{"text": "sea", "confidence": 31.4}, "sky"], "artists": []}, 1),
            told(Form.PALETTE, ["#AABBCC", "#aabbcc", "#000000"], 2),
            told(Form.AESTHETIC, 6.28, 3),
            told(Form.NSFW, False, 4),
            made(Form.VECTORIZE, 5, extension="svg"),
            made(Form.UPSCALE_4X, 6),
        ),
    )
    shown = render_job(job, NOW)
    for words in (
        "sea 31 %, sky",
        "`#aabbcc` `#000000`",
        "**6.3/10**",
        "looks safe",
        "SVG file",
        "640×480 → 2560×1920",
    ):
        assert words in text(shown)
    stems = [ref.name.removeprefix(job.id) for ref in shown.files]
    assert stems == ["-2-palette.png", "-5.svg", "-5-preview.png", "-6.webp"]
    assert buttons(shown) == ["words", "tags", "again", "details", "delete"]


def test_more_than_ten_files_are_left_for_a_second_message() -> None:
    forms = [form for form in Form if form not in DESCRIBING]
    shown = render_job(ended(*forms, artifacts=tuple(made(form, i) for i, form in enumerate(forms))), NOW)
    assert (len(shown.files), len(shown.more_files)) == (10, 6)
    assert "6 more files do not fit into this message" in text(shown)


def test_what_nobody_does_has_a_line_from_the_start_and_costs_nothing() -> None:
    request = AlchemyRequest(source=SOURCE, forms=(Form.CAPTION,), left_out=(Form.PALETTE,))
    job = replace(make_job(request=request), stage=Stage.QUEUED)
    shown = text(render_job(job, NOW))
    assert "⏳ Caption\n➖ Palette · left out" in shown
    assert "Working 0/1" in shown
    assert "≈ 3 kudos" in shown
    assert request.wanted == (Form.CAPTION, Form.PALETTE)


def test_what_is_made_of_a_spoiler_is_named_so_that_discord_hides_it() -> None:
    artifacts = (made(Form.VECTORIZE, 0, extension="svg"), told(Form.PALETTE, ["#aabbcc"], 1))
    source = replace(SOURCE, filename="SPOILER_photo.png")
    shown = render_job(ended(Form.VECTORIZE, Form.PALETTE, source=source, artifacts=artifacts), NOW)
    assert len(shown.files) == 3
    assert all(ref.name.startswith("SPOILER_") for ref in shown.files)
    assert "SPOILER" not in text(shown)


@pytest.mark.parametrize("words", ["a || b", "|| a", "a |", "a ```b``` || <@1>", "|" * 900])
def test_what_tells_of_a_spoiler_is_hidden_whole(words: str) -> None:
    source = replace(SOURCE, filename="SPOILER_photo.png")
    artifacts = (
        told(Form.CAPTION, words),
        told(Form.TAGS, {"tags": [words]}, 1),
        told(Form.DESCRIBE, {"odd": words}, 2),
        told(Form.PALETTE, ["#aabbcc"], 3),
    )
    forms = (Form.CAPTION, Form.TAGS, Form.DESCRIBE, Form.PALETTE)
    embed = render_job(ended(*forms, source=source, artifacts=artifacts), NOW).embed
    assert embed is not None
    hidden = [field.value for field in embed.fields if field.name in {"Caption", "Tags", "Palette"}]
    hidden += [line.partition("the worker told: ")[2] for line in embed.description.splitlines() if "told:" in line]
    assert len(hidden) == 4
    for shown in hidden:
        assert (shown[:3], shown[-3:]) == ("|| ", " ||")
        assert "||" not in shown[2:-2]


def test_only_what_was_made_is_said_to_cost() -> None:
    """Two kudos for each form, and one for a caption: what the workers gave up on is free (server 5.1.5)."""
    artifacts = (told(Form.CAPTION, "a fox"), made(Form.UPSCALE_4X, 1, state=FormState.FAULTED))
    job = ended(Form.CAPTION, Form.UPSCALE_4X, outcome=Outcome.PARTIAL, artifacts=artifacts, cost=11.0)
    assert "Cost\n≈ 3 kudos" in text(render_job(job, NOW))
    assert "≈ 11 kudos" in text(render_job(replace(job, result=None, stage=Stage.PROCESSING), NOW))
    stopped = (told(Form.CAPTION, "a fox"), made(Form.UPSCALE_4X, 1, state=FormState.CANCELLED))
    job = replace(job, artifacts=stopped, result=Result(outcome=Outcome.CANCELLED))
    assert "Cost\n≈ 3 kudos" in text(render_job(job, NOW)), "nobody had begun"
    assert "Cost\n≈ 11 kudos" in text(render_job(replace(job, started_at=NOW), NOW)), "somebody may have been at it"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_its_sentence(outcome: Outcome) -> None:
    shown = render_job(ended(Form.CAPTION, outcome=outcome), NOW)
    assert len(text(shown).splitlines()) >= 4
    assert "⏳" not in text(shown)


def test_source_is_told_of_when_it_had_to_be_changed() -> None:
    facts = SourceFacts(width=100, height=100, given_width=9000, given_height=9000, animated=True)
    shown = text(render_job(ended(Form.CAPTION), NOW, facts=facts))
    assert "only its first frame" in shown
    assert "9000×9000" in shown


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | others_text(400),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(others_text(30), inner, max_size=8),
    max_leaves=30,
)
TAGS = st.fixed_dictionaries({"text": others_text(300), "confidence": st.floats(allow_nan=False) | others_text(9)})


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """Draw any job of alchemy, whatever workers told."""
    forms = draw(st.lists(st.sampled_from(Form), min_size=1, max_size=23, unique=True))
    came = draw(st.lists(st.sampled_from(forms), unique=True))
    artifacts = []
    for index, form in enumerate(came):
        value = draw(VALUES | st.dictionaries(others_text(30), st.lists(TAGS, max_size=7), max_size=9))
        artifact = told(form, value, index) if form in DESCRIBING else made(form, index)
        state, notes = draw(st.sampled_from(FormState)), tuple(draw(st.lists(others_text(300), max_size=2)))
        artifacts.append(replace(artifact, state=state, unreadable=draw(st.booleans()), notes=notes))
    parts = tuple(PartProgress(name=form.value, state=draw(others_text(9))) for form in forms)
    result = draw(st.none() | st.builds(Result, outcome=st.sampled_from(Outcome), message=others_text(1000)))
    return alchemy(
        *forms,
        source=replace(
            SOURCE,
            filename=draw(st.sampled_from(["", SPOILER])) + draw(others_text(200)),
            width=draw(st.integers(0, 9000)),
        ),
        stage=Stage.DELIVERING if result else Stage.PROCESSING,
        artifacts=tuple(artifacts),
        progress=replace(make_progress(Stage.PROCESSING), parts=parts, note=draw(others_text(300))),
        result=result,
        submitted_at=NOW,
        ended_at=NOW if result else None,
        hold=draw(others_text(300)),
    )


@CALM
@given(jobs())
def test_any_job_renders_within_limits_and_without_mentions(job: Job) -> None:
    assert_safe(job)


# -- drawn files ------------------------------------------------------------------------------------------------------


def test_swatch_shows_each_colour() -> None:
    with Image.open(io.BytesIO(swatch(["#ff0000", "#00ff00"]))) as image:
        assert image.getpixel((5, 5)) == (255, 0, 0)
        assert image.getpixel((image.width - 5, 5)) == (0, 255, 0)


def test_preview_shows_what_a_simple_drawing_shows() -> None:
    left, right = '<path fill="#ff0000" d="M0 0h1v1h-1z"/>', '<rect x="1" width="1" height="1" fill="#00f"/>'
    svg = f'<svg viewBox="0 0 2 1">{left}{right}</svg>'
    data = preview(svg)
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.getpixel((10, 10)) == (255, 0, 0, 255)
        assert image.getpixel((image.width - 10, 10)) == (0, 0, 255, 255)


@pytest.mark.parametrize(
    ("inner", "rule", "hole"),
    [
        pytest.param("v2h2v-2z", "", True, id="the-other-way-around"),
        pytest.param("h2v2h-2z", "", False, id="the-same-way-around"),
        pytest.param("h2v2h-2z", ' fill-rule="evenodd"', True, id="by-count"),
    ],
)
def test_preview_shows_holes(inner: str, rule: str, hole: bool) -> None:
    data = preview(f'<svg viewBox="0 0 4 4"><path{rule} fill="#ff0000" d="M0 0h4v4h-4z M1 1{inner}"/></svg>')
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.getpixel((20, 20)) == (255, 0, 0, 255)
        middle = image.getpixel((image.width // 2, image.height // 2))
        assert isinstance(middle, tuple)
        assert middle[3] == (0 if hole else 255)


def test_drawing_with_endless_holes_has_no_preview() -> None:
    assert preview(f'<svg viewBox="0 0 4 4"><path d="{"M0 0h4v4h-4z" * 4000}"/></svg>') is None


@pytest.mark.parametrize(
    "svg",
    [
        pytest.param('<svg viewBox="0 0 1 1"><script>alert(1)</script></svg>', id="script"),
        pytest.param('<!DOCTYPE a [<!ENTITY b "c">]><svg viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>', id="entity"),
        pytest.param('<svg viewBox="0 0 1 1"><image href="https://e.org/a.png"/></svg>', id="image"),
        pytest.param('<svg viewBox="0 0 1e9 1"><path d="M0 0h1v1z"/></svg>', id="huge"),
        pytest.param('<svg viewBox="0 0 9 9"><path d="M' + "1" * 5000 + '#"/></svg>', id="slow-numbers"),
        pytest.param('<svg viewBox="0 0 1 1"><path style="x" d="M0 0h1v1z"/></svg>', id="style"),
        pytest.param("<svg>" * 50_000, id="deep"),
    ],
)
def test_drawing_that_is_not_simple_has_no_preview(svg: str) -> None:
    assert read_svg(svg) is None


@CALM
@given(st.text(max_size=300))
def test_any_path_is_read_or_refused(path: str) -> None:
    read_svg(f'<svg viewBox="0 0 9 9"><path d="{path}"/></svg>')
