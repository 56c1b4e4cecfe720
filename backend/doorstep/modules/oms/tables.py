"""Tables of oms, as Piccolo sees them; the DDL stands in migrations/sql."""

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


class Channel(Table, tablename="channel", db=engine):
    """A sales channel, one per country."""

    id = UUID(primary_key=True, default=None)
    code = Text()
    name = Text()
    country = Text()
    currency = Text()
    zone = Text()
    languages = Array(base_column=Text())
    working_week = Array(base_column=SmallInt())
    tax_basis_points = Integer()
    cod_limit_minor = BigInt()
    hold_minutes_prepaid = Integer()
    hold_minutes_transfer = Integer()
    unpaid_grace_minutes = Integer()
    delivery_attempts = SmallInt()
    active = Boolean()
    offer_minutes = SmallInt()


class Product(Table, tablename="product", db=engine):
    """A SKU."""

    id = UUID(primary_key=True, default=None)
    sku = Text()
    name = Text()
    names = JSONB()
    barcode = Text()
    weight_g = Integer()
    length_mm = Integer()
    width_mm = Integer()
    height_mm = Integer()
    pieces = SmallInt()
    crew_size = SmallInt()
    fragile = Boolean()
    serialised = Boolean()
    needs_install = Boolean()
    install_skill = Text(null=True, default=None)
    warranty_months = SmallInt()
    packing_instruction = Text()
    standing_hours = SmallInt()
    return_days = SmallInt()
    accessories = JSONB()
    active = Boolean()


class CustomerOrder(Table, tablename="customer_order", db=engine):
    """An order."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    channel_id = UUID(default=None)
    external_id = Text()
    external_entity_id = Text()
    customer_id = UUID(default=None)
    address_id = UUID(default=None)
    currency = Text()
    subtotal_minor = BigInt()
    tax_minor = BigInt()
    discount_minor = BigInt()
    shipping_minor = BigInt()
    total_minor = BigInt()
    delivery_service = Text()
    language = Text()
    state = Text()
    placed_at = Timestamptz(default=None)
    created_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_by = UUID(null=True, default=None)
    closing_reason = Text()


class OrderLine(Table, tablename="order_line", db=engine):
    """A line of an order."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    position = SmallInt()
    product_id = UUID(default=None)
    sku = Text()
    name = Text()
    quantity = Integer()
    unit_price_minor = BigInt()
    tax_minor = BigInt()
    discount_minor = BigInt()
    total_minor = BigInt()
    external_item_id = Text()


class PaymentLine(Table, tablename="payment_line", db=engine):
    """A way in which an order is paid."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    method = Text()
    amount_minor = BigInt()
    due = Text()
    reference = Text()
    state = Text()
    captured_minor = BigInt()
    provider_ref = Text()


class OrderDocument(Table, tablename="order_document", db=engine):
    """A printed paper of an order."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(null=True, default=None)
    kind = Text()
    language = Text()
    sha256 = Text()
    created_at = Timestamptz(default=None)


class ArchiveEntry(Table, tablename="archive_entry", db=engine):
    """A file of a closed order."""

    order_id = UUID(primary_key=True, default=None)
    file = Text()
    channel = Text()
    year = SmallInt()
    number = Text()
    kind = Text()
    sha256 = Text()
    created_at = Timestamptz(default=None)


class ShopWatermark(Table, tablename="shop_watermark", db=engine):
    """How far a shop's orders are fetched."""

    shop = Text(primary_key=True)
    updated_at = Timestamptz(default=None)


class CreditNote(Table, tablename="credit_note", db=engine):
    """What an order costs less."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    reason = Text()
    amount_minor = BigInt()
    currency = Text()
    created_at = Timestamptz(default=None)


class CreditNoteLine(Table, tablename="credit_note_line", db=engine):
    """The pieces of a line that a credit note is about."""

    credit_note_id = UUID(primary_key=True, default=None)
    fulfilment_line_id = UUID(default=None)
    order_line_id = UUID(default=None)
    quantity = Integer()
    amount_minor = BigInt()
