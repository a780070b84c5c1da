"""The Discord simulator against the real discord.py: a real gateway socket, real REST, over loopback."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import discord
import pytest
import yarl
from aiohttp import web
from discord import app_commands
from discord.ext import commands
from PIL import Image

from bot.clock import SystemClock
from bot.sandbox.discord import CallbackKind, DiscordSim, File, InteractionState, Route


def picture(shade: int = 0) -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", (16, 8), (shade, 0, 0)).save(out, "PNG")
    return out.getvalue()


class Details(discord.ui.Modal, title="Details"):
    """One field, prefilled."""

    prompt: discord.ui.Label[Any] = discord.ui.Label(
        text="Prompt", component=discord.ui.TextInput(default="a lighthouse", max_length=100)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.prompt.component, discord.ui.TextInput)
        await interaction.response.send_message(f"got {self.prompt.component.value}")


class Again(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"job:again:(?P<job>\d+)"):
    """A button that survives restarts: everything it knows is in its custom_id."""

    def __init__(self, job: int) -> None:
        super().__init__(discord.ui.Button(label="Again", custom_id=f"job:again:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"again {self.job}", view=None)


class Bot(commands.AutoShardedBot):
    """A bot with one command for each kind of answer."""

    def __init__(self) -> None:
        super().__init__(
            "!",
            intents=discord.Intents.default(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.1,
        )
        self.resumed = asyncio.Event()
        self.heard_three = asyncio.Event()
        self.seen: list[discord.Message] = []
        add_commands(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Again)
        await self.tree.sync()

    async def on_shard_resumed(self, _: int) -> None:
        self.resumed.set()

    async def on_message(self, message: discord.Message, /) -> None:
        self.seen.append(message)
        if len(self.seen) == 3:
            self.heard_three.set()


def add_commands(bot: Bot) -> None:
    @bot.tree.command(description="Answers at once")
    async def hello(interaction: discord.Interaction, times: app_commands.Range[int, 1, 3] = 1) -> None:
        await interaction.response.send_message("hello " * times, view=button())

    @bot.tree.command(description="Answers only one person")
    async def secret(interaction: discord.Interaction) -> None:
        answer = await interaction.response.send_message("psst", ephemeral=True)
        assert answer.message_id is not None
        await interaction.edit_original_response(content="psst!")

    @bot.tree.command(description="Thinks, then shows pictures one after the other")
    async def paint(interaction: discord.Interaction, model: str, start: discord.Attachment | None = None) -> None:
        await interaction.response.defer()
        first = await interaction.edit_original_response(content=model, attachments=[png("1.png", 1)])
        await interaction.edit_original_response(attachments=[*first.attachments, png("2.png", 2)])
        if start is not None:
            data = await start.read()
            await interaction.followup.send(f"{start.filename} {len(data)}")

    @paint.autocomplete("model")
    async def models(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} XL", value=f"{current}-xl")]

    @bot.tree.command(description="Asks for more")
    async def ask(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Details())

    @bot.tree.context_menu(name="Use this image")
    async def use(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.content}: {message.attachments[0].filename}")

    @bot.tree.command(description="Looks at itself")
    async def where(interaction: discord.Interaction) -> None:
        channel = interaction.channel
        nsfw = isinstance(channel, discord.TextChannel) and channel.is_nsfw()
        me = interaction.app_permissions
        await interaction.response.send_message(
            f"{nsfw} {me.attach_files} {me.send_messages} {interaction.guild is None}"
        )


def button() -> discord.ui.View:
    return discord.ui.View(timeout=None).add_item(Again(7))


def png(name: str, shade: int) -> discord.File:
    return discord.File(io.BytesIO(picture(shade)), name)


@pytest.fixture
async def sim() -> AsyncIterator[DiscordSim]:
    """The simulator behind a real port."""
    made = DiscordSim(SystemClock())
    app = web.Application()
    app.add_routes([*made.routes(), *made.control_routes()])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


@pytest.fixture
def pointed(sim: DiscordSim) -> Iterator[None]:
    """discord.py's three class attributes, pointed at the simulator and put back."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    discord.http.Route.BASE = f"{sim.public_url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sim.gateway_url)
    discord.Asset.BASE = sim.public_url
    yield
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before


