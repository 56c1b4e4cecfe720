"""Some pieces of a delivered parcel are sent anew, and the rest stays with the customer.

They go into a parcel of their own, which then ends as `replaced` with all that follows from that: the
pieces are expected back, and the same goods are routed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.flows.came_back import keep_to_what_stays
from doorstep.flows.split import LINES, add_up, split_off

ANSWERED = frozenset({"dead_on_arrival", "hidden_damage"})
"""Reasons of a replacement that are a detour of their own: it answers them."""

REPORTED = """
SELECT d.fulfilment_id FROM detour_case d JOIN fulfilment f ON f.order_id = d.order_id
 WHERE d.id = $1 AND f.id = $2 AND d.kind = 'replaced'
"""


async def reported(event_id: UUID, fulfilment_id: UUID) -> UUID | None:
    """Tell into which parcel this report has taken pieces of the named one before; None if it is new."""
    found: UUID | None = await db.value(REPORTED, event_id, fulfilment_id)
    return found


async def is_part(fulfilment: dict[str, Any], lines: Sequence[journey.Quantity]) -> bool:
    """Tell whether these pieces are with the customer, and others of the parcel stay there."""
    if fulfilment["state"] != "open" or 1013 not in fulfilment["passed"]:
        return False
    named = add_up(lines)
    return any(
        row["id"] not in named or named[row["id"]].quantity < row["quantity"]
        for row in await db.rows(LINES, fulfilment["id"])
    )


async def split(
    event_id: UUID,
    fulfilment: dict[str, Any],
    lines: Sequence[journey.Quantity],
    reason: str,
    *,
    actor: Actor,
) -> UUID:
    """Take these pieces of a delivered parcel, whose lock is held, into one that can be replaced.

    What the customer or the technician had reported of them is settled with it.
    """
    parcel_id = await split_off(fulfilment, add_up(lines), before=1014, actor=actor)
    await keep_to_what_stays(fulfilment)
    await _answer(event_id, fulfilment["id"], reason, actor)
    return parcel_id


async def _answer(event_id: UUID, fulfilment_id: UUID, reason: str, actor: Actor) -> None:
    """Settle what the customer or the technician had reported: these pieces were meant."""
    open_still = (
        "SELECT true FROM detour_case WHERE fulfilment_id = $1 AND kind = $2 AND closed_at IS NULL"
    )
    if reason in ANSWERED and await db.value(open_still, fulfilment_id, reason):
        await journey.settle_detour(
            journey.derived_id(fulfilment_id, f"replaced:{event_id}"),
            fulfilment_id,
            reason,
            actor=actor,
        )
