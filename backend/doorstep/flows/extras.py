"""Extras at a visit: agreed at the customer's, kept whatever the price list says now, then billed."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import FLOORS, scope
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.money import Money
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger
from doorstep.modules.fsm import extra_rules
from doorstep.modules.fsm.refusals import TechnicianMissing, VisitMissing
from doorstep.modules.fsm.schemas import PartsMoved, PriceIn, VisitExtras
from doorstep.modules.fsm.service import extras, prices
from doorstep.modules.helpdesk import service as helpdesk

VISIT = """
SELECT v.id, v.order_id, v.fulfilment_id, o.number, o.channel_id, o.currency
  FROM visit v JOIN customer_order o ON o.id = v.order_id
 WHERE v.id = $1 AND v.technician_id = $2
"""

PLACE_OF_ACTOR = "SELECT channel_id FROM location WHERE id = $1"


class Kept(NamedTuple):
    """What was made of it: the sum that is charged, and what does not agree."""

    charged_minor: int
    disagreements: list[str]


@db.transactional
async def agree(visit_id: UUID, told: VisitExtras, *, actor: Actor) -> Kept:
    """Keep what a customer takes beside the order, at the prices that he was shown; ask for the bill.

    Nothing of it is refused: what does not agree stands beside it, for finance. The same event id
    gets its first answer.

    Raises: VisitMissing (also for another person's), EventIdReused.
    """
    visit = await db.row(VISIT, visit_id, actor.person_id)
    if visit is None:
        raise VisitMissing
    await journey.lock(visit["fulfilment_id"])
    known = await db.row(
        "SELECT visit_id, charged_minor, disagreements FROM visit_extra WHERE id = $1",
        told.event_id,
    )
    if known is not None:
        if known["visit_id"] != visit_id:
            raise EventIdReused(str(told.event_id))
        return Kept(known["charged_minor"], known["disagreements"])
    named = {line.price_id for line in told.lines}
    held = await prices.named(visit["channel_id"], named, told.captured_at)
    judged = extra_rules.judge(told, held, visit["currency"])
    await extras.keep_extras(actor, visit, told, judged, held)
    if judged.total:
        await _bill(told.event_id, judged, visit)
    await helpdesk.open_problem(
        "extras_to_bill",
        f"{visit['number']}: extras of {Money(judged.total, visit['currency'])} are to be billed",
        ref=str(told.event_id),
        detail="\n".join(judged.disagreements),
        order_id=visit["order_id"],
        fulfilment_id=visit["fulfilment_id"],
    )
    return Kept(judged.total, judged.disagreements)


async def _bill(extra_id: UUID, judged: extra_rules.Judged, visit: dict[str, Any]) -> None:
    origin = postings.Origin(
        currency=visit["currency"], occurred_at=now(), order_id=visit["order_id"]
    )
    net, tax = sum(cost.net for cost in judged.costs), sum(cost.tax for cost in judged.costs)
    await ledger.post([postings.extras_agreed(extra_id, net, tax, origin)])


async def set_price(price: PriceIn, *, actor: Actor) -> UUID:
    """Write a new version of a price in a channel of the actor's. Raises: NotFound; as `save_price`."""
    if price.channel_id not in await channels_of(actor):
        raise NotFound
    return await prices.save_price(price, actor.person_id)


async def channels_of(actor: Actor) -> list[UUID]:
    """List the channels of a desk."""
    condition, arguments = scope(actor).channels("c.id")
    found = await db.rows(f"SELECT c.id FROM channel c WHERE {condition}", *arguments)  # noqa: S608 - a condition of ours
    return [row["id"] for row in found]


async def technicians_of(actor: Actor) -> list[UUID]:
    """List the technicians of the actor's channels; of a floor's, those of its location's channel."""
    if actor.role in FLOORS:
        channels = [await db.value(PLACE_OF_ACTOR, actor.location_id)]
    else:
        channels = await channels_of(actor)
    found = await db.rows("SELECT person_id FROM technician WHERE channel_id = ANY ($1)", channels)
    return [row["person_id"] for row in found]


@db.transactional
async def move_parts(technician_id: UUID, moved: PartsMoved, *, actor: Actor) -> None:
    """Put parts on the van of a technician, or take them off.

    Raises: TechnicianMissing (also outside the actor's channels), PartUnknown, NothingMoved,
    EventIdReused.
    """
    if technician_id not in await technicians_of(actor):
        raise TechnicianMissing
    product_id = await prices.product_of(moved.sku)
    await extras.move_parts(technician_id, product_id, moved, actor.person_id)
