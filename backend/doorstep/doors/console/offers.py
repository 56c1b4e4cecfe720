"""Dispatchers: offer a delivery to people on the road, and see who took it, declined or was silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import offers as flow
from doorstep.flows.transport import NotForARun
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    AlreadyOffered,
    NotOnTheRoad,
    OfferMissing,
    OfferOver,
)

TAGS = ["transport"]
PLAN = needs("tms:run:plan")
LOOKS_BACK = timedelta(days=2)
MOST = 500

# {scope} comes from core.auth.scope: names of ours, values bound.
OFFERS = """
SELECT w.id, w.fulfilment_id, o.number, w.person_id, p.name, w.state, w.offered_at, w.ends_at,
       w.ended_at, w.stop_id, cardinality(w.then_ids) AS then_count,
       coalesce((SELECT jsonb_agg(jsonb_build_object('answer', a.answer, 'reason', a.reason,
                          'outcome', a.outcome, 'captured_at', a.captured_at,
                          'recorded_at', a.recorded_at) ORDER BY a.recorded_at, a.id)
                   FROM work_answer a WHERE a.offer_id = w.id), '[]') AS answers
  FROM work_offer w
  JOIN customer_order o ON o.id = w.order_id
  JOIN person p ON p.id = w.person_id
 WHERE w.offered_at > $1 AND {scope}
 ORDER BY w.offered_at DESC, w.id DESC LIMIT $2
"""


class PeopleRepeat(Invalid):
    title = "Each person is asked once about a delivery."


class OfferIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A delivery, and who is asked, one after another."""

    fulfilment_id: UUID
    person_ids: Annotated[list[UUID], Meta(min_length=1, max_length=20)]


class OfferMade(Struct):
    """The offer to the first of them."""

    id: UUID


class OfferEnded(Struct):
    """Nobody is asked any more."""

    id: UUID


class OfferAnswerOut(Struct, kw_only=True):
    """What the person answered, and what became of it."""

    answer: Literal["accept", "decline"]
    reason: str
    outcome: Literal["counted", "too_late", "not_possible"]
    captured_at: datetime
    recorded_at: datetime


class OfferSeen(Struct, kw_only=True):
    """One person was asked about one delivery; `then_count` people are asked after them."""

    id: UUID
    fulfilment_id: UUID
    number: str
    person_id: UUID
    name: str
    state: Literal["open", "taken", "declined", "lapsed", "withdrawn", "gone"]
    offered_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    stop_id: UUID | None
    then_count: int
    answers: list[OfferAnswerOut]


@post(
    "/console/offers",
    operation_id="offerWork",
    opt=PLAN,
    responses=problems(
        NotFound, NotForARun, AlreadyAssigned, AlreadyOffered, NotOnTheRoad, PeopleRepeat
    ),
    tags=TAGS,
)
async def offer_work(data: OfferIn, actor: Actor) -> OfferMade:
    """Offer a delivery to people whose run has begun; the next is asked when one does not take it."""
    if len(set(data.person_ids)) < len(data.person_ids):
        raise PeopleRepeat
    return OfferMade(await flow.offer(data.fulfilment_id, data.person_ids, actor=actor))


@post(
    "/console/offers/{offer_id:uuid}/withdraw",
    operation_id="withdrawOffer",
    opt=PLAN,
    responses=problems(OfferMissing, OfferOver),
    status_code=200,
    tags=TAGS,
)
async def withdraw_offer(offer_id: UUID, actor: Actor) -> OfferEnded:
    """Take an offer back before it is answered."""
    await flow.withdraw(offer_id, actor=actor)
    return OfferEnded(offer_id)


@get("/console/offers", operation_id="listOffers", opt=PLAN, tags=TAGS)
async def list_offers(actor: Actor) -> list[OfferSeen]:
    """List the offers of the last two days, newest first, with what was answered."""
    condition, arguments = scope(actor).channels("w.channel_id", first=3)
    rows = await db.rows(OFFERS.format(scope=condition), now() - LOOKS_BACK, MOST, *arguments)
    return msgspec.convert(rows, list[OfferSeen])


handlers = [offer_work, withdraw_offer, list_offers]
"""The routes of this door."""
