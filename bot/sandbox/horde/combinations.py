"""Which fields go together: the business rules of an image request that need no look at the world's state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.sandbox.horde.catalogue import BASELINE_NAMES, ModelCard
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.post_processors import POST_PROCESSORS

MAX_LORAS = 5
MAX_TIS = 20


def check_combination(order: ImageOrder, catalogue: Mapping[str, ModelCard]) -> None:
    """Raise the refusal of the first rule that `order` breaks."""
    baselines = [catalogue[name].baseline for name in order.models if name in catalogue]
    for check in (_numbers(order), _add_ons(order), _sources(order, baselines), _features(order, baselines)):
        for message, rc in check:
            raise HordeError(400, message, rc)


def _numbers(order: ImageOrder) -> Iterator[tuple[str, str]]:
    if round(order.cfg_scale, 2) != order.cfg_scale:
        yield "cfg_scale must be rounded to 2 decimal places", "BadCFGDecimals"
    if order.webhook is not None and not order.webhook.startswith("https://"):
        yield "webhooks need to point to an https endpoint.", "BadRequest"
    if any(name in POST_PROCESSORS for name in order.models):
        yield "This model is not supported in this mode the moment", "UnexpectedModelName"


def _add_ons(order: ImageOrder) -> Iterator[tuple[str, str]]:
    if len(order.loras) > MAX_LORAS:
        yield f"You cannot request more than {MAX_LORAS} loras per generation.", "TooManyLoras"
    for lora in order.loras:
        if lora.get("is_version") and not str(lora["name"]).isdigit():
            yield "explicit LoRa version requests have to be a version ID (i.e integer).", "BadLoraVersion"
    if len(order.tis) > MAX_TIS:
        yield f"You cannot request more than {MAX_TIS} Textual Inversions per generation.", "TooManyTIs"
    if order.upscalers > 1:
        yield "Cannot use more than 1 upscaler at a time.", "TooManyUpscalers"
    if order.extra_texts is not None and order.workflow is None:
        yield "Extra texts are only allowed with a workflow.", "InvalidExtraTexts."
    if order.workflow == "qr_code":
        references = {text.get("reference") for text in order.extra_texts or ()}
        if "qr_code" not in references:
            yield "QR Code workflow requires a 'qr_code' extra text.", "MissingExtraTexts."


def _sources(order: ImageOrder, baselines: list[str]) -> Iterator[tuple[str, str]]:
    if order.source_image is None:
        if order.source_mask is not None:
            message = "Please do not pass a source_mask unless you are sending a source_image as well"
            yield message, "SourceMaskUnnecessary"
        if order.control_type is not None:
            yield "Controlnet Requires a source image.", "ControlNetSourceMissing"
    if order.source_image is not None and order.source_processing == "remix" and "stable_cascade" not in baselines:
        yield "Image Remix is only available for Stable Cascade models.", "InvalidRemix"
    if order.extra_source_images and order.source_processing != "remix":
        yield "Extra source images are only available for remix.", "InvalidExtraSourceImages."


def _features(order: ImageOrder, baselines: list[str]) -> Iterator[tuple[str, str]]:
    names = [BASELINE_NAMES[baseline] for baseline in baselines if baseline in BASELINE_NAMES]
    if order.control_type is not None and names:
        yield f"ControlNet does not work with {names[0]} currently.", "ControlNetMismatch"
    if order.control_type is not None and order.source_processing != "img2img":
        yield "ControlNet does not work with inpainting currently.", "ControlNetInpaintingMismatch"
    if order.hires_fix and "Flux" in names:
        yield "HiRes Fix does not work with Flux currently.", "HiResMismatch"
    if order.transparent and set(baselines) - {"stable_diffusion_1", "stable_diffusion_xl"}:
        yield "Transparent images are only available for SD 1.5 and SDXL models.", "InvalidTransparencyModel"
    if order.transparent and order.control_type is not None:
        yield "Transparent images do not work with ControlNet.", "InvalidTransparencyCN"
