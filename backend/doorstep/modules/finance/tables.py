"""Tables of finance, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class LedgerAccount(Table, tablename="ledger_account", db=engine):
    """An account of the books."""

    code = Text(primary_key=True)
    name = Text()
    type = Text()


class JournalEntry(Table, tablename="journal_entry", db=engine):
    """A balanced entry."""

    id = UUID(primary_key=True, default=None)
    key = Text()
    memo = Text()
    order_id = UUID(null=True, default=None)
    po_id = UUID(null=True, default=None)
    occurred_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class JournalLine(Table, tablename="journal_line", db=engine):
    """One side of an entry."""

    entry_id = UUID(primary_key=True, default=None)
    position = SmallInt()
    account = Text()
    currency = Text()
    debit_minor = BigInt()
    credit_minor = BigInt()


class PaymentEvent(Table, tablename="payment_event", db=engine):
    """What the gateway said."""

    id = UUID(primary_key=True, default=None)
    provider = Text()
    action_id = Text()
    payment_id = Text()
    type = Text()
    order_id = UUID(default=None)
    payment_line_id = UUID(default=None)
    amount_minor = BigInt()
    currency = Text()
    happened_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)


class ApprovalPolicy(Table, tablename="approval_policy", db=engine):
    """A version of what a channel lets pass by itself; its key is (channel_id, version)."""

    channel_id = UUID(primary_key=True, default=None)
    version = Integer()
    event_id = UUID(default=None)
    rules = JSONB()
    reason = Text()
    set_by = UUID(null=True, default=None)
    set_at = Timestamptz(default=None)


class Approval(Table, tablename="approval", db=engine):
    """A judgement of an order's reservation or payment."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    kind = Text()
    verdict = Text()
    decided = Text()
    reasons = Array(base_column=Text())
    channel_id = UUID(default=None)
    policy_version = Integer()
    facts = JSONB()
    decided_by = UUID(null=True, default=None)
    decided_role = Text()
    decided_at = Timestamptz(default=None)


class Tranche(Table, tablename="tranche", db=engine):
    """A part of a purchase order's price."""

    id = UUID(primary_key=True, default=None)
    po_id = UUID(default=None)
    vendor_id = UUID(default=None)
    number = SmallInt()
    percent = SmallInt()
    amount_minor = BigInt()
    withheld_minor = BigInt()
    currency = Text()
    state = Text()
    reason = Text()
    eligible_at = Timestamptz(null=True, default=None)
    released_at = Timestamptz(null=True, default=None)
    is_advance = Boolean()
    decided_on = JSONB(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class DeskRefundRow(Table, tablename="desk_refund", db=engine):
    """Money that a desk gave back outside the gateway."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    method = Text()
    amount_minor = BigInt()
    currency = Text()
    reference = Text()
    recorded_by = UUID(default=None)
    recorded_at = Timestamptz(default=None)


class PurchaseOrderRest(Table, tablename="purchase_order_rest", db=engine):
    """A word that tranches go on although goods did not stay."""

    po_id = UUID(primary_key=True, default=None)
    pieces_gone = Integer()
    event_id = UUID(default=None)
    decided_by = UUID(null=True, default=None)
    reason = Text()
    decided_at = Timestamptz(default=None)


class VendorClaim(Table, tablename="vendor_claim", db=engine):
    """What is to be claimed back from a vendor."""

    id = UUID(primary_key=True, default=None)
    po_id = UUID(default=None)
    amount_minor = BigInt()
    currency = Text()
    claimed_at = Timestamptz(default=None)


class Payout(Table, tablename="payout", db=engine):
    """An attempt to pay a tranche."""

    id = UUID(primary_key=True, default=None)
    tranche_id = UUID(default=None)
    po_id = UUID(default=None)
    vendor_id = UUID(default=None)
    attempt = SmallInt()
    amount_minor = BigInt()
    currency = Text()
    key = Text()
    state = Text()
    beneficiary_name = Text()
    beneficiary_account = Text()
    beneficiary_bank_code = Text()
    bank_ref = Text()
    reason = Text()
    ordered_by = Text()
    not_before = Timestamptz(default=None)
    created_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)


class PayoutEvent(Table, tablename="payout_event", db=engine):
    """What the bank said of a payout."""

    id = UUID(primary_key=True, default=None)
    payout_id = UUID(default=None)
    state = Text()
    raw_status = Text()
    bank_ref = Text()
    reason = Text()
    source = Text()
    recorded_at = Timestamptz(default=None)


class CashCount(Table, tablename="cash_count", db=engine):
    """Cash counted at the desk."""

    id = UUID(primary_key=True, default=None)
    run_id = UUID(null=True, default=None)
    shift_id = UUID(null=True, default=None)
    currency = Text()
    expected_minor = BigInt()
    counted_minor = BigInt()
    note = Text()
    counted_by = UUID(default=None)
    counted_at = Timestamptz(default=None)


class CashCountLine(Table, tablename="cash_count_line", db=engine):
    """A tender in a count."""

    cash_count_id = UUID(default=None)
    pod_id = UUID(primary_key=True, default=None)
    tender_n = SmallInt()
    order_id = UUID(default=None)
    amount_minor = BigInt()


class CashCountExtra(Table, tablename="cash_count_extra", db=engine):
    """Cash of a visit in a count."""

    cash_count_id = UUID(default=None)
    receipt_id = UUID(primary_key=True, default=None)
    tender_n = SmallInt()
    order_id = UUID(default=None)
    amount_minor = BigInt()


class DoorLink(Table, tablename="door_link", db=engine):
    """A link by which a customer pays at the door."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    fulfilment_id = UUID(default=None)
    stop_id = UUID(default=None)
    person_id = UUID(default=None)
    reference = Text()
    amount_minor = BigInt()
    currency = Text()
    asked_at = Timestamptz(default=None)
    url = Text()
    expires_at = Timestamptz(null=True, default=None)
    refused = Text()
    paid_minor = BigInt()
