"""Cancelling: before dispatch the goods are free again, after it they are called back."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID, uuid5

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Refusal

LIVING = """
SELECT id, 1009 = ANY (passed) AS dispatched, 1013 = ANY (passed) AS delivered
  FROM fulfilment WHERE order_id = $1 AND state = 'open' ORDER BY parcel
"""


class NothingToCancel(Refusal):
    """Every parcel is delivered or has ended: what is wanted is a return."""

    title = "Nothing of this order can be cancelled any more."


class Cancelled(NamedTuple):
    """What became of each parcel that was cancelled."""

    fulfilment_id: UUID
    answer: journey.Answer


@db.transactional
async def cancel_order(
    order_id: UUID,
    event_id: UUID,
    *,
    reason: str,
    actor: Actor,
    detail: str = "",
    fulfilment_ids: list[UUID] | None = None,
) -> list[Cancelled]:
    """Cancel whatever of an order is not delivered yet, or only the named parcels of it.

    `reason` is one of the row `cancelled`. The same `event_id` again gives the same answers.

    Raises: NotFound outside the actor's sight; NothingToCancel; the engine's refusals.
    """
    await scope(actor).require_order(order_id)
    await db.execute("SELECT FROM customer_order WHERE id = $1 FOR NO KEY UPDATE", order_id)
    known = await _known(order_id, event_id)
    if known:
        return known
    chosen = [
        row
        for row in await db.rows(LIVING, order_id)
        if not row["delivered"] and (fulfilment_ids is None or row["id"] in fulfilment_ids)
    ]
    if not chosen:
        raise NothingToCancel(str(order_id))
    return [
        Cancelled(row["id"], await _cancel(row, event_id, reason, detail, actor)) for row in chosen
    ]


async def _cancel(
    row: dict[str, Any], event_id: UUID, reason: str, detail: str, actor: Actor
) -> journey.Answer:
    kind = "cancelled_after_dispatch" if row["dispatched"] else "cancelled"
    known = journey.DETOURS[kind].reasons
    return await journey.open_detour(
        _event_of(event_id, row["id"]),
        row["id"],
        kind,
        actor=actor,
        reason=reason if reason in known else "other",
        detail=detail,
    )


def _event_of(event_id: UUID, fulfilment_id: UUID) -> UUID:
    """Make the event of one parcel, since one request cancels several."""
    return uuid5(event_id, str(fulfilment_id))


async def _known(order_id: UUID, event_id: UUID) -> list[Cancelled]:
    rows = await db.rows(
        "SELECT f.id, f.progress FROM fulfilment f WHERE f.order_id = $1 ORDER BY parcel", order_id
    )
    known = []
    for row in rows:
        event = _event_of(event_id, row["id"])
        if await db.value("SELECT true FROM detour_case WHERE id = $1", event):
            answer = journey.Answer(journey.Verdict.APPLIED, "", event, 0, row["progress"])
            known.append(Cancelled(row["id"], answer))
    return known