@pytest.fixture
async def bot(sim: DiscordSim, pointed: None) -> AsyncIterator[Bot]:
    """A bot that is logged in and ready."""
    made = Bot()
    await made.login(sim.token)
    running = asyncio.create_task(made.connect())
    async with asyncio.timeout(10):
        await made.wait_until_ready()
    yield made
    await made.close()
    await asyncio.gather(running, return_exceptions=True)


async def test_login_ready_and_command_sync(sim: DiscordSim, bot: Bot) -> None:
    assert bot.user is not None
    assert bot.user.id == sim.bot_user_id
    assert bot.application_id == sim.application_id
    assert [guild.name for guild in bot.guilds] == ["Muster Playground"]
    guild = bot.guilds[0]
    assert {channel.name for channel in guild.text_channels} == {"general", "art", "after-dark"}
    assert guild.me.guild_permissions.attach_files
    assert guild.member_count == 4
    assert {command["name"] for command in sim.world.commands[None].values()} >= {"hello", "paint", "Use this image"}


async def test_slash_command_answered_at_once(sim: DiscordSim, bot: Bot) -> None:
    record = await sim.invoke("Ada", "#art", "hello", {"times": 2})
    await sim.wait_answer(record)
    assert record.answer is CallbackKind.MESSAGE
    [shown] = await sim.read_channel("#art", "Grace")
    assert shown["content"] == "hello hello"
    assert shown["author"]["bot"]
    assert shown["route"] == Route.CALLBACK


async def test_deferred_answer_keeps_and_adds_files(sim: DiscordSim, bot: Bot) -> None:
    start = File(filename="my start.png", data=picture(9))
    record = await sim.invoke("Ada", "#art", "paint", {"model": "x"}, attachments={"start": start})
    await sim.wait_until(lambda: record.followups)
    versions = await sim.message_versions(record.original_id or 0)
    assert [version["loading"] for version in versions] == [True, False, False]
    assert [len(version["files"]) for version in versions] == [0, 1, 2]
    assert versions[2]["files"][0]["id"] == versions[1]["files"][0]["id"]
    assert [file["filename"] for file in versions[2]["files"]] == ["1.png", "2.png"]
    assert versions[2]["content"] == "x"
    followup = (await sim.read_channel("#art"))[-1]
    assert followup["content"] == f"my_start.png {len(picture(9))}"


async def test_autocomplete_offers_choices(sim: DiscordSim, bot: Bot) -> None:
    choices = await sim.autocomplete("Ada", "#art", "paint", {"model": "flux"}, "model")
    assert choices == [{"name": "flux XL", "value": "flux-xl"}]


async def test_modal_is_opened_and_submitted(sim: DiscordSim, bot: Bot) -> None:
    record = await sim.invoke("Ada", "#art", "ask")
    await sim.wait_answer(record)
    assert record.modal is not None
    sent = await sim.submit_modal("Ada", record, {"Prompt": "a harbour"})
    await sim.wait_answer(sent)
    assert (await sim.read_channel("#art"))[-1]["content"] == "got a harbour"


async def test_persistent_button_edits_its_message(sim: DiscordSim, bot: Bot) -> None:
    record = await sim.invoke("Ada", "#art", "hello")
    await sim.wait_answer(record)
    bot._connection._view_store._views.clear()  # what a restart forgets
    bot._connection._view_store._synced_message_views.clear()
    pressed = await sim.press("Grace", record.original_id or 0, "job:again:7")
    await sim.wait_answer(pressed)
    assert pressed.answer is CallbackKind.UPDATE
    version = (await sim.message_versions(record.original_id or 0))[-1]
    assert (version["content"], version["components"]) == ("again 7", [])


async def test_ephemeral_answer_is_seen_by_one(sim: DiscordSim, bot: Bot) -> None:
    record = await sim.invoke("Ada", "#art", "secret")
    await sim.wait_until(lambda: record.original_id and len(sim.world.message(record.original_id).versions) == 2)
    assert [message["content"] for message in await sim.read_channel("#art", "Ada")] == ["psst!"]
    assert await sim.read_channel("#art", "Grace") == []
    assert record.original_id is not None
    partial = bot.get_partial_messageable(record.channel_id).get_partial_message(record.original_id)
    with pytest.raises(discord.NotFound) as caught:
        await partial.edit(content="too late")
    assert caught.value.code == 10008


