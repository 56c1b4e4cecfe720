"""A crew's day: its shift, what is to be loaded, what it holds, opening and closing."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.doors.field.runs import BoxGoods
from doorstep.flows import fleet, fleet_sql, shift_close
from doorstep.modules.tms import fleet_rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    OnAnotherShift,
    ShiftAlreadyOpened,
    ShiftMissing,
    ShiftNotEmpty,
    ShiftNotOpen,
    ShiftOver,
)
from doorstep.modules.tms.schemas import Explanation

TAGS = ["transport"]

# The open shift, else the one that is planned up to today on the channel's clock.
OWN_SHIFT = """
SELECT s.id FROM shift s JOIN shift_member m ON m.shift_id = s.id
  JOIN channel c ON c.id = s.channel_id
 WHERE m.person_id = $1 AND (m.on_duty OR s.state = 'planned'
   AND s.planned_on = ($2::timestamptz AT TIME ZONE c.zone)::date)
 ORDER BY m.on_duty DESC, s.number LIMIT 1
"""

# The vehicle that takes over what this shift had to do, as long as the office has not taken that back.
GIVES_TO = """
SELECT v.code FROM van_down d JOIN shift s ON s.id = d.to_shift_id JOIN vehicle v ON v.id = s.vehicle_id
 WHERE d.from_shift_id = $1 AND NOT EXISTS (SELECT FROM van_down u WHERE u.undoes_id = d.id)
 ORDER BY d.told_at DESC, d.id DESC LIMIT 1
"""

COLLEAGUES = """
SELECT p.id AS person_id, p.name, p.role FROM shift_member m JOIN person p ON p.id = m.person_id
 WHERE m.shift_id = $1 ORDER BY p.name, p.id
"""


class Colleague(Struct):
    """Somebody who works the shift."""

    person_id: UUID
    name: str
    role: str


class PieceToLoad(Struct, kw_only=True):
    """A box to deliver; `place` is where its parcel stands, empty while it is in the warehouse."""

    label_no: str
    n: int
    of: int
    number: str
    fulfilment_id: UUID
    goods: list[BoxGoods]
    loaded: bool
    place: str | None


class Loading(Struct, kw_only=True):
    """How many of the boxes to deliver the crew has scanned; `words`: "47 of 48"."""

    expected: int
    scanned: int
    words: str
    pieces: list[PieceToLoad]


class HeldGoods(Struct):
    """Goods in the crew's hands."""

    name: str
    quantity: int


class HeldParcel(Struct, kw_only=True):
    """A parcel on the van; `labels` are its boxes that no floor has scanned back."""

    fulfilment_id: UUID
    number: str
    goods: list[HeldGoods]
    labels: list[str]


class HeldCash(Struct):
    """Cash that was taken and not counted."""

    currency: str
    amount_minor: int


class Holding(Struct, kw_only=True):
    """What must be delivered, returned, explained or counted before the shift can be closed."""

    words: str
    parcels: list[HeldParcel]
    cash: list[HeldCash]


class ShiftOut(Struct, kw_only=True):
    """The person's shift: who, with which vehicle, what is to be loaded, what is held."""

    id: UUID
    number: str
    state: str
    planned_on: date
    crew: str
    vehicle: str
    plate: str
    people: list[Colleague]
    loading: Loading
    holding: Holding
    gives_to: str
    """The vehicle that takes over what this one had to do; empty where none does."""


class OpenIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Beginning; the phone makes `event_id`."""

    event_id: UUID


class CloseIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The end; a word about each piece that was neither delivered nor brought back."""

    event_id: UUID
    explanations: Annotated[list[Explanation], Meta(max_length=200)] = []


class ShiftState(Struct):
    """How the shift stands now."""

    id: UUID
    number: str
    state: str


@get(
    "/field/shift",
    operation_id="readOwnShift",
    opt=needs("tms:shift:work"),
    responses=problems(ShiftMissing),
    tags=TAGS,
)
async def read_own_shift(actor: Actor) -> ShiftOut:
    """Tell the person's open shift, else today's planned one, with loading and balance."""
    shift_id = await db.value(OWN_SHIFT, actor.person_id, now())
    if shift_id is None:
        raise ShiftMissing
    shift = await tms.read_shift(shift_id)
    people = await db.rows(COLLEAGUES, shift_id)
    return ShiftOut(
        **{name: shift[name] for name in ("id", "number", "state", "planned_on")},
        **{name: shift[name] for name in ("crew", "vehicle", "plate")},
        people=msgspec.convert(people, list[Colleague]),
        loading=_loading(await db.rows(fleet_sql.PIECES_TO_LOAD, shift_id)),
        holding=_holding(await shift_close.balance(shift)),
        gives_to=await db.value(GIVES_TO, shift_id) or "",
    )


def _loading(rows: list[dict[str, Any]]) -> Loading:
    pieces = msgspec.convert(rows, list[PieceToLoad])
    scanned = sum(piece.loaded for piece in pieces)
    return Loading(
        expected=len(pieces),
        scanned=scanned,
        words=fleet_rules.loaded(scanned, len(pieces)),
        pieces=pieces,
    )


def _holding(held: shift_close.Balance) -> Holding:
    return Holding(
        words=held.words,
        parcels=[
            HeldParcel(
                fulfilment_id=parcel.fulfilment_id,
                number=parcel.number,
                goods=msgspec.convert(parcel.goods, list[HeldGoods]),
                labels=parcel.labels if parcel.left is None else parcel.left,
            )
            for parcel in held.parcels
            if not parcel.accounted
        ],
        cash=[HeldCash(cash.currency, cash.amount_minor) for cash in held.cash],
    )


@post(
    "/field/shifts/{shift_id:uuid}/open",
    operation_id="openShift",
    opt=needs("tms:shift:work"),
    status_code=200,
    responses=problems(ShiftMissing, ShiftAlreadyOpened, ShiftOver, OnAnotherShift),
    tags=TAGS,
)
async def open_shift(shift_id: UUID, data: OpenIn, actor: Actor) -> ShiftState:
    """Begin a shift with its crew and vehicle, which drive what its people had for the day by themselves.

    Both may be on one open shift at a time.
    """
    shift = await fleet.open_shift(shift_id, data.event_id, actor=actor)
    return ShiftState(shift_id, shift["number"], shift["state"])


@post(
    "/field/shifts/{shift_id:uuid}/close",
    operation_id="closeShift",
    opt=needs("tms:shift:work"),
    status_code=200,
    responses=problems(ShiftMissing, ShiftNotOpen, ShiftOver, ShiftNotEmpty),
    tags=TAGS,
)
async def close_shift(shift_id: UUID, data: CloseIn, actor: Actor) -> ShiftState:
    """End a shift: every piece delivered, returned by scan or explained, its cash counted."""
    shift = await shift_close.close_shift(
        shift_id, event_id=data.event_id, explanations=data.explanations, actor=actor
    )
    return ShiftState(shift_id, shift["number"], shift["state"])


handlers = [read_own_shift, open_shift, close_shift]
"""The routes of this door."""
