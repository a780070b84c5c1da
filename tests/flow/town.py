"""What flow tests do and see: people act through the Discord simulator, and its record says what they saw."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.app import run_bot
from bot.sandbox.call_log import Call
from bot.sandbox.control import Service
from bot.sandbox.discord import Channel, Guild, Interaction, User
from bot.sandbox.fault_spec import fault_from
from bot.sandbox.serve import Sandbox
from bot.settings import Settings

#: Real seconds after which a condition that never came true fails the test.
GUARD = 45.0
Json = dict[str, Any]


@asynccontextmanager
async def running_bot(sandbox: Sandbox, settings: Settings) -> AsyncIterator[asyncio.Task[int]]:
    """The real bot on the sandbox's clock, in this process; stopped like by SIGTERM."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_bot(settings, clock=sandbox.clock, stop=stop))
    try:
        await eventually(lambda: task.done() or _has_commands(sandbox))
        if task.done():
            task.result()
        yield task
    finally:
        stop.set()
        await task


def _has_commands(sandbox: Sandbox) -> bool:
    return bool(sandbox.discord.world.commands[None]) and bool(sandbox.discord.gateway.connected)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait in real time until the condition holds; only ever fails by its guard."""
    async with asyncio.timeout(GUARD):
        while not condition():  # noqa: ASYNC110 - the world has no event for every condition
            await asyncio.sleep(0.01)


class Reply:
    """A message of the bot, as the simulator recorded it."""

    def __init__(self, town: Town, record: Interaction) -> None:
        self.town = town
        self.record = record

    @property
    def versions(self) -> list[Json]:
        """Everything it ever showed."""
        return self.town.versions(self.message_id)

    @property
    def message_id(self) -> int:
        """Its id."""
        assert self.record.original_id is not None, f"no message answers {self.record}"
        return self.record.original_id

    @property
    def now(self) -> Json:
        """What it shows."""
        return self.town.latest_version(self.message_id)

    @property
    def text(self) -> str:
        """All words it shows."""
        return words(self.now)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return [button.get("label") or "" for button in buttons(self.now)]

    @property
    def hashes(self) -> list[str]:
        """The hashes of its files, in order."""
        return [file["sha256"] for file in self.now["attachments"]]

    @property
    def over(self) -> bool:
        """Whether it shows an end."""
        shown = self.buttons
        return bool(shown) and "Cancel" not in shown

    def custom_id(self, label: str) -> str:
        """The custom id of the button with this label."""
        return next(str(b["custom_id"]) for b in buttons(self.now) if label in (b.get("label") or ""))

    async def until(self, condition: Callable[[Reply], bool], *, step: float = 0.5) -> Reply:
        """Let the world's time pass until the condition holds."""
        await self.town.until(lambda: self.record.original_id is not None and condition(self), step=step)
        return self

    async def end(self) -> Reply:
        """Let the world's time pass until it shows the end."""
        return await self.until(lambda reply: reply.over)

    def __repr__(self) -> str:
        """What it shows, for a failing assertion."""
        return f"<Reply {self.text!r} {self.buttons} {[file['filename'] for file in self.now['attachments']]}>"

    async def press(self, label: str, *, by: User | None = None) -> Interaction:
        """Press one of its buttons and wait for the answer."""
        person = by or self.town.ada
        record = await self.town.sandbox.discord.press(person, self.message_id, self.custom_id(label))
        await self.town.sandbox.discord.wait_answer(record)
        return record


