"""Checks of the data folder and the database in it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.check.findings import Finding, Verdict, failed, note, ok
from bot.errors import SetupError
from bot.settings import Settings
from bot.store.engine import check_database


async def check_storage(settings: Settings) -> Sequence[Finding]:
    """Whether the data folder (where SQLite is used) and then the database can be used."""
    findings = []
    scheme, _, path = settings.database_url.partition(":///")
    if scheme.startswith("sqlite"):
        folder = Path(path.partition("?")[0]).parent
        findings.append(await asyncio.to_thread(_check_folder, folder, settings.artifact_cap_bytes))
    if all(finding.verdict is not Verdict.FAILED for finding in findings):
        findings.append(await _check_database(settings.database_url))
    return findings


async def _check_database(url: str) -> Finding:
    name = "Database"
    try:
        return ok(name, await check_database(url))
    except SetupError as error:
        return failed(name, " ".join(error.problems), "")


def _check_folder(folder: Path, cap: int) -> Finding:
    name = "Data folder"
    try:
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        free = shutil.disk_usage(there).free
    except OSError as error:
        return failed(name, f"{folder} cannot be used ({error.strerror})", "mend that, or change DATABASE_URL")
    if not there.is_dir():
        return failed(name, f"{there} is in the way: it is no folder", "move it, or change DATABASE_URL")
    try:  # by doing it: what the mode says is not all, as in /proc
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        fix = "give it to the user the bot runs as, or change DATABASE_URL"
        return failed(name, f"{there} is not writable ({reason})", fix)
    made = "" if there == folder else " (made at the first start)"
    text = f"{folder}{made}, {free / 1e9:.1f} GB free"
    if free < cap:
        return note(name, text, "less than ARTIFACT_CAP_MB: free some space or lower the cap")
    return ok(name, text)
