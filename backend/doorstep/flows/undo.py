"""What an ended fulfilment gives back: goods, people's time, promises, and the customer's money."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.flows.came_back import call_off_repairs
from doorstep.flows.refunds import ask_for_refund
from doorstep.modules.crm import service as crm
from doorstep.modules.fsm import service as fsm
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.oms import credits
from doorstep.modules.oms import service as oms
from doorstep.modules.scm import service as scm
from doorstep.modules.tms import service as tms
from doorstep.modules.wms.rules.receiving import ArrivalKind
from doorstep.modules.wms.service import custody, floor, receiving, stock

PURCHASE_ORDER = """
SELECT f.po_id, 1009 = ANY (f.passed) AS dispatched FROM fulfilment f WHERE f.id = $1
"""

OUTSIDE_CARRIER = """
SELECT s.awb, c.name FROM shipment s JOIN carrier c ON c.id = s.carrier_id
 WHERE s.fulfilment_id = $1 AND s.leg = 'outbound' AND c.kind <> 'own'
 ORDER BY s.attempt DESC LIMIT 1
"""

SERIALS_OUT = """
SELECT u.fulfilment_line_id, u.location_id, u.serial FROM unit u
  JOIN fulfilment_line l ON l.id = u.fulfilment_line_id
 WHERE l.fulfilment_id = $1 AND u.state IN ('shipped', 'delivered') ORDER BY u.serial
"""


POINTLESS = (
    "awb_needed", "cost_missing", "returned_to_origin", "visit_needed", "visit_unplannable",
)  # fmt: skip
"""Tasks that nobody can or need do any more once the fulfilment has ended."""


async def give_back(fact: journey.Fact) -> None:
    """Take an ended fulfilment off everybody's list and give back what was kept for it."""
    await stock.release(fact.fulfilment_id)
    await floor.drop_pick_list(fact.fulfilment_id)
    await tms.drop_stop(fact.fulfilment_id)
    await fsm.drop_visit(fact.fulfilment_id, "cancelled")
    await crm.void_warranties(fact.fulfilment_id)
    await call_off_repairs(fact.fulfilment_id)
    await helpdesk.close_problems_of(
        fact.fulfilment_id, POINTLESS, "The parcel has ended.", fact.actor
    )
    await _call_off_carrier(fact)
    await _withdraw_purchase_order(fact)


async def _call_off_carrier(fact: journey.Fact) -> None:
    """Our own people see that the stop is gone; another carrier must be told by a person."""
    if 1008 not in fact.fulfilment["passed"] or 1013 in fact.fulfilment["passed"]:
        return
    if fact.name == "returned":
        return  # Everything is here already.
    outside = await db.row(OUTSIDE_CARRIER, fact.fulfilment_id)
    if outside is not None:
        await helpdesk.open_problem(
            "shipment_to_cancel",
            f"{outside['name']} must be told to stop {outside['awb']}",
            ref=str(fact.fulfilment_id),
            order_id=fact.order_id,
            fulfilment_id=fact.fulfilment_id,
        )


async def _withdraw_purchase_order(fact: journey.Fact) -> None:
    """Withdraw what was ordered from a vendor and has not left him; what has left stays owed."""
    found = await db.one(PURCHASE_ORDER, fact.fulfilment_id)
    if found["po_id"] is None or found["dispatched"]:
        return
    await scm.close_purchase_order(found["po_id"], f"{fact.name} {fact.data['reason']}".strip())


async def write_off(fact: journey.Fact) -> None:
    """What the carrier has lost is nowhere any more: it leaves the stock (IS2)."""
    await custody.write_off(fact.fulfilment_id, fact.order_id, ref=f"lost:{fact.data['case_id']}")


async def expect_back(fact: journey.Fact) -> None:
    """Announce to the floor whatever of the fulfilment is out: it comes back by scan."""
    await _expect_back(fact.data["case_id"], fact.fulfilment)


async def stop_expecting(fact: journey.Fact) -> None:
    """Take the announcement back: the goods do not come after all."""
    kinds: tuple[ArrivalKind, ...] = ("return_to_origin", "customer_return")
    for kind in kinds:
        await receiving.cancel_of(kind, fact.data["case_id"], actor=fact.actor)


async def _expect_back(ref: str, fulfilment: dict[str, Any]) -> None:
    """Announce the goods that are out, from the road and from the customer each by itself."""
    fulfilment_id = fulfilment["id"]
    kinds = {row["id"]: row["kind"] for row in await db.rows("SELECT id, kind FROM location")}
    serials: dict[tuple[UUID, UUID], list[str]] = defaultdict(list)
    for row in await db.rows(SERIALS_OUT, fulfilment_id):
        serials[row["fulfilment_line_id"], row["location_id"]].append(row["serial"])
    coming: dict[ArrivalKind, list[receiving.ExpectedGoods]] = defaultdict(list)
    for lot in await custody.whereabouts(fulfilment_id):
        from_customer = kinds[lot.location_id] == "customer"
        coming["customer_return" if from_customer else "return_to_origin"].append(
            receiving.ExpectedGoods(
                lot.product_id,
                lot.quantity,
                lot.fulfilment_line_id,
                tuple(serials[lot.fulfilment_line_id, lot.location_id]),
            )
        )
    for kind, lines in sorted(coming.items()):
        await receiving.expect(
            kind,
            ref,
            channel_id=fulfilment["channel_id"],
            lines=lines,
            owner_id=fulfilment["owner_id"],
            order_id=fulfilment["order_id"],
            fulfilment_id=fulfilment_id,
        )


async def credit_goods(fact: journey.Fact) -> None:
    """Credit what the customer will not get, and have his money given back."""
    await credit(UUID(fact.data["case_id"]), fact.order_id, fact.fulfilment_id, fact.name)
    await oms.note_cancelled(fact.order_id)


async def credit(
    credit_id: UUID,
    order_id: UUID,
    fulfilment_id: UUID,
    reason: str,
    wanted: dict[UUID, int] | None = None,
) -> None:
    """Write a credit note and ask finance for the refund that it leaves owed, if any."""
    if await credits.credit(credit_id, order_id, fulfilment_id, reason, wanted):
        await ask_for_refund(order_id)
