"""Floor people: stock that is not as the books say, and counting shelves blind."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.doors.adjustments import PROPOSAL_REFUSALS, AdjustmentOut, told
from doorstep.doors.field.receiving import FinishIn
from doorstep.flows import adjust, count
from doorstep.flows.announce import LocationMissing
from doorstep.modules.wms.schemas import AdjustmentIn, CountEntry
from doorstep.modules.wms.service import counts

TAGS = ["warehouse"]

# What the books say stands nowhere in it: the count is blind.
OPEN_COUNTS = """
SELECT c.id, c.number, c.why, c.opened_by IS NULL AS by_rule, c.due_on,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'id', l.id, 'sku', p.sku, 'name', p.name, 'barcode', p.barcode, 'serialised', p.serialised,
      'owner', coalesce(v.name, ''), 'grade', l.grade, 'bin', coalesce(b.code, ''),
      'counted', l.entry_id IS NOT NULL,
      'found', (SELECT e.quantity FROM count_entry e WHERE e.id = l.entry_id),
      'again', l.entry_id IS NULL AND EXISTS (SELECT FROM count_entry e WHERE e.line_id = l.id))
      ORDER BY bin_order(b.code) NULLS LAST, p.sku, v.name, l.grade, l.id)
     FROM cycle_count_line l JOIN product p ON p.id = l.product_id
     LEFT JOIN bin b ON b.location_id = c.location_id AND b.product_id = p.id
     LEFT JOIN vendor v ON v.id = l.owner_id
    WHERE l.count_id = c.id), '[]') AS lines
  FROM cycle_count c WHERE c.location_id = $1 AND c.state = 'open' ORDER BY c.opened_at, c.id LIMIT 50
"""


class CountLineOut(Struct, kw_only=True):
    """A shelf to be counted; `owner` is empty for our own goods.

    `found` is what was counted there; `again`: goods moved while it was counted, so that it says nothing.
    """

    id: UUID
    sku: str
    name: str
    barcode: str
    serialised: bool
    owner: str
    grade: str
    bin: str
    counted: bool
    found: int | None = None
    again: bool = False


class OpenCountOut(Struct, kw_only=True):
    """Shelves to be counted here: what lies there, and what is packed and waits for its carrier.

    `why` are words of a desk, or, `by_rule`, of the rule that makes the day's count.
    """

    id: UUID
    number: str
    why: str
    by_rule: bool = False
    due_on: date
    lines: list[CountLineOut]


class CountEntriesIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was counted, in its order; each entry has its own id, so a batch may be sent again."""

    entries: Annotated[list[CountEntry], Meta(min_length=1, max_length=50)]


class CountEntryOut(Struct):
    """`kept`, or `again`: goods moved while they were counted, so that the shelf is counted anew."""

    event_id: UUID
    verdict: str


class CountEntriesOut(Struct):
    """One answer per entry, in the order of the request; none tells what the books say."""

    entries: list[CountEntryOut]


class CountedShelf(Struct):
    """A shelf after the count: how far the books were wrong, and what became of it."""

    sku: str
    grade: str
    difference: int
    missing_serials: list[str]
    extra_serials: list[str]
    adjustments: list[AdjustmentOut]


class CountOut(Struct):
    """A finished count."""

    id: UUID
    state: str
    lines: list[CountedShelf]


@post(
    "/field/adjustments",
    operation_id="reportAdjustment",
    opt=needs("wms:stock:propose"),
    status_code=200,
    responses=problems(*PROPOSAL_REFUSALS),
    tags=TAGS,
)
async def report_adjustment(data: AdjustmentIn, actor: Actor) -> AdjustmentOut:
    """Say that a shelf of one's location holds more, fewer or other pieces than the books say.

    The ordinary adjustment approves itself and is booked; the others wait for a second person.
    """
    if actor.location_id is None:
        raise LocationMissing
    return told(await adjust.propose(actor.location_id, data, actor=actor))


@get(
    "/field/counts",
    operation_id="listOpenCounts",
    opt=needs("wms:count:write"),
    tags=TAGS,
)
async def list_open_counts(actor: Actor) -> list[OpenCountOut]:
    """List the shelves that are to be counted at the person's location, oldest count first."""
    if actor.location_id is None:
        return []
    rows: list[dict[str, Any]] = await db.rows(OPEN_COUNTS, actor.location_id)
    return msgspec.convert(rows, list[OpenCountOut])


@post(
    "/field/counts/{count_id:uuid}/entries",
    operation_id="addCountEntries",
    opt=needs("wms:count:write"),
    status_code=200,
    responses=problems(
        counts.CountMissing, counts.CountFinished, counts.SerialsNotCounted, EventIdReused
    ),
    tags=TAGS,
)
async def add_count_entries(count_id: UUID, data: CountEntriesIn, actor: Actor) -> CountEntriesOut:
    """Hand in what was counted; what moved meanwhile is no difference."""
    kept = await count.keep_entries(count_id, data.entries, actor=actor)
    return CountEntriesOut([CountEntryOut(*one) for one in kept])


@post(
    "/field/counts/{count_id:uuid}/finish",
    operation_id="finishCount",
    opt=needs("wms:count:write"),
    status_code=200,
    responses=problems(
        counts.CountMissing, counts.CountFinished, counts.LinesNotCounted, EventIdReused
    ),
    tags=TAGS,
)
async def finish_count(count_id: UUID, data: FinishIn, actor: Actor) -> CountOut:
    """End a count: its differences are shown now, and become stock adjustments."""
    outcomes = await count.finish(
        data.event_id, count_id, actor=actor, captured_at=data.captured_at
    )
    lines = [
        CountedShelf(
            one.line.sku,
            one.line.grade,
            one.line.difference,
            one.line.missing_serials,
            one.line.extra_serials,
            [told(adjustment) for adjustment in one.adjustments],
        )
        for one in outcomes
    ]
    return CountOut(count_id, "finished", lines)


handlers = [report_adjustment, list_open_counts, add_count_entries, finish_count]
"""The routes of this door."""
