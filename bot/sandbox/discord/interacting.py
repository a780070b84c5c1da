"""What people do with the bot: slash commands, buttons, selects, modals, context menus.

Each act is checked as Discord's client checks it, becomes an interaction, and is sent to the gateway. The act returns
at once with the record; `wait_answer` waits for what the bot makes of it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from .component_rules import LINK_STYLE, SELECTS, ComponentKind, walk
from .composing import number_components
from .errors import ActRefusedError
from .kinds import InteractionKind, InteractionState
from .modals import fill_in
from .model import Channel, File, Interaction, Json, Message, User
from .option_values import ATTACHMENT, CHANNEL, MENTIONABLE, ROLE, USER, Call, check_values, find_call
from .people import People
from .world import Ref


class Interacting(People):
    """Acts that the bot has to answer."""

    async def invoke(
        self,
        user: Ref,
        channel: Ref,
        command: str,
        options: Mapping[str, Any] | None = None,
        *,
        attachments: Mapping[str, File] | None = None,
    ) -> Interaction:
        """Use a slash command ("imagine", "chat start"); attachments by the name of their option."""
        person, place = self.world.user(user), self.world.channel(channel)
        self.check_sees(person, place)
        call = find_call(self.outbox.usable(person, place, kind=1), command)
        files = await self._uploaded(person, place, attachments or {})
        given = {**(options or {}), **{name: file["id"] for name, file in files.items()}}
        values = check_values(call, given)
        data = self._command_data(call, values)
        resolved = self._resolve(values, place)
        if files:
            resolved["attachments"] = {file["id"]: file for file in files.values()}
        if resolved:
            data["resolved"] = resolved
        label = "/" + " ".join([call.command["name"], *call.path])
        owners = self.outbox.owners(person, place, call.command)
        return self.outbox.send(InteractionKind.COMMAND, person, place, data, label=label, owners=owners)

    async def autocomplete(
        self,
        user: Ref,
        channel: Ref,
        command: str,
        options: Mapping[str, Any],
        focused: str,
        *,
        guard: float = 10.0,
    ) -> list[Json]:
        """Type into an option and return the choices offered; `ActRefusedError` if none came in time."""
        person, place = self.world.user(user), self.world.channel(channel)
        self.check_sees(person, place)
        call = find_call(self.outbox.usable(person, place, kind=1), command)
        option = next((option for option in call.options if option["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            raise ActRefusedError(f"/{command} has no option {focused!r} that offers choices while typing.")
        data = self._command_data(call, check_values(call, {focused: "", **options}, partial=focused))
        owners = self.outbox.owners(person, place, call.command)
        label = f"typing /{command} {focused}"
        record = self.outbox.send(InteractionKind.AUTOCOMPLETE, person, place, data, label=label, owners=owners)
        try:
            await self.wait_answer(record, guard=guard)
        except TimeoutError:
            raise ActRefusedError("Loading options failed: no answer from the application.") from None
        if record.choices is None:
            raise ActRefusedError("Loading options failed: no answer within 3 seconds.")
        return record.choices

    async def press(self, user: Ref, message: Ref, custom_id: str, *, stale: bool = False) -> Interaction:
        """Press a button, named by custom_id or label; `stale` presses one that the message no longer shows."""
        person, found = self.world.user(user), self.visible_message(user, message)
        button = self._component(found, custom_id, {ComponentKind.BUTTON}, stale=stale)
        if button.get("style") == LINK_STYLE:
            raise ActRefusedError("A link button opens a page; the application hears nothing of it.")
        data = {"custom_id": button["custom_id"], "component_type": 2, "id": button.get("id", 1)}
        return self._send_component(person, found, data, f"press {button['custom_id']}")

    async def select(self, user: Ref, message: Ref, custom_id: str, values: Sequence[str]) -> Interaction:
        """Choose from a select; values are its options' values, or ids of people, roles, channels."""
        person, found = self.world.user(user), self.visible_message(user, message)
        menu = self._component(found, custom_id, set(SELECTS), stale=False)
        low, high = menu.get("min_values", 1), menu.get("max_values", 1)
        if not low <= len(values) <= high:
            raise ActRefusedError(f"This takes {low} to {high} values, not {len(values)}.")
        offered = [option["value"] for option in menu.get("options") or []]
        if menu["type"] == ComponentKind.STRING_SELECT and (wrong := set(values) - set(offered)):
            raise ActRefusedError(f"{min(wrong)!r} is not offered; choices are {', '.join(offered)}.")
        place = self.world.channels[found.channel_id]
        data: Json = {"custom_id": menu["custom_id"], "component_type": menu["type"], "id": menu.get("id", 1)}
        data["values"] = [str(value) for value in values]
        kinds = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}
        if menu["type"] in kinds:
            data["resolved"] = self.outbox.things([(kinds[menu["type"]], value) for value in data["values"]], place)
        return self._send_component(person, found, data, f"select {menu['custom_id']}")

    async def submit_modal(
        self,
        user: Ref,
        opened_by: Ref,
        values: Mapping[str, Any] | None = None,
        *,
        attachments: Mapping[str, Sequence[File]] | None = None,
    ) -> Interaction:
        """Fill in and send a modal, named by the interaction that opened it or by its custom_id.

        Values go by custom_id or label; a field left out keeps what it was prefilled with.
        """
        person = self.world.user(user)
        opener = self._opener(person, opened_by)
        modal: Json = copy.deepcopy(opener.modal or {})
        number_components(modal["components"])
        place = self.world.channels[opener.channel_id]
        files: dict[str, list[Json]] = {}
        for name, uploads in (attachments or {}).items():
            files[name] = [await self._upload(person, place, file) for file in uploads]
        data: Json = {"custom_id": modal["custom_id"], "components": fill_in(modal["components"], values or {}, files)}
        if files:
            data["resolved"] = {"attachments": {file["id"]: file for group in files.values() for file in group}}
        return self.outbox.send(
            InteractionKind.MODAL,
            person,
            place,
            data,
            label=f"modal {modal['custom_id']}",
            owners=opener.owners,
            message_id=opener.message_id,
            parent=opener,
        )

    async def context_menu(self, user: Ref, command: str, target: Ref, *, channel: Ref | None = None) -> Interaction:
        """Use a command from the menu of a message, or (with `channel`) of a person."""
        person = self.world.user(user)
        if channel is None:
            message = self.visible_message(user, target)
            place, target_id = self.world.channels[message.channel_id], message.id
            # The target is complete whatever the intents are.
            resolved: Json = {"messages": {str(message.id): self.payloads.message(message)}}
        else:
            place, target_id = self.world.channel(channel), self.world.user(target).id
            resolved = self.outbox.things([(USER, str(target_id))], place)
        kind = 3 if channel is None else 2
        self.check_sees(person, place)
        usable = self.outbox.usable(person, place, kind=kind)
        if command not in usable:
            raise ActRefusedError(f"There is no {command!r} in this menu. Known: {', '.join(usable) or 'none'}.")
        found = usable[command]
        data: Json = {
            "id": found["id"],
            "name": command,
            "type": kind,
            "target_id": str(target_id),
            "resolved": resolved,
        }
        owners = self.outbox.owners(person, place, found)
        return self.outbox.send(InteractionKind.COMMAND, person, place, data, label=f"menu {command}", owners=owners)

    def interactions(self) -> list[Interaction]:
        """Return every interaction so far, oldest first."""
        return [self.world.settle(record) for record in self.world.interactions.values()]

    async def wait_answer(self, record: Ref, *, guard: float = 10.0) -> Interaction:
        """Return an interaction once it is acknowledged or failed; `TimeoutError` after `guard` real seconds."""
        found = self.world.interaction(record)

        def settled() -> Interaction | None:
            return None if self.world.settle(found).state is InteractionState.PENDING else found

        return await self.wait_until(settled, guard=guard)

    # -- building --------------------------------------------------------------------------------------------------

    @staticmethod
    def _command_data(call: Call, values: list[Json]) -> Json:
        data: Json = {"id": call.command["id"], "name": call.command["name"], "type": 1, "options": call.nested(values)}
        return data | ({"guild_id": call.command["guild_id"]} if call.command.get("guild_id") else {})

    def _resolve(self, values: list[Json], channel: Channel) -> Json:
        return self.outbox.things([(v["type"], str(v["value"])) for v in values if v["type"] != ATTACHMENT], channel)

    async def _uploaded(self, user: User, channel: Channel, files: Mapping[str, File]) -> dict[str, Json]:
        return {name: await self._upload(user, channel, file) for name, file in files.items()}

    async def _upload(self, user: User, channel: Channel, file: File) -> Json:
        limit = self.world.size_limit(user, channel)
        if len(file.data) > limit:
            raise ActRefusedError(f"{file.filename} has {len(file.data)} bytes; {user.name} may upload {limit} here.")
        stored = await self.files.add(file.filename, file.data, place_id=self.world.application_id, ephemeral=True)
        return self.payloads.attachment(stored)

    @staticmethod
    def _component(message: Message, name: str, kinds: set[int], *, stale: bool) -> Json:
        versions = reversed(message.versions) if stale else [message.now]
        for version in versions:
            usable = [c for _, c in walk(list(version.components)) if c.get("type") in kinds]
            for component in usable:
                if name in {component.get("custom_id"), component.get("label")}:
                    if component.get("disabled") and not stale:
                        raise ActRefusedError(f"{name!r} is greyed out.")
                    return component
        shown = [str(c.get("custom_id")) for _, c in walk(list(message.now.components)) if c.get("type") in kinds]
        raise ActRefusedError(f"The message does not show {name!r}; it shows {', '.join(shown) or 'nothing to use'}.")

    def _opener(self, user: User, ref: Ref) -> Interaction:
        mine = [record for record in self.world.interactions.values() if record.user_id == user.id and record.modal]
        wanted = str(ref.id if isinstance(ref, Interaction) else ref)
        for record in reversed(mine):
            if wanted in {str(record.id), (record.modal or {}).get("custom_id")}:
                return record
        raise ActRefusedError(f"{user.name} has no form {wanted!r} open.")

    def _send_component(self, user: User, message: Message, data: Json, label: str) -> Interaction:
        place = self.world.channels[message.channel_id]
        origin = self.world.interactions.get(message.interaction_id or 0)
        owners = origin.owners if origin else {"0": str(place.guild_id or 0)}
        return self.outbox.send(
            InteractionKind.COMPONENT, user, place, data, label=label, owners=owners, message_id=message.id
        )
