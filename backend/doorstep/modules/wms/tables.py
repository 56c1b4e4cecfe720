"""Tables of wms, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Boolean, DoublePrecision, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db import engine


class Location(Table, tablename="location", db=engine):
    """A place where goods can be."""

    id = UUID(primary_key=True, default=None)
    code = Text()
    name = Text()
    kind = Text()
    channel_id = UUID(default=None)
    vendor_id = UUID(null=True, default=None)
    erp_store_id = Text(null=True, default=None)
    shop_source_code = Text(null=True, default=None)
    pickup_code = Text(null=True, default=None)
    city = Text()
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    active = Boolean()


class Stock(Table, tablename="stock", db=engine):
    """One owner's pieces of a SKU at a place."""

    id = UUID(primary_key=True, default=None)
    location_id = UUID(default=None)
    product_id = UUID(default=None)
    owner_id = UUID(null=True, default=None)
    grade = Text()
    on_hand = Integer()
    held = Integer()
    allocated = Integer()


class StockMovement(Table, tablename="stock_movement", db=engine):
    """Pieces that came or went."""

    id = UUID(primary_key=True, default=None)
    stock_id = UUID(default=None)
    quantity = Integer()
    reason = Text()
    ref_ = Text(db_column_name="ref")
    order_id = UUID(null=True, default=None)
    moved_at = Timestamptz(default=None)


class Reservation(Table, tablename="reservation", db=engine):
    """Pieces held or allocated for a line."""

    id = UUID(primary_key=True, default=None)
    stock_id = UUID(default=None)
    order_id = UUID(default=None)
    fulfilment_line_id = UUID(default=None)
    quantity = Integer()
    state = Text()
    expires_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class Unit(Table, tablename="unit", db=engine):
    """A serialised piece."""

    id = UUID(primary_key=True, default=None)
    product_id = UUID(default=None)
    serial = Text()
    owner_id = UUID(null=True, default=None)
    location_id = UUID(default=None)
    fulfilment_line_id = UUID(null=True, default=None)
    state = Text()
    grade = Text()


class Custody(Table, tablename="custody", db=engine):
    """Pieces of a line that have left the shelf, in one hand."""

    fulfilment_line_id = UUID(primary_key=True, default=None)
    location_id = UUID(default=None)
    quantity = Integer()


class PickList(Table, tablename="pick_list", db=engine):
    """A fulfilment to be picked."""

    id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    location_id = UUID(default=None)
    picker_id = UUID(null=True, default=None)
    state = Text()
    created_at = Timestamptz(default=None)
    started_at = Timestamptz(null=True, default=None)
    checked_at = Timestamptz(null=True, default=None)
    packed_at = Timestamptz(null=True, default=None)
    repicked_at = Timestamptz(null=True, default=None)


class QcScan(Table, tablename="qc_scan", db=engine):
    """A code scanned at the quality check."""

    id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    code = Text()
    kind = Text()
    fulfilment_line_id = UUID(null=True, default=None)
    unit_id = UUID(null=True, default=None)
    ok = Boolean()
    reason = Text()
    actor_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class Package(Table, tablename="package", db=engine):
    """A closed box, n of m."""

    id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    n = SmallInt()
    of = SmallInt()
    weight_g = Integer()
    length_mm = Integer()
    width_mm = Integer()
    height_mm = Integer()
    packed_by = UUID(null=True, default=None)
    packed_at = Timestamptz(default=None)
