"""Use-cases of stock adjustments: proposed with a reason, approved by policy or person, booked (C3).

Stock is never adjusted below what is promised to orders. Goods with serials name them: a unit that
is gone becomes scrapped, one that is found comes into being or comes back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid, NotAllowed, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.rules.adjusting import (
    USUAL_POLICY,
    AdjustmentReason,
    Decision,
    Policy,
    ShelfGrade,
    Weight,
    decide,
)

A_DAY = timedelta(hours=24)


class AdjustmentMissing(NotFound):
    title = "There is no such stock adjustment in your channels."


class AdjustmentDecided(Refusal):
    """It was approved or rejected before, the other way or by somebody else."""

    title = "This stock adjustment is decided already."


class OwnAdjustment(NotAllowed):
    """Somebody would approve what he proposed himself."""

    title = "A second person decides about this adjustment, not the one who proposed it."


class StockPromised(Refusal):
    """Fewer pieces are free than would be taken away."""

    title = "So many pieces are not free here: the others are promised to orders."


class SerialsNotHere(Refusal):
    """A named unit is not free on this shelf, or stands somewhere already."""

    title = "One of the serials is not where it would have to be."


class SerialsNeeded(Invalid):
    """Goods with serials are adjusted serial by serial, others by their number."""

    title = "Name one serial for each piece; goods without serials have none."


class NotARegrade(Invalid):
    """A change of grade moves pieces to another grade."""

    title = "Pieces that change their grade go to another one, and their number is positive."


class Change(NamedTuple):
    """What is to be adjusted: a shelf, and pieces more (+), fewer (-) or of another grade."""

    location_id: UUID
    product_id: UUID
    owner_id: UUID | None
    grade: ShelfGrade
    quantity: int
    serials: tuple[str, ...]
    to_grade: ShelfGrade | None = None

    @property
    def taken(self) -> int:
        """How many pieces leave the shelf of `grade`."""
        return self.quantity if self.to_grade else max(0, -self.quantity)


class Proposal(NamedTuple):
    """Who proposes a change, and why."""

    id: UUID
    change: Change
    reason: AdjustmentReason
    words: str
    photo_sha256: str | None
    captured_at: datetime
    unit_cost_minor: int | None
    currency: str
    count_line_id: UUID | None = None


class Adjustment(NamedTuple):
    """A stock adjustment as it stands now."""

    id: UUID
    state: str
    why: str
    location_id: UUID
    product_id: UUID
    owner_id: UUID | None
    grade: ShelfGrade
    to_grade: ShelfGrade | None
    quantity: int
    serials: list[str]
    reason: str
    proposed_by: UUID | None
    decided_by: UUID | None
    decision_words: str

    @property
    def change(self) -> Change:
        return Change(
            self.location_id,
            self.product_id,
            self.owner_id,
            self.grade,
            self.quantity,
            tuple(self.serials),
            self.to_grade,
        )


_READ = f"SELECT {', '.join(Adjustment._fields)} FROM stock_adjustment WHERE id = $1"  # noqa: S608 - our columns

LOCK_SHELF = """
SELECT on_hand - held - allocated AS free FROM stock
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   FOR NO KEY UPDATE
"""

TAKE = """
UPDATE stock SET on_hand = on_hand - $5
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND on_hand - held - allocated >= $5
RETURNING id
"""

# Units on this very shelf that nobody has picked.
STANDING = """
SELECT count(*)::int FROM unit
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND serial = ANY ($5) AND state = 'in_stock'
"""

CHANGE_UNITS = """
UPDATE unit SET state = $6, grade = $7
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND serial = ANY ($5) AND state = 'in_stock'
"""

# A unit that was written off and belongs to no parcel may be found again.
ELSEWHERE = """
SELECT serial FROM unit WHERE product_id = $1 AND serial = ANY ($2)
   AND NOT (state = 'scrapped' AND fulfilment_line_id IS NULL)
"""

FIND_UNITS = """
INSERT INTO unit (id, product_id, serial, owner_id, location_id, grade)
SELECT new_id(), $1, serial, $2, $3, $5 FROM unnest($4::text[]) AS serial
ON CONFLICT ON CONSTRAINT unit_serial_unique DO UPDATE
   SET state = 'in_stock', owner_id = EXCLUDED.owner_id, location_id = EXCLUDED.location_id,
       grade = EXCLUDED.grade
 WHERE unit.state = 'scrapped' AND unit.fulfilment_line_id IS NULL
