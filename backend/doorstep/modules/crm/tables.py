"""Tables of crm, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    UUID,
    Array,
    Boolean,
    Bytea,
    Date,
    DoublePrecision,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Customer(Table, tablename="customer", db=engine):
    """Who orders."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    name = Text()
    phone = Text(null=True, default=None)
    email = Text()
    language = Text()
    phone_verified_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class Address(Table, tablename="address", db=engine):
    """Where goods go."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    name = Text()
    phone = Text(null=True, default=None)
    line1 = Text()
    building = Text()
    floor = Text()
    flat = Text()
    lift = Boolean(null=True, default=None)
    area = Text()
    city = Text()
    region = Text()
    postcode = Text()
    country = Text()
    lat = DoublePrecision(null=True, default=None)
    lng = DoublePrecision(null=True, default=None)
    pin_at = Timestamptz(null=True, default=None)
    instructions = Text()
    missing = Array(base_column=Text())
    completed_by = UUID(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class OrderLink(Table, tablename="order_link", db=engine):
    """The customer's link, hashed."""

    token_hash = Bytea(primary_key=True)
    order_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)
    owner_n = SmallInt()


class LinkCode(Table, tablename="link_code", db=engine):
    """A code that lets the holder of a link see names, addresses and papers; only its keyed hash.

    The key is (order_id, n); Piccolo knows keys of one column only.
    """

    order_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    token_hash = Bytea(default=None)
    code_hash = Bytea(default=None)
    failed_tries = SmallInt()
    issued_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class LinkSession(Table, tablename="link_session", db=engine):
    """What a code has opened, hashed."""

    session_hash = Bytea(primary_key=True)
    token_hash = Bytea(default=None)
    order_id = UUID(default=None)
    n = SmallInt()
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class Feedback(Table, tablename="feedback", db=engine):
    """A customer's rating."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    event_id = UUID(default=None)
    delivery_rating = SmallInt()
    installation_rating = SmallInt(null=True, default=None)
    words = Text()
    created_at = Timestamptz(default=None)


class FeedbackPhoto(Table, tablename="feedback_photo", db=engine):
    """A photo that a customer has sent with a rating."""

    feedback_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    sha256 = Text()


class Warranty(Table, tablename="warranty", db=engine):
    """A warranty on a unit or a quantity."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    fulfilment_line_id = UUID(default=None)
    product_id = UUID(default=None)
    unit_id = UUID(null=True, default=None)
    serial = Text(null=True, default=None)
    quantity = Integer()
    starts_on = Date(default=None)
    ends_on = Date(default=None)
    state = Text()
    certificate_sha256 = Text(null=True, default=None)
    certificate_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    owner_n = SmallInt()


class WarrantyClaim(Table, tablename="warranty_claim", db=engine):
    """What a customer claims under a warranty."""

    id = UUID(primary_key=True, default=None)
    warranty_id = UUID(default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    claimed_at = Timestamptz(default=None)
    owner_n = SmallInt()


class WarrantyClaimPlace(Table, tablename="warranty_claim_place", db=engine):
    """Where the goods are that a new owner claims for."""

    claim_id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    place = Text()


class WarrantyTransfer(Table, tablename="warranty_transfer", db=engine):
    """Who was to have a warranty, and whether he has confirmed it."""

    order_id = UUID(primary_key=True, default=None)
    n = SmallInt()
    warranty_id = UUID(default=None)
    name = Text()
    phone = Text()
    code_hash = Bytea()
    failed_tries = SmallInt()
    asked_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    confirmed_at = Timestamptz(null=True, default=None)
