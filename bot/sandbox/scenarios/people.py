"""The world as scenarios act on it: everything goes through the control API over HTTP, as for anybody else's script."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

import aiohttp

from bot.sandbox.scenarios.failure import ScenarioFailed, require
from bot.sandbox.scenarios.reply import Json, Version, mapping, sequence, version_from
from bot.sandbox.scenarios.transcript import Transcript

#: Real seconds between looks at the world.
LOOK_SECONDS = 0.05
#: How fast time runs once a request is accepted; before that, three seconds of patience should be three seconds.
BRISK = 5.0
#: World seconds a reply is watched at that pace, the pace after it, and when to give up: before a token's 15 minutes.
PATIENCE, HURRY, DEADLINE = 25.0, 120.0, 270.0


class World:
    """A sandbox, by its control API."""

    def __init__(self, session: aiohttp.ClientSession, control_url: str) -> None:
        self._session = session
        self._url = control_url.rstrip("/")
        self._rate = 1.0

    # -- time, faults, calls ---------------------------------------------------------------------------------------

    async def now(self) -> datetime:
        """The world's time."""
        return datetime.fromisoformat(str(mapping(await self.get("/clock"))["now"]))

    async def monotonic(self) -> float:
        """World seconds since the world began."""
        return float(str(mapping(await self.get("/clock"))["monotonic"]))

    async def arm(self, **fault: object) -> None:
        """Script an HTTP fault (docs/sandbox.md)."""
        await self.post("/faults", fault)

    async def calls(self, **query: str) -> list[Json]:
        """Read the log of remote calls."""
        return [mapping(call) for call in sequence(await self.get("/calls", **query))]

    # -- Discord ---------------------------------------------------------------------------------------------------

    async def until_bot_is_up(self, command: str) -> None:
        """Wait until the bot is connected and its slash command is there; raises ScenarioFailed if it ends instead."""
        while not await self._is_up(command):
            await self._look_after_bot()
            await asyncio.sleep(LOOK_SECONDS)

    async def invoke(
        self,
        command: str,
        *,
        user: str,
        channel: str,
        options: Mapping[str, object],
        attachments: Mapping[str, object] | None = None,
    ) -> str:
        """Use a slash command as this person in this channel, with files by option; returns the interaction's id."""
        act = {"user": user, "channel": channel, "command": command, "options": options}
        act |= {"attachments": attachments} if attachments else {}
        return str(mapping(await self.post("/discord/invoke", act))["id"])

    async def press(self, label: str, *, user: str, message: str) -> str:
        """Press the button with this label (or custom id) as this person; returns the interaction's id."""
        act = {"user": user, "message": message, "custom_id": label}
        return str(mapping(await self.post("/discord/press", act))["id"])

    async def message_of(self, interaction: str) -> str:
        """The id of the message that answers an interaction."""
        return str(mapping(await self.get(f"/discord/interactions/{interaction}")).get("message_id"))

    async def versions_of_reply(self, interaction: str) -> list[Version]:
        """Read all that the reply to an interaction ever showed; raises ScenarioFailed if nobody answered in time."""
        record = mapping(await self.get(f"/discord/interactions/{interaction}"))
        require(record.get("state") != "failed", f"Discord shows: {record.get('shown')}")
        message = record.get("message_id")
        versions = await self.get(f"/discord/messages/{message}/versions") if message else []
        return [version_from(mapping(version)) for version in sequence(versions)]

    async def write(
        self,
        *,
        user: str,
        channel: str,
        content: str = "",
        attachments: Sequence[Mapping[str, str]] = (),
        reply_to: str | None = None,
        mentions: Sequence[str] = (),
    ) -> str:
        """Write a message as this person; returns its id."""
        act: dict[str, object] = {"user": user, "channel": channel, "content": content, "mentions": list(mentions)}
        act |= {"attachments": list(attachments)} | ({"reply_to": reply_to} if reply_to else {})
        return str(mapping(await self.post("/discord/messages", act))["id"])

    async def versions_of_answer(self, message: str, channel: str) -> list[Version]:
        """Read all that the bot's first reply to a message ever showed; none while there is no reply."""
        path = f"/discord/channels/{channel.replace('#', '%23')}/messages"
        for shown in map(mapping, sequence(await self.get(path))):
            if shown.get("reply_to") == message and mapping(shown.get("author")).get("bot"):
                versions = await self.get(f"/discord/messages/{shown['id']}/versions")
                return [version_from(mapping(version)) for version in sequence(versions)]
        return []

    async def follow_reply(
        self,
        interaction: str,
        transcript: Transcript,
        *,
        seen: Sequence[Version] = (),
        until: Callable[[Version], bool] = attrgetter("ended"),
    ) -> list[Version]:
        """Watch the reply to an interaction until it has ended, or what `until` says; returns all versions.

        Each is told of that was not `seen` before. Time is quickened once the interaction is accepted, and again if
        there is no end for long. Raises ScenarioFailed at the deadline, or if the bot ends.
        """
        return await self._follow(lambda: self.versions_of_reply(interaction), transcript, seen, until)

    async def follow_answer(self, message: str, *, channel: str, transcript: Transcript) -> list[Version]:
        """Watch the bot's reply to a message in the same way."""
        return await self._follow(lambda: self.versions_of_answer(message, channel), transcript)

    async def _follow(
        self,
        versions: Callable[[], Awaitable[list[Version]]],
        transcript: Transcript,
        known: Sequence[Version] = (),
        until: Callable[[Version], bool] = attrgetter("ended"),
    ) -> list[Version]:
        seen, began = [*known], await self.monotonic()
        while not (seen and until(seen[-1])):
            await self._look_after_bot()
            for version in (await versions())[len(seen) :]:
                transcript.show(version, seen[-1] if seen else None)
                seen.append(version)
            await self._keep_pace(await self.monotonic() - began, seen)
            await asyncio.sleep(LOOK_SECONDS)
        await self._set_pace(1.0)
        return seen

    async def _is_up(self, command: str) -> bool:
        state = mapping(await self.get("/discord/state"))
        known = {mapping(entry).get("name") for entry in sequence(state.get("commands"))}
        return bool(state.get("connected_shards")) and command in known

    async def _keep_pace(self, passed: float, seen: Sequence[Version]) -> None:
        if passed > DEADLINE:
            last = f"its last stage is {seen[-1].stage!r}" if seen else "there is none"
            raise ScenarioFailed(f"the reply did not end within {DEADLINE:.0f} s of the world's time; {last}")
        await self._set_pace(1.0 if not seen else HURRY if passed > PATIENCE else BRISK)

    async def _set_pace(self, rate: float) -> None:
        if rate != self._rate:
            self._rate = rate
            await self.post("/clock", {"rate": rate})

    async def _look_after_bot(self) -> None:
        bot = mapping(await self.get("/bot"))
        require(bot.get("running"), f"the bot ended with code {bot.get('exit_code')}")

    # -- the bot's process, and much time --------------------------------------------------------------------------

    async def kill_bot(self) -> None:
        """End the bot as a power cut would."""
        await self.post("/bot/kill")

    async def start_bot(self) -> None:
        """Start the bot again, on the same database."""
        await self.post("/bot/start")

    async def pass_time(self, seconds: float, *, step: float) -> None:
        """Move the world's time on in steps, everybody acting in between."""
        for _ in range(math.ceil(seconds / step)):
            await self.post("/clock", {"advance": step})
            await asyncio.sleep(LOOK_SECONDS)

    # -- the AI Horde ----------------------------------------------------------------------------------------------

    async def pause_painters(self, paused: bool) -> None:
        """Keep the painters online and idle, or let them go on."""
        await self.post("/horde/workers", {"paused": paused})

    async def pause_workers(self) -> None:
        """Keep every worker online and idle: requests wait for ever."""
        await self.post("/horde/workers", {"paused": True})
        await self.post("/horde/alchemists", {"paused": True})
        await self.post("/horde/text", {"paused": True})

    async def painted_for(self, prompt: str) -> list[str]:
        """List the SHA-256 of all pictures painted for requests with this prompt."""
        state = mapping(await self.get("/horde/state"))
        return [
            str(job["sha256"])
            for request in map(mapping, sequence(state.get("requests")))
            if str(request.get("prompt")).startswith(prompt)
            for job in map(mapping, sequence(request.get("jobs")))
            if job.get("sha256")
        ]

    async def alchemy_results(self) -> Json:
        """Read what was made for the newest alchemy request, by form: SHA-256 of a picture's bytes, else the value."""
        requests = list(mapping(await self.get("/horde/alchemy")).values())
        return mapping(requests[-1]) if requests else {}

    # -- plumbing --------------------------------------------------------------------------------------------------

    async def get(self, path: str, **query: str) -> object:
        """Read something of the control API; raises aiohttp's error with the reason given if it is refused."""
        return await self._ask("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> object:
        """Act through the control API; raises aiohttp's error with the reason given if it is refused."""
        return await self._ask("POST", path, body=body or {})

    async def sha256_of(self, url: str) -> str | None:
        """Download a file as a person's client would and hash it; None if it is not to be had."""
        async with self._session.get(url) as answer:
            return hashlib.sha256(await answer.read()).hexdigest() if answer.ok else None

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> object:
        async with self._session.request(method, f"{self._url}{path}", json=body, params=query) as answer:
            if not answer.ok:
                raise ScenarioFailed(f"the sandbox refused {method} {path}: {(await answer.text())[:300]}")
            return await answer.json() if answer.content_type == "application/json" else None
