from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.progress import Progress
from bot.domain.requests import Aspect, ImageRequest, SizeChoice
from bot.domain.results import Censorship
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.errors import Rejected
from bot.media import Picture
from bot.providers.horde.mapping import (
    SAMPLERS,
    artifact_of,
    censorship_of,
    cost_of,
    in_shape_of,
    payload_of,
    progress_of,
)
from bot.providers.horde.seeds import possible_seeds, seed_number
from bot.providers.horde.wire import Accepted, Check, Generation, Status, parse
from tests.factories import make_request

RECORDINGS = Path(__file__).parents[1] / "data" / "horde"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def recorded(case: str) -> Any:
    """The body of a recorded answer."""
    return json.loads((RECORDINGS / f"{case}.json").read_text())["response"]["body"]


def check(**changes: Any) -> Check:
    """One picture waiting, as told right after the POST."""
    return parse(Check, recorded("image-check-waiting") | changes)


requests = st.builds(
    ImageRequest,
    prompt=st.text(min_size=1, max_size=300).filter(str.strip) | st.from_regex(r"[#\0 a]{1,12}").filter(str.strip),
    negative=st.text(max_size=100) | st.from_regex(r"[#\0 a]{0,12}"),
    model=st.text(min_size=1, max_size=20),
    width=st.integers(1, 48).map(lambda n: n * 64),
    height=st.integers(1, 48).map(lambda n: n * 64),
    count=st.integers(1, 10),
    steps=st.integers(1, 100),
    guidance=st.floats(0, 30),
    sampler=st.sampled_from(sorted(SAMPLERS)),
    karras=st.booleans(),
    clip_skip=st.integers(-3, 40),
    seed=st.text(max_size=100),
    nsfw=st.booleans(),
    aspect=st.sampled_from(Aspect),
    size=st.sampled_from(SizeChoice),
)


def _nulls(value: object) -> bool:
    if isinstance(value, dict):
        return any(_nulls(one) for one in value.values())
    return value is None or (isinstance(value, list) and any(_nulls(one) for one in value))


@given(requests)
def test_payload_is_always_within_the_schema(request: ImageRequest) -> None:
    try:
        payload = payload_of(request)
    except Rejected:
        assert not request.prompt.encode("utf-8", "ignore").decode().replace("\0", "").strip()
        return
    params = payload["params"]
    assert not _nulls(payload)
    assert "\\u0000" not in json.dumps(payload["prompt"])
    assert payload["prompt"].strip()
    assert payload["prompt"].encode()
    assert isinstance(params["seed"], str)
    assert 0 <= int(params["seed"]) < 2**32
    assert params["cfg_scale"] == round(params["cfg_scale"], 2)
    assert 1 <= params["clip_skip"] <= 12
    assert 1 <= params.get("seed_variation", 1) <= 1000
    assert params["sampler_name"] in SAMPLERS


@given(requests)
def test_prompt_cannot_bring_a_negative_of_its_own(request: ImageRequest) -> None:
    try:
        prompt = payload_of(request)["prompt"]
    except Rejected:
        return
    assert prompt.count("###") <= 1
    assert len(prompt.split("###")) == 1 or request.negative.strip()


def test_payload_names_every_default_that_surprises() -> None:
    assert payload_of(make_request(negative="fog", guidance=7.1 + 0.2, nsfw=False)) == {
        "prompt": "a lighthouse at dusk ### fog",
        "params": {
            "width": 512,
            "height": 512,
            "steps": 25,
            "n": 1,
            "sampler_name": "k_euler_a",
            "cfg_scale": 7.3,
            "karras": True,
            "seed": "4242",
            "clip_skip": 1,
        },
        "models": ["Deliberate"],
        "nsfw": False,
        "censor_nsfw": True,
        "trusted_workers": False,
        "slow_workers": True,
        "replacement_filter": True,
        "r2": True,
        "shared": False,
        "allow_downgrade": True,
    }


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        pytest.param({"size": SizeChoice.NATIVE}, True, id="ordinary"),
        pytest.param({"size": SizeChoice.LARGE}, False, id="large-was-asked-for"),
        pytest.param({"steps": 31}, False, id="steps-would-be-cut"),
        pytest.param({"steps": 16, "sampler": "k_heun"}, False, id="steps-count-double"),
        pytest.param({"sampler": "k_dpm_adaptive"}, False, id="adaptive"),
    ],
)
def test_horde_may_only_shrink_what_the_picture_itself_will_tell(changes: dict[str, Any], allowed: bool) -> None:
    assert payload_of(make_request(**changes))["allow_downgrade"] is allowed


