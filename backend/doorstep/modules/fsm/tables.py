"""Tables of fsm, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    Boolean,
    DoublePrecision,
    Integer,
    Real,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine
from doorstep.modules.fsm.columns import TimeRange


class Technician(Table, tablename="technician", db=engine):
    """Who installs."""

    person_id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    skills = Array(base_column=Text())
    hours = JSONB()
    active = Boolean()


class Visit(Table, tablename="visit", db=engine):
    """A technician's time for a fulfilment."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    claim_id = UUID(null=True, default=None)
    purpose = Text()
    technician_id = UUID(default=None)
    skills = Array(base_column=Text())
    during = TimeRange()
    state = Text()
    booked_by = UUID(null=True, default=None)
    booked_at = Timestamptz(default=None)
    moves = SmallInt()
    start_event_id = UUID(null=True, default=None)
    started_at = Timestamptz(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)


class Checklist(Table, tablename="checklist", db=engine):
    """A version of how a product is installed."""

    id = UUID(primary_key=True, default=None)
    product_id = UUID(null=True, default=None)
    version = SmallInt()
    title = Text()
    minutes = SmallInt()
    items = JSONB()
    photo_slots = Array(base_column=Text())
    demo_topics = JSONB()
    created_at = Timestamptz(default=None)


class VisitFailure(Table, tablename="visit_failure", db=engine):
    """A visit that could not be finished."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    visit_id = UUID(default=None)
    technician_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    reason = Text()
    words = Text()
    photos = Array(base_column=Text())
    verdict = Text()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class VisitReport(Table, tablename="visit_report", db=engine):
    """What a technician did."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    visit_id = UUID(default=None)
    technician_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    demo_topics = Array(base_column=Text())
    signer_name = Text()
    signature = JSONB(null=True, default=None)
    signature_sha256 = Text(null=True, default=None)
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    accuracy_m = Real(null=True, default=None)
    missing = Array(base_column=Text())
    disagreements = Array(base_column=Text())
    verdict = Text()
    verdict_reason = Text()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    bytes_verified_at = Timestamptz(null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    approved_by = UUID(null=True, default=None)
    approval = Text(null=True, default=None)
    approval_reason = Text(null=True, default=None)


class VisitReportUnit(Table, tablename="visit_report_unit", db=engine):
    """A unit that was installed."""

    report_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    fulfilment_line_id = UUID(default=None)
    checklist_id = UUID(null=True, default=None)
    serial = Text()
    answers = JSONB()


class VisitReportPhoto(Table, tablename="visit_report_photo", db=engine):
    """A picture of a report."""

    report_id = UUID(primary_key=True, default=None)
    slot = Text()
    sha256 = Text()
    verified_at = Timestamptz(null=True, default=None)


class Manual(Table, tablename="manual", db=engine):
    """A version of how a product is installed."""

    id = UUID(primary_key=True, default=None)
    product_id = UUID(default=None)
    version = Integer()
    texts = JSONB()
    link = Text()
    written_by = UUID(null=True, default=None)
    written_at = Timestamptz(default=None)
