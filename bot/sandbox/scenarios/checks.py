"""What every story promises of a reply: it shows that it is under way, and ends with its buttons and its files."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.sandbox.scenarios.failure import ScenarioFailed, require
from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.reply import File, Version


def check_under_way(versions: Sequence[Version], *, of: str = "reply") -> list[Version]:
    """Require that it could be seen to run, and be stopped, pinging nobody; returns the versions before the last."""
    running = [version for version in versions if not version.ended]
    require(running, f"the {of} never showed that it was under way")
    require(any(version.can_be_cancelled for version in running), f"there was no way to cancel the {of}")
    require(not any(version.pings for version in versions), "somebody was pinged")
    return running


def check_buttons(end: Version, verbs: Collection[str]) -> None:
    """Require the buttons that a result has, by what they do."""
    missing = set(verbs) - {custom_id.split(":")[1] for custom_id in end.custom_ids if ":" in custom_id}
    require(not missing, f"buttons are missing: {', '.join(sorted(missing))}, below {' / '.join(end.lines)}")


async def download(world: World, file: File) -> str:
    """Download an attached file as a person would; returns its SHA-256."""
    sha256 = await world.sha256_of(file.url)
    if sha256 is None:
        raise ScenarioFailed(f"{file.name} is attached but cannot be downloaded")
    require(sha256 == file.sha256, f"{file.name} downloads as other bytes than were uploaded")
    return sha256