def test_several_pictures_never_share_a_seed() -> None:
    params = payload_of(make_request(count=4))["params"]
    assert (params["seed"], params["seed_variation"], params["n"]) == ("4242", 4, 4)


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        pytest.param("42", 42, id="digits"),
        pytest.param("4294967296", 1, id="shifted-as-the-server-does"),
        pytest.param("²", seed_number("²"), id="digit-that-is-no-number"),
    ],
)
def test_seed_is_sent_as_a_number(seed: str, number: int) -> None:
    assert payload_of(make_request(seed=seed))["params"]["seed"] == str(number)


def test_words_as_a_seed_give_the_same_number_each_time() -> None:
    assert seed_number("my cat") == seed_number("my cat") != seed_number("my dog")


def test_recorded_batch_carries_possible_seeds() -> None:
    # Asked for with seed 7, variation 5, n 2; ours would have had variation 2: 7 + 2 * 2 and the one after.
    assert {11, 12} <= possible_seeds("7", 2)
    assert possible_seeds("7", 1) == {7}
    assert 13 not in possible_seeds("7", 2)


@pytest.mark.parametrize(
    ("case", "stage", "over"),
    [
        ("image-check-waiting", Stage.WAITING, False),
        ("image-check-impossible", Stage.WAITING, False),
        ("image-check-processing", Stage.PROCESSING, False),
        ("image-check-partly-done", Stage.PROCESSING, False),
        ("image-check-restarted", Stage.PROCESSING, False),
        ("image-check-done", Stage.PROCESSING, True),
        ("image-check-faulted", Stage.PROCESSING, True),
        ("image-check-done-after-two-faults", Stage.PROCESSING, True),
        ("image-check-after-delete", Stage.WAITING, True),
    ],
)
def test_recorded_check_becomes_progress(case: str, stage: Stage, over: bool) -> None:
    progress = progress_of(parse(Check, recorded(case)), None, NOW)
    assert (progress.stage, progress.over) == (stage, over)


def test_done_while_a_retry_is_running_is_not_the_end() -> None:
    told = check(waiting=0, processing=1, restarted=9, done=True)
    assert not progress_of(told, None, NOW).over


def test_quiet_counts_as_the_end_only_when_it_lasts() -> None:
    told = check(waiting=0, processing=0, finished=1, done=False)
    first = progress_of(told, None, NOW)
    assert (first.over, first.quiet_since) == (False, NOW)
    assert not progress_of(told, first, NOW + timedelta(seconds=2)).over
    assert progress_of(told, first, NOW + timedelta(seconds=3)).over
    busy = progress_of(check(waiting=1), first, NOW + timedelta(seconds=2))
    assert busy.quiet_since is None


def test_zeros_that_mean_unknown_are_not_told() -> None:
    progress = progress_of(check(queue_position=0, wait_time=0), None, NOW)
    assert (progress.queue_position, progress.ends_at) == (None, None)
    progress = progress_of(check(queue_position=4, wait_time=30), None, NOW)
    assert (progress.queue_position, progress.ends_at) == (4, NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        pytest.param({}, False, id="waiting"),
        pytest.param({"waiting": 0, "processing": 1}, True, id="at-a-worker"),
        pytest.param({"waiting": 0, "finished": 1, "done": True}, True, id="done"),
    ],
)
def test_impossible_only_means_something_while_waiting(changes: dict[str, Any], possible: bool) -> None:
    assert progress_of(check(is_possible=False, **changes), None, NOW).possible is possible


def test_impossible_has_no_estimate() -> None:
    assert progress_of(check(is_possible=False, wait_time=30), None, NOW).ends_at is None
    assert progress_of(check(is_possible=False, wait_time=30, processing=1), None, NOW).ends_at is not None


@given(
    st.builds(
        Check,
        waiting=st.integers(-1, 5),
        processing=st.integers(-1, 5),
        finished=st.integers(-1, 5),
        restarted=st.integers(-1, 5),
        done=st.booleans(),
        faulted=st.booleans(),
        queue_position=st.integers(-5, 10**9),
        wait_time=st.integers(-5, 10**12),
    )
)
def test_progress_is_never_over_while_something_may_come(told: Check) -> None:
    progress = progress_of(told, Progress(stage=Stage.WAITING), NOW)
    assert not progress.over or told.faulted or (told.waiting <= 0 and told.processing <= 0)


