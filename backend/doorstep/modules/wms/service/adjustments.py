"""Use-cases of stock adjustments: proposed with a reason, approved by policy or person, booked (C3).

Goods with serials name them. What a change does to its shelf stands in `shelf_changes`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid, NotAllowed, NotFound, Refusal
from doorstep.modules.wms.rules.adjusting import (
    AdjustmentReason,
    Decision,
    Policy,
    ShelfGrade,
    Weight,
    decide,
    usual_policy,
)
from doorstep.modules.wms.service import shelf_changes
from doorstep.modules.wms.service.shelf_changes import Change

A_DAY = timedelta(hours=24)


class AdjustmentMissing(NotFound):
    title = "There is no such stock adjustment in your channels."


class AdjustmentDecided(Refusal):
    """It was approved or rejected before, the other way or by somebody else."""

    title = "This stock adjustment is decided already."


class OwnAdjustment(NotAllowed):
    """Somebody would approve what he proposed himself."""

    title = "A second person decides about this adjustment, not the one who proposed it."


class SerialsNeeded(Invalid):
    """Goods with serials are adjusted serial by serial, others by their number."""

    title = "Name one serial for each piece; goods without serials have none."


class NotARegrade(Invalid):
    """A change of grade moves pieces to another grade."""

    title = "Pieces that change their grade go to another one, and their number is positive."


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

# Amounts of another currency are no part of the sum; their pieces count all the same.
WITHIN_A_DAY = """
SELECT coalesce(sum(abs(quantity)), 0)::int AS units,
       coalesce(sum(abs(quantity) * unit_cost_minor) FILTER (WHERE currency = $4), 0)::bigint
         AS value_minor
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


async def policy_of(channel_id: UUID, currency: str) -> Policy:
    """Tell how much a channel, which deals in `currency`, lets pass without a second person."""
    row = await db.row(
        "SELECT max_units, max_value_minor FROM adjustment_policy WHERE channel_id = $1", channel_id
    )
    return usual_policy(currency) if row is None else Policy(**row)


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
    obstacle = await shelf_changes.obstacle(proposal.change)
    if obstacle is not None and strict:
        raise obstacle
    today = Weight(
        **await db.one(
            WITHIN_A_DAY,
            actor.person_id,
            proposal.change.location_id,
            now() - A_DAY,
            proposal.currency,
        )
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
        await shelf_changes.book(proposal.change, f"adjust:{proposal.id}")
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
        obstacle = await shelf_changes.obstacle(adjustment.change)
        if obstacle is not None:
            raise obstacle
        await shelf_changes.book(adjustment.change, f"adjust:{adjustment_id}")
    await db.execute(DECIDE, adjustment_id, state, actor.person_id, now(), words, adjustment.why)
    return await find(adjustment_id)
