"""Parcels that begin without stock: the customer hears of it and a dispatcher has the task.

A parcel is born with this detour in one statement, at intake or when goods are sourced again, so
that no reaction runs with it; what a detour sets off follows here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.jobs import job

# Of what has a date the customer has been told with it, and its task waits with it.
BORN_SHORT = """
SELECT fulfilment_id, id, reason, detail FROM detour_case
 WHERE order_id = $1 AND kind = 'short_stock' AND closed_at IS NULL AND expected_on IS NULL
 ORDER BY fulfilment_id
"""


async def tell_later(order_id: UUID) -> None:
    """Have it told of an order, once its parcels have begun, what of them is short."""
    await outbox.add("flows.tell_of_shortage", {"order_id": str(order_id)}, order_id=order_id)


async def tell_of_shortage(order_id: UUID) -> None:
    """Let the reactions to a detour run for every parcel of an order that is short of stock now.

    Each of them does its part once, so telling again changes nothing. The caller is in a
    transaction.
    """
    for case in await db.rows(BORN_SHORT, order_id):
        await journey.announce(
            "detour_opened",
            [case["fulfilment_id"]],
            actor=Actor.system("flows.short_stock"),
            data={
                "kind": "short_stock",
                "case_id": str(case["id"]),
                "reason": case["reason"],
                "detail": case["detail"],
                "expected_on": None,
                "lines": [],
            },
        )


@job("flows.tell_of_shortage", timeout=20)
@db.transactional
async def tell_of_shortage_later(payload: dict[str, Any]) -> None:
    """Tell what of an order is short of stock: {order_id}."""
    await tell_of_shortage(UUID(payload["order_id"]))
    await outbox.done()
