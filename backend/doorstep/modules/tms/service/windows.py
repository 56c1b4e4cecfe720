"""When deliveries are promised: each promise is kept, the newest holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.modules.tms.schemas import Window


async def keep_window(
    event_id: UUID,
    order_id: UUID,
    fulfilment_id: UUID,
    window: Window | None,
    reason: str,
    set_by: UUID | None,
) -> bool:
    """Promise a window, or none any more; False when this event has done so before.

    The caller holds the parcel's lock.

    Raises: EventIdReused for another parcel's event.
    """
    known = await db.value("SELECT fulfilment_id FROM delivery_window WHERE id = $1", event_id)
    if known is not None:
        if known != fulfilment_id:
            raise EventIdReused(str(event_id))
        return False
    await db.execute(
        "INSERT INTO delivery_window (id, order_id, fulfilment_id, n, from_at, until_at, reason,"
        " set_by, set_at) SELECT $1, $2, $3, count(*) + 1, $4, $5, $6, $7, $8"
        " FROM delivery_window WHERE fulfilment_id = $3",
        event_id,
        order_id,
        fulfilment_id,
        window.from_at if window else None,
        window.until_at if window else None,
        reason,
        set_by,
        now(),
    )
    return True


async def windows_of(fulfilment_id: UUID) -> list[dict[str, Any]]:
    """List what was promised of a parcel, newest first, with who said so."""
    return await db.rows(
        "SELECT w.id, w.from_at, w.until_at, w.reason, w.set_at, p.name AS set_by"
        " FROM delivery_window w LEFT JOIN person p ON p.id = w.set_by"
        " WHERE w.fulfilment_id = $1 ORDER BY w.n DESC LIMIT 100",
        fulfilment_id,
    )
