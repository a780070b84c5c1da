"""The gateway: a WebSocket that tells the bot what happens, and lets it come back without missing anything.

A *session* outlives its connections. Everything sent has a sequence number and is kept; a client that lost its
connection says RESUME with the last number it saw and is sent the rest. With `compress=zlib-stream` all frames of one
connection are one zlib stream, flushed after each (Discord docs, "Gateway").
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

from aiohttp import WSMsgType, web

from . import intents as intent
from .events import EventFeed
from .kinds import ChannelKind
from .model import Guild, Json, Message
from .payloads import Payloads
from .sessions import CloseOrder, Connection, Op, Session
from .snowflakes import iso
from .world import World

HEARTBEAT_INTERVAL: Final = 41250
#: Real seconds until a heartbeat is acknowledged, about what the way to Discord takes. Not 0: discord.py's heartbeat
#: thread notes the time of sending after it has sent. An ACK that is there first is measured from the heartbeat before,
#: and logged as "Can't keep up, shard ID 0 websocket is 41.3s behind".
ACK_SECONDS: Final = 0.05
#: Real seconds without any word from the client before the connection counts as dead (4009).
SILENCE: Final = 90.0


#: Fields of a message that are blank without the Message Content intent.
_CONTENT: Final[Json] = {"content": "", "embeds": [], "attachments": [], "components": []}


class Gateway:
    """Accepts connections, keeps sessions, and passes the world's events to the right shards."""

    def __init__(self, world: World, payloads: Payloads, feed: EventFeed) -> None:
        self._world = world
        self._payloads = payloads
        self._feed = feed
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self._world.public_url.replace("http", "ws", 1) + "/gateway"

    @property
    def connected(self) -> list[Session]:
        """The sessions that have a living connection."""
        return [session for session in self._sessions.values() if session.connection is not None]

    # -- events ----------------------------------------------------------------------------------------------------

    def dispatch(self, event: str, data: Json, *, guild_id: int | None, intents: int = 0) -> None:
        """Send an event to the shard of a guild (or shard 0), if that shard asked for one of these intents."""
        for session in self._shards_of(guild_id):
            if not intents or session.intents & intents:
                session.send(event, data)

    def message_event(self, event: str, message: Message) -> None:
        """Send a message, with its content only where the intents allow it (Discord docs, "Message Content Intent")."""
        channel = self._world.channels[message.channel_id]
        guild = self._world.guild_of(channel)
        if guild is not None and not guild.has_bot:
            return
        if guild is not None and not message.ephemeral and not self._world.permissions(channel, self._world.bot.id):
            return
        direct = guild is None or message.ephemeral
        data = self._payloads.event_message(message)
        for session in self._shards_of(None if direct else channel.guild_id):
            if session.intents & (intent.DIRECT_MESSAGES if direct else intent.GUILD_MESSAGES):
                session.send(event, data if direct or session.intents & intent.MESSAGE_CONTENT else self._blanked(data))

    def message_deleted(self, message: Message) -> None:
        """Send that a message is gone."""
        channel = self._world.channels[message.channel_id]
        data: Json = {"id": str(message.id), "channel_id": str(channel.id)}
        if channel.guild_id is not None and not message.ephemeral:
            data["guild_id"] = str(channel.guild_id)
        direct = channel.kind is ChannelKind.DM or message.ephemeral
        guild_id = None if direct else channel.guild_id
        self.dispatch(
            "MESSAGE_DELETE",
            data,
            guild_id=guild_id,
            intents=intent.DIRECT_MESSAGES if direct else intent.GUILD_MESSAGES,
        )

    def guild_created(self, guild: Guild) -> None:
        """Send a guild that the bot joined just now."""
        for session in self._shards_of(guild.id):
            session.send("GUILD_CREATE", self._guild_for(session, guild))

    def guild_event(self, event: str, data: Json, guild_id: int) -> None:
        """Send a change of a channel, role or guild, if the bot is in that guild."""
        if self._world.guilds[guild_id].has_bot:
            self.dispatch(event, data, guild_id=guild_id, intents=intent.GUILDS)

    # -- connections -----------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it closes."""
        socket = web.WebSocketResponse(autoping=True, max_msg_size=16 * 1024, timeout=1.0)
        await socket.prepare(request)
        # zstd-stream is not spoken here: Discord may ignore `compress`, clients then accept text frames.
        connection = Connection(socket, compressed=request.query.get("compress") == "zlib-stream")
        connection.send(
            {"op": Op.HELLO, "d": {"heartbeat_interval": HEARTBEAT_INTERVAL, "_trace": []}, "s": None, "t": None}
        )
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write(), name="gateway writer")
        try:
            await self._read(connection)
        except CloseOrder as order:
            await socket.close(code=order.code, message=order.reason.encode())
        finally:
            connection.stop()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._connections.discard(connection)
            self._detach(connection)
        return socket

    async def drop(self, *, resumable: bool) -> None:
        """Cut every connection; without `resumable` the sessions are void as well."""
        if not resumable:
            self._sessions.clear()
        await asyncio.gather(*(c.socket.close(code=4000, message=b"dropped") for c in list(self._connections)))

    def ask_reconnect(self) -> None:
        """Send RECONNECT (op 7), as Discord does before it restarts a server."""
        for connection in self._connections:
            connection.send({"op": Op.RECONNECT, "d": None, "s": None, "t": None})

    async def close(self) -> None:
        """Cut every connection for good."""
        await asyncio.gather(*(c.socket.close(code=1001) for c in list(self._connections)))
        self._sessions.clear()

    async def _read(self, connection: Connection) -> None:
        while True:
            try:
                message = await connection.socket.receive(timeout=SILENCE)
            except TimeoutError:
                raise CloseOrder(4009, "Session timed out.") from None
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                # With these codes of the client's own the session is over ("Initiating a Disconnect").
                connection.goodbye = message.type is WSMsgType.CLOSE and message.data in {1000, 1001}
                return
            connection.count_send()
            try:
                frame = json.loads(message.data)
                operation, data = frame["op"], frame.get("d")
            except (ValueError, KeyError, TypeError, AttributeError):
                raise CloseOrder(4002, "Error while decoding payload.") from None
            self._operate(connection, operation, data)

    def _operate(self, connection: Connection, operation: int, data: Any) -> None:
        match operation:
            case Op.HEARTBEAT:
                connection.send_later(ACK_SECONDS, {"op": Op.HEARTBEAT_ACK, "d": None, "s": None, "t": None})
            case Op.IDENTIFY:
                self._identify(connection, data)
            case Op.RESUME:
                self._resume(connection, data)
            case Op.PRESENCE | Op.VOICE | Op.MEMBERS:
                if connection.session is None:
                    raise CloseOrder(4003, "Not authenticated.")
                if operation == Op.MEMBERS:
                    self._send_members(connection.session, data)
            case _:
                raise CloseOrder(4001, "Unknown opcode.")

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise CloseOrder(4005, "Already authenticated.")
        if data.get("token") != self._world.token:
            raise CloseOrder(4004, "Authentication failed.")
        shard_id, count = data.get("shard") or (0, 1)
        if not 0 <= shard_id < count:
            raise CloseOrder(4010, "Invalid shard.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~intent.KNOWN:
            raise CloseOrder(4013, "Invalid intent(s).")
        if intents & intent.PRIVILEGED_BITS & ~self._world.privileged_intents:
            raise CloseOrder(4014, "Disallowed intent(s).")
        # A new session of a shard ends the old one: what that one missed is lost, as after a restart of the bot.
        for old in [s for s in self._sessions.values() if s.shard == (shard_id, count) and s.connection is None]:
            del self._sessions[old.id]
        session = Session(self._world.secret(32), (shard_id, count), intents)
        self._sessions[session.id] = session
        self._attach(connection, session)
        self._greet(session)

    def _resume(self, connection: Connection, data: Json) -> None:
        if data.get("token") != self._world.token:
            raise CloseOrder(4004, "Authentication failed.")
        session = self._sessions.get(str(data.get("session_id")))
        missed = session.missed_since(int(data.get("seq") or 0)) if session else None
        if session is None or missed is None:
            connection.send({"op": Op.INVALID_SESSION, "d": False, "s": None, "t": None})
            return
        for frame in missed:
            connection.send(frame)
        self._attach(connection, session)
        session.send("RESUMED", {"_trace": []})

    def _greet(self, session: Session) -> None:
        mine = [guild for guild in self._world.guilds.values() if guild.has_bot and _belongs(session.shard, guild.id)]
        session.send(
            "READY",
            {
                "v": 10,
                "user": self._payloads.me(),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in mine],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": list(session.shard),
                "application": {
                    "id": str(self._world.application_id),
                    "flags": intent.application_flags(self._world.privileged_intents),
                },
                "private_channels": [],
                "_trace": [],
            },
        )
        for guild in mine if session.intents & intent.GUILDS else []:
            session.send("GUILD_CREATE", self._guild_for(session, guild))

    def _guild_for(self, session: Session, guild: Guild) -> Json:
        return self._payloads.guild_create(guild, all_members=bool(session.intents & intent.GUILD_MEMBERS))

    def _send_members(self, session: Session, data: Json) -> None:
        guild = self._world.guilds.get(int(data.get("guild_id") or 0))
        if guild is None or not guild.has_bot:
            return
        wanted = {int(user_id) for user_id in data.get("user_ids") or guild.members}
        members = [self._payloads.member(guild, self._world.users[u]) for u in guild.members if u in wanted]
        chunk: Json = {
            "guild_id": str(guild.id),
            "members": members,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        session.send("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": data["nonce"]} if data.get("nonce") else {}))

    def _attach(self, connection: Connection, session: Session) -> None:
        session.connection, connection.session = connection, session
        self._publish("gateway_up", session)

    def _detach(self, connection: Connection) -> None:
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if connection.goodbye:
            self._sessions.pop(session.id, None)
        self._publish("gateway_down", session)

    def _publish(self, what: str, session: Session) -> None:
        self._feed.publish({"event": what, "at": iso(self._world.now()), "shard": session.shard[0]})

    def _shards_of(self, guild_id: int | None) -> Iterator[Session]:
        return (session for session in list(self._sessions.values()) if _belongs(session.shard, guild_id))

    def _blanked(self, data: Json) -> Json:
        me = str(self._world.bot.id)
        mentioned = any(user["id"] == me for user in data["mentions"])
        kept = data if data["author"]["id"] == me or mentioned else data | _CONTENT
        replied = data.get("referenced_message")
        # A reply that mentions the bot can be read; what it replies to is judged by itself.
        return kept | ({"referenced_message": self._blanked(replied)} if replied else {})


def _belongs(shard: tuple[int, int], guild_id: int | None) -> bool:
    return shard[0] == (0 if guild_id is None else (guild_id >> 22) % shard[1])
