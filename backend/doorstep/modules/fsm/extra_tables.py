"""Tables of extras and of the parts on vans, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class ServicePrice(Table, tablename="service_price", db=engine):
    """A version of what something costs beside the order."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    code = Text()
    version = Integer()
    names = JSONB()
    unit = Text()
    price_minor = BigInt()
    tax_basis_points = Integer()
    product_id = UUID(null=True, default=None)
    valid_from = Timestamptz(default=None)
    valid_until = Timestamptz(null=True, default=None)
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class VisitExtra(Table, tablename="visit_extra", db=engine):
    """What a customer has agreed to beside the order."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    visit_id = UUID(default=None)
    technician_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    currency = Text()
    charged_minor = BigInt()
    shown_minor = BigInt()
    signer_name = Text()
    signature = JSONB(null=True, default=None)
    signature_sha256 = Text(null=True, default=None)
    disagreements = Array(base_column=Text())
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class VisitExtraLine(Table, tablename="visit_extra_line", db=engine):
    """One thing of it, at the price that was shown."""

    extra_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    named_id = UUID(default=None)
    price_id = UUID(null=True, default=None)
    quantity = Integer()
    net_minor = BigInt()
    tax_minor = BigInt()


class PartMovement(Table, tablename="part_movement", db=engine):
    """Parts that came on a technician's van or left it."""

    id = UUID(primary_key=True, default=None)
    technician_id = UUID(default=None)
    product_id = UUID(default=None)
    quantity = Integer()
    kind = Text()
    extra_id = UUID(null=True, default=None)
    words = Text()
    made_by = UUID(null=True, default=None)
    made_at = Timestamptz(default=None)


class ExtraReceipt(Table, tablename="extra_receipt", db=engine):
    """What was done about the money of a visit's extras."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    visit_id = UUID(default=None)
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    shift_id = UUID(null=True, default=None)
    currency = Text()
    extra_ids = Array(base_column=UUID())
    billed_minor = BigInt()
    paid_before_minor = BigInt()
    paid_minor = BigInt()
    shown_minor = BigInt()
    bill_later = Boolean()
    disagreements = Array(base_column=Text())
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class ExtraTender(Table, tablename="extra_tender", db=engine):
    """One way in which it was paid."""

    receipt_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    method = Text()
    amount_minor = BigInt()
    reference = Text()
