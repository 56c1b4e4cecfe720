"""What is claimed back from a vendor: he was paid, or will be, for goods that did not stay.

Only what had been released before they were gone: of what is released afterwards their part is
withheld. Read anew whenever the tranches are judged. Each claim is a problem of its own; together
they are what he owes.
"""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.money import Money
from doorstep.flows.settle_sql import COST_GONE
from doorstep.modules.finance.rules.tranches import for_gone
from doorstep.modules.finance.service import tranches
from doorstep.modules.helpdesk import service as helpdesk

OWED = f"""
SELECT p.number, p.currency, p.total_minor, p.order_id, p.fulfilment_id,
       p.state = 'accepted' AND EXISTS (
         SELECT FROM fulfilment f WHERE f.po_id = p.id AND f.state = 'open') AS living,
       t.released_minor, t.withheld_minor,
       coalesce((SELECT sum({COST_GONE}) FROM fulfilment x WHERE x.po_id = p.id), 0)::bigint
         AS gone_minor
  FROM purchase_order p
 CROSS JOIN LATERAL (
   SELECT coalesce(sum(t.amount_minor), 0)::bigint AS released_minor,
          coalesce(sum(t.withheld_minor), 0)::bigint AS withheld_minor
     FROM tranche t WHERE t.po_id = p.id AND t.state = 'released') AS t
 WHERE p.id = $1
"""  # noqa: S608 - a constant of this house


async def claim_what_is_owed(po_id: UUID) -> None:
    """Ask finance to claim what was released for goods that did not stay, and is not claimed yet.

    Where nothing of the purchase order lives any more, that is everything. The caller holds the
    purchase order's lock.
    """
    order = await db.one(OWED, po_id)
    owed = order["released_minor"]
    if order["living"]:
        shares = owed + order["withheld_minor"]
        gone = for_gone(shares, order["total_minor"], order["gone_minor"])
        owed = gone - order["withheld_minor"]
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
