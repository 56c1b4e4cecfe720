"""Tables of helpdesk, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Date, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class BusinessCalendar(Table, tablename="business_calendar", db=engine):
    """When people of a country work."""

    country = Text(primary_key=True)
    zone = Text()
    working_hours = JSONB()


class Holiday(Table, tablename="holiday", db=engine):
    """A day on which nobody of a country works."""

    country = Text(primary_key=True)
    held_on = Date(default=None)
    name = Text()


class Problem(Table, tablename="problem", db=engine):
    """Something that waits for a person."""

    id = UUID(primary_key=True, default=None)
    kind = Text()
    title = Text()
    detail = Text()
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    channel_id = UUID(null=True, default=None)
    country = Text(null=True, default=None)
    ref_ = Text(db_column_name="ref")
    owner_role = Text()
    owner_id = UUID(null=True, default=None)
    level = SmallInt()
    due_at = Timestamptz(default=None)
    escalates_at = Timestamptz(null=True, default=None)
    opened_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_by = UUID(null=True, default=None)
    closing_words = Text()


class FieldWord(Table, tablename="field_word", db=engine):
    """What a field worker has said beside the flow of a job."""

    id = UUID(primary_key=True, default=None)
    kind = Text()
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    job_kind = Text(null=True, default=None)
    job_id = UUID(null=True, default=None)
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    about = Text()
    amends = UUID(null=True, default=None)
    pod_id = UUID(null=True, default=None)
    words = Text()
    photos = Array(base_column=Text())
    problem_id = UUID(null=True, default=None)
    captured_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class EscalationRule(Table, tablename="escalation_rule", db=engine):
    """To whom a problem goes that waits too long."""

    id = UUID(primary_key=True, default=None)
    kind = Text(null=True, default=None)
    country = Text(null=True, default=None)
    level = SmallInt()
    after_minutes = Integer()
    counted_from = Text()
    owner_role = Text(null=True, default=None)
    tells = Array(base_column=Text())


class Escalation(Table, tablename="escalation", db=engine):
    """A rule that fired for a problem."""

    id = UUID(primary_key=True, default=None)
    problem_id = UUID(default=None)
    level = SmallInt()
    due_at = Timestamptz(default=None)
    fired_at = Timestamptz(default=None)
    from_role = Text()
    from_id = UUID(null=True, default=None)
    owner_role = Text()
    tells = Array(base_column=Text())


class Ticket(Table, tablename="ticket", db=engine):
    """What somebody wants of us."""

    id = UUID(primary_key=True, default=None)
    number = Text()
    type_ = Text(db_column_name="type")
    channel_id = UUID(default=None)
    order_id = UUID(null=True, default=None)
    fulfilment_id = UUID(null=True, default=None)
    title = Text()
    words = Text()
    state = Text()
    problem_id = UUID(default=None)
    opened_by = UUID(null=True, default=None)
    opened_by_role = Text()
    opened_at = Timestamptz(default=None)
    resolved_at = Timestamptz(null=True, default=None)
    resolution = Text()


class TicketMessage(Table, tablename="ticket_message", db=engine):
    """A word on a ticket."""

    id = UUID(primary_key=True, default=None)
    ticket_id = UUID(default=None)
    author = Text()
    person_id = UUID(null=True, default=None)
    words = Text()
    written_at = Timestamptz(default=None)


class TicketPhoto(Table, tablename="ticket_photo", db=engine):
    """A picture that belongs to a ticket."""

    ticket_id = UUID(primary_key=True, default=None)
    sha256 = Text()
    added_by = UUID(null=True, default=None)
    added_at = Timestamptz(default=None)
