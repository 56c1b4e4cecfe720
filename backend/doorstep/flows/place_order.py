"""An order arrives: it is routed, its stock held and its journey begun in one transaction (1001).

Two round trips: `intake_context` reads what routing decides by, `place_order` writes everything.
Messages and the payment check follow in the job `flows.order_placed`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from doorstep import journey
from doorstep.core import db, idempotency, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, Refusal
from doorstep.core.ids import uuid7
from doorstep.core.jobs import job
from doorstep.modules.crm import rules as crm_rules
from doorstep.modules.wms.rules import Offer, Parcel, Route, route
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


class RepeatKey(msgspec.Struct, frozen=True):
    """The caller's Idempotency-Key with what it was first used for."""

    scope: str
    key: str
    route: str
    body_sha256: str


class _Context(msgspec.Struct):
    answered: bool
    channel: dict[str, Any]
    products: dict[str, dict[str, Any]]
    offers: list[dict[str, Any]]


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
        document = _Document(order, context, chosen, actor, strict=not may_be_short, repeat=repeat)
        answer = await _write(document)
        if answer is not None:
            return _placed(answer)
        # Somebody else took the last ones between our two statements: look again.
    raise OutOfStock("The goods were sold to somebody else just now.")


async def _write(document: _Document) -> dict[str, Any] | None:
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


async def _read_context(order: IncomingOrder, repeat: RepeatKey | None, actor: Actor) -> _Context:
    skus = sorted({line.sku for line in order.lines})
    scope, key = (repeat.scope, repeat.key) if repeat else ("", "")
    found = await db.value(
        "SELECT intake_context($1, $2, $3, $4)", order.channel_code, skus, scope, key
    )
    if found is None:
        raise UnknownChannel(f"{order.channel_code!r}", channel=order.channel_code)
    context = msgspec.convert(found, _Context)
    if actor.channel_ids and UUID(context.channel["id"]) not in actor.channel_ids:
        # Another's channel looks like none.
        raise UnknownChannel(f"{order.channel_code!r}", channel=order.channel_code)
    unknown = [sku for sku in skus if sku not in context.products]
    if unknown:
        raise UnknownSku(", ".join(unknown), skus=unknown)
    if order.currency != context.channel["currency"]:
        raise WrongCurrency(f"{order.channel_code} sells in {context.channel['currency']}.")
    return context


def _choose(order: IncomingOrder, context: _Context) -> Route:
    offers = [
        Offer(
            UUID(o["stock_id"]), o["sku"], UUID(o["location_id"]), o["location_code"], o["kind"],
            None if o["owner_id"] is None else UUID(o["owner_id"]), o["available"],
        )
        for o in context.offers
    ]  # fmt: skip
    return route([(line.sku, line.quantity) for line in order.lines], offers)


