"""Use-cases of cycle counts: opened by a desk or by rule, counted blind, judged, finished (SPEC C3).

A count is judged against the books of the counted moment, read from the movements: what moved
between opening, counting and the arrival of the count never shows as a difference
(rules/counting.py says how). Its differences are quantities, not new totals, so what moves
afterwards does not matter either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms.rules.adjusting import ShelfGrade
from doorstep.modules.wms.rules.counting import Judged, Shelf, judge, judge_serials
from doorstep.modules.wms.schemas import CountEntry

LOOK_BACK = timedelta(days=90)
"""Sales of so long tell A from B and C."""

CLOCK_SKEW = timedelta(minutes=5)
"""Goods that moved this shortly before a phone says it counted may have moved after it."""


class CountMissing(NotFound):
    title = "There is no such count here."


class CountFinished(Refusal):
    """Its differences stand already."""

    title = "This count is finished."


class LinesNotCounted(Refusal):
    """Some shelves were not counted yet, or are to be counted again."""

    title = "Not every shelf of this count is counted."


class NothingToCount(Refusal):
    """No shelf of the location is due, or has these goods."""

    title = "There is nothing to count here."


class SerialsNotCounted(Invalid):
    """Goods with serials are counted serial by serial, others by their number."""

    title = "Scan the serial of every piece; goods without serials have none."


class Counted(NamedTuple):
    """What became of an entry: kept, or to be counted again because goods moved meanwhile."""

    event_id: UUID
    verdict: str


class CountedLine(NamedTuple):
    """A counted shelf: how far the books were wrong."""

    id: UUID
    product_id: UUID
    sku: str
    owner_id: UUID | None
    grade: ShelfGrade
    difference: int
    missing_serials: list[str]
    extra_serials: list[str]


class Count(NamedTuple):
    """A count as it stands now."""

    id: UUID
    number: str
    location_id: UUID
    state: str
    opened_at: datetime
    finish_event_id: UUID | None


class Opening(NamedTuple):
    """What a count is about; `opened_by` None is the daily proposal."""

    id: UUID
    location_id: UUID
    why: str
    due_on: date
    opened_by: UUID | None


_READ = f"SELECT {', '.join(Count._fields)} FROM cycle_count WHERE id = $1"  # noqa: S608 - our columns

SHELVES = """
SELECT s.product_id, s.owner_id, s.grade, p.sku,
       (SELECT coalesce(-sum(m.quantity), 0)::int FROM stock_movement m
         WHERE m.stock_id = s.id AND m.reason = 'ship' AND m.moved_at > $2) AS shipped,
       (SELECT max(l.counted_at) FROM cycle_count_line l JOIN cycle_count c ON c.id = l.count_id
         WHERE c.location_id = s.location_id AND l.product_id = s.product_id
           AND l.owner_id IS NOT DISTINCT FROM s.owner_id AND l.grade = s.grade) AS counted_at
  FROM stock s JOIN product p ON p.id = s.product_id
 WHERE s.location_id = $1 AND NOT EXISTS (
   SELECT FROM cycle_count_line l JOIN cycle_count c ON c.id = l.count_id
    WHERE c.location_id = s.location_id AND c.state = 'open' AND l.product_id = s.product_id
      AND l.owner_id IS NOT DISTINCT FROM s.owner_id AND l.grade = s.grade)
 ORDER BY p.sku, s.owner_id, s.grade
"""

INSERT_LINE = """
INSERT INTO cycle_count_line (id, count_id, product_id, owner_id, grade) VALUES ($1, $2, $3, $4, $5)
"""

LINE = """
SELECT l.id, l.product_id, l.owner_id, l.grade, p.serialised
  FROM cycle_count_line l JOIN product p ON p.id = l.product_id
 WHERE l.id = $1 AND l.count_id = $2
"""

# The shelf's row stays locked, so that nothing moves between the look at it and the commit.
LOCK_SHELF = """
SELECT id, on_hand FROM stock
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   FOR NO KEY UPDATE
"""

SINCE = """
SELECT coalesce(sum(quantity) FILTER (WHERE moved_at > $2), 0)::int AS since,
       count(*) FILTER (WHERE moved_at > $3) > 0 AS moved
  FROM stock_movement WHERE stock_id = $1 AND moved_at > $3
