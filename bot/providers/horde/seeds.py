"""Seeds: how ours become the Horde's, and how a picture is recognised by its own.

A seed is always sent as a number below 2^32, so that what comes back can be compared. For more than one picture the
Horde is also told a variation: without it, pictures that go to different workers share one seed and look alike. Job k
of a request gets `seed + variation * k` (server 5.1.5; recorded: the k of a batch counts the batch in), and a worker
that takes several at once adds their index in the batch. With a variation of n no two pictures of a request coincide.
"""

from __future__ import annotations

import hashlib

_LIMIT = 2**32


def seed_number(seed: str) -> int:
    """Return the number a seed stands for: digits are taken as such (shifted below 2^32), other text is hashed."""
    if seed.isascii() and seed.isdigit():
        return _wrapped(int(seed))
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big")


def variation(count: int) -> int | None:
    """Return the `seed_variation` for `count` pictures; None for one, whose seed stays exactly ours."""
    return count if count > 1 else None


def possible_seeds(seed: str, count: int) -> frozenset[int]:
    """Return every seed a picture of that request can come back with."""
    first, step = seed_number(seed), variation(count) or 0
    starts = {first} | {_wrapped(first + step * k) for k in range(count + 1)}
    return frozenset(start + index for start in starts for index in range(count))


def _wrapped(number: int) -> int:
    """Shift a number down as the server does."""
    while number >= _LIMIT:
        number >>= 32
    return number
