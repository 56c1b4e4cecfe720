"""Tables of wms, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Date,
    DoublePrecision,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


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


class PackageGoods(Table, tablename="package_goods", db=engine):
    """A piece of goods and the box that it is in; `n` counts the pieces of a line."""

    fulfilment_line_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    package_id = UUID(default=None)


class ExpectedArrival(Table, tablename="expected_arrival", db=engine):
    """Goods that are to come in."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    kind = Text()
    ref_ = Text(db_column_name="ref")
    channel_id = UUID(default=None)
    location_id = UUID(null=True, default=None)
    receiving_at = UUID(null=True, default=None)
    from_location_id = UUID(null=True, default=None)
    owner_id = UUID(null=True, default=None)
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    state = Text()
    round = Integer()
    expected_on = Date(null=True, default=None)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
    ended_by = UUID(null=True, default=None)
    ending_words = Text()


class ExpectedLine(Table, tablename="expected_line", db=engine):
    """Pieces of a SKU that are to come in."""

    id = UUID(primary_key=True, default=None)
    arrival_id = UUID(default=None)
    position = SmallInt()
    fulfilment_line_id = UUID(null=True, default=None)
    product_id = UUID(default=None)
    quantity = Integer()
    serials = Array(base_column=Text())
    received = Integer()


class ReceiptScan(Table, tablename="receipt_scan", db=engine):
    """A code scanned at receiving."""

    id = UUID(primary_key=True, default=None)
    arrival_id = UUID(default=None)
    round = Integer()
    location_id = UUID(default=None)
    code = Text()
    serial = Text(null=True, default=None)
    quantity = Integer()
    grade = Text()
    verdict = Text()
    words = Text()
    line_id = UUID(null=True, default=None)
    takes_back = UUID(null=True, default=None)
    photo_sha256 = Text(null=True, default=None)
    actor_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class Receipt(Table, tablename="receipt", db=engine):
    """A finished round of receiving."""

    id = UUID(primary_key=True, default=None)
    arrival_id = UUID(default=None)
    round = Integer()
    location_id = UUID(default=None)
    complete = Boolean()
    differences = Array(base_column=Text())
    actor_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class ReceiptLine(Table, tablename="receipt_line", db=engine):
    """Pieces booked by a receipt, under a grade."""

    receipt_id = UUID(primary_key=True, default=None)
    line_id = UUID(default=None)
    grade = Text()
    quantity = Integer()
    serials = Array(base_column=Text())


class UnannouncedGoods(Table, tablename="unannounced_goods", db=engine):
    """Goods that nobody expected."""

    id = UUID(primary_key=True, default=None)
    location_id = UUID(default=None)
    code = Text()
    words = Text()
    photo_sha256 = Text(null=True, default=None)
    actor_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class AdjustmentPolicy(Table, tablename="adjustment_policy", db=engine):
    """What a channel lets pass without a second person."""

    channel_id = UUID(primary_key=True, default=None)
    max_units = Integer()
    max_value_minor = BigInt()


class CycleCount(Table, tablename="cycle_count", db=engine):
    """Shelves of a location that are to be counted."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    location_id = UUID(default=None)
    state = Text()
    why = Text()
    due_on = Date(default=None)
    opened_by = UUID(null=True, default=None)
    opened_at = Timestamptz(default=None)
    finish_event_id = UUID(null=True, default=None)
    finished_by = UUID(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class Bin(Table, tablename="bin", db=engine):
    """Where a product lies within a place."""

    location_id = UUID(primary_key=True, default=None)
    product_id = UUID(default=None)
    code = Text()
    changed_by = UUID(null=True, default=None)
    changed_at = Timestamptz()


class CycleCountLine(Table, tablename="cycle_count_line", db=engine):
    """One owner's pieces of a SKU, to be counted."""

    id = UUID(primary_key=True, default=None)
    count_id = UUID(default=None)
    product_id = UUID(default=None)
    owner_id = UUID(null=True, default=None)
    grade = Text()
    entry_id = UUID(null=True, default=None)
    difference = Integer(null=True, default=None)
    missing_serials = Array(base_column=Text())
    extra_serials = Array(base_column=Text())
    counted_at = Timestamptz(null=True, default=None)


class CountEntry(Table, tablename="count_entry", db=engine):
    """What somebody counted."""

    id = UUID(primary_key=True, default=None)
    line_id = UUID(default=None)
    quantity = Integer()
    serials = Array(base_column=Text())
    on_hand_captured = Integer()
    on_hand_recorded = Integer()
    verdict = Text()
    actor_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class StockAdjustment(Table, tablename="stock_adjustment", db=engine):
    """Pieces more or fewer than the books say, with reason and approval."""

    id = UUID(primary_key=True, default=None)
    location_id = UUID(default=None)
    product_id = UUID(default=None)
    owner_id = UUID(null=True, default=None)
    grade = Text()
    to_grade = Text(null=True, default=None)
    quantity = Integer()
    serials = Array(base_column=Text())
    reason = Text()
    words = Text()
    photo_sha256 = Text(null=True, default=None)
    count_line_id = UUID(null=True, default=None)
    unit_cost_minor = BigInt(null=True, default=None)
    currency = Text()
    state = Text()
    why = Text()
    proposed_by = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    proposed_at = Timestamptz(default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decision_words = Text()


class ShiftItem(Table, tablename="shift_item", db=engine):
    """What a location asks of a role at the end of a shift."""

    location_id = UUID(primary_key=True, default=None)
    role = Text()
    code = Text()
    words = Text()
    position = SmallInt()


class ShiftAnswer(Table, tablename="shift_answer", db=engine):
    """What somebody answered at the end of a shift."""

    id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    role = Text()
    location_id = UUID(null=True, default=None)
    answers = JSONB()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