"""

STANDING = """
SELECT serial FROM unit
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND state IN ('in_stock', 'picked')
"""

KEEP_ENTRY = """
INSERT INTO count_entry (id, line_id, quantity, serials, on_hand_captured, on_hand_recorded, verdict,
                         actor_id, captured_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

SETTLE_LINE = """
UPDATE cycle_count_line
   SET entry_id = $2, difference = $3, missing_serials = $4, extra_serials = $5, counted_at = $6
 WHERE id = $1
"""

LINES = """
SELECT l.id, l.product_id, p.sku, l.owner_id, l.grade, l.difference, l.missing_serials,
       l.extra_serials
  FROM cycle_count_line l JOIN product p ON p.id = l.product_id
 WHERE l.count_id = $1 AND l.entry_id IS NOT NULL ORDER BY p.sku, l.owner_id, l.grade
"""


async def shelves(location_id: UUID) -> list[Shelf]:
    """List the shelves of a location that no open count is about."""
    return [Shelf(**row) for row in await db.rows(SHELVES, location_id, now() - LOOK_BACK)]


@db.transactional
async def open_count(opening: Opening, lines: Sequence[Shelf]) -> Count:
    """Ask a location to count these shelves; the same id again changes nothing.

    Raises: NothingToCount without a line; EventIdReused for another location's count.
    """
    known = await db.row(_READ, opening.id)
    if known is not None:
        if known["location_id"] != opening.location_id:
            raise EventIdReused
        return Count(**known)
    if not lines:
        raise NothingToCount
    added = await db.execute(
        "INSERT INTO cycle_count (id, location_id, why, due_on, opened_by, opened_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        opening.id,
        opening.location_id,
        opening.why,
        opening.due_on,
        opening.opened_by,
        now(),
    )
    if not added:
        raise NothingToCount("Today's count of this location is made already.")
    await db.execute_many(
        INSERT_LINE,
        [(uuid7(), opening.id, one.product_id, one.owner_id, one.grade) for one in lines],
    )
    return Count(**await db.one(_READ, opening.id))


async def lock(count_id: UUID, location_id: UUID | None) -> Count:
    """Read a count of a location and let nobody else change it.

    Raises: CountMissing.
    """
    row = await db.row(f"{_READ} FOR NO KEY UPDATE", count_id)
    if row is None or row["location_id"] != location_id:
        raise CountMissing
    return Count(**row)


async def keep_entries(count: Count, entries: Sequence[CountEntry], actor: Actor) -> list[Counted]:
    """Keep what was counted, each entry once; of several for a shelf the last one counts.

    The caller holds the count's lock. The answers tell nothing of the books.

    Raises: CountMissing for a line of another count; CountFinished, SerialsNotCounted, EventIdReused.
    """
    return [await _keep_entry(count, entry, actor) for entry in entries]


async def _keep_entry(count: Count, entry: CountEntry, actor: Actor) -> Counted:
    line = await db.row(LINE, entry.line_id, count.id)
    if line is None:
        raise CountMissing
    known = await db.row("SELECT line_id, verdict FROM count_entry WHERE id = $1", entry.event_id)
    if known is not None:
        if known["line_id"] != entry.line_id:
            raise EventIdReused
        return Counted(entry.event_id, known["verdict"])
    if count.state != "open":
        raise CountFinished(count.number)
    serials = sorted(set(entry.serials))
    if len(serials) != (entry.quantity if line["serialised"] else 0):
        raise SerialsNotCounted
    books = await _books(count, line, entry.captured_at)
    judged = await _judge(count, line, entry.quantity, serials, books)
    await db.execute(
        KEEP_ENTRY,
        entry.event_id,
        entry.line_id,
        entry.quantity,
        serials,
        books.when_captured,
        books.when_recorded,
        judged.verdict,
        actor.person_id,
        entry.captured_at,
        now(),
    )
    await _settle(entry, judged)
    return Counted(entry.event_id, judged.verdict)


class _Books(NamedTuple):
    when_captured: int
    when_recorded: int
    moved: bool


async def _books(count: Count, line: dict[str, Any], captured_at: datetime) -> _Books:
    """Read what the books said when it was counted, and what they say now."""
    shelf = await db.row(
        LOCK_SHELF, line["product_id"], count.location_id, line["owner_id"], line["grade"]
    )
    if shelf is None:
        return _Books(0, 0, moved=False)
    # Nobody can have counted before the count was opened, nor in the future.
    counted = min(max(captured_at, count.opened_at), now())
    unsure_since = max(counted - CLOCK_SKEW, count.opened_at)
    found = await db.one(SINCE, shelf["id"], counted, unsure_since)
    return _Books(shelf["on_hand"] - found["since"], shelf["on_hand"], found["moved"])


async def _judge(
    count: Count, line: dict[str, Any], quantity: int, serials: Sequence[str], books: _Books
) -> Judged:
    if not line["serialised"]:
        return judge(quantity, books.when_captured, books.when_recorded, moved=books.moved)
    standing = await db.rows(
        STANDING, line["product_id"], count.location_id, line["owner_id"], line["grade"]
    )
    return judge_serials(serials, [row["serial"] for row in standing], moved=books.moved)


async def _settle(entry: CountEntry, judged: Judged) -> None:
    if judged.verdict == "again":
        await db.execute(SETTLE_LINE, entry.line_id, None, None, [], [], None)
        return
    await db.execute(
        SETTLE_LINE,
        entry.line_id,
        entry.event_id,
        judged.difference,
        list(judged.missing),
        list(judged.extra),
        now(),
    )


async def finish(count: Count, event_id: UUID, actor: Actor) -> list[CountedLine]:
    """End a count and list its shelves; the same event id again gets the same list.

    The caller holds the count's lock.

    Raises: LinesNotCounted; CountFinished when another event has ended it.
    """
    if count.state == "finished" and count.finish_event_id != event_id:
        raise CountFinished(count.number)
    if count.state == "open":
        left = await db.value(
            "SELECT count(*)::int FROM cycle_count_line WHERE count_id = $1 AND entry_id IS NULL",
            count.id,
        )
        if left:
            raise LinesNotCounted(f"{left} shelves are not counted yet.", left=left)
        await db.execute(
            "UPDATE cycle_count SET state = 'finished', finish_event_id = $2, finished_by = $3,"
            " finished_at = $4 WHERE id = $1",
            count.id,
            event_id,
            actor.person_id,
            now(),
        )
    return [CountedLine(**row) for row in await db.rows(LINES, count.id)]
