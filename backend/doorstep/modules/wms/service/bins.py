"""Where goods lie within a place: the order in which pickers walk (SPEC J1005)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now

SAVE = """
INSERT INTO bin (location_id, product_id, code, changed_by, changed_at)
SELECT $1, w.product_id, w.code, $4, $5 FROM unnest($2::uuid[], $3::text[]) AS w (product_id, code)
 WHERE w.code <> ''
ON CONFLICT ON CONSTRAINT bin_pkey DO UPDATE
   SET code = excluded.code, changed_by = excluded.changed_by, changed_at = excluded.changed_at
 WHERE bin.code <> excluded.code
"""

CLEAR = "DELETE FROM bin WHERE location_id = $1 AND product_id = ANY ($2)"


@db.transactional
async def save_bins(location_id: UUID, codes: Mapping[UUID, str], by: UUID | None) -> None:
    """Say where products lie at a place; an empty code means that nobody knows. Others stay as they are."""
    await db.execute(CLEAR, location_id, [product for product, code in codes.items() if not code])
    await db.execute(SAVE, location_id, list(codes), list(codes.values()), by, now())