class Town:
    """A world with the bot in it."""

    guild: Guild
    channel: Channel

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ada: User
        self.grace: User
        self.moderator: User
        self._mark = 0

    async def move_to(self, name: str) -> None:
        """Found a guild with a channel, two members and a moderator."""
        discord = self.sandbox.discord
        owner = await discord.make_user(f"Owner of {name}", guilds=[])
        self.ada = await discord.make_user(f"Ada of {name}", guilds=[])
        self.grace = await discord.make_user(f"Grace of {name}", guilds=[])
        self.guild = await discord.make_guild(name, owner=owner, members=[owner, self.ada, self.grace], channels=[])
        self.moderator = await discord.make_user(f"Mod of {name}", guilds=[self.guild], moderator=True)
        self.channel = await discord.make_channel(self.guild, "art")
        self._mark = self._latest_call()

    def calm_down(self) -> None:
        """Undo every mishap."""
        self.sandbox.faults.clear()
        horde = self.sandbox.horde
        horde.fault_next(0)
        horde.censor_next(0)
        horde.dead_links(0)
        horde.set_maintenance(False)
        horde.timeout_ip(0)
        horde.set_impossible(False)
        horde.set_queue(0)
        horde.fault_alchemy(0)
        horde.fault_alchemy(0, "caption")
        horde.set_alchemists(paused=False, online=True)
        horde.set_workers(paused=False, online=True)

    async def imagine(
        self, prompt: str = "a lighthouse", *, by: User | None = None, channel: Channel | None = None, **options: Any
    ) -> Reply:
        """Use `/imagine` and wait for the acknowledgement."""
        record = await self.invoke("imagine", {"prompt": prompt, **options}, by=by, channel=channel)
        return Reply(self, record)

    async def invoke(
        self, command: str, options: Mapping[str, Any], *, by: User | None = None, channel: Channel | None = None
    ) -> Interaction:
        """Use a command and wait for its answer."""
        discord = self.sandbox.discord
        record = await discord.invoke(by or self.ada, channel or self.channel, command, options)
        await discord.wait_answer(record)
        return record

    async def until(self, condition: Callable[[], bool], *, step: float = 0.5) -> None:
        """Advance the world's clock, letting everybody act in between, until the condition holds."""
        async with asyncio.timeout(GUARD):
            while not condition():
                await asyncio.sleep(0.01)
                if condition():
                    return
                self.sandbox.clock.advance(step)

    async def pass_time(self, seconds: float, *, step: float = 0.5) -> None:
        """Let so much of the world's time pass, in small steps."""
        end = self.sandbox.clock.monotonic() + seconds
        await self.until(lambda: self.sandbox.clock.monotonic() >= end, step=step)

    async def lists_read(self) -> None:
        """Wait until the bot has read the lists of text models and workers once more."""
        path = "/workers"
        known = len(self.calls(path=path))
        await self.until(lambda: len(self.calls(path=path)) > known, step=5)
        await self.pass_time(2)

    def fault(self, service: str, **fault: Any) -> None:
        """Script an HTTP fault."""
        self.sandbox.faults.arm(fault_from({"service": service, **fault}))

    def versions(self, message_id: int) -> list[Json]:
        """Everything a message ever showed."""
        discord = self.sandbox.discord
        return [discord.reports.version(version) for version in discord.world.message(message_id).versions]

    def latest_version(self, message_id: int) -> Json:
        """What a message shows now: tests look often, and there may have been many versions."""
        discord = self.sandbox.discord
        return discord.reports.version(discord.world.message(message_id).versions[-1])

    def messages(self, channel: Channel | None = None) -> list[Json]:
        """The messages of a channel as they look now, private ones included."""
        discord = self.sandbox.discord
        place = channel or self.channel
        return [discord.reports.message(discord.world.messages[message_id]) for message_id in place.message_ids]

    def calls(self, *, service: Service = Service.HORDE, method: str = "", path: str = "") -> list[Call]:
        """The remote calls made since the test began, oldest first."""
        return self.sandbox.calls.find(service=service, since=self._mark, method=method, path=path)

    def _latest_call(self) -> int:
        return max((call.number for call in self.sandbox.calls.find()), default=0)

    def painted(self) -> set[str]:
        """The hashes of everything the simulated workers painted."""
        return set(self.sandbox.horde.painted.values())


def words(version: Json) -> str:
    """All text of a message."""
    parts = [version["content"]]
    for embed in version["embeds"]:
        parts += [embed.get("title") or "", embed.get("description") or ""]
        for field in embed.get("fields") or []:
            parts += [field["name"], field["value"]]
        parts.append((embed.get("footer") or {}).get("text") or "")
    return "\n".join(part for part in parts if part)


def buttons(version: Json) -> list[Json]:
    """The buttons of a message."""
    return [button for row in version["components"] for button in row.get("components", []) if button["type"] == 2]


def sha256(data: bytes) -> str:
    """The hash as hex."""
    return hashlib.sha256(data).hexdigest()
