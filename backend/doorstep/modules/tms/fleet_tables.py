"""Tables of crews, vans and their shifts, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    UUID,
    Boolean,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Vehicle(Table, tablename="vehicle", db=engine):
    """A van of our own fleet."""

    id = UUID(primary_key=True, default=None)
    code = Text()
    channel_id = UUID(default=None)
    plate = Text()
    capacity_kg = Integer()
    capacity_l = Integer()
    location_id = UUID(default=None)
    active = Boolean()


class Crew(Table, tablename="crew", db=engine):
    """People who work together."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    name = Text()
    lead_id = UUID(default=None)
    active = Boolean()


class CrewMember(Table, tablename="crew_member", db=engine):
    """Somebody of a crew."""

    crew_id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)


class Shift(Table, tablename="shift", db=engine):
    """A crew with a vehicle for a day."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    crew_id = UUID(default=None)
    vehicle_id = UUID(default=None)
    channel_id = UUID(default=None)
    lead_id = UUID(default=None)
    planned_on = Date(default=None)
    state = Text()
    planned_by = UUID(null=True, default=None)
    planned_at = Timestamptz(default=None)
    open_event_id = UUID(null=True, default=None)
    opened_by = UUID(null=True, default=None)
    opened_at = Timestamptz(null=True, default=None)
    close_event_id = UUID(null=True, default=None)
    closed_by = UUID(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)
    cancelled_by = UUID(null=True, default=None)
    cancelled_at = Timestamptz(null=True, default=None)
    cancel_reason = Text(null=True, default=None)


class ShiftMember(Table, tablename="shift_member", db=engine):
    """Somebody who works a shift."""

    shift_id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    on_duty = Boolean()


class ShiftExplanation(Table, tablename="shift_explanation", db=engine):
    """Where goods are that a shift did not bring back."""

    id = UUID(primary_key=True, default=None)
    shift_id = UUID(default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    label_no = Text(null=True, default=None)
    reason = Text()
    words = Text()
    photo_sha256 = Text(null=True, default=None)
    explained_by = UUID(default=None)
    explained_at = Timestamptz(default=None)


class VanDown(Table, tablename="van_down", db=engine):
    """The work of a van that is down goes to another shift."""

    id = UUID(primary_key=True, default=None)
    from_shift_id = UUID(default=None)
    to_shift_id = UUID(default=None)
    reason = Text()
    told_by = UUID(null=True, default=None)
    told_at = Timestamptz(default=None)
    undoes_id = UUID(null=True, default=None)


class VanDownParcel(Table, tablename="van_down_parcel", db=engine):
    """A parcel of a van that is down."""

    van_down_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    stop_id = UUID(null=True, default=None)
    state = Text()
    new_stop_id = UUID(null=True, default=None)
    words = Text()
