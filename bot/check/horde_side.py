"""Checks of the AI Horde's side: is it there, does it know the key, can the model lists be read."""

from __future__ import annotations

from collections.abc import Sequence

from bot.check.fetching import Get
from bot.check.findings import Finding, failed, note, ok
from bot.errors import Unavailable
from bot.settings import Settings


async def check_heartbeat(settings: Settings, get: Get) -> Sequence[Finding]:
    """Whether the AI Horde is there."""
    name = "AI Horde"
    try:
        status, answer = await get(f"{settings.horde_url}/status/heartbeat", {})
    except Unavailable as error:
        return [failed(name, f"it does not answer ({error})", "check the network and HORDE_URL, or try again later")]
    state = str((answer or {}).get("message", ""))
    if status != 200 or state not in {"OK", "OVERLOADED", "DOWN"}:
        return [failed(name, f"what answers is not a Horde ({status})", "HORDE_URL ends in /api/v2")]
    if state == "OK":
        return [ok(name, "answers")]
    return [note(name, f"answers, and calls itself {state.lower()}", "requests are kept until it is well again")]


async def check_key(settings: Settings, get: Get) -> Sequence[Finding]:
    """Whether the Horde knows the key, and whose it is."""
    name = "AI Horde key"
    if settings.horde_is_anonymous:
        fix = "a free key of your own from https://aihorde.net/register is served sooner"
        return [note(name, "anonymous: works, at the end of every queue", fix)]
    try:
        status, user = await get(
            f"{settings.horde_url}/find_user", {"apikey": settings.horde_api_key.get_secret_value()}
        )
    except Unavailable as error:
        return [failed(name, f"the Horde does not answer ({error})", "check the network and HORDE_URL")]
    if status in {401, 403, 404}:
        return [failed(name, "the Horde does not accept it", "put a valid HORDE_API_KEY into .env, or none at all")]
    if status != 200 or user is None:
        return [failed(name, f"the Horde answered {status}", "try again later")]
    return [ok(name, f"belongs to {user.get('username', 'somebody')}, {float(user.get('kudos') or 0):.0f} kudos")]


async def check_image_reference(settings: Settings, get: Get) -> Sequence[Finding]:
    """Whether the list of image models can be read."""
    return await _check_list(get, "Image model list", "HORDE_IMAGE_REFERENCE_URL", settings.horde_image_reference_url)


async def check_text_reference(settings: Settings, get: Get) -> Sequence[Finding]:
    """Whether the list of text models can be read."""
    return await _check_list(get, "Text model list", "HORDE_TEXT_REFERENCE_URL", settings.horde_text_reference_url)


async def _check_list(get: Get, name: str, setting: str, url: str) -> Sequence[Finding]:
    """Read one model reference; Muster carries a copy of each, so its absence is no failure."""
    fix = f"the copy inside Muster is used until {setting} can be read"
    try:
        status, models = await get(url, {})
    except Unavailable as error:
        return [note(name, f"does not answer ({error})", fix)]
    if status != 200 or not models:
        return [note(name, f"no list there ({status})", fix)]
    return [ok(name, f"{len(models)} models")]
