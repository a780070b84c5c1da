"""`/find_user` and `/users/{id}`: who a key belongs to, and what the server still holds of that account's requests."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.horde import limits
from bot.sandbox.horde.errors import HordeError, invalid_key, not_found
from bot.sandbox.horde.gate import Answer, Endpoint, Gate
from bot.sandbox.horde.people import User
from bot.sandbox.horde.world import World

USER_CACHE_SECONDS = 30.0
_NO_WORK = {"megapixelsteps": 0, "tokens": 0}
_NO_COUNT = {"image": 0, "text": 0, "interrogation": 0}


class AccountViews:
    """The account endpoints on one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self, gate: Gate) -> list[web.RouteDef]:
        """Both paths; answers are kept for 30 s per key or id, so a balance right after spending is stale."""
        found = Endpoint(view=self.find_user, rules=limits.DEFAULT_RULES, cache=USER_CACHE_SECONDS, cache_by_key=True)
        by_id = Endpoint(
            view=self.by_id, rules=limits.USER_RULES, per_path=True, cache=USER_CACHE_SECONDS, cache_by_key=True
        )
        return [gate.route("/find_user", get=found), gate.route("/users/{id}", get=by_id)]

    async def find_user(self, request: web.Request) -> Answer:
        """The key's owner: everything for a personal key, the public part for a shared one."""
        key = request.headers.get("apikey")
        if not key:
            raise invalid_key()
        shared = self._world.people.shared(key)
        if shared is not None:
            details = self._public(shared.owner)
            return Answer(body={**details, "username": f"{shared.owner.alias} (Shared Key: {shared.name})"})
        user = self._world.people.by_key(key)
        if user is None:
            # The real server repeats the key, too: clients must not show this message.
            raise HordeError(404, f"User with api_key '{key}' not found.", "UserNotFound")
        return Answer(body=self._private(user))

    async def by_id(self, request: web.Request) -> Answer:
        """A user by number; the owner's own key adds the private part."""
        number = request.match_info["id"]
        if not (number.isascii() and number.isdigit()):
            hint = "Please use only the numerical part of the userID. E.g. the '1' in 'db0#1'"
            raise not_found("User", hint, "UserNotFound")
        user = self._world.people.by_id(int(number))
        if user is None:
            raise not_found("User", number, "UserNotFound")
        own = request.headers.get("apikey") == user.key
        return Answer(body=self._private(user) if own else self._public(user))

    def _public(self, user: User) -> dict[str, object]:
        return {
            "username": user.alias,
            "id": user.id,
            "kudos": round(user.kudos, 2),
            "concurrency": user.concurrency,
            "worker_invited": 0,
            "moderator": False,
            "kudos_details": {
                "accumulated": round(user.accumulated, 2),
                "gifted": round(user.gifted, 2),
                **dict.fromkeys(("donated", "admin", "received", "recurring", "awarded", "styled"), 0),
            },
            "worker_count": 0,
            "styles": [],
            "trusted": user.trusted,
            "flagged": False,
            "service": user.service,
            "education": False,
            "customizer": False,
            "deleted": False,
            "pseudonymous": False,
            "account_age": round(self._world.now - self._world.started) + 600,
            "usage": {"megapixelsteps": None, "requests": None},
            "contributions": {"megapixelsteps": None, "fulfillments": None},
            "records": {
                "usage": {"megapixelsteps": round(user.megapixelsteps, 2), "tokens": user.tokens},
                "contribution": _NO_WORK,
                "fulfillment": _NO_COUNT,
                "request": {"image": user.images, "text": user.texts, "interrogation": user.forms},
                "style": _NO_COUNT,
            },
        }

    def _private(self, user: User) -> dict[str, object]:
        keys = [key.id for key in self._world.people.shared_keys.values() if key.owner is user]
        return {
            **self._public(user),
            "worker_ids": [],
            "sharedkey_ids": keys,
            "active_generations": self._active(user),
            "vpn": False,
            "special": user.special,
        }

    def _active(self, user: User) -> dict[str, list[str]]:
        """Every request not yet expired, finished ones too; always empty for the account that everybody shares."""
        if user.anonymous:
            return {"image": []}
        mine = [request.id for request in self._world.own_requests() if request.user is user]
        texts = [request.id for request in self._world.text.own_requests() if request.user is user]
        return {"text": texts, "image": mine}
