"""How a job ended, and what it brought."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a job ended: one vocabulary everywhere."""

    #: Everything that was asked for is here.
    FINISHED = "finished"
    #: Some of it is here, the rest will not come.
    PARTIAL = "partial"
    #: All that came was blanked by a worker's safety filter.
    CENSORED = "censored"
    #: The provider or its workers gave up.
    FAILED = "failed"
    #: The person (or the provider's maintenance) stopped it.
    CANCELLED = "cancelled"
    #: The provider forgot it: nobody took it in time.
    EXPIRED = "expired"
    #: The provider refused it.
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended."""

    outcome: Outcome
    #: One kind sentence with a next step; empty where the outcome says it all.
    message: str = ""
    #: The provider's own word for why (`KudosUpfront`, …) or ours (`lost-submission`); for logs and buttons.
    code: str = ""
    #: Shown when something unexpected happened, and written to the log beside its traceback.
    reference: str = ""


class Censorship(StrEnum):
    """Why a worker blanked a picture."""

    NSFW = "nsfw"
    CSAM = "csam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One part of what came; the bytes of a file lie in the artifact store under (job, index)."""

    #: 0, 1, 2, … in order of arrival; part of the file's name for ever.
    index: int
    #: The provider's own id of this part.
    remote_id: str
    model: str = ""
    worker: str = ""
    #: Hash of the file's bytes as the provider served them; empty when there is no file.
    sha256: str = ""
    #: File extension without a dot, from the bytes themselves.
    extension: str = "webp"
    #: Pixels.
    width: int = 0
    height: int = 0
    #: Bytes.
    size: int = 0
    censored: Censorship | None = None
    #: Set when it exists remotely but could not be fetched.
    unreadable: bool = False
    #: What else the worker told ("LoRA X could not be loaded").
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether there is something to show."""
        return self.censored is None and not self.unreadable

    @property
    def has_file(self) -> bool:
        """Whether there is a file to attach."""
        return self.usable and bool(self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArtifact(Artifact):
    """One picture that came."""

    seed: str
    #: False when the picture came from a batch: its seed alone does not reproduce it.
    seed_exact: bool = True
