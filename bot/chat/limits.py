"""How long an answer and a context to ask for, so that enough workers can take it.

A request only goes to workers whose limits are at least as large as what it asks for. Asking for the largest leaves one
worker, asking for the smallest wastes the others; so: what six in ten of them, and at least two, can do.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

#: The share, and the least number, of the model's workers that must be able to take a request.
SHARE, AT_LEAST = 0.6, 2
#: What is taken for granted where nothing is known of the workers (the defaults of most backends).
USUAL_LENGTH, USUAL_CONTEXT = 512, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """One worker's limits, in tokens."""

    max_length: int
    max_context: int
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What to stay within, in tokens."""

    max_length: int
    max_context: int
    #: How many workers can take that, of how many that serve the model.
    workers: int = 0
    of: int = 0

    def smaller_than(self, other: Limits) -> bool:
        """Whether asking within these reaches more workers than within `other`."""
        return self.max_length < other.max_length or self.max_context < other.max_context


def clamp(workers: Collection[WorkerLimits], wanted: int, *, share: float = SHARE) -> Limits:
    """Choose the limits for an answer of `wanted` tokens; with `share` 1 those that every worker can do."""
    if not workers:
        return Limits(max_length=min(wanted, USUAL_LENGTH), max_context=USUAL_CONTEXT)
    needed = min(len(workers), max(AT_LEAST, math.ceil(share * len(workers))))
    length = min(wanted, _reached_by(needed, [worker.max_length for worker in workers]))
    able = [worker for worker in workers if worker.max_length >= length]
    context = _reached_by(needed, [worker.max_context for worker in able])
    reached = sum(worker.max_context >= context for worker in able)
    return Limits(max_length=length, max_context=max(context, length), workers=reached, of=len(workers))


def free_length(threads: int, queued: int) -> int:
    """Tokens an answer may have without kudos in advance, by text threads and waiting texts (server 5.1.5)."""
    return int(min(max(512 + 5 * threads - 0.9 * queued, 256), 512))


def _reached_by(needed: int, values: list[int]) -> int:
    return sorted(values, reverse=True)[needed - 1]
