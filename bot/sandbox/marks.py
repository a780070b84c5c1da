"""Marks in place of secrets: the same secret, the same mark, so that a log can be followed and shown."""

from __future__ import annotations

import hashlib
import re

_SECRET_IN_PATH = re.compile(r"^(/api/v10/(?:webhooks|interactions)/\d+/)([^/]+)")
_SECRET_IN_QUERY = re.compile(r"(?i)(?<=[?&])(hm|sig|signature|awsaccesskeyid|x-amz-[a-z-]+|token|apikey)=([^&]*)")
#: A segment of a path that nobody would write by hand.
_SECRET_SEGMENT = re.compile(r"/([A-Za-z0-9_~-]{20,})(?=[/?]|$)")


def mark(secret: str) -> str:
    """Name a secret without telling it: the same secret, the same mark."""
    return f"~{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def mask_path(path: str) -> str:
    """Replace the secrets in a path with query by their marks: interaction tokens, signatures."""
    path = _SECRET_IN_PATH.sub(lambda found: found[1] + mark(found[2]), path)
    return _SECRET_IN_QUERY.sub(lambda found: f"{found[1]}={mark(found[2])}", path)


def mask_callback(url: str) -> str:
    """Replace what looks like a secret in a client's address by its mark."""
    return _SECRET_SEGMENT.sub(lambda found: f"/{mark(found[1])}", mask_path(url))
