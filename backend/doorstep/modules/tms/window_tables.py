"""The tables of what deliveries are promised for, as Piccolo sees it; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Boolean, Integer, SmallInt, Text, Time, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class DeliveryWindow(Table, tablename="delivery_window", db=engine):
    """When a delivery was promised, or that it is promised no more."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    n = Integer()
    from_at = Timestamptz(null=True, default=None)
    until_at = Timestamptz(null=True, default=None)
    reason = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class DeliverySlot(Table, tablename="delivery_slot", db=engine):
    """A window of a weekday that may be chosen; its capacity is in parcels."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    weekday = SmallInt()
    from_time = Time()
    until_time = Time()
    capacity = SmallInt()
    lead_minutes = Integer()
    active = Boolean()


class AttemptAnswer(Table, tablename="attempt_answer", db=engine):
    """What the customer says to an attempt that is reported as failed."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    case_id = UUID(default=None)
    said = Text()
    words = Text()
    said_at = Timestamptz(default=None)
