"""Tables of privacy, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class PrivacyRule(Table, tablename="privacy_rule", db=engine):
    """How long a channel keeps what it knows of a customer."""

    channel_id = UUID(primary_key=True, default=None)
    retention_days = Integer()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class ErasureRequest(Table, tablename="erasure_request", db=engine):
    """A wish to be forgotten, and what became of it."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    channel_id = UUID(default=None)
    order_id = UUID(default=None)
    link_hash = Bytea(null=True, default=None)
    way = Text()
    recorded_by = UUID(null=True, default=None)
    gives_up_warranty = Boolean()
    asked_at = Timestamptz(default=None)
    state = Text()
    waits_for = Array(Text())
    looked_at = Timestamptz(null=True, default=None)
    next_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
    erased = JSONB()
