"""The receipt of extras as a paper: read in one statement, drawn outside any transaction."""

from __future__ import annotations

from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.flows.papers import TAX_NAMES
from doorstep.modules.fsm import documents
from doorstep.modules.fsm.documents import ReceiptData
from doorstep.settings import settings

FACTS = """
SELECT o.language, r.number, o.number AS order_number, a.name AS customer_name,
       p.name AS taken_by, (r.captured_at AT TIME ZONE c.zone)::date AS issued_on, r.currency,
       c.country, r.billed_minor, r.paid_before_minor,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                   'name', coalesce(s.names ->> o.language, s.names ->> 'en', s.code, '–'),
                   'quantity', l.quantity, 'net_minor', l.net_minor, 'tax_minor', l.tax_minor,
                   'tax_basis_points', coalesce(s.tax_basis_points, 0)) ORDER BY x.recorded_at, x.id, l.n)
                   FROM visit_extra x
                   JOIN visit_extra_line l ON l.extra_id = x.id
                   LEFT JOIN service_price s ON s.id = l.price_id
                  WHERE x.id = ANY (r.extra_ids)), '[]') AS lines,
       coalesce((SELECT jsonb_agg(jsonb_build_object('method', t.method,
                   'amount_minor', t.amount_minor, 'reference', t.reference) ORDER BY t.n)
                   FROM extra_tender t WHERE t.receipt_id = r.id), '[]') AS tenders
  FROM extra_receipt r
  JOIN customer_order o ON o.id = r.order_id
  JOIN channel c ON c.id = o.channel_id
  JOIN address a ON a.id = o.address_id
  JOIN person p ON p.id = r.person_id
 WHERE r.id = $1
"""


async def read(receipt_id: UUID) -> ReceiptData:
    """Read what stands on a receipt that is there."""
    facts = await db.one(FACTS, receipt_id)
    tax = TAX_NAMES.get(facts.pop("country"), "VAT")
    more = {"tax_name": tax, "company": settings().company_name}
    return msgspec.convert(facts | more, ReceiptData)


def draw(receipt: ReceiptData) -> bytes:
    """Print it."""
    return documents.render_receipt(receipt)
