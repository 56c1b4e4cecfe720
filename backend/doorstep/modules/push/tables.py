"""Tables of push, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Bytea, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class PushSubscription(Table, tablename="push_subscription", db=engine):
    """Where one phone is reached."""

    device_id = UUID(primary_key=True, default=None)
    endpoint = Text()
    p256dh = Bytea()
    auth = Bytea()
    expires_at = Timestamptz(null=True, default=None)
    renewed_at = Timestamptz(default=None)


class PushMessage(Table, tablename="push_message", db=engine):
    """One word to one phone."""

    id = UUID(primary_key=True, default=None)
    device_id = UUID(default=None)
    kind = Text()
    lane = Text()
    key = Text()
    state = Text()
    reason = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)
    shown_at = Timestamptz(null=True, default=None)
    tapped_at = Timestamptz(null=True, default=None)
    acked_at = Timestamptz(null=True, default=None)
