"""A part of a delivered parcel has come back: what was still to be done for it is done no more.

The rest stays with the customer and goes on. Without this a parcel whose washing machine came back
would wait for its installation for ever, and the machine's warranty would hold beside the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.modules.crm import service as crm
from doorstep.modules.fsm import service as fsm

# Of a fulfilment_line named l: the pieces of it that were received back.
PIECES_BACK = """(SELECT coalesce(sum(x.received), 0)::int
   FROM expected_arrival a JOIN expected_line x ON x.arrival_id = a.id
  WHERE a.fulfilment_id = l.fulfilment_id AND x.fulfilment_line_id = l.id)"""

STAYS = f"""
SELECT coalesce(bool_or(p.needs_install), false) AS needs_install,
       coalesce(bool_or(p.warranty_months > 0), false) AS has_warranty
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1 AND l.quantity > {PIECES_BACK}
"""  # noqa: S608 - a constant of this file

# Per warranty how many pieces it still covers: its own unit, or what has no unit of its own.
COVERS = f"""
SELECT w.id,
       CASE WHEN w.unit_id IS NOT NULL
            THEN (u.fulfilment_line_id = l.id AND u.state <> 'scrapped')::int
            ELSE l.quantity - {PIECES_BACK} - (
              SELECT count(*)::int FROM unit o WHERE o.fulfilment_line_id = l.id AND o.state <> 'scrapped')
       END AS pieces
  FROM warranty w JOIN fulfilment_line l ON l.id = w.fulfilment_line_id
  LEFT JOIN unit u ON u.id = w.unit_id
 WHERE w.fulfilment_id = $1 AND w.state <> 'void'
"""  # noqa: S608 - a constant of this file


CLAIMED_AND_GONE = """
SELECT c.id FROM warranty_claim c JOIN warranty w ON w.id = c.warranty_id
 WHERE w.fulfilment_id = $1 AND w.state = 'void'
"""


async def let_go(fact: journey.Fact) -> None:
    """Let a parcel of which a part came back be only what stays."""
    await keep_to_what_stays(fact.fulfilment)


async def keep_to_what_stays(fulfilment: Mapping[str, Any]) -> None:
    """End the warranties of what is gone, and the visit if nothing is left to install.

    Stages that a parcel has passed stay passed; those that are to come apply to what stays.
    """
    parcel, passed = fulfilment["id"], fulfilment["passed"]
    covers = {row["id"]: row["pieces"] or 0 for row in await db.rows(COVERS, parcel)}
    await crm.lessen_warranties(covers)
    await call_off_repairs(parcel)
    stays = await db.one(STAYS, parcel)
    await journey.set_flags(
        parcel,
        needs_install=fulfilment["needs_install"] and (1015 in passed or stays["needs_install"]),
        has_warranty=fulfilment["has_warranty"] and (1018 in passed or stays["has_warranty"]),
    )
    if not stays["needs_install"]:
        await fsm.drop_visit(parcel, "cancelled")


async def call_off_repairs(fulfilment_id: UUID) -> None:
    """Call off the visits for goods of a parcel that went back, and are under warranty no more."""
    rows = await db.rows(CLAIMED_AND_GONE, fulfilment_id)
    await fsm.drop_visits_of_claims([row["id"] for row in rows])
