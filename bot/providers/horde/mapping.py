"""Pure translations between our requests, progress and artifacts and the Horde's payloads and answers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.progress import Progress
from bot.domain.requests import ImageRequest, SizeChoice
from bot.domain.results import Censorship, ImageArtifact
from bot.domain.sizes import dimensions_near
from bot.domain.stages import Stage
from bot.errors import Rejected
from bot.http import Answer
from bot.media import Picture
from bot.providers.horde.errors import error_of
from bot.providers.horde.notes import notes_of
from bot.providers.horde.seeds import seed_number, variation
from bot.providers.horde.wire import Check, Generation

SAMPLERS = frozenset(
    {
        "k_lms", "k_heun", "k_euler", "k_euler_a", "k_dpm_2", "k_dpm_2_a", "k_dpm_fast", "k_dpm_adaptive",
        "k_dpmpp_2s_a", "k_dpmpp_2m", "k_dpmpp_sde", "dpmsolver", "DDIM", "lcm",
    }
)  # fmt: skip
#: Their steps count double in every limit and price (server 5.1.5).
SECOND_ORDER = frozenset({"k_heun", "k_dpm_2", "k_dpm_2_a", "k_dpmpp_2s_a", "k_dpmpp_sde"})
#: What a downgrade cuts the steps to, whatever was asked (server 5.1.5).
DOWNGRADED_STEPS = 30
#: Seconds between two looks that see nothing in progress before that counts as the end.
QUIET = timedelta(seconds=3)
#: Two shapes count as one up to this difference of their ratios' logarithms (5 %).
SAME_SHAPE = 0.05

#: Width and height in pixels.
Size = tuple[int, int]

#: Kudos: activation, and the tax on each delivered picture (server 5.1.5).
_ACTIVATION, _TAX = 3.0, 1.0
_FACTORS = (("stable_diffusion_xl", 2), ("stable_cascade", 4), ("flux", 8), ("z_image", 8), ("qwen", 12))

_SEPARATOR = re.compile(r"#{3,}")


def payload_of(
    request: ImageRequest, *, max_steps: int = 40, trusted_workers: bool = False, source: str | None = None
) -> dict[str, Any]:
    """Build the body of `POST /generate/async`; no field is left to a server default that differs from its docs.

    `max_steps` is what the model may take without kudos in advance; `source` is the picture to start from, in base64
    without a `data:` prefix (which the server refuses). Raises `Rejected` for what no server would take.
    """
    prompt = _joined(request)
    if request.sampler not in SAMPLERS:
        raise Rejected("unknown sampler", code="UnsupportedSampler", user_message=_refusal("UnsupportedSampler"))
    params: dict[str, Any] = {
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "n": request.count,
        "sampler_name": request.sampler,
        "cfg_scale": round(request.guidance, 2),
        "karras": request.karras,
        "seed": str(seed_number(request.seed)),
        "clip_skip": min(max(request.clip_skip, 1), 12),
    }
    step = variation(request.count)
    if step is not None:
        params["seed_variation"] = step
    start: dict[str, Any] = {}
    if source is not None:
        params["denoising_strength"] = round(request.strength, 2)
        start = {"source_image": source, "source_processing": "img2img"}
    return {
        **start,
        "prompt": prompt,
        "params": params,
        "models": [request.model],
        "nsfw": request.nsfw,
        "censor_nsfw": not request.nsfw,
        "trusted_workers": trusted_workers,
        "slow_workers": True,  # without them a request costs more and needs kudos in advance
        "replacement_filter": True,  # without it one refused prompt shuts out the whole bot (server 5.1.5)
        "r2": True,
        "shared": False,
        "allow_downgrade": may_shrink(request, max_steps),
    }


def in_shape_of(source: Size | None, request: ImageRequest, *, native: int) -> ImageRequest:
    """The request in the shape that its source really has, where Discord told none or another one.

    A photo may be stored lying on its side: its note on orientation was heeded since.
    """
    if source is None or request.source is None:
        return request
    told, real = request.source, source[0] / source[1]
    if told.width > 0 and told.height > 0 and abs(math.log(told.width / told.height / real)) < SAME_SHAPE:
        return request
    width, height = dimensions_near(real, request.size, native)
    return replace(request, width=width, height=height)


def may_shrink(request: ImageRequest, max_steps: int) -> bool:
    """Decide whether the Horde may paint it smaller rather than refuse it.

    It never says that it did, so only where nothing but the size can change (which the picture itself tells, and we
    pass on) and the person did not ask for more than the free tier gives: then it only helps while the Horde is busy.
    A large size or many steps are refused openly instead, with the price.
    """
    return request.size is not SizeChoice.LARGE and effective_steps(request) <= min(DOWNGRADED_STEPS, max_steps)


def effective_steps(request: ImageRequest) -> int:
    """Return the steps as the Horde counts them."""
    if request.sampler == "k_dpm_adaptive":
        return 40
    return request.steps * (2 if request.sampler in SECOND_ORDER else 1)


def _joined(request: ImageRequest) -> str:
    prompt, negative = _clean(request.prompt), _clean(request.negative)
    if not prompt:
        raise Rejected("empty prompt", code="MissingPrompt", user_message=_refusal("MissingPrompt"))
    return f"{prompt} ### {negative}" if negative else prompt


def _clean(text: str) -> str:
    """Drop what the Horde can't take, and defuse `###`, by which a prompt could bring a negative one of its own."""
    sendable = text.replace("\0", "").encode("utf-8", "ignore").decode()
    return _SEPARATOR.sub("##", sendable).strip()


