"""How money facts are written into the double-entry ledger.

| fact | debit | credit |
|---|---|---|
| gateway or shop captured | gateway_clearing | customer_deposit |
| gateway refunded | customer_deposit | gateway_clearing |
| a desk refunded in cash | customer_deposit | cash_desk |
| a desk refunded by bank transfer | customer_deposit | bank |
| cash taken at the door | courier_cash | customer_deposit |
| extras agreed to at a visit | customer_receivable | extras_sales, sales_tax |
| extras paid in cash at the visit | courier_cash | customer_receivable |
| extras paid by card or UPI there | terminal_clearing | customer_receivable |
| a bill of extras paid in cash or by bank transfer | cash_desk, bank | customer_receivable |
| cash counted at the desk | cash_desk (+ cash_difference) | courier_cash |
| V1–V3 released before the customer has the goods | vendor_advance | vendor_payable |
| any tranche released afterwards | cost_of_goods | vendor_payable |
| the customer receives the goods | cost_of_goods | vendor_advance |
| payout paid | vendor_payable | bank |
| payout taken back by the bank | bank | vendor_payable |

So vendor_advance is what we would have to claim back if the goods never arrived, and
vendor_payable what is released and not paid. An entry is never changed; the opposite one is
written. Every entry has a key that names its fact, so posting twice is posting once.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One side of an entry; exactly one of the two amounts is above zero."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry: its lines balance in every currency (IM4)."""

    key: str
    memo: str
    occurred_at: datetime
    lines: tuple[Line, ...]
    order_id: UUID | None = None
    po_id: UUID | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry belongs to, for finding it again."""

    currency: str
    occurred_at: datetime
    order_id: UUID | None = None
    po_id: UUID | None = None


def balanced(entry: Entry) -> bool:
    """Tell whether debit equals credit in each currency and no line is empty."""
    sums: dict[str, int] = {}
    for line in entry.lines:
        if (line.debit_minor > 0) == (line.credit_minor > 0):
            return False
        sums[line.currency] = sums.get(line.currency, 0) + line.debit_minor - line.credit_minor
    return bool(sums) and not any(sums.values())


def captured(payment_event: UUID, amount_minor: int, origin: Origin) -> Entry:
    """The gateway, or the shop's record of it, has a customer's money for us."""
    key = f"capture:{payment_event}"
    return _entry(
        key, "Payment captured", "gateway_clearing", "customer_deposit", amount_minor, origin
    )


PAID_FROM = {"cash": "cash_desk", "bank": "bank"}
"""Who tells of a refund → the account it was paid from; without a row the gateway's."""


def refunded(payment_event: UUID, provider: str, amount_minor: int, origin: Origin) -> Entry:
    """The gateway, or a desk of ours, gave money back to a customer."""
    key = f"refund:{payment_event}"
    paid_from = PAID_FROM.get(provider, "gateway_clearing")
    return _entry(key, "Payment refunded", "customer_deposit", paid_from, amount_minor, origin)


def tender_taken(pod_id: UUID, n: int, amount_minor: int, origin: Origin) -> Entry:
    """A customer gave cash to a courier; it is ours, and not yet counted."""
    key = f"tender:{pod_id}:{n}"
    return _entry(
        key, "Cash taken at the door", "courier_cash", "customer_deposit", amount_minor, origin
    )


EXTRAS_INTO = {"cash": "courier_cash", "desk_cash": "cash_desk", "bank_transfer": "bank"}
"""How extras are paid → the account that has the money; a terminal's without a row."""


def extras_agreed(extra_id: UUID, net_minor: int, tax_minor: int, origin: Origin) -> Entry:
    """A customer owes us what was agreed to beside the order; its tax is the state's."""
    sides = (("extras_sales", net_minor), ("sales_tax", tax_minor))
    return Entry(
        key=f"extras:{extra_id}",
        memo="Extras agreed to at a visit",
        occurred_at=origin.occurred_at,
        order_id=origin.order_id,
        lines=(
            Line("customer_receivable", origin.currency, net_minor + tax_minor, 0),
            *(Line(name, origin.currency, 0, minor) for name, minor in sides if minor),
        ),
    )


def extras_paid(receipt_id: UUID, n: int, method: str, amount_minor: int, origin: Origin) -> Entry:
    """A customer paid for extras: into the technician's hands, at a terminal, or later at a desk."""
    taken = EXTRAS_INTO.get(method, "terminal_clearing")
    key = f"extra-tender:{receipt_id}:{n}"
    return _entry(key, "Extras paid", taken, "customer_receivable", amount_minor, origin)


def cash_counted(
    cash_count: UUID, expected_minor: int, counted_minor: int, origin: Origin
) -> Entry:
    """The desk counted what couriers brought; a difference is an entry of its own kind (IM9)."""
    lines = [Line("courier_cash", origin.currency, 0, expected_minor)]
    if counted_minor:
        lines.append(Line("cash_desk", origin.currency, counted_minor, 0))
    short = expected_minor - counted_minor
    if short:
        lines.append(Line("cash_difference", origin.currency, max(short, 0), max(-short, 0)))
    return Entry(
        key=f"cash-count:{cash_count}",
        memo="Cash counted at the desk",
        occurred_at=origin.occurred_at,
        lines=tuple(lines),
    )


def released(
    tranche_id: UUID, number: int, amount_minor: int, origin: Origin, *, received: bool
) -> Entry:
    """A part of a purchase order is owed to the vendor; an advance until the goods are received."""
    debit = "cost_of_goods" if received else "vendor_advance"
    return _entry(
        f"release:{tranche_id}",
        f"V{number} released",
        debit,
        "vendor_payable",
        amount_minor,
        origin,
    )


def goods_received(tranche_id: UUID, number: int, amount_minor: int, origin: Origin) -> Entry:
    """The customer has the goods: what was advanced on them has become their cost."""
    return _entry(
        f"receipt:{tranche_id}",
        f"V{number}: goods received",
        "cost_of_goods",
        "vendor_advance",
        amount_minor,
        origin,
    )


def payout_paid(payout_id: UUID, amount_minor: int, origin: Origin) -> Entry:
    """The bank paid a vendor."""
    key = f"paid:{payout_id}"
    return _entry(key, "Paid to the vendor", "vendor_payable", "bank", amount_minor, origin)


def payout_reversed(payout_id: UUID, amount_minor: int, origin: Origin) -> Entry:
    """The bank took a payout back; the vendor is owed again."""
    key = f"reversed:{payout_id}"
    return _entry(key, "Payout came back", "bank", "vendor_payable", amount_minor, origin)


def _entry(
    key: str, memo: str, debit: str, credit: str, amount_minor: int, origin: Origin
) -> Entry:
    return Entry(
        key=key,
        memo=memo,
        occurred_at=origin.occurred_at,
        order_id=origin.order_id,
        po_id=origin.po_id,
        lines=(
            Line(debit, origin.currency, amount_minor, 0),
            Line(credit, origin.currency, 0, amount_minor),
        ),
    )
