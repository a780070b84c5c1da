"""The port every remote service is used through: five verbs, and one to find what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, runtime_checkable

from typing_extensions import TypeVar

from bot.domain.jobs import Job
from bot.domain.progress import Progress
from bot.domain.results import Artifact

A_co = TypeVar("A_co", bound=Artifact, default=Artifact, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the provider said when it accepted a request."""

    remote_id: str
    #: Kudos for everything that was asked, as well as can be told in advance.
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest(Generic[A_co]):
    """What was ready at the provider and not yet known here; `bytes_of` holds the usable ones by artifact index."""

    artifacts: tuple[A_co, ...]
    bytes_of: dict[int, bytes]
    #: Parts that are ready remotely but could not be fetched this time (try again).
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a service told of a request by itself, judged without asking it."""

    progress: Progress
    #: False when it is time to ask it as well.
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """One model as people choose it."""

    name: str
    #: `stable_diffusion_1`, `stable_diffusion_xl`, `flux_1`, …; empty when the reference does not know it.
    baseline: str
    #: Worker threads online.
    workers: int
    #: Seconds until a new request would probably be done.
    eta: int
    nsfw: bool = False
    style: str = ""
    #: Native side length in pixels (512, 768, 1024).
    native: int = 1024
    #: Good for anything: a candidate for the default model.
    generalist: bool = False
    #: Steps and guidance that suit it.
    steps: int = 25
    guidance: float = 7.0
    max_steps: int = 40
    clip_skip: int = 1
    sampler: str = "k_euler_a"
    karras: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the provider can do at the moment, answered from memory."""

    models: Sequence[ModelInfo]
    #: False until the first list has arrived (then `models` comes from the bundled copy).
    live: bool


class Provider(Protocol):
    """A remote service that makes pictures.

    Every verb raises a `ProviderError` and nothing else; none repeats a submission.
    """

    #: The name in the job row.
    name: str

    @property
    def pushes(self) -> bool:
        """Whether the service calls us when there is news, so that it need not be asked often."""
        ...

    async def turn(self) -> None:
        """Wait until the next request may be handed over: services take only so many a minute.

        Raises `Paused` while the service shuts us out.
        """
        ...

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        """Hand the request over, once, with the first of its sources; it is this caller's `turn`.

        Raises `Unavailable` (surely not accepted: try again later), `Busy`, `Paused`, `Maintenance`, `Rejected`,
        `Unauthorized`, or `SubmissionUncertain` (it may have been accepted).
        """
        ...

    async def recover(self, job: Job) -> Submission | None:
        """Look for a request whose answer was lost; None when it surely was not accepted.

        Raises `SubmissionUncertain` when that can never be told (an anonymous key has no list), `Unavailable` when it
        cannot be told yet (the service caches its list for half a minute after `job.attempted_at`): ask again later.
        """
        ...

    async def poll(self, job: Job) -> Progress:
        """Ask the cheap way how far it is; `Progress.over` holds the provider's end test. Raises `RemoteGone`."""
        ...

    async def fetch(self, job: Job) -> Harvest:
        """Fetch what is ready and not among `job.artifacts`, bytes included. Raises `RemoteGone`."""
        ...

    async def cancel(self, job: Job) -> None:
        """Stop it remotely; one that is already gone counts as stopped."""
        ...

    def describe(self) -> Capabilities:
        """Tell what can be asked for, from memory."""
        ...


@runtime_checkable
class KeepsNews(Protocol):
    """A provider whose service tells by itself how far it is, files included, and where all that is kept.

    Its `fetch` and `cancel` ask the service nothing either, so none of these waits for a service that does not answer.
    """

    async def heard(self, job: Job) -> Heard:
        """Judge how far it is by what was told so far."""
        ...
