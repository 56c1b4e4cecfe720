"""Prices of extras: versioned, never changed, so that a price once shown is the one charged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.fsm.extra_rules import Price
from doorstep.modules.fsm.refusals import PartUnknown, PriceNotNamed, PriceNotTimed
from doorstep.modules.fsm.schemas import PriceIn

# Of each thing the newest version that had begun by $2; that of a later moment waits beside it.
HOLDING = """
SELECT DISTINCT ON (p.channel_id, p.code) p.*, c.currency, t.sku
  FROM service_price p
  JOIN channel c ON c.id = p.channel_id
  LEFT JOIN product t ON t.id = p.product_id
 WHERE p.channel_id = ANY ($1) AND p.valid_from <= $2
 ORDER BY p.channel_id, p.code, p.version DESC
"""

NAMED = """
SELECT p.id, p.code, p.price_minor, p.tax_basis_points, p.product_id,
       (SELECT min(x.valid_from) FROM service_price x
         WHERE x.channel_id = p.channel_id AND x.code = p.code AND x.version > p.version
           AND x.valid_from <= $3) AS held_since,
       coalesce(p.valid_until <= $3, false) AS ended
  FROM service_price p WHERE p.channel_id = $1 AND p.id = ANY ($2)
"""

KEPT = ("names", "unit", "price_minor", "tax_basis_points", "product_id", "valid_until")


@db.transactional
async def save_price(price: PriceIn, set_by: UUID | None) -> UUID:
    """Write a new version of a price; return its id. What holds already makes no new one.

    The caller has looked whether the channel is the actor's.

    Raises: PriceNotNamed, PriceNotTimed, PartUnknown.
    """
    key = f"service_price:{price.channel_id}:{price.code}"
    await db.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    channel = await db.one(
        "SELECT languages, tax_basis_points FROM channel WHERE id = $1", price.channel_id
    )
    if unnamed := [one for one in channel["languages"] if one not in price.names]:
        raise PriceNotNamed(languages=unnamed)
    begins = price.valid_from or now()
    if price.valid_until is not None and price.valid_until <= begins:
        raise PriceNotTimed
    own_tax = price.tax_basis_points
    wanted = {
        "names": price.names,
        "unit": price.unit,
        "price_minor": price.price_minor,
        "tax_basis_points": channel["tax_basis_points"] if own_tax is None else own_tax,
        "product_id": await product_of(price.sku) if price.sku else None,
        "valid_until": price.valid_until,
    }
    last = await db.row(
        "SELECT * FROM service_price WHERE channel_id = $1 AND code = $2"
        " ORDER BY version DESC LIMIT 1",
        price.channel_id,
        price.code,
    )
    if last and last["valid_from"] <= begins and {name: last[name] for name in KEPT} == wanted:
        same: UUID = last["id"]
        return same
    new_id = uuid7()
    await db.execute(
        "INSERT INTO service_price (id, channel_id, code, version, names, unit, price_minor,"
        " tax_basis_points, product_id, valid_until, valid_from, set_by, set_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        new_id,
        price.channel_id,
        price.code,
        last["version"] + 1 if last else 1,
        *wanted.values(),
        begins,
        set_by,
        now(),
    )
    return new_id


async def product_of(sku: str) -> UUID:
    """Find a product. Raises: PartUnknown."""
    found: UUID | None = await db.value("SELECT id FROM product WHERE sku = $1", sku)
    if found is None:
        raise PartUnknown(sku=sku)
    return found


async def holding(channel_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """List the prices that hold now in these channels, by code; what has ended is left out."""
    moment = now()
    rows = await db.rows(HOLDING, list(channel_ids), moment)
    return [row for row in rows if row["valid_until"] is None or row["valid_until"] > moment]


async def named(
    channel_id: UUID, price_ids: Collection[UUID], captured_at: datetime
) -> dict[UUID, Price]:
    """Read versions of a channel by their ids, as they stood when something was captured."""
    rows = await db.rows(NAMED, channel_id, list(price_ids), captured_at)
    return {row.pop("id"): Price(**row) for row in rows}
