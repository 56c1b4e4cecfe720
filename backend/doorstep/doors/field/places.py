"""People on the road: where they are while they work, what of it is kept, and who has looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import health
from doorstep.core.captures.moments import Captured, Moment, refuse_edge
from doorstep.core.errors import Invalid, NotAllowed
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


class FixesSent(Struct, kw_only=True, forbid_unknown_fields=True):
    """The same as it comes in: one that cannot be read costs no other."""

    fixes: Annotated[list[Any], Meta(min_length=1, max_length=MOST)]


class NoFixReadable(Invalid):
    title = "Nothing of this can be read as a place."


class _Written(Schema):
    """The body as JSON Schema, each place as it should be."""

    def to_schema(self) -> dict[str, Any]:
        """Write it down, with the place in its place."""
        defs = msgspec.json.schema(FixesIn)["$defs"]
        body: dict[str, Any] = defs["FixesIn"]
        body["properties"]["fixes"]["items"] = defs["FixIn"]
        return body


@dataclass
class _TellOperation(Operation):
    """Says what the body is."""

    def __post_init__(self) -> None:
        content = {"application/json": OpenAPIMediaType(schema=_Written())}
        self.request_body = RequestBody(required=True, content=content)


class RefusedFix(Struct):
    """A place that is not stored: its person was not at work then, or it is older than 60 days."""

    id: UUID
    why: Literal["off_duty", "too_old"]


class FixesOut(Struct):
    """What became of each; the phone forgets them all. `unreadable`: their places in the list."""

    kept: list[UUID]
    refused: list[RefusedFix]
    unreadable: list[int]


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
    operation_class=_TellOperation,
    opt=OWN,
    status_code=200,
    responses=problems(NotAPhone, NoFixReadable),
    tags=TAGS,
)
async def tell_places(data: FixesSent, actor: Actor) -> FixesOut:
    """Tell where the phone was while its person worked; the same fix again is stored once.

    What was outside of an open shift, an accepted run or a started visit is not stored. One that
    cannot be read is left out, and stands in the health of the phone.
    """
    if actor.device_id is None:
        raise NotAPhone
    fixes, unreadable = _read(data.fixes)
    if unreadable:
        await health.places_unreadable(actor.device_id, len(unreadable))
    if not fixes:
        raise NoFixReadable
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
        for fix in fixes
    ]
    outcome = await flow.keep(actor.device_id, told)
    refused = [RefusedFix(*one) for one in outcome.refused]
    return FixesOut(outcome.kept, refused, unreadable)


def _read(sent: Sequence[Any]) -> tuple[list[FixIn], list[int]]:
    """Read what is a place, and tell where in the list others stand."""
    fixes, unreadable = [], []
    for n, one in enumerate(sent):
        try:
            fixes.append(msgspec.convert(one, FixIn))
        except msgspec.ValidationError:
            unreadable.append(n)
    return fixes, unreadable


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
