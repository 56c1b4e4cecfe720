"""People on the road: where they are while they work, what of it is kept, and who has looked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures.moments import Captured, Moment, refuse_edge
from doorstep.core.errors import NotAllowed
from doorstep.core.http.problems import problems
from doorstep.doors.field.sync import NotAPhone
from doorstep.flows import places as flow
from doorstep.modules.places import rules
from doorstep.modules.places import service as places

TAGS = ["places"]
OWN = needs("places:place:own")
MOST = 200

Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]


class FixIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the phone was. It makes `id`; the times are those that a capture carries.

    `battery`: below 20 %, below 50 %, or more; null where the browser does not say.
    """

    id: UUID
    captured_at: Moment
    mono_ms: Milliseconds
    server_at: Moment | None = None
    server_mono_ms: Milliseconds | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)]
    speed_mps: Annotated[float, Meta(ge=0, le=400)] | None = None
    battery: Literal["low", "middle", "high"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.server_at is not None:
            refuse_edge("server_at", self.server_at)


class FixesIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the phone has seen since it last could tell."""

    fixes: Annotated[list[FixIn], Meta(min_length=1, max_length=MOST)]


class RefusedFix(Struct):
    """A place that is not stored: its person was not at work then, or it is older than 60 days."""

    id: UUID
    why: Literal["off_duty", "too_old"]


class FixesOut(Struct):
    """What became of each; the phone forgets them all."""

    kept: list[UUID]
    refused: list[RefusedFix]


class RecordedDay(Struct, kw_only=True):
    """What was recorded of a day: how many places, from when to when, within so many km of where."""

    day: date
    count: int
    first_at: datetime
    last_at: datetime
    lat: float
    lng: float
    radius_km: int


class Look(Struct, kw_only=True):
    """Somebody of this role looked, so many times in that hour, at where one was in that period."""

    role: str
    at: datetime
    times: int
    reason: str
    from_at: datetime
    until_at: datetime


class MyPlaces(Struct, kw_only=True):
    """What is kept of one's own place, and who looked at it; an hour is told once it is over."""

    kept_days: int
    days: list[RecordedDay]
    looks: list[Look]


@post(
    "/field/places",
    operation_id="tellPlaces",
    opt=OWN,
    status_code=200,
    responses=problems(NotAPhone),
    tags=TAGS,
)
async def tell_places(data: FixesIn, actor: Actor) -> FixesOut:
    """Tell where the phone was while its person worked; the same fix again is stored once.

    What was outside of an open shift, an accepted run or a started visit is not stored.
    """
    if actor.device_id is None:
        raise NotAPhone
    told = [
        flow.Told(
            id=fix.id,
            captured_at=fix.captured_at,
            mono_ms=fix.mono_ms,
            server_at=fix.server_at,
            server_mono_ms=fix.server_mono_ms,
            lat=fix.lat,
            lng=fix.lng,
            accuracy_m=fix.accuracy_m,
            speed_mps=fix.speed_mps,
            battery=fix.battery,
        )
        for fix in data.fixes
    ]
    outcome = await flow.keep(actor.device_id, told)
    return FixesOut(outcome.kept, [RefusedFix(*one) for one in outcome.refused])


@get("/field/places/mine", operation_id="readMyPlaces", opt=OWN, tags=TAGS)
async def read_my_places(actor: Actor) -> MyPlaces:
    """Tell what was recorded of oneself in the last 60 days, and who looked at it and why."""
    if actor.person_id is None:
        raise NotAllowed
    zone = await flow.zone_of(actor.person_id)
    return MyPlaces(
        kept_days=rules.KEPT_DAYS,
        days=[
            RecordedDay(
                day=row["day"],
                count=row["count"],
                first_at=row["first_at"],
                last_at=row["last_at"],
                **rules.roughly(row["south"], row["west"], row["north"], row["east"])._asdict(),
            )
            for row in await places.days_of(actor.person_id, zone)
        ],
        looks=[Look(**row) for row in await places.looks_at(actor.person_id)],
    )


handlers = [tell_places, read_my_places]
"""The routes of this door."""
