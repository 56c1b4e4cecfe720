"""Tables of work that is offered on the road, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Array, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class WorkOffer(Table, tablename="work_offer", db=engine):
    """A parcel offered to one person until a moment."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    channel_id = UUID(default=None)
    person_id = UUID(default=None)
    then_ids = Array(base_column=UUID())
    offered_by = UUID(null=True, default=None)
    offered_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None)
    state = Text()
    ended_at = Timestamptz(null=True, default=None)
    stop_id = UUID(null=True, default=None)


class WorkAnswer(Table, tablename="work_answer", db=engine):
    """What somebody answered to an offer."""

    id = UUID(primary_key=True, default=None)
    offer_id = UUID(default=None)
    answer = Text()
    reason = Text()
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    outcome = Text()
    captured_at = Timestamptz(default=None)
    earliest_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
