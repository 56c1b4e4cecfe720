"""Taking pieces of a parcel into one of their own, so that they can go another way than the rest.

The new parcel stands on the same purchase order, so that V3 to V6 wait for it (SPEC J, "PO and
fulfilment"); it has passed what its goods have passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.modules.crm import service as crm
from doorstep.modules.wms.service import custody

LINES = """
SELECT l.id, l.order_line_id, l.product_id, l.quantity, p.needs_install,
       p.warranty_months > 0 AS has_warranty,
       array(SELECT u.serial FROM unit u WHERE u.fulfilment_line_id = l.id ORDER BY u.serial)
         AS serials
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1 ORDER BY l.id
"""

PASSED = """
SELECT DISTINCT ON (stage) stage, how FROM journey_event
 WHERE fulfilment_id = $1 AND kind = 'stage' AND stage > 1001 AND stage < $3 AND stage = ANY ($2)
 ORDER BY stage, attempt DESC
"""


class Pieces(NamedTuple):
    """So many pieces of a line; `serials` name those that must be among them."""

    quantity: int
    serials: Sequence[str] = ()


class Named(Protocol):
    """Pieces of a line as a phone or a desk names them."""

    @property
    def fulfilment_line_id(self) -> UUID: ...
    @property
    def quantity(self) -> int: ...
    @property
    def serials(self) -> Sequence[str]: ...


def add_up(named: Iterable[Named]) -> dict[UUID, Pieces]:
    """Add up the pieces of each line, which may be named more than once."""
    found: dict[UUID, Pieces] = {}
    for one in named:
        had = found.get(one.fulfilment_line_id, Pieces(0))
        found[one.fulfilment_line_id] = Pieces(
            had.quantity + one.quantity, (*had.serials, *one.serials)
        )
    return found


async def split_off(
    fulfilment: dict[str, Any], goods: Mapping[UUID, Pieces], *, before: int, actor: Actor
) -> UUID:
    """Begin a parcel of these pieces, by line of the old one; return its id.

    It has settled the stages before `before` as the old one has. The caller holds the old one's lock,
    has checked that it carries the pieces, and leaves it something.
    """
    rows = {row["id"]: row for row in await db.rows(LINES, fulfilment["id"])}
    lines = {
        line_id: journey.BornLine(
            order_line_id=rows[line_id]["order_line_id"],
            product_id=rows[line_id]["product_id"],
            quantity=pieces.quantity,
        )
        for line_id, pieces in goods.items()
        if pieces.quantity < rows[line_id]["quantity"]
    }
    passed = await db.rows(PASSED, fulfilment["id"], fulfilment["passed"], before)
    born = journey.Born(
        parcel=await journey.next_parcel(fulfilment["order_id"]),
        lines=tuple(lines.values()),
        location_id=fulfilment["location_id"],
        owner_id=fulfilment["owner_id"],
        po_id=fulfilment["po_id"],
        needs_install=any(rows[line_id]["needs_install"] for line_id in goods),
        has_warranty=any(rows[line_id]["has_warranty"] for line_id in goods),
        collection=False,
        passed=tuple((row["stage"], row["how"]) for row in passed),
    )
    await journey.begin(born, fulfilment, actor=actor)
    for line_id, pieces in goods.items():
        if line_id not in lines:
            await journey.move_line(line_id, born.id)
            await crm.move_warranties(line_id, born.id)
            continue
        await journey.shorten_line(line_id, rows[line_id]["quantity"] - pieces.quantity)
        await custody.split(line_id, lines[line_id].id, pieces.quantity, pieces.serials)
    return born.id
