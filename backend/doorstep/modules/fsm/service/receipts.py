"""Receipts of extras: what was paid at a visit, kept once, with its tenders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.modules.fsm.extra_rules import Account, Payment

_KNOWN = """
SELECT visit_id, number, billed_minor, paid_before_minor, paid_minor, disagreements
  FROM extra_receipt WHERE id = $1
"""

_ACCOUNT = """
SELECT coalesce(array_agg(id ORDER BY recorded_at, id), '{}') AS extra_ids,
       coalesce(sum(charged_minor), 0)::bigint AS billed_minor,
       (SELECT coalesce(sum(paid_minor), 0)::bigint FROM extra_receipt WHERE visit_id = $1)
         AS paid_minor
  FROM visit_extra WHERE visit_id = $1
"""

_KEEP_RECEIPT = """
INSERT INTO extra_receipt (id, number, order_id, fulfilment_id, visit_id, person_id, device_id,
                           shift_id, currency, extra_ids, billed_minor, paid_before_minor,
                           paid_minor, shown_minor, bill_later, disagreements, captured_at,
                           recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""

_KEEP_TENDERS = """
INSERT INTO extra_tender (receipt_id, n, method, amount_minor, reference)
SELECT $1, t.n, t.method, t.amount_minor, t.reference
  FROM unnest($2::text[], $3::bigint[], $4::text[])
  WITH ORDINALITY AS t (method, amount_minor, reference, n)
"""


async def find(receipt_id: UUID) -> dict[str, Any] | None:
    """Read a receipt that was recorded before under this id."""
    return await db.row(_KNOWN, receipt_id)


async def account_of(visit_id: UUID) -> Account:
    """Tell what was agreed to at a visit and what of it is paid; the caller holds the order's lock."""
    return Account(**await db.one(_ACCOUNT, visit_id))


async def keep_receipt(
    actor: Actor,
    visit: Mapping[str, Any],
    told: Payment,
    account: Account,
    disagreements: Sequence[str],
) -> None:
    """Keep how it was paid. Its event id is its key; the caller holds the order's lock."""
    await db.execute(
        _KEEP_RECEIPT,
        told.event_id,
        visit["receipt_number"],
        visit["order_id"],
        visit["fulfilment_id"],
        visit["id"],
        actor.person_id,
        actor.device_id,
        visit["shift_id"],
        visit["currency"],
        account.extra_ids,
        account.billed_minor,
        account.paid_minor,
        told.paid_minor,
        told.shown_minor,
        told.bill_later,
        list(disagreements),
        told.captured_at,
        now(),
    )
    await db.execute(
        _KEEP_TENDERS,
        told.event_id,
        [tender.method for tender in told.tenders],
        [tender.amount_minor for tender in told.tenders],
        [tender.reference for tender in told.tenders],
    )
