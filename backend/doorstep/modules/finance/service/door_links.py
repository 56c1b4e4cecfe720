"""Payment links of the door: asked for once, made by the gateway, paid by its word alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now

_KEEP = """
INSERT INTO door_link (id, order_id, fulfilment_id, stop_id, person_id, reference, amount_minor,
                       currency, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# One that can still be paid, or is just being made.
_LIVING = """
SELECT id FROM door_link
 WHERE stop_id = $1 AND amount_minor = $2 AND refused = '' AND paid_minor = 0
   AND coalesce(expires_at > $3, true)
 ORDER BY asked_at DESC LIMIT 1
"""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the gateway, and for whom."""

    id: UUID
    order_id: UUID
    fulfilment_id: UUID
    stop_id: UUID
    person_id: UUID
    reference: str
    amount_minor: int
    currency: str


async def find(link_id: UUID) -> dict[str, Any] | None:
    """Read a link that was asked for under this id."""
    return await db.row("SELECT * FROM door_link WHERE id = $1", link_id)


async def living(stop_id: UUID, amount_minor: int) -> UUID | None:
    """Find the link of a stop that can still be paid with this amount."""
    found: UUID | None = await db.value(_LIVING, stop_id, amount_minor, now())
    return found


async def keep(link: Link) -> None:
    """Keep that a link is wanted; its event id is its key."""
    await db.execute(_KEEP, *msgspec.structs.astuple(link), now())


async def made(link_id: UUID, url: str, expires_at: datetime) -> None:
    """Keep what the gateway has made."""
    await db.execute(
        "UPDATE door_link SET url = $2, expires_at = $3 WHERE id = $1", link_id, url, expires_at
    )


async def refused(link_id: UUID, why: str) -> None:
    """Keep that the gateway makes none."""
    await db.execute("UPDATE door_link SET refused = $2 WHERE id = $1", link_id, why[:300])


async def captured(reference: str, amount_minor: int) -> None:
    """Count what the gateway has captured; the caller holds the order's lock and counts it once."""
    await db.execute(
        "UPDATE door_link SET paid_minor = paid_minor + $2 WHERE reference = $1",
        reference,
        amount_minor,
    )


async def paid_of(fulfilment_id: UUID) -> int:
    """Tell what was paid by links for a parcel."""
    found: int = await db.value(
        "SELECT coalesce(sum(paid_minor), 0)::bigint FROM door_link WHERE fulfilment_id = $1",
        fulfilment_id,
    )
    return found
