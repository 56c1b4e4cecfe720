"""Dispatchers: where somebody on the road is and was; each look is written down and told to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.errors import NoSuchPerson
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.captures.moments import refuse_edge
from doorstep.core.errors import Invalid
from doorstep.core.http.problems import problems
from doorstep.modules.places import service as places

LONGEST = timedelta(days=7)

Since = Annotated[datetime, QueryParameter(name="from", description="With its offset to UTC.")]
Until = Annotated[datetime, QueryParameter(name="to", description="At most 7 days later.")]
Reason = Annotated[
    str,
    QueryParameter(
        min_length=3,
        max_length=200,
        pattern=r"^[^\x00]*\S[^\x00]*$",
        description="Why; the person reads it.",
    ),
]


class PeriodNotUsable(Invalid):
    """Nobody is looked at for longer than a week at once, or for no time at all."""

    title = "A track is looked at between two moments with their offset, at most 7 days apart."


class SeenAt(Struct, kw_only=True):
    """A place at a moment; `duty` and `duty_id` name the shift, run or visit that it belongs to."""

    at: datetime
    lat: float
    lng: float
    accuracy_m: float
    speed_mps: float | None
    battery: Literal["low", "middle", "high"] | None
    duty: Literal["shift", "run", "visit"]
    duty_id: UUID


class PlaceTrack(Struct, kw_only=True):
    """Where somebody was in the period, oldest first; `last` is the last known place of all.

    `more`: there were older ones in the period than are told here.
    """

    person_id: UUID
    name: str
    role: str
    fixes: list[SeenAt]
    more: bool
    last: SeenAt | None


@get(
    "/console/places",
    operation_id="readPlaces",
    opt=needs("places:track:read"),
    responses=problems(NoSuchPerson, PeriodNotUsable),
    tags=["places"],
)
async def read_places(
    person_id: UUID, since: Since, until: Until, reason: Reason, actor: Actor
) -> PlaceTrack:
    """Show where a person in sight was while at work, of the last 60 days.

    Each call is written down with its reason, and the person sees it on the phone.
    """
    _require_usable(since, until)
    condition, arguments = scope(actor).people("p", first=2)
    found = f"SELECT p.name, p.role FROM person p WHERE p.id = $1 AND {condition}"  # noqa: S608 - a constant
    person = await db.row(found, person_id, *arguments)
    if person is None:
        raise NoSuchPerson
    track = await places.look(person_id, since=since, until=until, reason=reason, actor=actor)
    return PlaceTrack(
        person_id=person_id,
        **person,
        fixes=msgspec.convert(track.fixes, list[SeenAt]),
        more=track.more,
        last=msgspec.convert(track.last, SeenAt | None),
    )


def _require_usable(since: datetime, until: datetime) -> None:
    if since.tzinfo is None or until.tzinfo is None:
        raise PeriodNotUsable
    if not timedelta() < until - since <= LONGEST:
        raise PeriodNotUsable
    try:
        refuse_edge("from", since)
        refuse_edge("to", until)
    except ValueError as edge:
        raise PeriodNotUsable from edge


handlers = [read_places]
"""The routes of this door."""
