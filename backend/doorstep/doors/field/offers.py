"""People on the road: a delivery that is offered to them during the day, and their answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.flows import offers as flow
from doorstep.flows.stops import StopAsk, ask_of_stops
from doorstep.modules.tms.refusals import OfferMissing
from doorstep.modules.tms.schemas import DeclinedAs, Window

TAGS = ["transport"]
OWN = needs("tms:run:accept")

SHOWN_FOR = timedelta(hours=2)
"""So long a person reads that an answer has not counted."""

# Name, phone and door of the customer are told to whoever has taken the delivery (IA3): until then
# the place is within about a kilometre.
OWN_OFFERS = """
SELECT w.id, o.number, a.area, a.city, w.offered_at, w.ends_at, w.order_id, w.fulfilment_id, w.channel_id,
       round(a.lat::numeric, 2)::float8 AS near_lat, round(a.lng::numeric, 2)::float8 AS near_lng,
       (SELECT CASE WHEN d.from_at IS NOT NULL THEN jsonb_build_object(
                 'from_at', d.from_at, 'until_at', d.until_at) END
          FROM delivery_window d WHERE d.fulfilment_id = w.fulfilment_id
         ORDER BY d.n DESC LIMIT 1) AS "window",
       CASE WHEN w.state = 'open' THEN 'open' ELSE lost.outcome END AS state,
       (SELECT count(*) FROM shipment s JOIN piece p ON p.shipment_id = s.id
         WHERE s.id = (SELECT id FROM shipment WHERE fulfilment_id = w.fulfilment_id
                          AND leg = 'outbound' ORDER BY attempt DESC LIMIT 1)) AS pieces,
       (SELECT jsonb_agg(jsonb_build_object('name', p.name, 'quantity', l.quantity)
                         ORDER BY p.name, l.id)
          FROM fulfilment_line l JOIN product p ON p.id = l.product_id
         WHERE l.fulfilment_id = w.fulfilment_id) AS goods
  FROM work_offer w
  JOIN customer_order o ON o.id = w.order_id
  JOIN address a ON a.id = o.address_id
  LEFT JOIN LATERAL (
    SELECT x.outcome FROM work_answer x
     WHERE x.offer_id = w.id AND x.answer = 'accept' AND x.outcome <> 'counted'
       AND x.recorded_at > $2
     ORDER BY x.recorded_at DESC LIMIT 1) lost ON true
 WHERE w.person_id = $1 AND w.offered_at > $2::timestamptz - interval '1 day'
   AND (w.state = 'open' OR w.state <> 'taken' AND lost.outcome IS NOT NULL)
 ORDER BY w.offered_at, w.id
"""


class OfferedGoods(Struct):
    """What is to be delivered."""

    name: str
    quantity: int


class WorkOfferOut(Struct, kw_only=True):
    """A delivery that may be added to the person's run until `ends_at`, on the server's clock.

    `cash_due_minor` is what is to be collected; `near_lat` and `near_lng` are rounded to 0.01 degrees.
    `too_late`, `not_possible`: the person has accepted it, and somebody else was given it, or the run
    could not take it any more.
    """

    id: UUID
    number: str
    area: str
    city: str
    goods: list[OfferedGoods]
    pieces: int
    cash_due_minor: int
    currency: str
    window: Window | None
    near_lat: float | None
    near_lng: float | None
    offered_at: datetime
    ends_at: datetime
    state: Literal["open", "too_late", "not_possible"]


class AcceptOfferIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Taking the delivery; the phone makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment


class DeclineOfferIn(AcceptOfferIn, kw_only=True, forbid_unknown_fields=True):
    """Leaving it to somebody else, and why."""

    reason: DeclinedAs


class OfferAnswered(Struct):
    """What the answer meant; it is kept whatever that is."""

    outcome: Literal["counted", "too_late", "not_possible"]
    reason: str


WORDS = {
    "counted": "",
    "too_late": "Too late: the office gave it to somebody else, or nobody waits for it any more.",
    "not_possible": "Your run could not take it any more.",
}


@get("/field/offers", operation_id="listOwnOffers", opt=OWN, tags=TAGS)
async def list_own_offers(actor: Actor) -> list[WorkOfferOut]:
    """List what is offered to the person now, and what was accepted lately and did not count."""
    rows = await db.rows(OWN_OFFERS, actor.person_id, now() - SHOWN_FOR)
    asks = await ask_of_stops([row | {"id": row["fulfilment_id"]} for row in rows])
    return [_offer(row, asks[row["fulfilment_id"]]) for row in rows]


def _offer(row: dict[str, Any], asked: StopAsk) -> WorkOfferOut:
    due = {"cash_due_minor": asked.due_minor, "currency": asked.currency}
    return msgspec.convert(row | due, WorkOfferOut)


@post(
    "/field/offers/{offer_id:uuid}/accept",
    operation_id="acceptOffer",
    opt=OWN,
    status_code=200,
    responses=problems(OfferMissing),
    tags=TAGS,
)
async def accept_offer(offer_id: UUID, data: AcceptOfferIn, actor: Actor) -> OfferAnswered:
    """Take a delivery that is offered: it stands on the person's run, behind the others (1012)."""
    outcome = await flow.answer(
        offer_id,
        event_id=data.event_id,
        said="accept",
        captured_at=data.captured_at,
        actor=actor,
    )
    return OfferAnswered(outcome, WORDS[outcome])


@post(
    "/field/offers/{offer_id:uuid}/decline",
    operation_id="declineOffer",
    opt=OWN,
    status_code=200,
    responses=problems(OfferMissing),
    tags=TAGS,
)
async def decline_offer(offer_id: UUID, data: DeclineOfferIn, actor: Actor) -> OfferAnswered:
    """Leave a delivery that is offered to the next person."""
    outcome = await flow.answer(
        offer_id,
        event_id=data.event_id,
        said="decline",
        reason=data.reason,
        captured_at=data.captured_at,
        actor=actor,
    )
    return OfferAnswered(outcome, "")


handlers = [list_own_offers, accept_offer, decline_offer]
"""The routes of this door."""
