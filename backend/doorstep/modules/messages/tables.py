"""Tables of messages, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, SmallInt, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Message(Table, tablename="message", db=engine):
    """One message to one recipient on one channel."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    po_id = UUID(null=True, default=None)
    problem_id = UUID(null=True, default=None)
    visit_id = UUID(null=True, default=None)
    event = Text()
    attempt = SmallInt()
    channel = Text()
    recipient = Text()
    language = Text()
    template_version = SmallInt()
    subject = Text()
    body = Text()
    secret = Text(null=True, default=None)
    state = Text()
    provider_id = Text(null=True, default=None)
    failure = Text(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
