"""Tables of messages, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Boolean, Integer, SmallInt, Text, Time, Timestamptz
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
    reply_to = UUID(null=True, default=None)
    event = Text()
    attempt = SmallInt()
    channel = Text()
    recipient = Text()
    language = Text()
    template_version = SmallInt()
    subject = Text()
    body = Text()
    provider_template = Text()
    parameters = Array(base_column=Text())
    secret = Text(null=True, default=None)
    chain_id = UUID(null=True, default=None)
    place = SmallInt()
    receipt_minutes = SmallInt()
    asked_for = Boolean()
    no_loss = Boolean()
    quiet_zone = Text(null=True, default=None)
    quiet_from = Time(null=True, default=None)
    quiet_until = Time(null=True, default=None)
    send_at = Timestamptz(default=None)
    valid_until = Timestamptz(default=None)
    state = Text()
    sends = SmallInt()
    sending_at = Timestamptz(null=True, default=None)
    provider = Text(null=True, default=None)
    provider_id = Text(null=True, default=None)
    failure = Text(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    delivered_at = Timestamptz(null=True, default=None)
    read_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class MessageReport(Table, tablename="message_report", db=engine):
    """What a provider said of a message."""

    id = UUID(primary_key=True, default=None)
    provider = Text()
    provider_id = Text()
    message_id = UUID(null=True, default=None)
    status = Text()
    means = Text()
    reason = Text()
    at = Timestamptz(default=None)
    content = JSONB()
    received_at = Timestamptz(default=None)


class MessageInbound(Table, tablename="message_inbound", db=engine):
    """What somebody wrote to one of our numbers."""

    id = UUID(primary_key=True, default=None)
    provider = Text()
    provider_id = Text()
    channel = Text()
    sender = Text()
    body = Text()
    taken_as = Text()
    at = Timestamptz(default=None)
    received_at = Timestamptz(default=None)


class ContactPreference(Table, tablename="contact_preference", db=engine):
    """Whether an address is written to; the newest word about it holds."""

    id = UUID(primary_key=True, default=None)
    channel = Text()
    address = Text()
    n = Integer()
    wanted = Boolean()
    why = Text()
    detail = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class MessageTemplate(Table, tablename="message_template", db=engine):
    """A company's own words for a template, in one language."""

    id = UUID(primary_key=True, default=None)
    number = Integer()
    template = Text()
    channel = Text()
    language = Text()
    version = SmallInt()
    subject = Text()
    body = Text()
    provider_template = Text()
    written_by = UUID(null=True, default=None)
    written_at = Timestamptz(default=None)


class MessageRule(Table, tablename="message_rule", db=engine):
    """How a channel of the company writes to its customers."""

    channel_id = UUID(primary_key=True, default=None)
    quiet_from = Time()
    quiet_until = Time()
    ask_feedback = Boolean()
    coupon_code = Text()
    review_url = Text()
    support_phone = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)
