"""Tables of the journey, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Fulfilment(Table, tablename="fulfilment", db=engine):
    """What travels: order, place, owner."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    channel_id = UUID(default=None)
    parcel = SmallInt()
    location_id = UUID(null=True, default=None)
    owner_id = UUID(null=True, default=None)
    po_id = UUID(null=True, default=None)
    replaces_id = UUID(null=True, default=None)
    needs_vendor = Boolean()
    needs_install = Boolean()
    has_warranty = Boolean()
    collection = Boolean()
    state = Text()
    ended_as = Text(null=True, default=None)
    attempt = SmallInt()
    passed = Array(base_column=SmallInt())
    stage = SmallInt()
    progress = SmallInt()
    head_seq = Integer()
    head_hash = Bytea()
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class FulfilmentLine(Table, tablename="fulfilment_line", db=engine):
    """A quantity of an order line in a fulfilment."""

    id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    order_line_id = UUID(default=None)
    product_id = UUID(default=None)
    quantity = Integer()


class JourneyEvent(Table, tablename="journey_event", db=engine):
    """A link of the chain."""

    fulfilment_id = UUID(primary_key=True, default=None)
    seq = Integer()
    event_id = UUID(default=None)
    order_id = UUID(default=None)
    kind = Text()
    name = Text()
    stage = SmallInt(null=True, default=None)
    ends_as = Text(null=True, default=None)
    how = Text()
    attempt = SmallInt()
    verdict = Text()
    reason = Text()
    actor_id = UUID(null=True, default=None)
    actor_role = Text()
    source = Text()
    device = Text()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    request_id = Text()
    evidence = JSONB()
    body = Bytea()
    prev_hash = Bytea()
    hash = Bytea()


class HeldStep(Table, tablename="held_step", db=engine):
    """A step that came too early."""

    event_id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    order_id = UUID(default=None)
    stage = SmallInt()
    actor = JSONB()
    evidence = JSONB()
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    waits_for = Text()
    released_at = Timestamptz(null=True, default=None)
    verdict = Text(null=True, default=None)


class DetourCase(Table, tablename="detour_case", db=engine):
    """A detour that is or was open."""

    id = UUID(primary_key=True, default=None)
    fulfilment_id = UUID(default=None)
    order_id = UUID(default=None)
    kind = Text()
    attempt = SmallInt()
    blocks_from = SmallInt(null=True, default=None)
    holds_from = SmallInt(null=True, default=None)
    reason = Text()
    detail = Text()
    lines = JSONB()
    progress = SmallInt()
    opened_role = Text()
    opened_source = Text()
    happened_at = Timestamptz(default=None)
    opened_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_as = Text(null=True, default=None)
    expected_on = Date(null=True, default=None)
    accepted_at = Timestamptz(null=True, default=None)


class JourneyCheckpoint(Table, tablename="journey_checkpoint", db=engine):
    """Heads of all chains at a moment."""

    seq = BigInt(primary_key=True)
    recorded_at = Timestamptz(default=None)
    heads = JSONB()
    prev_hash = Bytea()
    hash = Bytea()
