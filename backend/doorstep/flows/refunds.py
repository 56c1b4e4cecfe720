"""Money that is owed back to a customer: asked for as long as it is, whatever made it so (O2).

Read anew after every credit note and every movement of the customer's money: money that comes after
a cancellation, or cash that is counted after a return, is owed back as well.
"""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.money import Money
from doorstep.modules.helpdesk import service as helpdesk

# What was captured beyond what the order still costs.
OWED = """
SELECT o.number, o.currency, o.total_minor,
       coalesce((SELECT sum(captured_minor) FROM payment_line WHERE order_id = o.id), 0)::bigint
         AS captured_minor,
       coalesce((SELECT sum(amount_minor) FROM credit_note WHERE order_id = o.id), 0)::bigint
         AS credited_minor,
       (SELECT replace(string_agg(DISTINCT n.reason, ', ' ORDER BY n.reason), '_', ' ')
          FROM credit_note n WHERE n.order_id = o.id) AS reasons
  FROM customer_order o WHERE o.id = $1
"""


async def ask_for_refund(order_id: UUID) -> None:
    """Ask finance for the refund that is owed now, or take the question back; told with its sum.

    The caller holds the order's lock.
    """
    order = await db.one(OWED, order_id)
    owed = order["captured_minor"] + order["credited_minor"] - order["total_minor"]
    if owed <= 0:
        system = Actor.system("refunds")
        words = "Nothing is owed back any more."
        await helpdesk.close_problems("refund_due", str(order_id), words, system)
        return
    title = f"{order['number']}: {Money(owed, order['currency'])} is owed back to the customer"
    detail = f"Because of: {order['reasons']}."
    await helpdesk.open_problem(
        "refund_due", title, ref=str(order_id), detail=detail, order_id=order_id
    )
    await helpdesk.restate_problem("refund_due", str(order_id), title, detail)
