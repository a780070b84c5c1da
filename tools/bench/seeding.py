"""Jobs in work without the time it takes to ask for them: requests at the Horde, messages in Discord, rows here.

Submitting 2,000 at the Horde's pace (90 a minute) takes 22 minutes. What is made here looks to the bot like what it
would find after a restart: rows that nobody owns, each with its request there and its message here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from bot.domain.jobs import Job, JobId
from bot.domain.replies import TOKEN_LIFE, ReplyAddress
from bot.domain.requests import ImageRequest
from bot.sandbox.discord import Channel, Message, Route
from bot.sandbox.discord.uploads import Upload
from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.requests import Request
from bot.store.engine import open_database
from bot.store.jobs import SqlJobStore
from tools.bench.stage import Stage

#: What all of them ask for.
MODEL, SIDE, STEPS = "AlbedoBase XL (SDXL)", 1024, 25
#: The Horde forgets a request that long after its last sign of life, in seconds.
REQUEST_LIFE = 20 * 60.0
#: Rows written together.
CHUNK = 500


async def seed(stage: Stage, count: int) -> list[str]:
    """Put so many jobs into the world and the store, before the bot starts; returns their ids at the Horde."""
    made = [await _make(stage, number) for number in range(count)]
    async with open_database(stage.database_url) as database:
        store = SqlJobStore(database)
        for start in range(0, count, CHUNK):
            await asyncio.gather(*(store.add(job) for job in made[start : start + CHUNK]))
    return [job.remote_id or "" for job in made]


async def _make(stage: Stage, number: int) -> Job:
    person = stage.people[number % len(stage.people)]
    channel = stage.channels[number % len(stage.channels)]
    message = await _message(stage, channel)
    now = stage.sandbox.clock.now()
    address = ReplyAddress(
        application_id=stage.sandbox.discord.application_id,
        channel_id=channel.id,
        interaction_id=message.id + 1,
        token=SecretStr(f"seeded-{number}"),
        token_until=now - TOKEN_LIFE,  # older than that: they are edited with the bot's own token
        guild_id=stage.guild.id,
        message_id=message.id,
    )
    wish = ImageRequest(
        prompt=f"seeded {number}", model=MODEL, width=SIDE, height=SIDE, seed=str(number), steps=STEPS, count=1
    )
    job = Job(
        id=JobId(f"seeded{number:06}"),
        provider="horde",
        request=wish,
        asker_id=person.id,
        reply=address,
        created_at=now - timedelta(minutes=20),
    )
    job = job.accepted(message_id=message.id, now=now).submitting(now)
    return replace(job.submitted(remote_id=_request(stage, number), cost=10.0, now=now), due_at=now)


def _request(stage: Stage, number: int) -> str:
    """Let a request wait at the Horde; returns its id there."""
    world = stage.sandbox.horde.world
    order = ImageOrder(
        prompt=f"seeded {number}", models=(MODEL,), width=SIDE, height=SIDE, steps=STEPS, nsfw=False, censor_nsfw=True
    )
    request = Request(
        id=world.new_id(),
        user=world.people.anonymous,
        order=order,
        created=world.now,
        first_seed=number,
        factor=1,
        waiting=1,
    )
    request.expires = world.now + REQUEST_LIFE
    world.requests[request.id] = request
    return request.id


async def _message(stage: Stage, channel: Channel) -> Message:
    """Let the bot have answered there."""
    discord = stage.sandbox.discord
    said = Upload(body={"content": "Accepted"})
    return await discord.desk.create(channel, discord.bot_user_id, said, route=Route.CALLBACK, limit=0)
