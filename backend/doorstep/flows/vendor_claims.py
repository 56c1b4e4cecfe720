"""What is claimed back from a vendor: he was paid, or will be, for goods that did not stay.

Read anew whenever the tranches are judged, so that what is released later for goods that have come
back is claimed as well. Each claim is a problem of its own; together they are what he owes.
"""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.money import Money
from doorstep.modules.finance.rules.tranches import claimable
from doorstep.modules.finance.service import tranches
from doorstep.modules.helpdesk import service as helpdesk

# What came back costs what the purchase order says of its product. It is found by the parcel that it
# was announced for: its line may have gone into another one since.
OWED = """
SELECT p.number, p.currency, p.total_minor, p.order_id, p.fulfilment_id,
       p.state = 'accepted' AND EXISTS (
         SELECT FROM fulfilment f WHERE f.po_id = p.id AND f.state = 'open') AS living,
       coalesce((SELECT sum(t.amount_minor) FROM tranche t
                  WHERE t.po_id = p.id AND t.state = 'released'), 0)::bigint AS released_minor,
       coalesce((SELECT sum(x.received * (
                   SELECT max(n.unit_cost_minor) FROM po_line n
                    WHERE n.po_id = p.id AND n.product_id = x.product_id))
                   FROM fulfilment f
                   JOIN expected_arrival a ON a.fulfilment_id = f.id
                   JOIN expected_line x ON x.arrival_id = a.id AND x.fulfilment_line_id IS NOT NULL
                  WHERE f.po_id = p.id), 0)::bigint AS back_minor
  FROM purchase_order p WHERE p.id = $1
"""


async def claim_what_is_owed(po_id: UUID) -> None:
    """Ask finance to claim what was released for goods that did not stay, and is not claimed yet.

    Where nothing of the purchase order lives any more, that is everything. The caller holds the
    purchase order's lock.
    """
    order = await db.one(OWED, po_id)
    owed = order["released_minor"]
    if order["living"]:
        owed = claimable(owed, order["total_minor"], order["back_minor"])
    claim = await tranches.claim(po_id, order["currency"], owed)
    if claim is None:
        return
    claim_id, amount = claim
    words = Money(amount, order["currency"])
    await helpdesk.open_problem(
        "vendor_claim_due",
        f"{order['number']}: {words} was released for goods that did not stay",
        ref=str(claim_id),
        detail=f"Of {Money(order['released_minor'], order['currency'])} that is released.",
        order_id=order["order_id"],
        fulfilment_id=order["fulfilment_id"],
    )
