"""An order arrives: it is routed, its stock held and its journey begun in one transaction (1001).

Two round trips: `intake_context` reads what routing decides by, `place_order` writes everything.
Messages and the payment check follow in the job `flows.order_placed`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from doorstep import journey
from doorstep.core import db, idempotency, outbox
from doorstep.core.actor import Actor
from doorstep.core.errors import Invalid, Refusal
from doorstep.core.jobs import job
from doorstep.flows import approvals, short_stock
from doorstep.flows.order_document import Context, OrderDocument, RepeatKey
from doorstep.modules.wms.rules import Offer, Route, route
from doorstep.ports import IncomingOrder

MAX_ROUTES = 8
"""How often an intake routes again when others took the stock between reading and writing."""


class OutOfStock(Refusal):
    """Own API only: a shop's order is never refused, it waits as `short_stock` (SPEC J readings)."""

    title = "There is not enough stock for this order."


class UnknownChannel(Invalid):
    title = "There is no such sales channel."


class UnknownSku(Invalid):
    title = "The order names a SKU that is not in the catalogue."


class WrongCurrency(Invalid):
    title = "The order is not in the channel's currency."


class Placed(msgspec.Struct, frozen=True):
    """The order as it is known here.

    `outcome`: new, known (the channel had sent it before) or replay (of the same request);
    `answer` is the JSON {order_id, number, fulfilment_ids}, byte for byte the same each time.
    """

    outcome: str
    answer: bytes

    @property
    def order_id(self) -> UUID:
        """Tell the order's id."""
        return UUID(msgspec.json.decode(self.answer)["order_id"])


async def place_order(
    order: IncomingOrder, *, actor: Actor, may_be_short: bool, repeat: RepeatKey | None = None
) -> Placed:
    """Write an order with its holds and its first journey event, once per (channel, external id).

    `may_be_short`: a shop has sold it already, so what no stock covers is kept as `short_stock`.

    Raises: OutOfStock (own API), UnknownChannel, UnknownSku, WrongCurrency, IdempotencyKeyReused,
    RequestInFlight, and the refusals of unusable contact data (own API).
    """
    for _ in range(MAX_ROUTES):
        context = await _read_context(order, repeat, actor)
        chosen = _choose(order, context)
        if chosen.short and not may_be_short and not context.answered:
            raise OutOfStock(
                chosen.why, short=[{"sku": s, "quantity": q} for _, s, q in chosen.short]
            )
        document = OrderDocument(
            order, context, chosen, actor, strict=not may_be_short, repeat=repeat
        )
        answer = await _write(document)
        if answer is not None:
            return _placed(answer)
        # Somebody else took the last ones between our two statements: look again.
    raise OutOfStock("The goods were sold to somebody else just now.")


async def _write(document: OrderDocument) -> dict[str, Any] | None:
    """Write the order, or nothing and return None when its stock is no longer there."""
    content = document.as_json()
    if not db.in_transaction():
        # One statement is its own transaction: no BEGIN and COMMIT on the hot path.
        try:
            return await _call(content)
        except (_StockGone, asyncpg.DeadlockDetectedError):
            return None
    async with db.unit_of_work() as work:
        try:
            async with work.savepoint():
                return await _call(content)
        except _StockGone:
            return None


class _StockGone(Exception):
    pass


async def _call(content: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await db.value("SELECT place_order($1)", content)
    except asyncpg.PostgresError as raised:
        if raised.sqlstate == "DS001":
            raise _StockGone from raised
        raise
    return answer


def _placed(answer: dict[str, Any]) -> Placed:
    outcome = answer["outcome"]
    if outcome == "other":
        raise idempotency.IdempotencyKeyReused
    if outcome == "busy":
        raise idempotency.RequestInFlight
    if outcome == "new":
        db.after_commit(outbox.wake)
    return Placed(outcome, answer["answer"].encode())


async def _read_context(order: IncomingOrder, repeat: RepeatKey | None, actor: Actor) -> Context:
    skus = sorted({line.sku for line in order.lines})
    scope, key = (repeat.scope, repeat.key) if repeat else ("", "")
    found = await db.value(
        "SELECT intake_context($1, $2, $3, $4)", order.channel_code, skus, scope, key
    )
    if found is None:
        raise UnknownChannel(f"{order.channel_code!r}", channel=order.channel_code)
    context = msgspec.convert(found, Context)
    if actor.channel_ids and UUID(context.channel["id"]) not in actor.channel_ids:
        # Another's channel looks like none.
        raise UnknownChannel(f"{order.channel_code!r}", channel=order.channel_code)
    unknown = [sku for sku in skus if sku not in context.products]
    if unknown:
        raise UnknownSku(", ".join(unknown), skus=unknown)
    if order.currency != context.channel["currency"]:
        raise WrongCurrency(f"{order.channel_code} sells in {context.channel['currency']}.")
    return context


def _choose(order: IncomingOrder, context: Context) -> Route:
    offers = [
        Offer(
            UUID(o["stock_id"]), o["sku"], UUID(o["location_id"]), o["location_code"], o["kind"],
            None if o["owner_id"] is None else UUID(o["owner_id"]), o["available"],
        )
        for o in context.offers
    ]  # fmt: skip
    return route([(line.sku, line.quantity) for line in order.lines], offers)


@job("flows.order_placed")
async def order_placed(payload: dict[str, Any]) -> None:
    """Tell the customer, judge the reservation, then the payment: the reactions of 1001."""
    await _react_to_order(UUID(payload["order_id"]), payload["secret"])


@db.transactional
async def _react_to_order(order_id: UUID, token: str) -> None:
    fulfilments = await db.rows(
        "SELECT id FROM fulfilment WHERE order_id = $1 ORDER BY parcel", order_id
    )
    await journey.announce(
        "1001",
        [row["id"] for row in fulfilments],
        actor=Actor.system("flows.order_placed"),
        data={"how": "done", "tracking_token": token},
    )
    await short_stock.tell_of_shortage(order_id)
    await approvals.reservation_approved(order_id)
    await outbox.add(
        "flows.verify_payment", {"order_id": order_id}, order_id=order_id, key=f"verify:{order_id}"
    )
    await outbox.done()
