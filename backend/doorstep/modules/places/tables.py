"""Tables of places, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, DoublePrecision, Integer, Real, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class PlaceFix(Table, tablename="place_fix", db=engine):
    """Where a person was at a moment of work."""

    person_id = UUID(primary_key=True, default=None)
    id = UUID(default=None)
    device_id = UUID(default=None)
    at = Timestamptz(default=None)
    lat = DoublePrecision()
    lng = DoublePrecision()
    accuracy_m = Real()
    speed_mps = Real(null=True, default=None)
    battery = Text(null=True, default=None)
    duty = Text()
    duty_id = UUID(default=None)
    received_at = Timestamptz(default=None)


class PlaceHour(Table, tablename="place_hour", db=engine):
    """How much was recorded of a person in an hour, and about where."""

    person_id = UUID(primary_key=True, default=None)
    hour = Timestamptz(default=None)
    fixes = Integer()
    first_at = Timestamptz(default=None)
    last_at = Timestamptz(default=None)
    south = DoublePrecision()
    west = DoublePrecision()
    north = DoublePrecision()
    east = DoublePrecision()


class PlaceLook(Table, tablename="place_look", db=engine):
    """Somebody's look at where a person was."""

    id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    looker_id = UUID(default=None)
    looker_role = Text()
    from_at = Timestamptz(default=None)
    until_at = Timestamptz(default=None)
    reason = Text()
    at = Timestamptz(default=None)
    request_id = Text()
