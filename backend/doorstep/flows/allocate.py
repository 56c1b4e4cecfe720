"""After the payment: the holds of a fulfilment become allocations (stage 1003)."""

from __future__ import annotations

from doorstep import journey
from doorstep.core import outbox
from doorstep.core.actor import Actor
from doorstep.flows import approvals
from doorstep.modules.wms.service import stock


async def turn_holds_into_allocations(fact: journey.Fact) -> None:
    """Allocate what intake has held, and pass 1003; stock that is gone becomes a problem.

    A reservation that waits for an approval is allocated when that comes ("reservation_approved").
    """
    if not await approvals.reservation_approved(fact.order_id):
        return
    try:
        reservations = await stock.allocate(fact.fulfilment_id)
    except stock.HoldLost as lost:
        await outbox.add(
            "helpdesk.open_problem",
            {
                "kind": "short_stock",
                "title": "Paid, but the goods are no longer held",
                "detail": lost.detail,
                "ref": str(fact.fulfilment_id),
                "order_id": fact.order_id,
                "fulfilment_id": fact.fulfilment_id,
                "owner_role": "dispatcher",
            },
            order_id=fact.order_id,
        )
        return
    await journey.advance(
        journey.derived_id(fact.fulfilment_id, "1003", fact.attempt),
        fact.fulfilment_id,
        1003,
        actor=Actor.system("allocate", request_id=fact.actor.request_id),
        evidence=[journey.Evidence("allocation", str(r)) for r in reservations],
    )
