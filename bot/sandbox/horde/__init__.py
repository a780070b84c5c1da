"""A simulated AI Horde: the image API with its real defaults, limits, caches, outcomes and moods, on an injected clock.

It reads the protocol on its own (from `facts/ai-horde.md` of the project's notes and the recordings in
`tests/data/horde/`) and imports nothing of the client that is tried on it.

How a call travels: `gate` (method, rate limit, cache, error body) -> `image_views`, `state_views`, `account_views` ->
`schema` -> `intake` (business rules: `prompts`, `combinations`, `sources`, `upfront`, `pricing`, `advice`) -> `world`.
How the world moves: `agenda` (one sleeper on the clock) -> `floor` (workers take, deliver, fault; sweeps) -> `painting`
(off the loop) -> `pictures` (bytes under links that die). Tests pull `levers`, directly or through `control`.
"""

from bot.sandbox.horde.requests import Censorship
from bot.sandbox.horde.simulator import HordeSim

__all__ = ["Censorship", "HordeSim"]
