"""Details, help, errors, and models to choose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.domain.requests import Aspect
from bot.domain.results import Censorship
from bot.domain.stages import Stage
from bot.errors import NotAllowed
from bot.render import model_choice, render_details, render_error, render_help
from bot.render.help import HelpLine
from bot.render.times import duration, kudos, roughly
from tests.factories import NOW, make_artifact, make_job, make_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the list of models knows."""

    name: str = "AlbedoBase XL"
    baseline: str = "stable_diffusion_xl"
    workers: int = 14
    eta: int = 25


def test_details_show_every_parameter_picture_and_time() -> None:
    job = make_job(
        stage=Stage.ENDED,
        request=make_request(steps=31, guidance=6.5, negative="fog", aspect=Aspect.WIDE),
        artifacts=(make_artifact(0, notes=("no LoRA",)), make_artifact(1, censored=Censorship.NSFW)),
        started_at=NOW + timedelta(seconds=5),
        ended_at=NOW + timedelta(seconds=12),
    )
    embed = render_details(job).embed
    assert embed is not None
    assert (
        "/imagine prompt:a lighthouse at dusk negative:fog model:Deliberate aspect:16:9 steps:31 guidance:6.5 seed:4242"
        in embed.description
    )
    fields = {field.name: field.value for field in embed.fields}
    assert "**1** seed `4242` · Deliberate · by Bright Worker · 512×512 · no LoRA" in fields["Pictures"]
    assert "blanked (sexual)" in fields["Pictures"]
    assert "In the queue 5 s\nPainting 7 s\nIn all 12 s" in fields["Times"]
    assert fields["Steps · guidance"] == "31 · 6.5"
    assert f"`{job.id}`" in fields["Ids"]
    assert f"`{job.remote_id}`" in fields["Ids"]


def test_details_of_a_prompt_too_long_for_a_command_point_to_edit() -> None:
    embed = render_details(make_job(request=make_request(prompt="x" * 1001))).embed
    assert embed is not None
    assert "**To do it again**, press **Edit**. This is too long for `/imagine`" in embed.description
    assert "copy this" not in embed.description


@pytest.mark.parametrize(("chosen", "name"), [(True, "Seed asked for"), (False, "Seed")], ids=["asked for", "ours"])
def test_details_say_whose_idea_the_seed_was(chosen: bool, name: str) -> None:
    embed = render_details(make_job(request=make_request(seed_chosen=chosen))).embed
    assert embed is not None
    assert [field.value for field in embed.fields if field.name == name] == ["`4242`"]


def test_details_name_the_job_before() -> None:
    embed = render_details(make_job(parent_id="job-before")).embed
    assert embed is not None
    assert "after `job-before`" in embed.fields[-1].value


def test_details_have_no_buttons() -> None:
    assert render_details(make_job()).controls == ()


def test_help_lists_commands_buttons_privacy_and_who_paints() -> None:
    embed = render_help(command_ids={"imagine": 77}).embed
    assert embed is not None
    fields = {field.name: field.value for field in embed.fields}
    assert "</imagine:77>" in fields["Commands"]
    assert "`/help`" in fields["Commands"]
    assert "📬 Collect" in fields["Buttons"]
    assert "volunteer" in fields["Privacy"]
    assert "AI Horde" in fields["Who paints"]


def test_help_takes_more_commands() -> None:
    embed = render_help(commands=(HelpLine(name="ask", text="answers"),)).embed
    assert embed is not None
    assert embed.fields[0].value == "`/ask` answers"


def test_error_shows_its_sentence_and_reference() -> None:
    embed = render_error(NotAllowed("secret detail"), "abc123").embed
    assert embed is not None
    assert embed.description == f"{NotAllowed.default_user_message}\nReference: `abc123`"


@pytest.mark.parametrize(
    ("model", "label"),
    [
        pytest.param(Model(), "🟢 AlbedoBase XL — SDXL · 14 workers · ~25 s", id="well served"),
        pytest.param(Model(workers=1, eta=240), "🟡 AlbedoBase XL — SDXL · 1 worker · ~4 min", id="slow"),
        pytest.param(Model(workers=0), "🔴 AlbedoBase XL — SDXL · no workers now", id="nobody"),
        pytest.param(Model(baseline="", eta=0), "🟢 AlbedoBase XL — 14 workers", id="little known"),
        pytest.param(Model(baseline="new_kind"), "🟢 AlbedoBase XL — new kind · 14 workers · ~25 s", id="new family"),
    ],
)
def test_model_choice_reads_well(model: Model, label: str) -> None:
    assert model_choice(model) == (label, model.name)


def test_model_choice_keeps_the_numbers_of_a_long_name() -> None:
    label, value = model_choice(Model(name="x" * 200))
    assert len(label) <= 100
    assert len(value) <= 100
    assert label.endswith("— SDXL · 14 workers · ~25 s")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(-1, "0 s"), (8.4, "8 s"), (60, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (90000, "1 d 1 h")],
)
def test_duration_is_written_in_two_units(seconds: float, written: str) -> None:
    assert duration(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize(("seconds", "written"), [(0, "~1 s"), (25, "~25 s"), (240, "~4 min"), (7200, "~2 h")])
def test_estimates_are_rough(seconds: int, written: str) -> None:
    assert roughly(seconds) == written


@pytest.mark.parametrize(("amount", "written"), [(7.26, "7.3 kudos"), (9, "9 kudos"), (1210.4, "1\u202f210 kudos")])
def test_kudos_are_written_briefly(amount: float, written: str) -> None:
    assert kudos(amount) == written
