"""Checks of Discord's side: the token, the application, and the link that invites the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import discord

from bot import __version__
from bot.check.fetching import Get
from bot.check.findings import Finding, failed, note, ok
from bot.errors import Unavailable
from bot.settings import Settings

#: Everything Muster does in a channel, and nothing more.
PERMISSIONS: Final = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)
SCOPES: Final = ("bot", "applications.commands")


def invite_link(application_id: int) -> str:
    """Where somebody who manages a server adds the bot to it: exact scopes, exact permissions."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=SCOPES)


async def check_token(settings: Settings, get: Get) -> Finding:
    """Whether Discord knows the token."""
    name = "Discord token"
    if not settings.discord_token.get_secret_value():
        return failed(name, "DISCORD_TOKEN is not set", "copy it from the Bot page of your application, see README.md")
    try:
        status, who = await get(f"{settings.discord_api_url}/users/@me", _bot(settings))
    except Unavailable as error:
        return failed(name, f"Discord does not answer ({error})", "check the network and DISCORD_API_URL")
    if status == 401:
        return failed(name, "Discord refuses it", "reset the token on the Bot page and put the new one into .env")
    if status != 200 or who is None:
        return failed(name, f"Discord answered {status}", "check DISCORD_API_URL, or try again later")
    return ok(name, f"accepted, the bot is {who.get('username', 'nameless')}")


async def check_application(settings: Settings, get: Get) -> tuple[Sequence[Finding], int | None]:
    """Whether the application is set up so that commands reach the bot; also its id."""
    name = "Discord application"
    if not settings.discord_token.get_secret_value():
        return [], None
    try:
        status, about = await get(f"{settings.discord_api_url}/oauth2/applications/@me", _bot(settings))
    except Unavailable as error:
        return [failed(name, f"Discord does not answer ({error})", "check the network and DISCORD_API_URL")], None
    if status != 200 or about is None:
        return [failed(name, f"Discord answered {status}", "mend the token first")], None
    identity = str(about.get("id", ""))
    return [_judge_application(name, about)], int(identity) if identity.isdecimal() else None


def _judge_application(name: str, about: Mapping[str, Any]) -> Finding:
    if about.get("interactions_endpoint_url"):
        fix = "empty that field on the General Information page: commands would go there instead of to the bot"
        return failed(name, "it has an Interactions Endpoint URL", fix)
    if about.get("bot_require_code_grant"):
        return failed(name, "it requires an OAuth2 code grant", "switch that off on the Bot page, or nobody can add it")
    if about.get("bot_public") is False:
        return note(name, "well, and private: only you can add it", "make it public on the Bot page if others should")
    return ok(name, "well; no privileged intent is needed")


def _bot(settings: Settings) -> Mapping[str, str]:
    # Discord asks for this form of User-Agent; Cloudflare in front of it may turn others away.
    agent = f"DiscordBot (self-hosted, {__version__})"
    return {"Authorization": f"Bot {settings.discord_token.get_secret_value()}", "User-Agent": agent}