class _Document:
    """The whole order as the SQL function takes it."""

    def __init__(
        self,
        order: IncomingOrder,
        context: _Context,
        chosen: Route,
        actor: Actor,
        *,
        strict: bool,
        repeat: RepeatKey | None,
    ) -> None:
        self.order = order
        self.context = context
        self.actor = actor
        self.strict = strict
        self.repeat = repeat
        self.moment = now()
        self.order_id = uuid7()
        self.line_ids = [uuid7() for _ in order.lines]
        self.holds: list[dict[str, Any]] = []
        self.hold_until = self._hold_until()
        self.parcels = [self._parcel(n, p) for n, p in enumerate(chosen.parcels, start=1)]
        if chosen.short:
            self.parcels.append(self._short(len(self.parcels) + 1, chosen))

    def as_json(self) -> dict[str, Any]:
        token, link_hash = crm_rules.new_token()
        return {
            "order": self._order(),
            **self._people(),
            "lines": self._lines(),
            "payments": self._payments(),
            "parcels": self.parcels,
            "holds": self.holds,
            "link_hash": link_hash.hex(),
            "idempotency": self.repeat,
            "outbox": [
                {
                    "kind": "flows.order_placed",
                    "payload": {"order_id": self.order_id, "secret": token},
                    "key": f"order_placed:{self.order_id}",
                }
            ],
        }

    def _order(self) -> dict[str, Any]:
        order = self.order
        subtotal = sum(line.unit_price_minor * line.quantity for line in order.lines)
        return {
            "id": self.order_id,
            "channel_id": self.context.channel["id"],
            "external_id": order.external_id,
            "external_entity_id": order.external_entity_id,
            "currency": order.currency,
            "subtotal_minor": subtotal,
            "tax_minor": order.tax_minor,
            "discount_minor": order.discount_minor,
            "shipping_minor": order.shipping_minor + order.other_minor,
            "total_minor": order.total_minor,
            "delivery_service": order.delivery_service,
            "language": self._language(),
            "placed_at": order.placed_at,
            "created_at": self.moment,
        }

    def _language(self) -> str:
        wanted = self.order.customer.language or self.context.channel["languages"][0]
        return crm_rules.choose_language(wanted)

    def _people(self) -> dict[str, Any]:
        customer, place = self.order.customer, self.order.ship_to
        read = crm_rules.check_contact if self.strict else crm_rules.keep_contact
        contact = read(customer.phone, customer.email, place.country)
        at_door = crm_rules.keep_contact(place.phone, "", place.country)
        address = crm_rules.AddressText(
            line1=", ".join(place.street),
            building=place.building or "",
            floor=place.floor or "",
            flat=place.flat or "",
            lift=None,
            city=place.city,
            postcode=place.postcode,
            lat=place.lat,
        )
        judge = crm_rules.check_address if self.strict else crm_rules.missing_parts
        missing = [*contact.missing, *judge(address, place.country)]
        return {
            "customer": {
                "id": uuid7(),
                "name": customer.name,
                "phone": contact.phone,
                "email": contact.email,
                "language": self._language(),
            },
            "address": {
                "id": uuid7(),
                "name": place.name,
                "phone": at_door.phone,
                **msgspec.structs.asdict(address),
                "area": "",
                "region": place.region,
                "country": place.country,
                "lng": place.lng,
                "instructions": place.instructions,
                "missing": missing,
            },
        }

    def _lines(self) -> list[dict[str, Any]]:
        return [
            {
                "id": self.line_ids[n],
                "position": n + 1,
                "product_id": self.context.products[line.sku]["id"],
                **msgspec.structs.asdict(line),
            }
            for n, line in enumerate(self.order.lines)
        ]

    def _payments(self) -> list[dict[str, Any]]:
        return [
            {
                "id": uuid7(),
                "method": p.method,
                "amount_minor": p.amount_minor,
                "due": p.due,
                "reference": p.reference,
                "state": p.state,
                "captured_minor": p.amount_minor if p.state == "captured" else 0,
                "provider_ref": p.transaction_id,
            }
            for p in self.order.payments
        ]

    def _hold_until(self) -> datetime | None:
        methods = {p.method for p in self.order.payments if p.due == "now"}
        channel = self.context.channel
        if not methods:
            return None
        transfer = "bank_transfer" in methods
        minutes = channel["hold_minutes_transfer" if transfer else "hold_minutes_prepaid"]
        return self.moment + timedelta(minutes=minutes)

    def _parcel(self, number: int, parcel: Parcel) -> dict[str, Any]:
        shares = [(share.line, share.sku, share.quantity) for share in parcel.shares]
        written = self._fulfilment(number, parcel.location_id, parcel.owner_id, shares)
        self.holds.extend(
            {
                "id": uuid7(),
                "stock_id": share.stock_id,
                "fulfilment_line_id": line["id"],
                "quantity": share.quantity,
                "expires_at": self.hold_until,
            }
            for share, line in zip(parcel.shares, written["lines"], strict=True)
        )
        return written

    def _short(self, number: int, chosen: Route) -> dict[str, Any]:
        written = self._fulfilment(number, None, None, list(chosen.short))
        written["detour"] = {"id": uuid7(), "kind": "short_stock", "reason": chosen.why}
        return written

    def _fulfilment(
        self,
        number: int,
        location_id: UUID | None,
        owner_id: UUID | None,
        shares: list[tuple[int, str, int]],
    ) -> dict[str, Any]:
        fulfilment_id = uuid7()
        products = [self.context.products[sku] for _, sku, _ in shares]
        return {
            "id": fulfilment_id,
            "parcel": number,
            "location_id": location_id,
            "owner_id": owner_id,
            "needs_vendor": owner_id is not None,
            "needs_install": any(product["needs_install"] for product in products),
            "has_warranty": any(product["has_warranty"] for product in products),
            "collection": self.order.delivery_service == "collection",
            "detour": None,
            "lines": [
                {
                    "id": uuid7(),
                    "order_line_id": self.line_ids[line],
                    "product_id": self.context.products[sku]["id"],
                    "quantity": quantity,
                }
                for line, sku, quantity in shares
            ],
            "events": [self._confirmed(fulfilment_id)],
        }

    def _confirmed(self, fulfilment_id: UUID) -> dict[str, Any]:
        """Make the journey's first event, 1001, with the order itself as evidence."""
        actor = self.actor
        return {
            "event_id": journey.derived_id(fulfilment_id, "1001"),
            "kind": "stage",
            "name": "1001",
            "stage": 1001,
            "how": "done",
            "verdict": "applied",
            "reason": "",
            "actor_id": actor.person_id,
            "actor_role": actor.role,
            "source": actor.source,
            "device": actor.device,
            "captured_at": self.order.placed_at,
            "recorded_at": self.moment,
            "request_id": actor.request_id,
            "evidence": [{"kind": "order", "ref": str(self.order_id), "sha256": None}],
        }


@job("flows.order_placed")
async def order_placed(payload: dict[str, Any]) -> None:
    """Tell the customer, then see whether the order is paid: the reactions of 1001."""
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
    await outbox.add(
        "flows.verify_payment", {"order_id": order_id}, order_id=order_id, key=f"verify:{order_id}"
    )
    await outbox.done()
