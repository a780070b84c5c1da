"""From a well-formed `POST /generate/text/async` body to a request in the queue, or a refusal with `rc`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.horde.errors import HordeError, not_found
from bot.sandbox.horde.intake import (
    Payer,
    Sender,
    payer_for,
    refuse_no_batching,
    refuse_timed_out,
    refuse_too_many,
    who_pays,
)
from bot.sandbox.horde.people import SharedKey
from bot.sandbox.horde.text import pricing
from bot.sandbox.horde.text.orders import TextOrder, text_order_from
from bot.sandbox.horde.text.requests import TextRequest
from bot.sandbox.horde.waiting import waiting_of
from bot.sandbox.horde.world import World

MAX_STOPS = 128
MAX_STOP_CHARACTERS = 2000
SAMPLERS = 7
NO_WORKER_MESSAGE = (
    "Warning: No available workers can fulfill this request. It will expire in 20 minutes."
    " Consider reducing the amount of tokens to generate."
)


class TextIntake:
    """Judges text requests and puts the good ones into the queue. Prompts are not filtered."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._text = world.text

    def accept(self, payload: Mapping[str, Any], sender: Sender) -> tuple[int, dict[str, object], Payer]:
        """Status, body and payer of the answer to a body that passed the schema; refusals are raised."""
        payer = payer_for(self._world, payload, sender)
        order = text_order_from(payload)
        if not order.prompt:
            raise HordeError(400, "You cannot specify an empty prompt.", "MissingPrompt")
        refuse_timed_out(self._world, sender)
        if order.disable_batching and order.n > 1:
            refuse_no_batching(payer.user)
        self._check_style(order)
        self._check_state(order, payer)
        for message, rc in _problems(order):
            raise HordeError(400, message, rc)
        payer, order, held = self._paid(payer, order)
        if order.dry_run:
            return 200, {"kudos": float(round(pricing.total_price(order)))}, payer
        request = self._enqueue(payload, order, payer, sender, held)
        # The price is only known at delivery, so the receipt says nothing; nor are there any warnings.
        body: dict[str, object] = {"id": request.id, "kudos": 0.0}
        if not self._text.is_possible(request):
            body["message"] = NO_WORKER_MESSAGE
        return 202, body, payer

    def _check_style(self, order: TextOrder) -> None:
        """Nobody has published a text style here; those for images are refused in the server's own confused words."""
        if order.style is None:
            return
        for style in self._world.styles.values():
            if order.style in {style.id, style.name}:
                raise HordeError(400, "Image styles cannot be used on image requests", "BadRequest")
        raise not_found("Style", order.style, "StyleNotFound")

    def _check_state(self, order: TextOrder, payer: Payer) -> None:
        for identity in order.workers:
            if self._text.hall.by_id(identity) is None:
                raise not_found("Worker", identity, "WorkerNotFound")
        waiting = order.n + waiting_of(self._text.own_requests(), payer.user, order.models)
        refuse_too_many(waiting, payer.user.concurrency)

    def _paid(self, payer: Payer, order: TextOrder) -> tuple[Payer, TextOrder, float]:
        """The payer, the order (cut where allowed) and how much to hold; refusals are raised."""
        price = pricing.total_price(order)

        def over_limit(key: SharedKey) -> bool:
            return -1 < key.max_text_tokens < order.max_length

        payer = who_pays(self._world, payer, price, over_limit=over_limit, may_downgrade=order.allow_downgrade)
        limit = pricing.free_length(order, threads=self._text.hall.threads, queued=self._text.waiting_texts())
        if not pricing.needs_upfront(order, limit):
            return payer, order, 0.0
        if payer.user.spendable >= price:
            return payer, order, price
        if not order.allow_downgrade:
            raise pricing.refusal(order, limit)
        return payer, pricing.downgraded(order, limit), 0.0

    def _enqueue(
        self, payload: Mapping[str, Any], order: TextOrder, payer: Payer, sender: Sender, held: float
    ) -> TextRequest:
        request = TextRequest(
            id=self._text.new_id(),
            user=payer.user,
            order=order,
            created=self._text.now,
            payload=payload,
            client_agent=sender.agent,
            shared_key=payer.shared_key,
            priority=payer.user.kudos,
            waiting=order.n,
            held=held,
        )
        payer.user.held += held
        request.charge(pricing.ACTIVATION)
        self._text.requests[request.id] = request
        return request


def _problems(order: TextOrder) -> Iterator[tuple[str, str]]:
    """What the order breaks: message and rc, the first one counts."""
    if order.extra_source_images:
        # The published list of codes has no dot at the end, the server sends one.
        yield "This request type does not accept extra source images.", "InvalidExtraSourceImages."
    if order.max_length > order.max_context_length:
        yield "You cannot request more tokens than your context length.", "TokenOverflow"
    if order.sampler_order is not None and len(set(order.sampler_order)) < SAMPLERS:
        message = "When sending a custom sampler order, you need to specify all possible samplers in the order"
        yield message, "MissingFullSamplerOrder"
    stops = set(order.stop_sequence)
    if len(stops) > MAX_STOPS:
        yield f"Too many stop sequences specified (max allowed is {MAX_STOPS}).", "TooManyStopSequences"
    if sum(map(len, stops)) > MAX_STOP_CHARACTERS:
        message = f"Your total stop sequence length exceeds the allowed limit ({MAX_STOP_CHARACTERS} chars)."
        yield message, "ExcessiveStopSequence"
    if order.webhook is not None and not order.webhook.startswith("https://"):
        yield "webhooks need to point to an https endpoint.", "BadRequest"
