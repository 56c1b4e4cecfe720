"""Orders that travel through the real doors, and stop just after a chosen stage.

`await standing(company, 1007)` is an order that is packed. A `Step` is one request of one person,
ready to be sent: twice, under a new event id, or too early.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.captures import capture, event
from tests.factories.company import Company, picture, upload
from tests.factories.intake import order_body, send_order
from tests.factories.road import FRESH

STROKES = [[[0.0, 0.0, 0], [4.0, 4.0, 30]]]
PLACE = {"lat": 25.08, "lng": 55.14, "accuracy_m": 8}
LAST = 1018


@dataclass(frozen=True)
class Step:
    """A request of somebody of a role; `headers` beside those of the session."""

    who: str
    path: str
    body: dict[str, Any]

    def under_another_id(self) -> Step:
        """Make the same claim as another event: every id that the device makes is new."""
        body = dict(self.body)
        if "event_id" in body:
            body["event_id"] = uuid7()
        if "scans" in body:
            body["scans"] = [scan | {"scan_uid": uuid7()} for scan in body["scans"]]
        return replace(self, body=body)


@dataclass
class Order:
    """An order of one parcel, and what its people know of it."""

    company: Company
    external_id: str
    order_id: UUID
    number: str
    parcel: UUID
    total_minor: int
    awb: str = ""
    """Set for an order that an outside carrier takes under this AWB."""
    currency: str = "AED"
    shift_id: UUID | None = None
    """Set for an order that a crew delivers in this shift."""

    # --- The steps, each as its request -----------------------------------------------------------

    async def accept(self) -> Step:
        """1004."""
        return Step("vendor", f"/vendor/purchase-orders/{await self.po_id()}/accept", event())

    async def pick(self) -> Step:
        """1005."""
        return Step("warehouse", f"/field/fulfilments/{self.parcel}/pick", capture())

    async def check(self) -> Step:
        """1006: every barcode, accessory and a free serial, in one batch."""
        codes = await db.rows(
            "SELECT p.barcode, p.accessories, p.serialised, l.quantity, l.product_id"
            " FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
            " WHERE l.fulfilment_id = $1 ORDER BY l.id",
            self.parcel,
        )
        wanted: list[str] = []
        for row in codes:
            for _ in range(row["quantity"]):
                wanted += [row["barcode"], *(one["code"] for one in row["accessories"])]
            if row["serialised"]:
                wanted += await self._free_serials(row["product_id"], row["quantity"])
        scans = [{"scan_uid": uuid7(), "code": code, "captured_at": now()} for code in wanted]
        return Step(
            "warehouse", f"/field/fulfilments/{self.parcel}/checks", event() | {"scans": scans}
        )

    async def _free_serials(self, product_id: UUID, quantity: int) -> list[str]:
        rows = await db.rows(
            "SELECT serial FROM unit WHERE product_id = $1 AND state = 'in_stock' AND grade = 'sellable'"
            " ORDER BY serial LIMIT $2",
            product_id,
            quantity,
        )
        return [row["serial"] for row in rows]

    async def pack(self) -> Step:
        """1007, in a box per unit."""
        box = {"weight_g": 5000, "length_mm": 300, "width_mm": 300, "height_mm": 300}
        units = await db.value(
            "SELECT sum(quantity)::int FROM fulfilment_line WHERE fulfilment_id = $1", self.parcel
        )
        pieces = {"pieces": [box] * units}
        return Step("warehouse", f"/field/fulfilments/{self.parcel}/pack", capture() | pieces)

    async def record_awb(self, awb: str) -> Step:
        """1008 for an outside carrier."""
        body = {"fulfilment_id": self.parcel, "carrier_code": "clickpost", "awb": awb}
        return Step("dispatcher", "/console/shipments", body)

    async def scan(self, kind: str) -> Step:
        """1009 to 1011: every label seen once."""
        labels = await self.labels()
        scans = [
            {"scan_uid": uuid7(), "label_no": label, "kind": kind, "captured_at": now()}
            for label in labels
        ]
        return Step("courier", "/field/scans", {"scans": scans})

    async def plan_run(self) -> UUID:
        """Give the delivery to the delivery executive, or to the shift; tell the run."""
        driver = {
            "person_id": self.company.users["delivery"].id,
            "vehicle": "VAN-1",
            "planned_on": FRESH,
        }
        to = {"shift_id": self.shift_id} if self.shift_id else driver
        body = {**to, "fulfilment_ids": [self.parcel]}
        answer = await self.company.send("dispatcher", "/console/runs", body)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def accept_run(self, run_id: UUID | None = None) -> Step:
        """1012."""
        run_id = run_id or await self.plan_run()
        return Step("delivery", f"/field/runs/{run_id}/accept", capture())

    async def pod(self, **other: Any) -> Step:
        """1013, with everything the recipe asks for; the picture is on the server."""
        stop = await db.value(
            "SELECT id FROM delivery_stop WHERE fulfilment_id = $1"
            " ORDER BY (state = 'open') DESC, closed_at DESC LIMIT 1",
            self.parcel,
        )
        photo = picture()
        await upload(photo)
        proof = {
            "receiver": {"name": "Aisha Khan", "relation": "customer"},
            "photos": [{"slot": "parcel", "sha256": photo}],
            "signature": STROKES,
            "place": PLACE,
            "scanned_labels": await self.labels(),
        }
        if "receiver" not in other:
            proof["handover_code"] = self.company.told(r"(?<!\d)(\d{6})(?!\d)", self.number)
        return Step("delivery", f"/field/stops/{stop}/pod", capture() | proof | other)

    async def book(self) -> Step:
        """1014."""
        return Step("dispatcher", "/console/visits", {"fulfilment_id": self.parcel})

    async def report(self) -> Step:
        """1015: the visit must be booked."""
        visit = await db.value(
            "SELECT id FROM visit WHERE fulfilment_id = $1 AND state IN ('booked', 'started')",
            self.parcel,
        )
        cards = await self.company.get("technician", "/field/visits")
        [unit] = next(card for card in cards if card["id"] == str(visit))["units"]
        photos = [{"slot": slot, "sha256": picture()} for slot in unit["photo_slots"]]
        await upload(*(photo["sha256"] for photo in photos))
        body = {
            "units": [
                {
                    "fulfilment_line_id": unit["fulfilment_line_id"],
                    "checklist_id": unit["checklist_id"],
                    "serial": unit["serials"][0],
                    "answers": {"level": True},
                }
            ],
            "photos": photos,
            "demo_topics": ["modes"],
            "sign_off": {"name": "Aisha Khan", "strokes": STROKES},
        }
        return Step("technician", f"/field/visits/{visit}/complete", capture() | body)

    async def feedback(self) -> Step:
        """1016."""
        token = self.company.told(r"/t/([\w-]{20,})", self.number)
        row = await db.one(
            "SELECT parcel, needs_install FROM fulfilment WHERE id = $1", self.parcel
        )
        rating = {
            "parcel": row["parcel"], "delivery_rating": 5, "words": "Fine.",
            "installation_rating": 4 if row["needs_install"] else None,
        }  # fmt: skip
        return Step("", f"/track/{token}/feedback", event() | rating)

    # --- Going on ---------------------------------------------------------------------------------

    async def take(self, step: Step) -> httpx.Response:
        """Send a step and run what follows from it."""
        answer = await self.company.send(step.who, step.path, step.body)
        await self.company.work()
        return answer

    async def take_well(self, step: Step) -> None:
        """Send a step that must be taken."""
        answer = await self.take(step)
        assert answer.status_code in (200, 201), answer.text

    async def pay(self, kind: str = "captured", *, action: str = "") -> None:
        """Let the gateway say that it has the money."""
        await self.company.hook("checkout", self.payment(kind, action=action))
        await self.company.work()

    def payment(self, kind: str = "captured", *, action: str = "", event: str = "") -> bytes:
        """Write a webhook of the payment gateway."""
        data = {
            "id": f"pay_{self.external_id}",
            "action_id": action or f"act_{kind}_{self.external_id}",
            "reference": self.external_id,
            "amount": self.total_minor,
            "currency": self.currency,
            "processed_on": "2026-11-23T06:00:00Z",
        }
        identity = event or f"evt_{uuid7()}"
        return json.dumps({"id": identity, "type": f"payment_{kind}", "data": data}).encode()

    async def go_on(self, until: int = LAST) -> None:
        """Do whatever is not done yet, in order, up to a stage."""
        for code, deed in DEEDS.items():
            if code > until:
                return
            if code not in await self.passed():
                await deed(self)

    async def passed(self) -> list[int]:
        """List the settled stages."""
        found: list[int] = await db.value(
            "SELECT passed FROM fulfilment WHERE id = $1", self.parcel
        )
        return sorted(found)

    async def po_id(self) -> UUID:
        """Tell the purchase order."""
        found: UUID = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", self.parcel)
        return found

    async def labels(self) -> list[str]:
        """List the labels on the boxes."""
        rows = await db.rows(
            "SELECT p.label_no FROM piece p JOIN shipment s ON s.id = p.shipment_id"
            " WHERE s.fulfilment_id = $1 ORDER BY p.n",
            self.parcel,
        )
        return [row["label_no"] for row in rows]


async def _pay(order: Order) -> None:
    await order.pay()


async def _nothing(order: Order) -> None:
    """Follows by itself from the stage before."""


async def _label(order: Order) -> None:
    if order.awb:
        await order.take_well(await order.record_awb(order.awb))


def _doing(make: Callable[[Order], Awaitable[Step]]) -> Callable[[Order], Awaitable[None]]:
    async def do(order: Order) -> None:
        await order.take_well(await make(order))

    return do


DEEDS: dict[int, Callable[[Order], Awaitable[None]]] = {
    1002: _pay,
    1003: _nothing,
    1004: _doing(Order.accept),
    1005: _doing(Order.pick),
    1006: _doing(Order.check),
    1007: _doing(Order.pack),
    1008: _label,
    1009: _doing(lambda order: order.scan("pickup")),
    1010: _doing(lambda order: order.scan("departure")),
    1011: _doing(lambda order: order.scan("hub_in")),
    1012: _doing(Order.accept_run),
    1013: _doing(Order.pod),
    1014: _doing(Order.book),
    1015: _doing(Order.report),
    1016: _doing(Order.feedback),
    1017: _nothing,
    1018: _nothing,
}
"""What is done to pass each stage."""


async def place(
    company: Company, *lines: tuple[str, int], external_id: str = "", **terms: str
) -> Order:
    """Place an order and run what follows (1001); `terms`: its method of payment, its currency."""
    body = order_body(external_id or f"T-{uuid7().hex[-12:]}", *lines, **terms)
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    await company.work()
    return order_of(company, body, answer.json())


def order_of(company: Company, body: dict[str, Any], taken: dict[str, Any]) -> Order:
    """Wrap the answer of the order's door."""
    return Order(
        company,
        body["external_id"],
        UUID(taken["order_id"]),
        taken["number"],
        UUID(taken["fulfilment_ids"][0]),
        body["payments"][0]["amount_minor"],
        currency=body["currency"],
    )


async def standing(
    company: Company,
    stage: int,
    *lines: tuple[str, int],
    shift_id: UUID | None = None,
    **given: Any,
) -> Order:
    """Place an order and bring it just behind a stage; `shift_id` delivers it.

    1003 follows 1002, 1008 follows 1007, and 1017 and 1018 follow 1015 by themselves.
    """
    order = await place(company, *lines, **given)
    order.shift_id = shift_id
    await order.go_on(stage)
    return order
