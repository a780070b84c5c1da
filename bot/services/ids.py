"""Ids of our own."""

from __future__ import annotations

import secrets

from bot.domain.jobs import JobId

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def new_job_id() -> JobId:
    """Twelve lower-case letters and digits (60 bits): short enough for a file name, never guessable in bulk."""
    # 32 letters: every byte's rest is as likely as any other.
    return JobId("".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(12)))
