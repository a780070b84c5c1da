"""What webhooks told of a request whose answer was lost: asked about newest first, and not without end."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.clock import ManualClock
from bot.domain.jobs import JobId
from bot.domain.stages import Stage
from bot.errors import RemoteGone
from bot.providers.horde.webhooks import ASKED_ABOUT, Hint, Hints
from tests.factories import make_job


class ManyHints:
    """Somebody made up a thousand."""

    def address(self, job_id: JobId) -> str:
        return f"https://bot.test/hook/horde/{job_id}"

    async def hints(self, provider: str, job_id: JobId) -> Sequence[Hint]:
        assert provider == "horde", job_id
        return [Hint(request=f"request-{number}", part="a") for number in range(1000)]


async def test_only_the_newest_hints_are_asked_about() -> None:
    asked: list[str] = []

    async def ask(request: str) -> None:
        asked.append(request)
        raise RemoteGone(request)

    async def known_ids(among: Collection[str]) -> Collection[str]:
        return {"request-999"}.intersection(among)

    hints = Hints("horde", ManyHints(), ManualClock())
    job = make_job(stage=Stage.SUBMITTING)
    assert await hints.find(job, ask=ask, known_ids=known_ids) is None
    assert asked == [f"request-{number}" for number in range(998, 998 - ASKED_ABOUT, -1)]