"""

WITHIN_A_DAY = """
SELECT coalesce(sum(abs(quantity)), 0)::int AS units,
       coalesce(sum(abs(quantity) * unit_cost_minor), 0)::bigint AS value_minor
  FROM stock_adjustment
 WHERE proposed_by = $1 AND location_id = $2 AND proposed_at > $3
   AND state = 'approved' AND decided_by IS NULL
"""

INSERT = """
INSERT INTO stock_adjustment (id, location_id, product_id, owner_id, grade, to_grade, quantity,
  serials, reason, words, photo_sha256, count_line_id, unit_cost_minor, currency, why, proposed_by,
  captured_at, proposed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT DO NOTHING
"""

DECIDE = """
UPDATE stock_adjustment
   SET state = $2, decided_by = $3, decided_at = $4, decision_words = $5, why = $6
 WHERE id = $1
"""


async def find(adjustment_id: UUID) -> Adjustment:
    """Read an adjustment.

    Raises: AdjustmentMissing.
    """
    return await _adjustment(_READ, adjustment_id)


async def _adjustment(statement: str, adjustment_id: UUID) -> Adjustment:
    row = await db.row(statement, adjustment_id)
    if row is None:
        raise AdjustmentMissing
    return Adjustment(**row)


async def policy_of(channel_id: UUID) -> Policy:
    """Tell how much a channel lets pass without a second person."""
    row = await db.row(
        "SELECT max_units, max_value_minor FROM adjustment_policy WHERE channel_id = $1", channel_id
    )
    return USUAL_POLICY if row is None else Policy(**row)


@db.transactional
async def save_policy(channel_id: UUID, policy: Policy) -> None:
    """Say how much a channel lets pass without a second person."""
    await db.execute(
        "INSERT INTO adjustment_policy (channel_id, max_units, max_value_minor) VALUES ($1, $2, $3)"
        " ON CONFLICT (channel_id) DO UPDATE SET max_units = EXCLUDED.max_units,"
        " max_value_minor = EXCLUDED.max_value_minor",
        channel_id,
        *policy,
    )


@db.transactional
async def propose(
    proposal: Proposal, policy: Policy, *, actor: Actor, strict: bool = True
) -> Adjustment:
    """Propose a change of the stock; the ordinary one approves itself and is booked at once.

    What cannot be booked is refused, unless not `strict` (a count): then it waits for a person,
    saying why. The same id again gets the adjustment as it stands now.

    Raises: SerialsNeeded, NotARegrade, EventIdReused; if strict StockPromised, SerialsNotHere.
    """
    await _require_serials(proposal.change)
    known = await db.row(_READ, proposal.id)
    if known is not None:
        return _same(Adjustment(**known), proposal, actor)
    # One person's adjustments are judged one after another, or two at once would both be small.
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(actor.person_id))
    obstacle = await _obstacle(proposal.change)
    if obstacle is not None and strict:
        raise obstacle
    today = Weight(
        **await db.one(WITHIN_A_DAY, actor.person_id, proposal.change.location_id, now() - A_DAY)
    )
    decision = decide(
        abs(proposal.change.quantity),
        proposal.unit_cost_minor,
        today,
        policy,
        obstacle.detail if obstacle else "",
    )
    if not await _insert(proposal, decision, actor):
        raise EventIdReused
    if decision.approved:
        await _book(proposal.id, proposal.change)
        await db.execute(DECIDE, proposal.id, "approved", None, now(), "", decision.why)
    return await find(proposal.id)


async def _require_serials(change: Change) -> None:
    if change.to_grade is not None and (change.quantity < 1 or change.to_grade == change.grade):
        raise NotARegrade
    serialised = await db.value("SELECT serialised FROM product WHERE id = $1", change.product_id)
    wanted = abs(change.quantity) if serialised else 0
    if len(set(change.serials)) != len(change.serials) or len(change.serials) != wanted:
        raise SerialsNeeded(wanted=wanted)


def _same(known: Adjustment, proposal: Proposal, actor: Actor) -> Adjustment:
    if (known.proposed_by, known.change) != (actor.person_id, proposal.change):
        raise EventIdReused
    return known


async def _insert(proposal: Proposal, decision: Decision, actor: Actor) -> int:
    change = proposal.change
    return await db.execute(
        INSERT,
        proposal.id,
        change.location_id,
        change.product_id,
        change.owner_id,
        change.grade,
        change.to_grade,
        change.quantity,
        list(change.serials),
        proposal.reason,
        proposal.words,
        proposal.photo_sha256,
        proposal.count_line_id,
        proposal.unit_cost_minor,
        proposal.currency,
        decision.why,
        actor.person_id,
        proposal.captured_at,
        now(),
    )


@db.transactional
async def decide_by_person(
    adjustment_id: UUID, *, approve: bool, words: str, actor: Actor
) -> Adjustment:
    """Approve an adjustment, which books it, or reject it; the same decision again changes nothing.

    Raises: AdjustmentMissing, OwnAdjustment, AdjustmentDecided, StockPromised, SerialsNotHere.
    """
    adjustment = await _adjustment(f"{_READ} FOR NO KEY UPDATE", adjustment_id)
    if actor.person_id is None or actor.person_id == adjustment.proposed_by:
        raise OwnAdjustment
    state = "approved" if approve else "rejected"
    if adjustment.state != "proposed":
        if (adjustment.state, adjustment.decided_by) != (state, actor.person_id):
            raise AdjustmentDecided(adjustment.why)
        return adjustment
    if approve:
        obstacle = await _obstacle(adjustment.change)
        if obstacle is not None:
            raise obstacle
        await _book(adjustment_id, adjustment.change)
    await db.execute(DECIDE, adjustment_id, state, actor.person_id, now(), words, adjustment.why)
    return await find(adjustment_id)


# --- Booking ------------------------------------------------------------------------------------


async def _obstacle(change: Change) -> Refusal | None:
    """Lock the shelf and tell why the change cannot be booked on it; None when it can."""
    shelf = await db.row(LOCK_SHELF, *_place(change))
    free = shelf["free"] if shelf else 0
    if change.taken > free:
        return StockPromised(f"{free} pieces are free here.", free=free)
    serials = list(change.serials)
    if not serials:
        return None
    if change.taken:
        if await db.value(STANDING, *_place(change), serials) != len(serials):
            return SerialsNotHere("Not every serial stands free on this shelf.")
        return None
    elsewhere = await db.rows(ELSEWHERE, change.product_id, serials)
    if elsewhere:
        names = ", ".join(row["serial"] for row in elsewhere)
        return SerialsNotHere(f"Known elsewhere, or here already: {names}.")
    return None


def _place(change: Change) -> tuple[Any, ...]:
    return (change.product_id, change.location_id, change.owner_id, change.grade)


async def _book(adjustment_id: UUID, change: Change) -> None:
    ref = f"adjust:{adjustment_id}"
    if change.taken:
        taken = await db.value(TAKE, *_place(change), change.taken)
        if taken is None:
            raise StockPromised
        await _record(taken, -change.taken, ref)
    if change.to_grade is not None:
        await _put(change, change.to_grade, change.quantity, ref)
    elif change.quantity > 0:
        await _put(change, change.grade, change.quantity, ref)
    if change.serials and await _change_units(change) != len(change.serials):
        raise SerialsNotHere


async def _put(change: Change, grade: ShelfGrade, quantity: int, ref: str) -> None:
    stock_id = await db.value(
        sql.PUT_INTO,
        uuid7(),
        change.product_id,
        change.location_id,
        change.owner_id,
        quantity,
        grade,
    )
    await _record(stock_id, quantity, ref)


async def _record(stock_id: UUID, quantity: int, ref: str) -> None:
    await db.execute(sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, "adjust", ref, None, now())


async def _change_units(change: Change) -> int:
    serials = list(change.serials)
    if change.taken:
        state = "in_stock" if change.to_grade else "scrapped"
        return await db.execute(
            CHANGE_UNITS, *_place(change), serials, state, change.to_grade or change.grade
        )
    return await db.execute(
        FIND_UNITS,
        change.product_id,
        change.owner_id,
        change.location_id,
        serials,
        change.grade,
    )
