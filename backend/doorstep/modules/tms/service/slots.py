"""When a delivery may be chosen, and how much room promises have left in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from doorstep.core import db
from doorstep.modules.tms.rules import slots as rules

# A slot that is no longer offered stays where promises were made by it; its row is kept.
SLOTS = """
SELECT id, weekday, from_time, until_time, capacity, lead_minutes FROM delivery_slot
 WHERE channel_id = $1 AND active ORDER BY weekday, from_time
"""

# The newest promise of every other parcel that still travels; a delivery that is over has used its room.
TAKEN = """
SELECT w.from_at, w.until_at FROM delivery_window w JOIN fulfilment f ON f.id = w.fulfilment_id
 WHERE f.channel_id = $1 AND f.ended_as IS NULL AND w.fulfilment_id <> $2
   AND w.until_at > $3 AND w.from_at < $4
   AND NOT EXISTS (SELECT FROM delivery_window later
                    WHERE later.fulfilment_id = w.fulfilment_id AND later.n > w.n)
"""


@db.transactional
async def save_slots(channel_id: UUID, slots: Sequence[rules.Slot]) -> None:
    """Offer exactly these windows from now on; promises made by others stand.

    Raises: SlotsNotUsable.
    """
    rules.check(slots)
    # By turns, so that two desks do not offer both their lists.
    await db.execute("SELECT FROM channel WHERE id = $1 FOR NO KEY UPDATE", channel_id)
    await db.execute("UPDATE delivery_slot SET active = false WHERE channel_id = $1", channel_id)
    await db.execute_many(
        "INSERT INTO delivery_slot (id, channel_id, weekday, from_time, until_time, capacity,"
        " lead_minutes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (one.id, channel_id, one.weekday, one.from_time, one.until_time, one.capacity,
             one.lead_minutes)
            for one in slots
        ],
    )  # fmt: skip


async def slots_of(channel_id: UUID) -> list[rules.Slot]:
    """List the windows that a channel offers, by weekday and hour."""
    return [rules.Slot(**row) for row in await db.rows(SLOTS, channel_id)]


async def lock_slot(slot_id: UUID) -> None:
    """Let nobody else choose this slot until the transaction ends."""
    await db.execute("SELECT FROM delivery_slot WHERE id = $1 FOR NO KEY UPDATE", slot_id)


async def taken(
    channel_id: UUID, beside: UUID, since: datetime, until: datetime
) -> list[rules.Span]:
    """List the windows promised between two moments, but for one parcel's own."""
    rows = await db.rows(TAKEN, channel_id, beside, since, until)
    return [rules.Span(row["from_at"], row["until_at"]) for row in rows]


async def promised(fulfilment_id: UUID) -> rules.Span | None:
    """Tell which window a parcel is promised for; None where none is, or none any more."""
    row = await db.row(
        "SELECT from_at, until_at FROM delivery_window WHERE fulfilment_id = $1"
        " ORDER BY n DESC LIMIT 1",
        fulfilment_id,
    )
    return rules.Span(row["from_at"], row["until_at"]) if row and row["from_at"] else None
