"""Whom a text pings: mentions in it, cut down to what `allowed_mentions` lets through (Discord docs)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .component_rules import ComponentKind, walk
from .kinds import Route
from .model import Json, Pings

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


def pings_of(texts: Iterable[str], allowed: Json | None, *, route: Route, replied_to: int | None) -> Pings:
    """Return whom these texts ping; without `allowed`, the route's own default holds.

    Channel messages then parse everything, interaction answers users only.
    """
    text = "\n".join(texts)
    users = [int(found) for found in _USER.findall(text)]
    roles = [int(found) for found in _ROLE.findall(text)]
    everyone = bool(_EVERYONE.search(text))
    if allowed is None:
        by_token = route in {Route.CALLBACK, Route.TOKEN}
        allowed = {"parse": ["users"] if by_token else ["users", "roles", "everyone"], "replied_user": True}
    parse = allowed.get("parse") or []
    if "users" not in parse:
        users = [user for user in users if str(user) in map(str, allowed.get("users") or [])]
    if "roles" not in parse:
        roles = [role for role in roles if str(role) in map(str, allowed.get("roles") or [])]
    if replied_to is not None and allowed.get("replied_user", False):
        users.append(replied_to)
    return Pings(
        users=tuple(dict.fromkeys(users)),
        roles=tuple(dict.fromkeys(roles)),
        everyone=everyone and "everyone" in parse,
    )


def texts_of(content: str, components: Iterable[Json]) -> list[str]:
    """Return the texts of a message that can ping: its content and V2 text displays, never embeds."""
    shown = [c for _, c in walk(list(components)) if c.get("type") == ComponentKind.TEXT_DISPLAY]
    return [content, *(str(component.get("content") or "") for component in shown)]
