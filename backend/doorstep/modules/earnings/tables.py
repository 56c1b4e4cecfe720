"""Tables of earnings, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Date, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class EarningRate(Table, tablename="earning_rate", db=engine):
    """What a kind of work earns in a channel from a moment on."""

    id = UUID(primary_key=True, default=None)
    channel_id = UUID(default=None)
    kind = Text()
    version = Integer()
    amount_minor = BigInt()
    valid_from = Timestamptz(default=None)
    reason = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class EarningLine(Table, tablename="earning_line", db=engine):
    """What a piece of work has earned its person, or what is taken away again."""

    event_id = UUID(primary_key=True, default=None)
    kind = Text()
    person_id = UUID(default=None)
    n = SmallInt()
    channel_id = UUID(default=None)
    rate_id = UUID(default=None)
    order_id = UUID(null=True, default=None)
    number = Text()
    minutes = Integer(null=True, default=None)
    currency = Text()
    amount_minor = BigInt()
    reason = Text()
    words = Text()
    worked_at = Timestamptz(default=None)
    worked_on = Date(default=None)
    made_at = Timestamptz(default=None)


class EarningDecision(Table, tablename="earning_decision", db=engine):
    """A desk's word whether a piece of work earns."""

    id = UUID(primary_key=True, default=None)
    event_id = UUID(default=None)
    n = Integer()
    earns = Boolean()
    reason = Text()
    decided_by = UUID(default=None)
    decided_at = Timestamptz(default=None)
