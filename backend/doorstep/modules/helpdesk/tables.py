"""Tables of helpdesk, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db import engine


class Problem(Table, tablename="problem", db=engine):
    """Something that waits for a person."""

    id = UUID(primary_key=True, default=None)
    kind = Text()
    title = Text()
    detail = Text()
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    ref_ = Text(db_column_name="ref")
    owner_role = Text()
    due_at = Timestamptz(null=True, default=None)
    opened_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_by = UUID(null=True, default=None)
    closing_words = Text()
