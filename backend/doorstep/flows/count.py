"""Cycle counts: proposed day by day, opened by desks; their differences become adjustments (C3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.jobs import recurring
from doorstep.flows import adjust
from doorstep.flows.announce import SHELVES, products_of, shelf_location
from doorstep.modules.wms.rules.counting import due_shelves
from doorstep.modules.wms.schemas import CountEntry
from doorstep.modules.wms.service import adjustments, counts
from doorstep.modules.wms.service.adjustments import Adjustment, Proposal
from doorstep.modules.wms.service.counts import Count, CountedLine, Opening
from doorstep.modules.wms.service.shelf_changes import Change

SHELVES_A_DAY = 20
"""As many as one person counts beside other work."""

LOCATIONS = """
SELECT l.id, c.zone FROM location l JOIN channel c ON c.id = l.channel_id
 WHERE l.active AND l.kind = ANY ($1) AND EXISTS (SELECT FROM stock s WHERE s.location_id = l.id)
   AND NOT EXISTS (SELECT FROM cycle_count k
                    WHERE k.location_id = l.id AND k.opened_by IS NULL AND k.state = 'open')
 ORDER BY l.id
"""

BY_RULE = "What ships most is counted every 30 days, the middle every 90, the rest every 180."


class Outcome(NamedTuple):
    """A counted shelf, and the adjustments that its difference has become."""

    line: CountedLine
    adjustments: list[Adjustment]


@recurring("flows.propose_counts", every=6 * 3600)
async def propose_counts(_payload: dict[str, Any]) -> None:
    """Ask every location that has none open for today's count, by class and age of the last one."""
    for place in await db.rows(LOCATIONS, list(SHELVES)):
        await _propose_count(place["id"], place["zone"])


@db.transactional
async def _propose_count(location_id: UUID, zone: str) -> None:
    today = now().astimezone(ZoneInfo(zone)).date()
    made = await db.value(
        "SELECT true FROM cycle_count WHERE location_id = $1 AND due_on = $2 AND opened_by IS NULL",
        location_id,
        today,
    )
    due = due_shelves(await counts.shelves(location_id), now(), SHELVES_A_DAY)
    if due and not made:
        opening = Opening(uuid7(), location_id, BY_RULE, today, None)
        await counts.open_count(opening, [one.shelf for one in due])


@db.transactional
async def open_count(
    count_id: UUID, location_id: UUID, skus: Sequence[str], why: str, *, actor: Actor
) -> Count:
    """Ask a location to count these SKUs, or what is due by rule when none is named.

    Raises: LocationMissing, ProductUnknown, NothingToCount, EventIdReused.
    """
    channel_id = await shelf_location(location_id, actor)
    products = await products_of(skus)
    zone = await db.value("SELECT zone FROM channel WHERE id = $1", channel_id)
    today = now().astimezone(ZoneInfo(zone)).date()
    standing = await counts.shelves(location_id)
    if skus:
        chosen = [shelf for shelf in standing if shelf.product_id in products.values()]
    else:
        chosen = [one.shelf for one in due_shelves(standing, now(), SHELVES_A_DAY)]
    opening = Opening(count_id, location_id, why, today, actor.person_id)
    return await counts.open_count(opening, chosen)


@db.transactional
async def keep_entries(
    count_id: UUID, entries: Sequence[CountEntry], *, actor: Actor
) -> list[counts.Counted]:
    """Keep what was counted at the person's location, blind.

    Raises: CountMissing, CountFinished, SerialsNotCounted, EventIdReused.
    """
    count = await counts.lock(count_id, actor.location_id)
    return await counts.keep_entries(count, entries, actor)


@db.transactional
async def finish(
    event_id: UUID, count_id: UUID, *, actor: Actor, captured_at: datetime
) -> list[Outcome]:
    """End a count; every difference becomes an adjustment, under the policy of all adjustments.

    One that cannot be booked as things stand waits for a person. The same event id again gets the
    adjustments as they stand now.

    Raises: CountMissing, LinesNotCounted, CountFinished.
    """
    count = await counts.lock(count_id, actor.location_id)
    already = count.state == "finished"
    lines = await counts.finish(count, event_id, actor)
    channel_id = await db.value("SELECT channel_id FROM location WHERE id = $1", count.location_id)
    outcomes = []
    for line in lines:
        made = []
        for change in _changes(count.location_id, line):
            proposal = _proposal(count, line, change, captured_at)
            if already:
                made.append(await adjustments.find(proposal.id))
            else:
                priced = await adjust.proposal_of(channel_id, proposal)
                made.append(await adjust.submit(channel_id, priced, actor=actor, strict=False))
        outcomes.append(Outcome(line, made))
    return outcomes


def _changes(location_id: UUID, line: CountedLine) -> list[Change]:
    """Turn a difference into changes: serials that are missing and that are extra stand apart."""

    def change(quantity: int, serials: Sequence[str] = ()) -> Change:
        return Change(
            location_id, line.product_id, line.owner_id, line.grade, quantity, tuple(serials)
        )

    if line.missing_serials or line.extra_serials:
        found = []
        if line.missing_serials:
            found.append(change(-len(line.missing_serials), line.missing_serials))
        if line.extra_serials:
            found.append(change(len(line.extra_serials), line.extra_serials))
        return found
    return [change(line.difference)] if line.difference else []


def _proposal(count: Count, line: CountedLine, change: Change, captured_at: datetime) -> Proposal:
    sign = "more" if change.quantity > 0 else "fewer"
    return Proposal(
        uuid5(NAMESPACE_URL, f"doorstep:count:{line.id}:{sign}"),
        change,
        "miscount",
        f"Count {count.number}",
        None,
        captured_at,
        None,
        "",
        line.id,
    )
