"""Tables of scm, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Vendor(Table, tablename="vendor", db=engine):
    """Who sells to us."""

    id = UUID(primary_key=True, default=None)
    code = Text()
    name = Text()
    country = Text()
    zone = Text()
    email = Text()
    phone = Text(null=True, default=None)
    percentages = Array(base_column=SmallInt())
    working_hours = JSONB()
    answer_hours = SmallInt()
    account_name = Text()
    account_number = Text()
    bank_code = Text()
    account_changed_at = Timestamptz(null=True, default=None)
    active = Boolean()
    created_at = Timestamptz(default=None)


class VendorProduct(Table, tablename="vendor_product", db=engine):
    """What a product costs at a vendor."""

    vendor_id = UUID(primary_key=True, default=None)
    product_id = UUID(default=None)
    currency = Text()
    cost_minor = BigInt()


class PurchaseOrder(Table, tablename="purchase_order", db=engine):
    """Goods ordered from a vendor."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    vendor_id = UUID(default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    currency = Text()
    total_minor = BigInt()
    state = Text()
    sent_at = Timestamptz(null=True, default=None)
    answer_due_at = Timestamptz(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    answered_by = UUID(null=True, default=None)
    answer_event_id = UUID(null=True, default=None)
    answer_reason = Text()
    ready_on = Date(null=True, default=None)
    reminded_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class PoLine(Table, tablename="po_line", db=engine):
    """A line of a purchase order."""

    id = UUID(primary_key=True, default=None)
    po_id = UUID(default=None)
    vendor_id = UUID(default=None)
    position = SmallInt()
    fulfilment_line_id = UUID(default=None)
    product_id = UUID(default=None)
    sku = Text()
    name = Text()
    quantity = Integer()
    unit_cost_minor = BigInt()
    total_minor = BigInt()