@pytest.mark.parametrize(
    ("case", "count", "baseline", "charged"),
    [
        pytest.param("image-async-ok-anon", 1, "stable_diffusion_1", 9, id="one"),
        pytest.param("image-async-ok-b64-n2", 2, "stable_diffusion_1", 13, id="two"),
        pytest.param("image-async-ok-flux-n2", 2, "flux_1", 169, id="flux"),
    ],
)
def test_cost_is_what_was_charged_in_the_end(case: str, count: int, baseline: str, charged: float) -> None:
    told = parse(Accepted, recorded(case)).kudos
    assert cost_of(told, count=count, baseline=baseline) == pytest.approx(charged, rel=0.05)


def _picture(width: int = 512, height: int = 512) -> Picture:
    return Picture(data=b"12345", extension="webp", width=width, height=height, sha256="ab" * 32)


def _generation(case: str, index: int = 0) -> Generation:
    return parse(Status, recorded(case)).generations[index]


def test_artifact_describes_the_picture() -> None:
    artifact = artifact_of(_generation("image-status-done-r2"), 3, make_request(), _picture())
    assert (artifact.index, artifact.size, artifact.worker, artifact.seed) == (3, 5, "sim-image", "42")
    assert (artifact.usable, artifact.seed_exact, artifact.notes) == (True, True, ())


def test_artifact_of_a_batch_says_that_its_seed_is_not_exact() -> None:
    assert not artifact_of(_generation("image-status-batch-n3", 1), 0, make_request(), _picture()).seed_exact


def test_artifact_smaller_than_asked_says_so() -> None:
    notes = artifact_of(_generation("image-status-done-r2"), 0, make_request(width=1024), _picture(576, 512)).notes
    assert notes == ("Painted at 576×512 instead of 1024×512, which was too large for the AI Horde just then.",)


def test_artifact_says_what_a_worker_could_not_load() -> None:
    notes = artifact_of(_generation("image-status-metadata-lora-failed"), 0, make_request(), _picture()).notes
    assert notes == ("The LoRA “missing-lora” could not be loaded, so this picture was painted without it.",)


@pytest.mark.parametrize("kind", list(Censorship))
def test_censored_artifact_holds_no_picture(kind: Censorship) -> None:
    artifact = artifact_of(_generation(f"image-status-censored-{kind.value}"), 0, make_request(), _picture())
    assert (artifact.censored, artifact.sha256, artifact.usable, artifact.unreadable) == (kind, "", False, False)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param({"censored": True}, Censorship.NSFW, id="flag-only"),
        pytest.param({"gen_metadata": [{"type": "censorship", "value": "csam"}]}, Censorship.CSAM, id="metadata-only"),
        pytest.param({"gen_metadata": [{"type": "censorship", "value": "new"}]}, Censorship.NSFW, id="unknown-reason"),
        pytest.param({"gen_metadata": [{"type": "new", "value": "csam"}]}, None, id="unknown-type"),
    ],
)
def test_either_way_to_say_censored_counts(changes: dict[str, Any], kind: Censorship | None) -> None:
    raw = recorded("image-status-done-r2")["generations"][0]
    assert censorship_of(parse(Generation, raw | changes)) is kind


def test_picture_that_cannot_be_read_is_unreadable() -> None:
    assert artifact_of(_generation("image-status-done-r2"), 0, make_request()).unreadable


def test_payload_holds_a_source_only_where_there_is_one() -> None:
    plain = payload_of(make_request())
    assert not plain.keys() & {"source_image", "source_processing"}
    assert "denoising_strength" not in plain["params"]
    with_source = payload_of(make_request(strength=0.123), source="QUJD")
    assert (with_source["source_image"], with_source["source_processing"]) == ("QUJD", "img2img")
    assert with_source["params"]["denoising_strength"] == 0.12


@pytest.mark.parametrize(
    ("told", "real", "size"),
    [
        pytest.param((1280, 960), (640, 480), (512, 512), id="as-told"),
        pytest.param((0, 0), (640, 480), (576, 448), id="not-told"),
        pytest.param((640, 480), (480, 640), (448, 576), id="lies-on-its-side"),
        pytest.param((640, 480), None, (512, 512), id="no-picture"),
    ],
)
def test_size_follows_the_shape_that_the_source_really_has(
    told: tuple[int, int], real: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    source = SourceMedia(url="https://cdn.discordapp.com/a.png", width=told[0], height=told[1])
    shaped = in_shape_of(real, make_request(source=source), native=512)
    assert (shaped.width, shaped.height) == size
    assert in_shape_of((640, 480), make_request(), native=512) == make_request()
