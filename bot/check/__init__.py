"""`python -m bot check`: try everything the bot rests on, and say what to do about what fails.

Every check ends in one `Finding`; none stops the others. Nothing is changed anywhere. Answers of the services are never
repeated: the Horde's 404 for an unknown key, for one, holds the key itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from bot.check.discord_side import check_application, check_token, invite_link
from bot.check.env_side import check_env_file, check_names, check_words
from bot.check.fetching import Get, getter
from bot.check.findings import Finding, Verdict
from bot.check.horde_side import check_heartbeat, check_image_reference, check_key, check_text_reference
from bot.check.osais_side import check_osais
from bot.check.storage import check_storage
from bot.check.web_side import check_public, check_web
from bot.settings import Settings

__all__ = ["TIMEOUT", "Finding", "Verdict", "check_all", "invite_link", "run_check"]

#: Seconds that one service gets to answer.
TIMEOUT: Final = 10.0


async def run_check(
    settings: Settings,
    *,
    timeout: float = TIMEOUT,
    say: Callable[[str], object] = print,
    env_file: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Check everything, print one line each, and return 0 when nothing failed, else 1.

    `env_file` and `env` are where the settings came from; None: nothing is said of that.
    """
    limits = aiohttp.ClientTimeout(total=timeout)
    headers = {"Client-Agent": settings.horde_client_agent}
    async with aiohttp.ClientSession(timeout=limits, headers=headers) as session:
        findings, application_id = await check_all(settings, getter(session))
        findings = [*findings, *await check_osais(settings, session, timeout=timeout)]
    findings += [*check_words(settings), *check_env_file(env_file), *check_names(env_file, env or {})]
    for finding in findings:
        say(str(finding))
    if application_id is not None:
        say(f"\nAdd the bot to a server: {invite_link(application_id)}")
    return int(any(finding.verdict is Verdict.FAILED for finding in findings))


async def check_all(settings: Settings, get: Get) -> tuple[Sequence[Finding], int | None]:
    """All findings in the order they are printed, and the application's id where Discord told it."""
    async with asyncio.TaskGroup() as group:
        token = group.create_task(check_token(settings, get))
        application = group.create_task(check_application(settings, get))
        others = [
            group.create_task(check)
            for check in (
                check_heartbeat(settings, get),
                check_key(settings, get),
                check_image_reference(settings, get),
                check_text_reference(settings, get),
                check_storage(settings),
                check_web(settings),
                check_public(settings),
            )
        ]
    about_application, application_id = application.result()
    findings = [token.result(), *about_application]
    for other in others:
        findings += other.result()
    return findings, application_id
