"""Returns: asked for, fetched or brought, received by scan, credited (C13, C17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, Refusal
from doorstep.flows import came_back, undo
from doorstep.flows.tickets import open_ticket
from doorstep.modules.wms.service import custody, receiving

WITH_CUSTOMER = """
SELECT l.id, l.product_id, p.sku, p.name, p.names, p.return_days,
       coalesce(sum(c.quantity), 0)::int AS quantity,
       array(SELECT u.serial FROM unit u WHERE u.fulfilment_line_id = l.id AND u.state = 'delivered'
              ORDER BY u.serial) AS serials
  FROM fulfilment_line l
  JOIN product p ON p.id = l.product_id
  LEFT JOIN (custody c JOIN location y ON y.id = c.location_id AND y.kind = 'customer')
    ON c.fulfilment_line_id = l.id
 WHERE l.fulfilment_id = $1 GROUP BY l.id, p.id ORDER BY l.id
"""

DELIVERED_AT = """
SELECT recorded_at FROM journey_event
 WHERE fulfilment_id = $1 AND kind = 'stage' AND stage = 1013 ORDER BY seq DESC LIMIT 1
"""


class NotWithCustomer(Invalid):
    """More is to be returned than the customer has of it."""

    title = "The customer does not have that many of these goods."


class ReturnWindowOver(Refusal):
    """The policy of the product gives a number of days after the delivery."""

    title = "The time in which these goods may be returned is over."


class ReturnAsked(NamedTuple):
    """A return (RMA) that is now expected; its number stands on the label and the ticket."""

    answer: journey.Answer
    arrival_ids: list[UUID]


class Returnable(NamedTuple):
    """Goods that the customer has and may give back until a moment."""

    line_id: UUID
    name: str
    quantity: int
    until: datetime


async def returnable(fulfilment_id: UUID, language: str, *, actor: Actor) -> list[Returnable]:
    """List what the customer may still give back of a parcel, named in a language.

    Raises: NotFound outside the actor's sight.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    delivered_at = await db.value(DELIVERED_AT, fulfilment_id)
    if delivered_at is None:
        return []
    have = [
        Returnable(
            row["id"],
            row["names"].get(language, row["name"]),
            row["quantity"],
            delivered_at + timedelta(days=row["return_days"]),
        )
        for row in await db.rows(WITH_CUSTOMER, fulfilment_id)
    ]
    return [one for one in have if one.quantity > 0 and now() <= one.until]


@db.transactional
async def request_return(
    fulfilment_id: UUID,
    event_id: UUID,
    *,
    reason: str,
    words: str,
    lines: Sequence[journey.Quantity],
    how: Literal["home", "store"],
    actor: Actor,
    late: bool = False,
) -> ReturnAsked:
    """Ask for goods to come back: money waits, the floor expects them, a ticket is opened.

    `lines` empty means everything the customer has. `late` lets a desk take back goods after the
    return window. The same `event_id` again changes nothing.

    Raises: NotFound outside the actor's sight; NotWithCustomer; ReturnWindowOver; the engine's
    refusals.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    fulfilment = await journey.lock(fulfilment_id)
    have = {row["id"]: row for row in await db.rows(WITH_CUSTOMER, fulfilment_id)}
    wanted = {line.fulfilment_line_id: line for line in lines} or {
        line_id: journey.Quantity(fulfilment_line_id=line_id, quantity=row["quantity"])
        for line_id, row in have.items()
        if row["quantity"]
    }
    answer = await journey.open_detour(
        event_id,
        fulfilment_id,
        "return_requested",
        actor=actor,
        reason=reason,
        detail=words,
        lines=list(wanted.values()),
    )
    if answer.verdict is not journey.Verdict.APPLIED:
        return ReturnAsked(answer, [])
    await _check(fulfilment_id, wanted, have, late=late)
    arrival = await receiving.expect(
        "customer_return",
        str(event_id),
        channel_id=fulfilment["channel_id"],
        lines=[_goods(line, have[line_id]) for line_id, line in wanted.items()],
        owner_id=fulfilment["owner_id"],
        order_id=fulfilment["order_id"],
        fulfilment_id=fulfilment_id,
        arrival_id=event_id,
    )
    skus = ", ".join(f"{w.quantity} × {have[i]['sku']}" for i, w in wanted.items())
    way = "to be fetched at home" if how == "home" else "brought to a store"
    await open_ticket(
        "return",
        f"Return of {skus}",
        f"{skus}, {way}. {words}".strip(),
        actor=Actor.system("returns", request_id=actor.request_id),
        event_id=event_id,
        order_id=fulfilment["order_id"],
        fulfilment_id=fulfilment_id,
    )
    return ReturnAsked(answer, [arrival])


def _goods(line: journey.Quantity, have: dict[str, Any]) -> receiving.ExpectedGoods:
    """Announce pieces of a line: the serials that are named, or all of them when all come back.

    Of several units one that is not named may be any of them: the floor takes whichever comes.
    """
    everything = line.quantity == len(have["serials"])
    serials = tuple(have["serials"]) if everything else line.serials
    if len(serials) != line.quantity:
        serials = ()
    return receiving.ExpectedGoods(have["product_id"], line.quantity, have["id"], serials)


async def _check(
    fulfilment_id: UUID,
    wanted: dict[UUID, journey.Quantity],
    have: dict[UUID, dict[str, Any]],
    *,
    late: bool,
) -> None:
    for line_id, line in wanted.items():
        if line_id not in have or not 0 < line.quantity <= have[line_id]["quantity"]:
            raise NotWithCustomer(str(line_id))
        if not set(line.serials) <= set(have[line_id]["serials"]):
            raise NotWithCustomer(", ".join(line.serials))
    if not wanted:
        raise NotWithCustomer
    delivered_at = await db.value(DELIVERED_AT, fulfilment_id)
    days = min(have[line_id]["return_days"] for line_id in wanted)
    if not late and now() > delivered_at + timedelta(days=days):
        raise ReturnWindowOver(f"{days} days after the delivery.", days=days)


async def goods_came_back(fact: journey.Fact) -> None:
    """Goods of a fulfilment were received: all of them end it, a part is noted and credited.

    A round in which nothing came in only tells whether more is awaited. Goods of a fulfilment that
    has ended before are only booked: its end has said what follows.
    """
    if fact.fulfilment["state"] == "ended":
        return
    system = Actor.system("returns", request_id=fact.actor.request_id)
    event_id = journey.derived_id(fact.fulfilment_id, f"returned:{fact.event_id}")
    everything = not await custody.whereabouts(fact.fulfilment_id)
    if everything:
        await journey.open_detour(event_id, fact.fulfilment_id, "returned", actor=system)
        return
    # Pieces of one line may come back in several grades, each booked by itself.
    came: Counter[UUID] = Counter()
    for line in fact.data["lines"]:
        came[UUID(line["fulfilment_line_id"])] += line["quantity"]
    if came and 1013 in fact.fulfilment["passed"]:
        await came_back.let_go(fact)
        await journey.open_detour(
            event_id,
            fact.fulfilment_id,
            "returned_part",
            actor=system,
            lines=[
                journey.Quantity(fulfilment_line_id=line_id, quantity=quantity)
                for line_id, quantity in came.items()
            ],
        )
        await undo.credit(event_id, fact.order_id, fact.fulfilment_id, "returned_part", came)
    if fact.data["complete"] and fact.data["kind"] == "customer_return":
        await journey.settle_detour(
            journey.derived_id(fact.fulfilment_id, f"return_over:{fact.data['arrival_id']}"),
            fact.fulfilment_id,
            "return_requested",
            actor=system,
        )
