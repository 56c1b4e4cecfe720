"""The table of promised windows, as Piccolo sees it; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Integer, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class DeliveryWindow(Table, tablename="delivery_window", db=engine):
    """When a delivery was promised, or that it is promised no more."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    n = Integer()
    from_at = Timestamptz(null=True, default=None)
    until_at = Timestamptz(null=True, default=None)
    reason = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)
