"""Manuals: versioned, a page of text that phones keep, so that it is read without a network."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.fsm.refusals import ManualNotInEnglish
from doorstep.modules.fsm.schemas import ManualIn
from doorstep.modules.fsm.service.prices import product_of

# One that was taken back is none.
CURRENT = """
SELECT m.product_id AS id, p.sku, p.name AS model, m.version, m.texts, m.link, m.written_at
  FROM (SELECT DISTINCT ON (product_id) * FROM manual
         WHERE $1::uuid[] IS NULL OR product_id = ANY ($1)
         ORDER BY product_id, version DESC) m
  JOIN product p ON p.id = m.product_id
 WHERE m.texts <> '{}' OR m.link <> ''
 ORDER BY p.sku
"""


@db.transactional
async def save_manual(manual: ManualIn, written_by: UUID | None) -> int:
    """Write a new version of a product's manual; return its number. The same again makes no new one.

    Raises: PartUnknown, ManualNotInEnglish.
    """
    if manual.texts and "en" not in manual.texts:
        raise ManualNotInEnglish
    product_id = await product_of(manual.sku)
    key = f"manual:{product_id}"
    await db.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    last = await db.row(
        "SELECT version, texts, link FROM manual WHERE product_id = $1"
        " ORDER BY version DESC LIMIT 1",
        product_id,
    )
    version: int = last["version"] if last else 0
    if last and (last["texts"], last["link"]) == (manual.texts, manual.link):
        return version
    await db.execute(
        "INSERT INTO manual (id, product_id, version, texts, link, written_by, written_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        uuid7(),
        product_id,
        version + 1,
        manual.texts,
        manual.link,
        written_by,
        now(),
    )
    return version + 1


async def current_manuals(product_ids: list[UUID] | None = None) -> list[dict[str, Any]]:
    """Read the newest manual of these products, or of all."""
    return await db.rows(CURRENT, product_ids)
