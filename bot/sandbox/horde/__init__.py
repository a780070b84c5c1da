"""A simulated AI Horde: its API with the real defaults, limits, caches, outcomes and moods, on an injected clock.

It reads the protocol on its own (from the server's source, release 5.1.5, and the recordings in `tests/data/horde/`)
and imports nothing of the client that is tried on it.

How a call travels: `gate` (method, rate limit, cache, error body) -> `image_views`, `state_views`, `account_views` ->
`schema` -> `intake` (business rules: `prompts`, `combinations`, `sources`, `upfront`, `pricing`, `advice`) -> `world`.
How the world moves: `agenda` (one sleeper on the clock) -> `floor` (workers take, deliver, fault; sweeps) -> `painting`
(off the loop) -> `pictures` (bytes under links that die). Tests pull `levers`, directly or through `control`.
Texts and alchemy take the same ways in the packages `text` and `alchemy`.
"""

from bot.sandbox.horde.requests import Censorship
from bot.sandbox.horde.simulator import HordeSim

__all__ = ["Censorship", "HordeSim"]
