"""Making interactions: which commands are offered where, and the payload that carries one to the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .errors import ActRefusedError
from .events import EventFeed
from .gateway import Gateway
from .kinds import InteractionKind
from .model import Channel, Guild, Interaction, Json, User
from .option_values import CHANNEL, MENTIONABLE, ROLE, USER
from .payloads import Payloads
from .permissions import EVERYONE, IN_BOT_DM, Permission
from .world import World


class InteractionDesk:
    """Sends interactions and keeps their deadlines."""

    def __init__(self, world: World, payloads: Payloads, gateway: Gateway, feed: EventFeed) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway
        self._feed = feed
        #: Interactions in the order of their deadlines, for whoever marks the unanswered ones.
        self.deadlines: asyncio.Queue[Interaction] = asyncio.Queue()

    def usable(self, user: User, channel: Channel, *, kind: int) -> dict[str, Json]:
        """Return the commands of a kind that the person is offered here, by name."""
        guild = self._world.guild_of(channel)
        mine = self._world.permissions(channel, user.id)
        if guild is not None and not mine & Permission.USE_APPLICATION_COMMANDS:
            raise ActRefusedError(f"{user.name} may not use application commands in #{channel.name}.")
        commands = dict(self._world.commands[None])
        if guild is not None and guild.has_bot:
            commands |= self._world.commands.get(guild.id, {})
        context = 1 if guild is None else 0
        return {
            command["name"]: command
            for command in commands.values()
            if command["type"] == kind
            and context in (command.get("contexts") or [0, 1, 2])
            and self._offered(channel, command, mine)
        }

    def _offered(self, channel: Channel, command: Json, permissions: int) -> bool:
        guild = self._world.guild_of(channel)
        types = command.get("integration_types") or [0]
        if guild is not None and not guild.has_bot and 1 not in types:
            return False
        if command.get("nsfw") and guild is not None and not self._world.age_restricted(channel):
            return False
        needed = int(command.get("default_member_permissions") or 0)
        return guild is None or permissions & needed == needed

    def owners(self, user: User, channel: Channel, command: Json) -> dict[str, str]:
        """Return which installations allow a command here: "0" the guild's, "1" the person's own."""
        guild = self._world.guild_of(channel)
        types = command.get("integration_types") or [0]
        owners: dict[str, str] = {}
        if 0 in types and (guild is None or guild.has_bot):
            owners["0"] = str(guild.id) if guild else "0"
        if 1 in types and (user.installed_app or not owners):
            owners["1"] = str(user.id)
        return owners

    def things(self, named: Sequence[tuple[int, str]], channel: Channel) -> Json:
        """Return the `resolved` objects of options and selects that name people, roles and channels."""
        guild = self._world.guild_of(channel)
        resolved: Json = {}
        for kind, value in named:
            if kind in {USER, MENTIONABLE} and int(value) in self._world.users:
                person = self._world.user(value)
                resolved.setdefault("users", {})[value] = self._payloads.user(person)
                if guild is not None and person.id in guild.members:
                    member = self._payloads.member(guild, person, with_user=False)
                    member["permissions"] = str(self._world.permissions(channel, person.id))
                    resolved.setdefault("members", {})[value] = member
            elif kind in {ROLE, MENTIONABLE} and guild is not None and int(value) in guild.roles:
                resolved.setdefault("roles", {})[value] = self._payloads.role(guild.roles[int(value)], 1)
            elif kind == CHANNEL:
                found = self._world.channel(value)
                resolved.setdefault("channels", {})[value] = self._payloads.channel(found, for_user=self._world.bot.id)
            elif kind in {USER, ROLE, MENTIONABLE}:
                raise ActRefusedError(f"There is nobody and nothing with the id {value!r}.")
        return resolved

    def send(
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        data: Json,
        *,
        label: str,
        owners: dict[str, str],
        message_id: int | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """Write an interaction down and send it to the bot's shard of this place."""
        record = Interaction(
            id=self._world.ids.next(),
            token=self._world.secret(180),
            kind=kind,
            user_id=user.id,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            label=label,
            data=data,
            created_at=self._world.now(),
            answer_within=self._world.answer_within,
            attachment_size_limit=self._world.size_limit(user, channel),
            owners=owners,
            message_id=message_id,
            parent_id=parent.id if parent else None,
        )
        self._world.interactions[record.id] = record
        self._world.by_token[record.token] = record
        self.deadlines.put_nowait(record)
        payload = self._payload(record, user, channel)
        self._gateway.dispatch("INTERACTION_CREATE", payload, guild_id=channel.guild_id)
        self._feed.publish({"event": "interaction_created", "interaction_id": str(record.id), "label": label})
        return record

    def _payload(self, record: Interaction, user: User, channel: Channel) -> Json:
        guild = self._world.guild_of(channel)
        payload: Json = {
            "id": str(record.id),
            "application_id": str(self._world.application_id),
            "type": int(record.kind),
            "data": record.data,
            "token": record.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": self._payloads.channel(channel, for_user=user.id if guild else None),
            "locale": user.locale,
            "app_permissions": str(self._app_permissions(guild, channel, user)),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": record.owners,
            "context": 1 if guild is None else 0,
            "attachment_size_limit": record.attachment_size_limit,
        }
        if record.message_id is not None:
            payload["message"] = self._payloads.message(self._world.messages[record.message_id])
        if guild is None:
            return payload | {"user": self._payloads.user(user)}
        member = self._payloads.member(guild, user) | {"permissions": str(self._world.permissions(channel, user.id))}
        place = {"guild_id": str(guild.id), "guild": self._payloads.partial_guild(guild), "guild_locale": guild.locale}
        return payload | place | {"member": member}

    def _app_permissions(self, guild: Guild | None, channel: Channel, user: User) -> int:
        if guild is None:
            return IN_BOT_DM
        if guild.has_bot:
            return self._world.permissions(channel, self._world.bot.id)
        # Where the bot is no member it borrows what the person may do, without the power over others.
        return self._world.permissions(channel, user.id) & EVERYONE
