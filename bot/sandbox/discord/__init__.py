"""A simulator of Discord: its REST API, gateway and CDN for a bot, and people who act through Python or HTTP.

    sim = DiscordSim(SystemClock())
    app.add_routes([*sim.routes(), *sim.control_routes()])
    sim.public_url = "http://127.0.0.1:8700"
    record = await sim.invoke("Ada", "#art", "imagine", {"prompt": "a lighthouse"})
    await sim.wait_answer(record)
    await sim.message_versions(record.original_id)

docs/sandbox-discord.md says what is simulated, how closely, and what the control API offers.
"""

from .errors import ActRefusedError
from .events import Subscription
from .kinds import CallbackKind, InteractionKind, InteractionState, Route
from .model import Channel, File, Guild, Interaction, Json, Message, MessageVersion, User
from .permissions import Permission
from .sim import DiscordSim

__all__ = [
    "ActRefusedError",
    "CallbackKind",
    "Channel",
    "DiscordSim",
    "File",
    "Guild",
    "Interaction",
    "InteractionKind",
    "InteractionState",
    "Json",
    "Message",
    "MessageVersion",
    "Permission",
    "Route",
    "Subscription",
    "User",
]
