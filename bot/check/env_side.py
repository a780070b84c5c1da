"""Checks of what the operator wrote: names that are no settings, settings without effect, a file others can read."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bot.chat.operators import operators_book
from bot.check.findings import Finding, failed, note
from bot.env_file import names_in
from bot.errors import SetupError
from bot.settings import Settings

_SETTINGS: Final = frozenset(name.upper() for name in Settings.model_fields)
#: How alike a name of the file and a setting are at least for one to be meant by the other; of the environment, in
#: which much of others stands, only the likest.
_ALIKE_IN_FILE, _ALIKE_IN_ENV = 0.75, 0.9


def check_words(settings: Settings) -> Sequence[Finding]:
    """Whether `run` can use the chat templates, and whether plain words in threads are heard as the operator wants."""
    findings = []
    try:
        operators_book(settings.text_templates_file, settings.template_overrides)
    except SetupError as error:
        findings.append(failed("Chat templates", "; ".join(error.problems), "see docs/settings.md, or leave it empty"))
    if settings.chat_threads and not settings.message_content_intent:
        text = "CHAT_THREADS has no effect without MESSAGE_CONTENT_INTENT"
        fix = "set both to true (and switch the intent on, on the Bot page), or neither"
        findings.append(note("Plain words in threads", text, fix))
    return findings


def check_env_file(file: Path | None) -> Sequence[Finding]:
    """Whether the file that holds the token is the bot's user's alone."""
    if file is None or os.name != "posix" or not file.is_file():
        return []
    if stat.S_IMODE(file.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH):
        return [note("Settings file", f"others on this machine can read {file}, secrets included", f"chmod 600 {file}")]
    return []


def check_names(file: Path | None, env: Mapping[str, str]) -> Sequence[Finding]:
    """Which names look like settings and are none: they are ignored without a word otherwise."""
    written = () if file is None else names_in(file)
    strange = dict([*_misspelt(env, _ALIKE_IN_ENV), *_misspelt(written, _ALIKE_IN_FILE)])
    return [
        note("Settings", f"{name} is no setting, and is ignored", f"did you mean {meant}?")
        for name, meant in sorted(strange.items())
    ]


def _misspelt(names: Iterable[str], alike: float) -> Iterator[tuple[str, str]]:
    for name in names:
        # Nothing else is shown: where somebody forgot the name, a secret stands in its place.
        if name.upper() in _SETTINGS or not re.fullmatch(r"[A-Za-z_]{3,40}", name):
            continue
        for meant in difflib.get_close_matches(name.upper(), _SETTINGS, n=1, cutoff=alike):
            yield name, meant
