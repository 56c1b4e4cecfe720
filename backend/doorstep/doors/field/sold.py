"""What was sold beside the order at a visit, and how it was paid, as the technician's card has it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

# Of a visit named v.
EXTRAS = """
SELECT jsonb_agg(jsonb_build_object(
         'id', x.id, 'charged_minor', x.charged_minor, 'captured_at', x.captured_at,
         'lines', (SELECT jsonb_agg(jsonb_build_object(
                     'names', coalesce(p.names, '{}'), 'quantity', l.quantity,
                     'net_minor', l.net_minor, 'tax_minor', l.tax_minor) ORDER BY l.n)
                     FROM visit_extra_line l LEFT JOIN service_price p ON p.id = l.price_id
                    WHERE l.extra_id = x.id)) ORDER BY x.recorded_at, x.id)
  FROM visit_extra x WHERE x.visit_id = v.id
"""

RECEIPTS = """
SELECT jsonb_agg(jsonb_build_object(
         'id', r.id, 'number', r.number, 'paid_minor', r.paid_minor, 'bill_later', r.bill_later,
         'captured_at', r.captured_at,
         'tenders', coalesce((SELECT jsonb_agg(jsonb_build_object(
                      'method', t.method, 'amount_minor', t.amount_minor,
                      'reference', t.reference) ORDER BY t.n)
                      FROM extra_tender t WHERE t.receipt_id = r.id), '[]'))
         ORDER BY r.recorded_at, r.id)
  FROM extra_receipt r WHERE r.visit_id = v.id
"""


class SoldAtVisitLine(Struct):
    """A line of extras, called in every language; `names` is empty for what has no price here."""

    names: dict[str, str]
    quantity: int
    net_minor: int
    tax_minor: int


class SoldAtVisit(Struct):
    """What the customer has agreed to at once, and what is charged for it with tax."""

    id: UUID
    charged_minor: int
    captured_at: datetime
    lines: list[SoldAtVisitLine]


class ReceiptTender(Struct):
    """One way in which it was paid."""

    method: str
    amount_minor: int
    reference: str


class ReceiptAtVisit(Struct):
    """What was paid at once of the extras of a visit; with `bill_later` a bill was promised."""

    id: UUID
    number: str
    paid_minor: int
    bill_later: bool
    captured_at: datetime
    tenders: list[ReceiptTender]
