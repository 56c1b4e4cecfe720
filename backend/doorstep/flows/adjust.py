"""Stock adjustments: what they cost is scm's, whom they wait for is helpdesk's (SPEC C3)."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound
from doorstep.flows.announce import product_named, require_vendor, shelf_location
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.wms.rules.adjusting import Policy
from doorstep.modules.wms.schemas import AdjustmentIn
from doorstep.modules.wms.service import adjustments
from doorstep.modules.wms.service.adjustments import Adjustment, Proposal
from doorstep.modules.wms.service.shelf_changes import Change

# What one piece costs its owner; our own goods cost at most what a vendor takes for them.
COST = """
SELECT c.currency, (
  SELECT max(v.cost_minor) FROM vendor_product v
   WHERE v.product_id = $2 AND v.currency = c.currency
     AND ($3::uuid IS NULL OR v.vendor_id = $3)) AS cost_minor
  FROM channel c WHERE c.id = $1
"""

SEEN = """
SELECT true FROM stock_adjustment a JOIN location l ON l.id = a.location_id
 WHERE a.id = $1 AND {scope}
"""


class ChannelMissing(NotFound):
    title = "There is no such channel among yours."


class NothingAdjusted(Invalid):
    title = "An adjustment of no pieces adjusts nothing."


@db.transactional
async def propose(location_id: UUID, wanted: AdjustmentIn, *, actor: Actor) -> Adjustment:
    """Propose that a shelf holds more, fewer or other pieces than the books say.

    Within the channel's policy it approves itself; else it waits for a second person, with a
    problem.

    Raises: LocationMissing, ProductUnknown, VendorUnknown, NothingAdjusted, SerialsNeeded,
    NotARegrade, StockPromised, SerialsNotHere, EventIdReused.
    """
    if wanted.quantity == 0:
        raise NothingAdjusted
    channel_id = await shelf_location(location_id, actor)
    product_id = await product_named(wanted.sku)
    await require_vendor(wanted.owner_id)
    change = Change(
        location_id,
        product_id,
        wanted.owner_id,
        wanted.grade,
        wanted.quantity,
        tuple(wanted.serials),
        wanted.to_grade,
    )
    proposal = await proposal_of(
        channel_id,
        Proposal(
            wanted.event_id,
            change,
            wanted.reason,
            wanted.words,
            wanted.photo_sha256,
            wanted.captured_at,
            None,
            "",
        ),
    )
    return await submit(channel_id, proposal, actor=actor)


async def proposal_of(channel_id: UUID, proposal: Proposal) -> Proposal:
    """Write onto a proposal what one piece costs, where that is known."""
    cost = await db.one(COST, channel_id, proposal.change.product_id, proposal.change.owner_id)
    return proposal._replace(unit_cost_minor=cost["cost_minor"], currency=cost["currency"])


async def submit(
    channel_id: UUID, proposal: Proposal, *, actor: Actor, strict: bool = True
) -> Adjustment:
    """Hand a proposal in; one that waits for a second person becomes a problem.

    Raises: SerialsNeeded, NotARegrade, EventIdReused; if strict StockPromised, SerialsNotHere.
    """
    policy = await adjustments.policy_of(channel_id, proposal.currency)
    adjustment = await adjustments.propose(proposal, policy, actor=actor, strict=strict)
    if adjustment.state == "proposed":
        await _ask_second_person(adjustment)
    return adjustment


async def _ask_second_person(adjustment: Adjustment) -> None:
    names = await db.one(
        "SELECT l.code, l.channel_id, p.sku FROM location l, product p WHERE l.id = $1 AND p.id = $2",
        adjustment.location_id,
        adjustment.product_id,
    )
    await helpdesk.open_problem(
        "adjustment_approval",
        f"{adjustment.quantity:+} × {names['sku']} at {names['code']} waits for approval",
        detail=f"{adjustment.reason}: {adjustment.why}",
        ref=str(adjustment.id),
        owner_role="dispatcher",
        channel_id=names["channel_id"],
    )


@db.transactional
async def decide(adjustment_id: UUID, *, approve: bool, words: str, actor: Actor) -> Adjustment:
    """Approve or reject an adjustment as the second person.

    Raises: AdjustmentMissing, OwnAdjustment, AdjustmentDecided, StockPromised, SerialsNotHere.
    """
    await _require_in_sight(adjustment_id, actor)
    adjustment = await adjustments.decide_by_person(
        adjustment_id, approve=approve, words=words, actor=actor
    )
    await helpdesk.close_problems(
        "adjustment_approval", str(adjustment_id), f"{adjustment.state}. {words}", actor
    )
    return adjustment


async def _require_in_sight(adjustment_id: UUID, actor: Actor) -> None:
    condition, arguments = scope(actor).locations("l", first=2)
    seen = await db.value(
        SEEN.format(scope=condition),
        adjustment_id,
        *arguments,
    )
    if not seen:
        raise adjustments.AdjustmentMissing


@db.transactional
async def save_policy(channel_id: UUID, policy: Policy, *, actor: Actor) -> None:
    """Say how much a channel lets pass without a second person.

    Raises: ChannelMissing.
    """
    try:
        await scope(actor).require_channel(channel_id)
    except NotFound:
        raise ChannelMissing from None
    await adjustments.save_policy(channel_id, policy)
