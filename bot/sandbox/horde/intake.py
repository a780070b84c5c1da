"""The third layer: from a well-formed `POST /generate/async` body to a request in the queue, or a refusal with `rc`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.horde import prompts, upfront
from bot.sandbox.horde.advice import NO_WORKER_MESSAGE, warnings_for
from bot.sandbox.horde.combinations import check_combination
from bot.sandbox.horde.errors import HordeError, crash, invalid_key, not_found
from bot.sandbox.horde.orders import ImageOrder, order_from
from bot.sandbox.horde.people import SharedKey, User
from bot.sandbox.horde.pricing import ACTIVATION, base_price, model_factor, total_price
from bot.sandbox.horde.requests import Request, seed_number
from bot.sandbox.horde.sources import check_sources
from bot.sandbox.horde.waiting import waiting_of
from bot.sandbox.horde.world import Style, World

_BANNED_AGENT = "My-Project:v0.0.1:My-Contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Where a call came from."""

    key: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Whose request it is and which shared key, if any, pays."""

    user: User
    shared_key: SharedKey | None = None


def payer_for(world: World, payload: Mapping[str, Any], sender: Sender) -> Payer:
    """Who pays for an image or text request; refuses everybody during maintenance, unknown keys and false proxies."""
    refuse_maintenance(world)
    if sender.agent == _BANNED_AGENT:
        message = "This Client-Agent is a placeholder. Please set one of your own."
        raise HordeError(403, message, "BannedClientAgent")
    shared = world.people.shared(sender.key)
    user = shared.owner if shared else world.people.by_key(sender.key)
    if user is None:
        raise invalid_key()
    if "proxied_account" in payload and not user.service:
        message = "Only service accounts can provide a proxied_account value."
        raise HordeError(400, message, "OnlyServiceAccountProxy")
    return Payer(user=user, shared_key=shared)


def refuse_maintenance(world: World) -> None:
    """Refuse everybody while the horde is being looked after."""
    if world.maintenance:
        message = "AI Horde has entered maintenance mode. Please try again later."
        raise HordeError(400, message, "MaintenanceMode")


def refuse_timed_out(world: World, sender: Sender) -> None:
    """Refuse an address that is in timeout."""
    left = world.timeout_left(sender.address)
    if left > 0:
        message = (
            f"Due to abuse prevention, your IP address has been put into timeout for {int(left)} more seconds."
            " Please try again later, or contact us on discord if you think this was an error."
        )
        raise HordeError(403, message, "TimeoutIP")


def refuse_no_batching(user: User) -> None:
    """Refuse `disable_batching` of several at once, which only some may ask for."""
    if not user.trusted:
        message = "Only trusted users and patreon supporters can disable batching."
        raise HordeError(400, message, "RequiresTrust")


def who_pays(
    world: World, payer: Payer, price: float, *, over_limit: Callable[[SharedKey], bool], may_downgrade: bool
) -> Payer:
    """The payer, once a shared key was found good; of an empty one the anonymous account, where that may be."""
    shared = payer.shared_key
    if shared is None:
        return payer
    if shared.kudos == 0 and may_downgrade:
        return Payer(user=world.people.anonymous)
    _check_shared_key(shared, price, over_limit=over_limit(shared))
    return payer


def _check_shared_key(key: SharedKey, price: float, *, over_limit: bool) -> None:
    """Refuse a shared key that cannot pay `price`; over its own limits the server crashes (a 400 was meant)."""
    if key.expired:
        raise HordeError(403, "This shared key has expired", "SharedKeyExpired")
    if key.kudos == 0:
        raise HordeError(403, "This shared key has run out of kudos.", "SharedKeyEmpty")
    if over_limit:
        raise crash()
    if 0 <= key.kudos < price:
        message = (
            f"This shared key does not have enough remaining kudos ({key.kudos:.10g})"
            f" to fulfill this request ({price:.10g})."
        )
        raise HordeError(403, message, "SharedKeyInsufficientKudos")


def refuse_too_many(waiting: int, limit: int) -> None:
    """Refuse more waiting jobs than the user may have."""
    if waiting > limit:
        message = (
            f"Parallel requests ({waiting}) exceeded user limit ({limit})."
            " Please try again later or request to increase your concurrency."
        )
        raise HordeError(429, message, "TooManyPrompts")


class Intake:
    """Judges image requests and puts the good ones into the queue."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def accept(self, payload: Mapping[str, Any], sender: Sender) -> tuple[int, dict[str, object], Payer | None]:
        """Status, body and payer of the answer to a body that passed the schema; refusals are raised."""
        if payload.get("dry_run"):
            price = self._world.remembered_price(payload)
            if price is not None:
                return 200, {"kudos": price}, None
        payer = payer_for(self._world, payload, sender)
        order = self._styled(payload)
        self._check_sender(order, sender, payer)
        order = self._filtered(order, sender)
        self._check_state(order, payer)
        check_combination(order, self._world.catalogue)
        await check_sources(order)
        payer, order, held = self._paid(payer, order)
        if order.dry_run:
            price = float(round(total_price(order, self._world.catalogue)))
            self._world.remember_price(payload, price)
            return 200, {"kudos": price}, payer
        request = self._enqueue(payload, order, payer, sender, held)
        return 202, self._receipt(request), payer

    # --- who -------------------------------------------------------------------------------------------------------

    def _check_sender(self, order: ImageOrder, sender: Sender, payer: Payer) -> None:
        refuse_timed_out(self._world, sender)
        if order.special and not payer.user.special:
            # The server passes the rc in the wrong argument, so SpecialFieldNeedsSpecialUser never arrives.
            raise HordeError(400, "Only special users can send a special field.", "BadRequest")
        if order.disable_batching and order.n > 1:
            refuse_no_batching(payer.user)

    # --- what ------------------------------------------------------------------------------------------------------

    def _styled(self, payload: Mapping[str, Any]) -> ImageOrder:
        """The order, with a style's params, models and prompt template in place of the request's own."""
        order = order_from(payload)
        if order.style is None:
            return order
        style = self._style(order.style)
        wanted = payload.get("params", {})
        params = {name: wanted[name] for name in ("n", "width", "height") if name in wanted} | dict(style.params)
        positive, _, negative = order.prompt.partition("###")
        prompt = style.prompt.replace("{p}", positive).replace("{np}", negative)
        changed = {"prompt": prompt, "params": params, "models": list(style.models), "nsfw": style.nsfw}
        return order_from({**payload, **changed})

    def _style(self, name: str) -> Style:
        for style in self._world.styles.values():
            if name in {
                style.id,
                style.name,
                f"{style.creator}::{style.name}",
                f"style::{style.creator}::{style.name}",
            }:
                return style
        raise not_found("Style", name, "StyleNotFound")

    def _filtered(self, order: ImageOrder, sender: Sender) -> ImageOrder:
        prompts.check_length(order.prompt)
        if prompts.is_corrupt(order):
            self._world.punish(sender.address)
            raise prompts.corrupt()
        return replace(order, prompt=prompts.replaced(order.prompt))

    def _check_state(self, order: ImageOrder, payer: Payer) -> None:
        for identity in order.workers:
            if self._world.park.by_id(identity) is None:
                raise not_found("Worker", identity, "WorkerNotFound")
        waiting = order.n + waiting_of(self._world.own_requests(), payer.user, order.models)
        refuse_too_many(waiting, payer.user.concurrency)

    # --- for what price --------------------------------------------------------------------------------------------

    def _paid(self, payer: Payer, order: ImageOrder) -> tuple[Payer, ImageOrder, float]:
        """The payer, the order (shrunk where allowed) and how much to hold; refusals are raised."""
        price = total_price(order, self._world.catalogue)

        def over_limit(key: SharedKey) -> bool:
            small = -1 < key.max_image_pixels < order.pixels
            short = -1 < key.max_image_steps < order.effective_steps
            return small or short

        payer = who_pays(self._world, payer, price, over_limit=over_limit, may_downgrade=order.allow_downgrade)
        if not upfront.needs_upfront(order, self._world):
            return payer, order, 0.0
        if payer.user.spendable >= price:
            return payer, order, price
        if not order.allow_downgrade:
            raise upfront.refusal(order, self._world)
        return payer, upfront.downgraded(order, self._world), 0.0

    # --- taken -----------------------------------------------------------------------------------------------------

    def _enqueue(
        self, payload: Mapping[str, Any], order: ImageOrder, payer: Payer, sender: Sender, held: float
    ) -> Request:
        world = self._world
        request = Request(
            id=world.new_id(),
            user=payer.user,
            order=order,
            created=world.now,
            first_seed=seed_number(order.seed) if order.seed else None,
            factor=model_factor(order, world.catalogue),
            payload=payload,
            client_agent=sender.agent,
            shared_key=payer.shared_key,
            priority=payer.user.kudos,
            waiting=order.n,
            held=held,
        )
        payer.user.held += held
        request.charge(ACTIVATION)
        world.requests[request.id] = request
        return request

    def _receipt(self, request: Request) -> dict[str, object]:
        """The 202: the price is that of one image before the model factor, whatever was ordered."""
        possible = self._world.is_possible(request)
        body: dict[str, object] = {"id": request.id, "kudos": float(round(base_price(request.order)))}
        if not possible:
            body["message"] = NO_WORKER_MESSAGE
        advice = warnings_for(request.order, self._world.catalogue, possible=possible)
        return body | ({"warnings": advice} if advice else {})
