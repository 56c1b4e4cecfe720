"""Tables of outgoing calls, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class OutgoingCall(Table, tablename="outgoing_call", db=engine):
    """A request to another system and its answer."""

    id = UUID(primary_key=True, default=None)
    system = Text()
    purpose = Text()
    order_id = UUID(null=True, default=None)
    attempt = SmallInt()
    method = Text()
    url = Text()
    request_body = Text(null=True, default=None)
    status = SmallInt(null=True, default=None)
    answer_body = Text(null=True, default=None)
    error = Text(null=True, default=None)
    started_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
    duration_ms = Integer(null=True, default=None)
