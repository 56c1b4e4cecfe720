"""The whole order as one document, the way the SQL function `place_order` takes it; no I/O."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.crm import rules as crm_rules
from doorstep.modules.wms.rules import Parcel, Route
from doorstep.ports import IncomingOrder


class RepeatKey(msgspec.Struct, frozen=True):
    """The caller's Idempotency-Key with what it was first used for."""

    scope: str
    key: str
    route: str
    body_sha256: str


class Context(msgspec.Struct):
    """What routing decides by, as `intake_context` reads it."""

    answered: bool
    channel: dict[str, Any]
    products: dict[str, dict[str, Any]]
    offers: list[dict[str, Any]]


class OrderDocument:
    """The whole order as the SQL function takes it."""

    def __init__(
        self,
        order: IncomingOrder,
        context: Context,
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
        """Write the order with all that follows from it; each call makes a new customer's link."""
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
        return self._fulfilment(number, None, None, list(chosen.short), short=chosen.why)

    def _fulfilment(
        self,
        number: int,
        location_id: UUID | None,
        owner_id: UUID | None,
        shares: list[tuple[int, str, int]],
        *,
        short: str = "",
    ) -> dict[str, Any]:
        products = [self.context.products[sku] for _, sku, _ in shares]
        born = journey.Born(
            parcel=number,
            location_id=location_id,
            owner_id=owner_id,
            needs_install=any(product["needs_install"] for product in products),
            has_warranty=any(product["has_warranty"] for product in products),
            collection=self.order.delivery_service == "collection",
            short=short,
            lines=tuple(
                journey.BornLine(
                    order_line_id=self.line_ids[line],
                    product_id=self.context.products[sku]["id"],
                    quantity=quantity,
                )
                for line, sku, quantity in shares
            ),
        )
        return born.as_json(self.order_id, self.order.placed_at, self.actor)
