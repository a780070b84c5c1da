"""Ids of our own."""

from __future__ import annotations

import secrets

from bot.domain.jobs import JobId

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def new_job_id() -> JobId:
    """Twelve lower-case letters and digits (60 bits): short enough for a file name, never guessable in bulk."""
    return JobId("".join(secrets.choice(_ALPHABET) for _ in range(12)))
