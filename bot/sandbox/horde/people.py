"""Who uses the simulated horde: accounts, shared keys, balances, and the ready-made cast."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

ANONYMOUS_KEY = "0000000000"
ANONYMOUS_FLOOR = -50.0
REGISTERED_FLOOR = 25.0
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True, kw_only=True)
class User:
    """One account. `kudos` never falls below `floor`; `held` is reserved for requests that had to pay upfront."""

    id: int
    name: str
    key: str
    kudos: float
    trusted: bool = False
    service: bool = False
    special: bool = False
    concurrency: int = 30
    floor: float = REGISTERED_FLOOR
    held: float = 0.0
    accumulated: float = 0.0
    gifted: float = 0.0
    megapixelsteps: float = 0.0
    images: int = 0
    forms: int = 0
    tokens: int = 0
    texts: int = 0

    @property
    def alias(self) -> str:
        """The public name, `name#id`."""
        return f"{self.name}#{self.id}"

    @property
    def anonymous(self) -> bool:
        """Whether this is the one account everybody without a key shares."""
        return self.id == 0

    @property
    def spendable(self) -> float:
        """What an upfront check may count on."""
        return self.kudos - self.floor - self.held

    def charge(self, amount: float) -> None:
        """Take `amount` kudos, stopping at the floor (the record of what was used goes on)."""
        self.accumulated -= amount
        self.kudos = max(self.floor, self.kudos - amount)


@dataclass(slots=True, kw_only=True)
class SharedKey:
    """A key that spends its owner's kudos within limits; -1 means no limit. Its id is the secret."""

    id: str
    owner: User
    name: str
    kudos: float = 5000.0
    max_image_pixels: int = -1
    max_image_steps: int = -1
    max_text_tokens: int = -1
    expired: bool = False

    def charge(self, amount: float) -> None:
        """Take `amount` from the allowance (unless unlimited) and from the owner."""
        if self.kudos >= 0:
            self.kudos = max(0.0, self.kudos - amount)
        self.owner.gifted -= amount
        self.owner.kudos = max(self.owner.floor, self.owner.kudos - amount)


@dataclass(slots=True)
class People:
    """Every account and shared key."""

    users: list[User] = field(default_factory=list)
    shared_keys: dict[str, SharedKey] = field(default_factory=dict)

    def __iter__(self) -> Iterator[User]:
        return iter(self.users)

    @property
    def anonymous(self) -> User:
        """Account 0."""
        return self.users[0]

    def by_key(self, key: str) -> User | None:
        """The owner of a personal key, or None."""
        return next((user for user in self.users if user.key == key), None)

    def by_id(self, number: int) -> User | None:
        """The account with that number, or None."""
        return next((user for user in self.users if user.id == number), None)

    def shared(self, key: str) -> SharedKey | None:
        """The shared key with that id, or None. Ids are UUIDs, personal keys never are."""
        return self.shared_keys.get(key) if _UUID.fullmatch(key) else None

    def add(self, name: str, *, kudos: float, key: str | None = None, trusted: bool = False) -> User:
        """Register an account; without `key` it gets 22 characters like the real ones."""
        number = max(user.id for user in self.users) + 1
        user = User(id=number, name=name, key=key or f"{uuid.uuid4().hex[:21]}_", kudos=kudos, trusted=trusted)
        self.users.append(user)
        return user


def default_people() -> People:
    """The cast: Anonymous, a worker's owner, a rich, a poor and a trusted user. Real keys may begin with a dash."""
    anonymous = User(
        id=0, name="Anonymous", key=ANONYMOUS_KEY, kudos=ANONYMOUS_FLOOR, floor=ANONYMOUS_FLOOR, concurrency=500
    )
    people = People([anonymous])
    people.add("walt_worker", key="walt-worker-key-000001", kudos=7369.0, trusted=True)
    people.add("tess_trusted", key="-tess_trusted_key-0001", kudos=20_000.0, trusted=True)
    people.add("petra_poor", key="petra-poor-key-0000001", kudos=25.0)
    people.add("robin_rich", key="robin-rich-key-0000001", kudos=50_000.0)
    return people
