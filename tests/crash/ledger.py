"""What the services hold of each thing asked for: the truth that replies are measured by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.horde.alchemy.requests import AlchemyRequest
from bot.sandbox.horde.requests import Request
from bot.sandbox.horde.text.requests import TextRequest
from bot.sandbox.horde.waiting import JobState
from bot.sandbox.serve import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one thing asked for came to at its service."""

    #: Requests that the service accepted for it.
    requests: int = 0
    #: How many of them may still use somebody's computer.
    running: int = 0
    #: SHA-256 of every file that was made, sorted.
    files: tuple[str, ...] = ()
    #: Every text that was made.
    texts: tuple[str, ...] = ()


class Ledger:
    """Remembers every request, also those that the service has forgotten since; `look` now and then."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._horde, self._osais = sandbox.horde, sandbox.osais
        self._images: dict[str, Request] = {}
        self._texts: dict[str, TextRequest] = {}
        self._alchemy: dict[str, AlchemyRequest] = {}

    def look(self) -> None:
        """Take note of what is there now: a request lives for at least ten minutes."""
        world = self._horde.world
        self._images.update((request.id, request) for request in world.own_requests())
        self._texts.update((request.id, request) for request in world.text.own_requests())
        self._alchemy.update(world.alchemy.requests)

    def of_image(self, prompt: str) -> Made:
        """What was painted for exactly this prompt."""
        self.look()
        mine = [request for request in self._images.values() if request.order.prompt == prompt]
        return Made(
            requests=len(mine),
            running=sum(request.open or request.processing > 0 for request in mine),
            files=_sorted(
                job.picture.sha256 for request in mine for job in request.jobs if job.state is JobState.DELIVERED
            ),
        )

    def of_text(self, words: str) -> Made:
        """What was written for prompts that hold these words."""
        self.look()
        mine = [request for request in self._texts.values() if words in request.order.prompt]
        return Made(
            requests=len(mine),
            running=sum(request.open or request.processing > 0 for request in mine),
            texts=tuple(job.text for request in mine for job in request.jobs if job.text),
        )

    def of_alchemy(self, width: int) -> Made:
        """What was made of pictures of this width."""
        self.look()
        mine = [request for request in self._alchemy.values() if request.source.width == width]
        results = [value for request in mine for value in self._results(request)]
        return Made(
            requests=len(mine),
            running=sum(not request.ended for request in mine),
            files=_sorted(value for value in results if _is_hash(value)),
            texts=tuple(str(value) for value in results if not _is_hash(value)),
        )

    def of_osais(self, words: str) -> Made:
        """What OSAIS made for these words; it forgets nothing."""
        mine = [request for request in self._osais.requests.values() if request.given.get("word") == words]
        return Made(
            requests=len(mine),
            running=sum(request.ended_at is None for request in mine),
            files=_sorted(file for request in mine for file in self._osais.made[request.uid]),
        )

    def _results(self, request: AlchemyRequest) -> Iterable[Any]:
        return self._horde.alchemy_results.get(request.id, {}).values()


def _sorted(hashes: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted(str(one) for one in hashes if one))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(character in "0123456789abcdef" for character in value)
