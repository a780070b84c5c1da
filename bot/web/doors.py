"""What stands behind the addresses under which services may call us; there is nothing of it without `PUBLIC_URL`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from bot.clock import Clock
from bot.store.base import ArtifactStore, InboxStore, JobStore, StateStore
from bot.web.addresses import PublicAddress
from bot.web.horde_hooks import HordeHooks
from bot.web.source_links import SourceLinks

#: Where the secret lies that was made because the operator gave none.
_SECRET_KEY: Final = "webhook-secret"  # noqa: S105 - a name, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Our public addresses, and the parts that serve them. Providers are handed what they tell their services."""

    address: PublicAddress
    hooks: HordeHooks
    sources: SourceLinks
    inbox: InboxStore
    jobs: JobStore
    clock: Clock


async def find_doors(
    public_url: str,
    secret: SecretStr,
    *,
    state: StateStore,
    inbox: InboxStore,
    jobs: JobStore,
    artifacts: ArtifactStore,
    clock: Clock,
) -> Doors | None:
    """The doors at the address that the settings name, or None. Makes a secret, and keeps it, if there is none."""
    if not public_url:
        return None
    if not secret.get_secret_value():
        secret = SecretStr(await state.keep_first(_SECRET_KEY, secrets.token_urlsafe(32)))
    address = PublicAddress(public_url, secret)
    return Doors(
        address=address,
        hooks=HordeHooks(address, inbox=inbox, jobs=jobs, clock=clock),
        sources=SourceLinks(address, artifacts, clock),
        inbox=inbox,
        jobs=jobs,
        clock=clock,
    )
