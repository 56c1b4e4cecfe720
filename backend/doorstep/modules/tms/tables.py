"""Tables of tms, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    DoublePrecision,
    Integer,
    Real,
    SmallInt,
    Text,
    Time,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Carrier(Table, tablename="carrier", db=engine):
    """Who moves shipments."""

    id = UUID(primary_key=True, default=None)
    code = Text()
    name = Text()
    kind = Text()
    active = Boolean()
    created_at = Timestamptz(default=None)


class CarrierService(Table, tablename="carrier_service", db=engine):
    """A channel that a carrier serves."""

    carrier_id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    service = Text()
    priority = SmallInt()
    pickup_from = Time(default=None)
    pickup_until = Time(default=None)


class Shipment(Table, tablename="shipment", db=engine):
    """Pieces under one AWB."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    carrier_id = UUID(default=None)
    leg = Text()
    attempt = SmallInt()
    service = Text()
    awb = Text()
    pickup_from = Timestamptz(null=True, default=None)
    pickup_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class Piece(Table, tablename="piece", db=engine):
    """A labelled box of a shipment."""

    id = UUID(primary_key=True, default=None)
    shipment_id = UUID(default=None)
    package_id = UUID(default=None)
    n = SmallInt()
    of = SmallInt()
    label_no = Text()
    weight_g = Integer()


class Manifest(Table, tablename="manifest", db=engine):
    """Pieces given to a courier."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    carrier_id = UUID(default=None)
    location_id = UUID(default=None)
    courier_id = UUID(default=None)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    confirm_event_id = UUID(null=True, default=None)
    confirmed_by = UUID(null=True, default=None)
    captured_at = Timestamptz(null=True, default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    counted = SmallInt(null=True, default=None)


class ManifestPiece(Table, tablename="manifest_piece", db=engine):
    """A piece on a manifest."""

    manifest_id = UUID(primary_key=True, default=None)
    piece_id = UUID(default=None)


class Scan(Table, tablename="scan", db=engine):
    """A label that was seen."""

    scan_uid = UUID(primary_key=True, default=None)
    label_no = Text()
    kind = Text()
    person_id = UUID(default=None)
    role = Text()
    device_id = UUID(null=True, default=None)
    location_id = UUID(null=True, default=None)
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    accuracy_m = Real(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    request_id = Text()


class CarrierEvent(Table, tablename="carrier_event", db=engine):
    """What a carrier said of a shipment."""

    id = UUID(primary_key=True, default=None)
    source = Text()
    source_id = Text()
    order_id = UUID(default=None)
    shipment_id = UUID(default=None)
    awb = Text()
    stage = SmallInt(null=True, default=None)
    status = Text()
    place = Text()
    remark = Text()
    happened_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class DeliveryRun(Table, tablename="delivery_run", db=engine):
    """A tour of one person."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    channel_id = UUID(default=None)
    person_id = UUID(default=None)
    vehicle = Text()
    planned_on = Date(default=None)
    state = Text()
    planned_by = UUID(null=True, default=None)
    planned_at = Timestamptz(default=None)
    accept_event_id = UUID(null=True, default=None)
    accepted_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    shift_id = UUID(null=True, default=None)


class DeliveryStop(Table, tablename="delivery_stop", db=engine):
    """A delivery of a run."""

    id = UUID(primary_key=True, default=None)
    run_id = UUID(default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    position = SmallInt()
    state = Text()
    closed_at = Timestamptz(null=True, default=None)
    told_due_minor = BigInt(null=True, default=None)


class DeliveryAttempt(Table, tablename="delivery_attempt", db=engine):
    """An attempt that failed at the door."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    stop_id = UUID(default=None)
    attempt = SmallInt()
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    kind = Text()
    reason = Text()
    words = Text()
    called = Boolean()
    dwell_seconds = Integer()
    wished_on = Date(null=True, default=None)
    photos = Array(base_column=Text())
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    accuracy_m = Real(null=True, default=None)
    verdict = Text()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class PieceReport(Table, tablename="piece_report", db=engine):
    """Boxes that somebody has found damaged, or does not find."""

    id = UUID(primary_key=True, default=None)
    kind = Text()
    labels = Array(base_column=Text())
    photos = Array(base_column=Text())
    words = Text()
    person_id = UUID(default=None)
    role = Text()
    source = Text()
    device_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    request_id = Text()


class PieceReportParcel(Table, tablename="piece_report_parcel", db=engine):
    """What such a report meant for a parcel."""

    report_id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    event_id = UUID(default=None)
    verdict = Text()
    recorded_at = Timestamptz(default=None)


class HandoverCode(Table, tablename="handover_code", db=engine):
    """The code of one delivery attempt, hashed."""

    fulfilment_id = UUID(primary_key=True, default=None)
    attempt = SmallInt()
    order_id = UUID(default=None)
    code_hash = Bytea()
    failed_tries = SmallInt()
    issued_at = Timestamptz(default=None)
    sent_again = SmallInt()


class Pod(Table, tablename="pod", db=engine):
    """A proof of delivery."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    stop_id = UUID(default=None)
    attempt = SmallInt()
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    receiver_name = Text()
    receiver_relation = Text()
    code_ok = Boolean(null=True, default=None)
    scanned_labels = Array(base_column=Text())
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    accuracy_m = Real(null=True, default=None)
    signature = JSONB(null=True, default=None)
    signature_sha256 = Text(null=True, default=None)
    serials = Array(base_column=Text())
    kept_back = JSONB()
    due_minor = BigInt()
    shown_minor = BigInt(null=True, default=None)
    tendered_minor = BigInt()
    currency = Text()
    missing = Array(base_column=Text())
    hold_reason = Text(null=True, default=None)
    verdict = Text()
    verdict_reason = Text()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    bytes_verified_at = Timestamptz(null=True, default=None)
    check_verdict = Text(null=True, default=None)
    check_reasons = Array(base_column=Text())
    check_hold = Text(null=True, default=None)
    checked_at = Timestamptz(null=True, default=None)
    checks = SmallInt()
    check_findings = JSONB()
    hold_lifted_at = Timestamptz(null=True, default=None)
    hold_lifted_reason = Text(null=True, default=None)


class PodPhoto(Table, tablename="pod_photo", db=engine):
    """A picture of a proof."""

    pod_id = UUID(primary_key=True, default=None)
    slot = Text()
    sha256 = Text()
    required = Boolean()
    verified_at = Timestamptz(null=True, default=None)


class PodThreshold(Table, tablename="pod_threshold", db=engine):
    """A threshold of a channel by which its proofs are judged."""

    id = UUID(primary_key=True, default=None)
    name = Text()
    channel_id = UUID(null=True, default=None)
    handed_to = Text(null=True, default=None)
    value = DoublePrecision()
    source = Text()
    created_at = Timestamptz(default=None)


class PodRecipe(Table, tablename="pod_recipe", db=engine):
    """Which proofs a stop needs."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(null=True, default=None)
    product_id = UUID(null=True, default=None)
    payment = Text(null=True, default=None)
    handed_to = Text(null=True, default=None)
    proofs = Array(base_column=Text())
    photo_slots = Array(base_column=Text())
    created_at = Timestamptz(default=None)


class PodTender(Table, tablename="pod_tender", db=engine):
    """Money taken at the door."""

    pod_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    method = Text()
    amount_minor = BigInt()
    reference = Text()
