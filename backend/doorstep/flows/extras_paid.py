"""Extras are paid at the visit, or by a bill: each tender taken once, each minor unit in the ledger."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.core.money import Money
from doorstep.flows import shift_close
from doorstep.flows.extras import VISIT
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger
from doorstep.modules.fsm import extra_rules
from doorstep.modules.fsm.extra_rules import Account, Payment, Tender
from doorstep.modules.fsm.refusals import BillInAnotherCurrency, MoreThanBilled, VisitMissing
from doorstep.modules.fsm.schemas import BillPaid, ExtrasPaid
from doorstep.modules.fsm.service import receipts
from doorstep.modules.helpdesk import service as helpdesk

# The shift that a person was working when it was captured; it keeps the shift open until its cash is
# counted, so the row is held as it stands.
SHIFT_OF = """
SELECT s.id FROM shift_member m JOIN shift s ON s.id = m.shift_id
 WHERE m.person_id = $1 AND s.opened_at <= $2 AND coalesce(s.closed_at, 'infinity') >= $2
 ORDER BY s.opened_at DESC LIMIT 1 FOR SHARE OF s
"""

VISIT_OF_DESK = """
SELECT v.id, v.order_id, v.fulfilment_id, o.number, o.currency
  FROM visit v JOIN customer_order o ON o.id = v.order_id WHERE v.id = $1
"""

TO_BILL = "SELECT id::text AS ref, disagreements FROM visit_extra WHERE visit_id = $1"


class Paid(NamedTuple):
    """What a receipt says: its number, what was paid by it and open after it, and what is odd."""

    number: str
    paid_minor: int
    open_minor: int
    disagreements: list[str]


@db.transactional
async def pay(visit_id: UUID, told: ExtrasPaid, *, actor: Actor) -> Paid:
    """Keep how a customer pays for the extras of a visit: cash is in the technician's hands now.

    Nothing of it is refused, for the money was taken: what does not agree is asked of finance. What
    is left open stays to be billed. The same event id gets its first answer.

    Raises: VisitMissing (also for another person's), EventIdReused.
    """
    visit = await db.row(VISIT, visit_id, actor.person_id)
    if visit is None:
        raise VisitMissing
    await journey.lock(visit["fulfilment_id"])
    if (known := await _known(told.event_id, visit_id)) is not None:
        return known
    payment = extra_rules.payment_of(told)
    account = await receipts.account_of(visit_id)
    odd = extra_rules.judge_payment(payment, account, visit["currency"])
    visit["shift_id"] = await db.value(SHIFT_OF, actor.person_id, told.captured_at)
    paid = await _keep(payment, visit, account, odd, actor)
    await shift_close.note_late_cash_of(visit["shift_id"], visit["order_id"])
    if odd:
        await helpdesk.open_problem(
            "extras_payment_differs",
            f"{visit['number']}: receipt {paid.number} does not agree",
            ref=str(told.event_id),
            detail="\n".join(odd),
            order_id=visit["order_id"],
            fulfilment_id=visit["fulfilment_id"],
        )
    return paid


@db.transactional
async def pay_bill(visit_id: UUID, told: BillPaid, *, actor: Actor) -> Paid:
    """Record that a customer has paid a bill of extras to a desk; the same event id changes nothing.

    The caller has looked whether the visit is in the actor's sight.

    Raises: VisitMissing, BillInAnotherCurrency, MoreThanBilled, EventIdReused.
    """
    visit = await db.row(VISIT_OF_DESK, visit_id)
    if visit is None:
        raise VisitMissing
    await journey.lock(visit["fulfilment_id"])
    if (known := await _known(told.event_id, visit_id)) is not None:
        if known.paid_minor != told.amount_minor:
            raise EventIdReused(str(told.event_id))
        return known
    if told.currency != visit["currency"]:
        raise BillInAnotherCurrency(f"The order is in {visit['currency']}.")
    account = await receipts.account_of(visit_id)
    still_open = max(0, account.open_minor)
    if told.amount_minor > still_open:
        words = Money(still_open, told.currency)
        raise MoreThanBilled(f"{words} is open.", open_minor=still_open)
    tender = Tender(told.method, told.amount_minor, told.reference.strip())
    rest = told.amount_minor < still_open
    payment = Payment(told.event_id, now(), still_open, [tender], rest)
    return await _keep(payment, visit | {"shift_id": None}, account, [], actor)


async def _known(receipt_id: UUID, visit_id: UUID) -> Paid | None:
    known = await receipts.find(receipt_id)
    if known is None:
        return None
    if known["visit_id"] != visit_id:
        raise EventIdReused(str(receipt_id))
    left = known["billed_minor"] - known["paid_before_minor"] - known["paid_minor"]
    return Paid(known["number"], known["paid_minor"], max(0, left), known["disagreements"])


async def _keep(
    payment: Payment, visit: dict[str, Any], account: Account, odd: list[str], actor: Actor
) -> Paid:
    """Keep a receipt, post its money, and let finance bill no more than what is open."""
    number = extra_rules.receipt_number(visit["number"], payment.event_id)
    await receipts.keep_receipt(actor, visit | {"receipt_number": number}, payment, account, odd)
    origin = postings.Origin(
        currency=visit["currency"], occurred_at=now(), order_id=visit["order_id"]
    )
    await ledger.post(
        [
            postings.extras_paid(payment.event_id, n, one.method, one.amount_minor, origin)
            for n, one in enumerate(payment.tenders, start=1)
        ]
    )
    left = account.open_minor - payment.paid_minor
    said = f"Receipt {number}: {Money(payment.paid_minor, visit['currency'])} was paid."
    for extra in await db.rows(TO_BILL, visit["id"]):
        if left > 0:
            title = f"{visit['number']}: {Money(left, visit['currency'])} of extras is to be billed"
            detail = "\n".join([*extra["disagreements"], said])
            await helpdesk.restate_problem("extras_to_bill", extra["ref"], title, detail)
        # What does not agree finance has looked at before it has taken the money itself.
        elif not extra["disagreements"] or actor.source == "person":
            await helpdesk.close_problems("extras_to_bill", extra["ref"], said, actor)
    return Paid(number, payment.paid_minor, max(0, left), odd)
