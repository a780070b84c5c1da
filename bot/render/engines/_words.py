"""Words that a run of an engine is told with, under way and at its end."""

from __future__ import annotations

from types import MappingProxyType

from bot.domain.engines import EngineArtifact, Medium
from bot.domain.jobs import EngineJob
from bot.render import phrases
from bot.render.escaping import fit, inline

SERVICE = "OSAIS"
#: How much of what the service says is shown.
SHOWN_SAID = 200
SHOWN_SETTINGS = 300
#: A space that no line breaks at.
GLUE = "\N{NO-BREAK SPACE}"
_NAMES = MappingProxyType({Medium.IMAGE: "picture", Medium.AUDIO: "sound", Medium.VIDEO: "film"})
EMOJI = MappingProxyType({Medium.IMAGE: "🖼️", Medium.AUDIO: "🔊", Medium.VIDEO: "🎬"})


def title(job: EngineJob) -> str:
    """Name the engine, and what was asked of it."""
    words = f": {inline(job.request.prompt, phrases.SHOWN_PROMPT)}" if job.request.prompt else ""
    return f"{EMOJI[job.request.makes]} **{inline(job.request.engine, phrases.SHOWN_NAME)}{words}**"


def settings(job: EngineJob) -> str:
    """Write what the engine was set to; empty when nothing was."""
    told = (f"{one.name} {inline(_written(one.value), 40)}" for one in job.request.settings)
    # A line breaks after a dot, never before it or inside "steps 20".
    return fit((one.replace(" ", GLUE) for one in told), SHOWN_SETTINGS, separator=f"{GLUE}· ")


def file_facts(file: EngineArtifact) -> str:
    """Write what kind of file it is, and how large."""
    size = phrases.size(file.width, file.height) if file.width else ""
    return f"{GLUE}· ".join(filter(None, (f"{EMOJI[file.medium]}{GLUE}{file.extension}", size, megabytes(file.size))))


def files(count: int, medium: Medium | None = None) -> str:
    """Write a number of files, by what they are where that is known."""
    name = _NAMES[medium] if medium is not None else "file"
    return f"1 {name}" if count == 1 else f"{count} {name}s"


def megabytes(size: int) -> str:
    """Write a file's size."""
    large = size >= 1024**2 // 10
    return f"{size / 1024**2:.1f}{GLUE}MB" if large else f"{max(1, round(size / 1024))}{GLUE}KB"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