async def test_channel_edit_with_the_bot_token(sim: DiscordSim, bot: Bot) -> None:
    record = await sim.invoke("Ada", "#art", "hello")
    await sim.wait_answer(record)
    assert record.original_id is not None
    partial = bot.get_partial_messageable(record.channel_id).get_partial_message(record.original_id)
    message = await partial.edit(content="late", attachments=[png("late.png", 3)])
    assert message is not None
    fetched = await partial.fetch()
    assert [attachment.filename for attachment in fetched.attachments] == ["late.png"]
    assert await fetched.attachments[0].read() == picture(3)
    assert (await sim.message_versions(record.original_id))[-1]["route"] == Route.BOT


async def test_context_menu_target_is_complete(sim: DiscordSim, bot: Bot) -> None:
    posted = await sim.post_message("Ada", "#art", "look", attachments=[File(filename="a.png", data=picture())])
    record = await sim.context_menu("Grace", "Use this image", posted)
    await sim.wait_answer(record)
    assert (await sim.read_channel("#art"))[-1]["content"] == "look: a.png"


async def test_content_of_others_is_blank_unless_the_bot_is_mentioned(sim: DiscordSim, bot: Bot) -> None:
    await sim.post_message("Ada", "#art", "just talking")
    await sim.post_message("Ada", "#art", "paint this", mentions=[sim.bot_user_id])
    dm = await sim.open_dm("Ada")
    await sim.post_message("Ada", dm, "hello you")
    async with asyncio.timeout(10):
        await bot.heard_three.wait()
    assert [message.content for message in bot.seen] == ["", f"<@{sim.bot_user_id}> paint this", "hello you"]


async def test_direct_message_interaction(sim: DiscordSim, bot: Bot) -> None:
    dm = await sim.open_dm("Ada")
    record = await sim.invoke("Ada", dm, "where")
    await sim.wait_answer(record)
    assert (await sim.read_channel(dm))[-1]["content"] == "False True False True"


async def test_age_restricted_channel_shows(sim: DiscordSim, bot: Bot) -> None:
    await sim.set_permissions("#after-dark", denied=["attach_files"])
    record = await sim.invoke("Ada", "#after-dark", "where")
    await sim.wait_answer(record)
    assert (await sim.read_channel("#after-dark"))[-1]["content"] == "True False True False"


async def test_resume_brings_what_was_missed(sim: DiscordSim, bot: Bot) -> None:
    await sim.drop_gateway()
    record = await sim.invoke("Ada", "#art", "hello")
    await sim.wait_answer(record)
    async with asyncio.timeout(10):
        await bot.resumed.wait()
    assert record.state is InteractionState.ACKNOWLEDGED


async def test_gateway_asks_for_a_reconnect(sim: DiscordSim, bot: Bot) -> None:
    sim.gateway.ask_reconnect()
    async with asyncio.timeout(10):
        await bot.resumed.wait()


async def test_scripted_429_is_waited_for(sim: DiscordSim, bot: Bot) -> None:
    sim.limit_next("original_edit", times=1, retry_after=0.01)
    record = await sim.invoke("Ada", "#art", "paint", {"model": "x"})
    await sim.wait_until(lambda: record.original_id and len(sim.world.message(record.original_id).versions) == 3)


async def test_real_windows_slow_edits_down(sim: DiscordSim, bot: Bot) -> None:
    sim.limits.enabled, sim.limits.window = True, 0.05
    record = await sim.invoke("Ada", "#art", "hello")
    await sim.wait_answer(record)
    partial = bot.get_partial_messageable(record.channel_id).get_partial_message(record.original_id or 0)
    for number in range(8):
        await partial.edit(content=str(number))
    assert (await sim.message_versions(record.original_id or 0))[-1]["content"] == "7"


async def test_guild_made_later_is_joined(sim: DiscordSim, bot: Bot) -> None:
    guild = await sim.make_guild("Second")
    record = await sim.invoke("Ada", guild.channel_ids[0], "hello")
    await sim.wait_answer(record)
    assert bot.get_guild(guild.id) is not None
