"""After the payment: the holds of a fulfilment become allocations (stage 1003)."""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import outbox
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import approvals
from doorstep.modules.wms.service import stock


async def turn_holds_into_allocations(fact: journey.Fact) -> None:
    """Allocate what intake has held, and pass 1003; goods that are gone are routed again.

    A parcel without a place waits until there is stock (`flows.source_short`). A reservation that
    waits for an approval is allocated when that comes ("reservation_approved").
    """
    if fact.fulfilment["location_id"] is None:
        return
    if not await approvals.reservation_approved(fact.order_id):
        return
    try:
        await allocate(fact.fulfilment_id, fact.attempt, request_id=fact.actor.request_id)
    except stock.HoldLost:
        await outbox.add(
            "flows.route_again",
            {"fulfilment_id": str(fact.fulfilment_id), "event_id": str(uuid7())},
            order_id=fact.order_id,
        )


async def allocate(fulfilment_id: UUID, attempt: int, *, request_id: str = "") -> None:
    """Turn the holds of a fulfilment into allocations and pass 1003.

    Raises: HoldLost when a line has no hold; then nothing has changed.
    """
    reservations = await stock.allocate(fulfilment_id)
    await journey.advance(
        journey.derived_id(fulfilment_id, "1003", attempt),
        fulfilment_id,
        1003,
        actor=Actor.system("allocate", request_id=request_id),
        evidence=[journey.Evidence("allocation", str(one)) for one in reservations],
    )
