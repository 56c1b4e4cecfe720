"""Until stage 1003 a fulfilment may change its place, its owner and its goods (SPEC J readings)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.journey.engine import settle_detour, state_fact

MOVE = """
UPDATE fulfilment
   SET location_id = $2, owner_id = $3, needs_vendor = $3::uuid IS NOT NULL, needs_install = $4,
       has_warranty = $5
 WHERE id = $1 AND state = 'open' AND 1003 <> ALL (passed)
"""

KEEP_LINES = """
WITH gone AS (
  DELETE FROM fulfilment_line WHERE fulfilment_id = $1 AND id <> ALL ($2::uuid[])
)
UPDATE fulfilment_line l SET quantity = kept.quantity
  FROM unnest($2::uuid[], $3::int[]) AS kept (id, quantity)
 WHERE l.id = kept.id AND l.fulfilment_id = $1
"""

SHORT = """
SELECT true FROM detour_case
 WHERE fulfilment_id = $1 AND kind = 'short_stock' AND closed_at IS NULL
"""


class AlreadyAllocated(RuntimeError):
    """After 1003 only a replacement moves goods: a programming error."""


async def move_to(
    fulfilment_id: UUID,
    *,
    location_id: UUID,
    owner_id: UUID | None,
    needs_install: bool,
    has_warranty: bool,
    lines: Mapping[UUID, int],
    actor: Actor,
) -> None:
    """Let a fulfilment ship `lines` (id → quantity) from this place; other lines leave it.

    It is a fact of the chain (`rerouted`), and settles `short_stock`. The caller holds the lock.

    Raises: AlreadyAllocated.
    """
    if not await db.execute(
        MOVE, fulfilment_id, location_id, owner_id, needs_install, has_warranty
    ):
        raise AlreadyAllocated(str(fulfilment_id))
    await keep_lines(fulfilment_id, lines)
    await state_fact("rerouted", fulfilment_id, actor=actor, data={"location_id": str(location_id)})
    if await db.value(SHORT, fulfilment_id):
        system = Actor.system("routing", request_id=actor.request_id)
        await settle_detour(uuid7(), fulfilment_id, "short_stock", actor=system)


async def keep_lines(fulfilment_id: UUID, lines: Mapping[UUID, int]) -> None:
    """Let a fulfilment carry only these quantities of its lines (id → quantity)."""
    await db.execute(KEEP_LINES, fulfilment_id, list(lines), list(lines.values()))


async def leave_place(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Say that there is nothing to ship from yet; the goods are nobody's.

    Raises: AlreadyAllocated.
    """
    if not await db.execute(
        "UPDATE fulfilment SET location_id = NULL, owner_id = NULL, needs_vendor = false"
        " WHERE id = $1 AND state = 'open' AND 1003 <> ALL (passed)",
        fulfilment_id,
    ):
        raise AlreadyAllocated(str(fulfilment_id))
    await state_fact("rerouted", fulfilment_id, actor=actor, data={"location_id": None})


async def move_line(line_id: UUID, to_fulfilment_id: UUID) -> None:
    """Let a whole line travel in another fulfilment of its order, whose locks are held."""
    await db.execute(
        "UPDATE fulfilment_line SET fulfilment_id = $2 WHERE id = $1", line_id, to_fulfilment_id
    )


async def shorten_line(line_id: UUID, quantity: int) -> None:
    """Let a line carry only so many pieces; the others travel elsewhere."""
    await db.execute("UPDATE fulfilment_line SET quantity = $2 WHERE id = $1", line_id, quantity)


async def set_flags(fulfilment_id: UUID, *, needs_install: bool, has_warranty: bool) -> None:
    """Say anew which stages apply, after goods have left the fulfilment."""
    await db.execute(
        "UPDATE fulfilment SET needs_install = $2, has_warranty = $3 WHERE id = $1",
        fulfilment_id,
        needs_install,
        has_warranty,
    )
