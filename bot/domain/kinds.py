"""Every kind of job in one place: its request and its artifacts. A new kind adds a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from bot.domain.alchemy import AlchemyRequest, FormArtifact
from bot.domain.conversation import TextArtifact, TextRequest
from bot.domain.engines import EngineArtifact, EngineRequest
from bot.domain.requests import ImageRequest
from bot.domain.results import Artifact, ImageArtifact

#: What people want.
Request: TypeAlias = ImageRequest | AlchemyRequest | TextRequest | EngineRequest

#: By the word in the database.
REQUESTS: Mapping[str, type[Request]] = MappingProxyType(
    {made.kind: made for made in (ImageRequest, AlchemyRequest, TextRequest, EngineRequest)}
)
ARTIFACTS: Mapping[str, type[Artifact]] = MappingProxyType(
    {
        ImageRequest.kind: ImageArtifact,
        AlchemyRequest.kind: FormArtifact,
        TextRequest.kind: TextArtifact,
        EngineRequest.kind: EngineArtifact,
    }
)
