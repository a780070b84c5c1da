"""Ids as the horde hands them out, from a seeded generator: the same world gives the same ones."""

from __future__ import annotations

import uuid
from random import Random


def new_uuid(rng: Random) -> str:
    """A random UUID (version 4)."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
