"""Extras that customers have agreed to at a visit, and the parts on the vans that they use up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.core.ids import uuid7
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.extra_rules import Judged, Price
from doorstep.modules.fsm.refusals import NothingMoved
from doorstep.modules.fsm.schemas import PartsMoved, VisitExtras

ON_VANS = """
SELECT m.technician_id, t.name AS technician, p.sku, p.name, sum(m.quantity)::int AS quantity
  FROM part_movement m
  JOIN product p ON p.id = m.product_id
  JOIN person t ON t.id = m.technician_id
 WHERE m.technician_id = ANY ($1)
 GROUP BY m.technician_id, t.name, p.sku, p.name
HAVING sum(m.quantity) <> 0
 ORDER BY t.name, m.technician_id, p.sku
"""


async def keep_extras(
    actor: Actor,
    visit: Mapping[str, Any],
    told: VisitExtras,
    judged: Judged,
    prices: Mapping[UUID, Price],
) -> None:
    """Keep what was agreed, with its lines, and take the parts off the technician's van.

    Its event id is its key; the caller holds the order's lock and has looked for it.
    """
    sign_off = told.sign_off
    await db.execute(
        "INSERT INTO visit_extra (id, order_id, fulfilment_id, visit_id, technician_id, device_id,"
        " currency, charged_minor, shown_minor, signer_name, signature, signature_sha256,"
        " disagreements, captured_at, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        told.event_id,
        visit["order_id"],
        visit["fulfilment_id"],
        visit["id"],
        actor.person_id,
        actor.device_id,
        visit["currency"],
        judged.total,
        told.shown_minor,
        sign_off.name.strip() if sign_off else "",
        sign_off and sign_off.strokes,
        rules.hash_strokes(sign_off.strokes) if sign_off else None,
        judged.disagreements,
        told.captured_at,
        now(),
    )
    ids = [line.price_id for line in told.lines]
    await db.execute(
        "INSERT INTO visit_extra_line"
        " (extra_id, n, named_id, price_id, quantity, net_minor, tax_minor)"
        " SELECT $1, l.n, l.named, l.price, l.quantity, l.net, l.tax"
        " FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::bigint[])"
        "  WITH ORDINALITY AS l (named, price, quantity, net, tax, n)",
        told.event_id,
        ids,
        [one if one in prices else None for one in ids],
        [line.quantity for line in told.lines],
        [cost.net for cost in judged.costs],
        [cost.tax for cost in judged.costs],
    )
    used: Counter[UUID] = Counter()
    for line in told.lines:
        price = prices.get(line.price_id)
        if price is not None and price.product_id is not None:
            used[price.product_id] += line.quantity
    await db.execute(
        "INSERT INTO part_movement"
        " (id, technician_id, product_id, quantity, kind, extra_id, words, made_by, made_at)"
        " SELECT u.id, $1, u.product, -u.quantity, 'used', $2, '', $1, $3"
        " FROM unnest($4::uuid[], $5::uuid[], $6::int[]) AS u (id, product, quantity)",
        actor.person_id,
        told.event_id,
        now(),
        [uuid7() for _ in used],
        list(used),
        list(used.values()),
    )


@db.transactional
async def move_parts(
    technician_id: UUID, product_id: UUID, moved: PartsMoved, made_by: UUID | None
) -> None:
    """Put parts on a van or take them off; the same event id again changes nothing.

    Raises: NothingMoved, EventIdReused.
    """
    if moved.quantity == 0:
        raise NothingMoved
    new = await db.execute(
        "INSERT INTO part_movement"
        " (id, technician_id, product_id, quantity, kind, words, made_by, made_at)"
        " VALUES ($1, $2, $3, $4, 'loaded', $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        moved.event_id,
        technician_id,
        product_id,
        moved.quantity,
        moved.words,
        made_by,
        now(),
    )
    if new:
        return
    same = await db.value(
        "SELECT true FROM part_movement WHERE id = $1 AND technician_id = $2 AND product_id = $3"
        " AND quantity = $4",
        moved.event_id,
        technician_id,
        product_id,
        moved.quantity,
    )
    if not same:
        raise EventIdReused(str(moved.event_id))


async def on_vans(technician_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """List what these technicians have on their vans; less than nothing where books and van differ."""
    return await db.rows(ON_VANS, list(technician_ids))
