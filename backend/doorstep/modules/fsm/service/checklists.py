"""Checklists: versioned, never changed, so a phone may answer the version it had."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.schemas import Checklist


@db.transactional
async def save_checklist(product_id: UUID | None, checklist: Checklist) -> UUID:
    """Write a new version of a product's checklist (None: of goods without one); return its id.

    The same content as the current version makes no new one.

    Raises: ChecklistNotMade.
    """
    rules.check_checklist(checklist)
    # Two people who write the same product's checklist at once get two versions, in turn.
    await db.value(
        "SELECT pg_advisory_xact_lock(hashtextextended('checklist:' || coalesce($1::text, ''), 0))",
        product_id and str(product_id),
    )
    current = await db.row(
        "SELECT id, version, title, minutes, items, photo_slots, demo_topics FROM checklist"
        " WHERE product_id IS NOT DISTINCT FROM $1 ORDER BY version DESC LIMIT 1",
        product_id,
    )
    if current is not None and _read(current) == checklist:
        found: UUID = current["id"]
        return found
    new_id = uuid7()
    await db.execute(
        "INSERT INTO checklist (id, product_id, version, title, minutes, items, photo_slots,"
        " demo_topics, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new_id,
        product_id,
        current["version"] + 1 if current else 1,
        checklist.title,
        checklist.minutes,
        msgspec.to_builtins(checklist.items),
        checklist.photo_slots,
        msgspec.to_builtins(checklist.demo_topics),
        now(),
    )
    return new_id


async def current_checklists(product_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, Checklist]]:
    """Read the newest checklist of each product, or the general one: product → (id, checklist)."""
    found = await db.rows(
        "SELECT p.id AS wanted, c.* FROM unnest($1::uuid[]) AS p (id) CROSS JOIN LATERAL"
        " (SELECT * FROM checklist c WHERE c.product_id = p.id OR c.product_id IS NULL"
        "  ORDER BY c.product_id IS NULL, c.version DESC LIMIT 1) c",
        list(product_ids),
    )
    return {row["wanted"]: (row["id"], _read(row)) for row in found}


async def checklists_by_id(checklist_ids: Collection[UUID]) -> dict[UUID, rules.Known]:
    """Read the versions that a report has answered; unknown ones are left out."""
    found = await db.rows("SELECT * FROM checklist WHERE id = ANY ($1)", list(checklist_ids))
    return {row["id"]: rules.Known(row["product_id"], _read(row)) for row in found}


def _read(row: db.Row) -> Checklist:
    return msgspec.convert({name: row[name] for name in Checklist.__struct_fields__}, Checklist)