def _refusal(code: str) -> str:
    return error_of(Answer(status=400, data={"rc": code})).user_message


def cost_of(kudos_of_one: float | None, *, count: int, baseline: str) -> float | None:
    """Estimate what everything will cost, from the 202's price of one picture before the model's factor.

    Follows what the Horde charges rather than its dry run (which lies above it): recorded charges are met to the kudo
    for SD 1 models, within a few per cent for Flux.
    """
    if kudos_of_one is None:
        return None
    factor = next((factor for prefix, factor in _FACTORS if baseline.startswith(prefix)), 1)
    return round(_ACTIVATION + count * (kudos_of_one * factor + _TAX), 2)


def progress_of(check: Check, previous: Progress | None, now: datetime) -> Progress:
    """Turn a check into progress, with the test for the end in `over`.

    `done` alone is not the end: it may be true while a retry is running, and stay false when all is delivered
    (server 5.1.5; recorded: `image-check-done-after-two-faults`).
    """
    quiet = check.waiting <= 0 and check.processing <= 0
    quiet_since = ((previous.quiet_since if previous else None) or now) if quiet else None
    long_quiet = quiet_since is not None and now - quiet_since >= QUIET
    over = check.faulted or (quiet and (check.done or long_quiet))
    possible = check.is_possible or over or check.processing > 0
    begun = check.processing > 0 or check.finished > 0 or check.restarted > 0
    return Progress(
        stage=Stage.PROCESSING if begun else Stage.WAITING,
        waiting=max(0, check.waiting),
        processing=max(0, check.processing),
        finished=max(0, check.finished),
        restarted=max(0, check.restarted),
        # 0 with something waiting only means that the Horde has not counted yet, which it does once a second.
        queue_position=check.queue_position if check.queue_position > 0 and check.waiting > 0 and not over else None,
        ends_at=_end_of(check, now) if possible and not over else None,
        possible=possible,
        kudos=check.kudos,
        over=over,
        faulted=check.faulted,
        quiet_since=quiet_since,
    )


def _end_of(check: Check, now: datetime) -> datetime | None:
    """Turn the waiting time into a moment; 0 is common and does not mean "now"."""
    return now + timedelta(seconds=min(check.wait_time, 86_400)) if check.wait_time > 0 else None


def censorship_of(generation: Generation) -> Censorship | None:
    """Tell why a picture was blanked, by either of the two ways to say so; the `state` says `ok` even then."""
    reasons = {meta.value for meta in generation.gen_metadata if meta.type == "censorship"}
    if Censorship.CSAM in reasons:
        return Censorship.CSAM
    return Censorship.NSFW if reasons or generation.censored else None


def artifact_of(
    generation: Generation, index: int, request: ImageRequest, picture: Picture | None = None
) -> ImageArtifact:
    """Describe a delivered picture; without `picture` it is a censored one, or one that cannot be read."""
    censored = censorship_of(generation)
    common = ImageArtifact(
        index=index,
        remote_id=generation.id,
        seed=generation.seed,
        model=generation.model or request.model,
        worker=generation.worker_name,
        censored=censored,
        unreadable=picture is None and censored is None,
        seed_exact=all(meta.type != "batch_index" for meta in generation.gen_metadata),
        notes=notes_of(generation, request, picture),
    )
    if picture is None or censored is not None:
        return common
    return replace(
        common,
        sha256=picture.sha256,
        extension=picture.extension,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
    )
