"""Desks: adjustments that wait for a second person, cycle counts, checklists of the locations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.doors.adjustments import PROPOSAL_REFUSALS, AdjustmentOut, told
from doorstep.doors.console.arrivals import Sku
from doorstep.doors.field.shift import ShiftItem
from doorstep.flows import adjust, announce, count, shift
from doorstep.modules.wms.rules.adjusting import Policy
from doorstep.modules.wms.rules.shifts import Item
from doorstep.modules.wms.schemas import AdjustmentIn, Reason
from doorstep.modules.wms.service import adjustments, counts
from doorstep.modules.wms.service.shelf_changes import SerialsNotHere, StockPromised

TAGS = ["console"]

ADJUSTMENTS = """
SELECT a.id, l.code AS location, p.sku, v.name AS owner, a.grade, a.to_grade, a.quantity, a.serials,
       a.reason, a.words, a.photo_sha256, a.state, a.why, a.unit_cost_minor, a.currency,
       who.name AS proposed_by, a.proposed_at, decider.name AS decided_by, a.decided_at,
       a.decision_words
  FROM stock_adjustment a
  JOIN location l ON l.id = a.location_id
  JOIN product p ON p.id = a.product_id
  LEFT JOIN vendor v ON v.id = a.owner_id
  LEFT JOIN person who ON who.id = a.proposed_by
  LEFT JOIN person decider ON decider.id = a.decided_by
 WHERE ($1::text IS NULL OR a.state = $1) AND {scope}
 ORDER BY a.proposed_at DESC LIMIT $2
"""

COUNTS = """
SELECT c.id, c.number, l.code AS location, c.state, c.why, c.due_on, c.opened_at, c.finished_at,
       count(x.id)::int AS shelves, count(x.entry_id)::int AS counted,
       coalesce(jsonb_agg(jsonb_build_object('sku', p.sku, 'owner', coalesce(v.name, ''),
         'grade', x.grade, 'difference', x.difference, 'missing_serials', x.missing_serials,
         'extra_serials', x.extra_serials) ORDER BY p.sku)
         FILTER (WHERE x.difference <> 0 OR x.missing_serials <> '{{}}'), '[]') AS differences
  FROM cycle_count c
  JOIN location l ON l.id = c.location_id
  JOIN cycle_count_line x ON x.count_id = c.id
  JOIN product p ON p.id = x.product_id
  LEFT JOIN vendor v ON v.id = x.owner_id
 WHERE ($1::text IS NULL OR c.state = $1) AND {scope}
 GROUP BY c.id, l.code ORDER BY c.opened_at DESC LIMIT $2
"""

Limit = Annotated[int, QueryParameter(ge=1, le=500)]


class AdjustmentRow(Struct, kw_only=True):
    """A stock adjustment with everything that a second person decides by."""

    id: UUID
    location: str
    sku: str
    owner: str | None
    grade: str
    to_grade: str | None
    quantity: int
    serials: list[str]
    reason: str
    words: str
    photo_sha256: str | None
    state: str
    why: str
    unit_cost_minor: int | None
    currency: str
    proposed_by: str | None
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_words: str


class DeskAdjustmentIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """An adjustment at a location of the desk's channels."""

    location_id: UUID
    adjustment: AdjustmentIn


class DecisionIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the second person says."""

    approve: bool
    words: Reason


class PolicyIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What one person may adjust within a day alone: pieces, and their value in minor units."""

    max_units: Annotated[int, Meta(ge=0, le=100_000)]
    max_value_minor: Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class PolicySaved(Struct):
    """The policy that holds from now on."""

    channel_id: UUID
    max_units: int
    max_value_minor: int


class CountDifference(Struct, kw_only=True):
    """A shelf of which the books were wrong; `owner` is empty for our own goods."""

    sku: str
    owner: str
    grade: str
    difference: int
    missing_serials: list[str]
    extra_serials: list[str]


class CountRow(Struct, kw_only=True):
    """A count: how far it is, and what it has found."""

    id: UUID
    number: str
    location: str
    state: str
    why: str
    due_on: date
    opened_at: datetime
    finished_at: datetime | None
    shelves: int
    counted: int
    differences: list[CountDifference]


class OpenCountIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """SKUs to be counted at a location, none for what is due by rule; `event_id` becomes the id."""

    event_id: UUID
    location_id: UUID
    skus: Annotated[list[Sku], Meta(max_length=200)] = []
    why: Reason


class CountOpened(Struct):
    """The count that the location's people see now."""

    id: UUID
    number: str
    state: str


class ShiftItemsIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a role looks at there at the end of a shift; an empty list means the usual one again."""

    role: Literal["warehouse", "store", "vendor_store"]
    items: Annotated[list[ShiftItem], Meta(max_length=30)]


class ShiftItemsOut(Struct):
    """What the role looks at there from now on."""

    role: str
    items: list[ShiftItem]


@get(
    "/console/adjustments",
    operation_id="listAdjustments",
    opt=needs("wms:stock:adjust"),
    tags=TAGS,
)
async def list_adjustments(
    actor: Actor,
    standing: Annotated[
        Literal["proposed", "approved", "rejected"] | None, QueryParameter(name="state")
    ] = None,
    limit: Limit = 100,
) -> list[AdjustmentRow]:
    """List the stock adjustments of the person's channels, the newest first."""
    condition, arguments = scope(actor).locations("l", first=3)
    rows: list[dict[str, Any]] = await db.rows(
        ADJUSTMENTS.format(scope=condition), standing, limit, *arguments
    )
    return msgspec.convert(rows, list[AdjustmentRow])


@post(
    "/console/adjustments",
    operation_id="proposeAdjustment",
    opt=needs("wms:stock:adjust"),
    status_code=200,
    responses=problems(*PROPOSAL_REFUSALS),
    tags=TAGS,
)
async def propose_adjustment(data: DeskAdjustmentIn, actor: Actor) -> AdjustmentOut:
    """Adjust the stock of a location from a desk, under the same policy as the floor."""
    return told(await adjust.propose(data.location_id, data.adjustment, actor=actor))


@post(
    "/console/adjustments/{adjustment_id:uuid}/decision",
    operation_id="decideAdjustment",
    opt=needs("wms:stock:adjust"),
    status_code=200,
    responses=problems(
        adjustments.AdjustmentMissing,
        adjustments.OwnAdjustment,
        adjustments.AdjustmentDecided,
        StockPromised,
        SerialsNotHere,
    ),
    tags=TAGS,
)
async def decide_adjustment(adjustment_id: UUID, data: DecisionIn, actor: Actor) -> AdjustmentOut:
    """Approve an adjustment, which books it, or reject it, as the second person."""
    return told(
        await adjust.decide(adjustment_id, approve=data.approve, words=data.words, actor=actor)
    )


@post(
    "/console/channels/{channel_id:uuid}/adjustment-policy",
    operation_id="saveAdjustmentPolicy",
    opt=needs("wms:policy:write"),
    status_code=200,
    responses=problems(adjust.ChannelMissing),
    tags=TAGS,
)
async def save_adjustment_policy(channel_id: UUID, data: PolicyIn, actor: Actor) -> PolicySaved:
    """Say how much a channel lets pass without a second person."""
    policy = Policy(data.max_units, data.max_value_minor)
    await adjust.save_policy(channel_id, policy, actor=actor)
    return PolicySaved(channel_id, *policy)


@get(
    "/console/counts",
    operation_id="listCounts",
    opt=needs("wms:count:plan"),
    tags=TAGS,
)
async def list_counts(
    actor: Actor,
    standing: Annotated[Literal["open", "finished"] | None, QueryParameter(name="state")] = None,
    limit: Limit = 50,
) -> list[CountRow]:
    """List the counts of the person's channels with the differences they have found."""
    condition, arguments = scope(actor).locations("l", first=3)
    rows: list[dict[str, Any]] = await db.rows(
        COUNTS.format(scope=condition), standing, limit, *arguments
    )
    return msgspec.convert(rows, list[CountRow])


@post(
    "/console/counts",
    operation_id="openCount",
    opt=needs("wms:count:plan"),
    responses=problems(
        announce.LocationMissing, announce.ProductUnknown, counts.NothingToCount, EventIdReused
    ),
    tags=TAGS,
)
async def open_count(data: OpenCountIn, actor: Actor) -> CountOpened:
    """Ask a location to count shelves, blind."""
    opened = await count.open_count(
        data.event_id, data.location_id, data.skus, data.why, actor=actor
    )
    return CountOpened(opened.id, opened.number, opened.state)


@post(
    "/console/locations/{location_id:uuid}/shift-checklist",
    operation_id="saveShiftChecklist",
    opt=needs("wms:count:plan"),
    status_code=200,
    responses=problems(announce.LocationMissing, shift.ItemsRepeat),
    tags=TAGS,
)
async def save_shift_checklist(
    location_id: UUID, data: ShiftItemsIn, actor: Actor
) -> ShiftItemsOut:
    """Give a location its own list for the end of a shift."""
    items = [Item(one.code, one.words) for one in data.items]
    saved = await shift.save_items(location_id, data.role, items, actor=actor)
    return ShiftItemsOut(data.role, [ShiftItem(code=one.code, words=one.words) for one in saved])


handlers = [
    list_adjustments,
    propose_adjustment,
    decide_adjustment,
    save_adjustment_policy,
    list_counts,
    open_count,
    save_shift_checklist,
]
"""The routes of this door."""
