"""Extras are paid at the visit, or billed later: each tender taken once, each minor unit in the ledger."""

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
from doorstep.modules.fsm.extra_rules import Account
from doorstep.modules.fsm.refusals import VisitMissing
from doorstep.modules.fsm.schemas import ExtrasPaid
from doorstep.modules.fsm.service import receipts
from doorstep.modules.helpdesk import service as helpdesk

# The shift that a person was working when it was captured; it keeps the shift open until its cash is
# counted, so the row is held as it stands.
SHIFT_OF = """
SELECT s.id FROM shift_member m JOIN shift s ON s.id = m.shift_id
 WHERE m.person_id = $1 AND s.opened_at <= $2 AND coalesce(s.closed_at, 'infinity') >= $2
 ORDER BY s.opened_at DESC LIMIT 1 FOR SHARE OF s
"""

TO_BILL = "SELECT id::text AS ref, disagreements FROM visit_extra WHERE visit_id = $1"


class Paid(NamedTuple):
    """What a receipt says: what is billed in all, paid by it and open after it, and what is odd."""

    number: str
    billed_minor: int
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
    known = await receipts.find(told.event_id)
    if known is not None:
        if known["visit_id"] != visit_id:
            raise EventIdReused(str(told.event_id))
        return Paid(
            known["number"],
            known["billed_minor"],
            known["paid_minor"],
            max(0, known["billed_minor"] - known["paid_before_minor"] - known["paid_minor"]),
            known["disagreements"],
        )
    visit["shift_id"] = await db.value(SHIFT_OF, actor.person_id, told.captured_at)
    visit["receipt_number"] = extra_rules.receipt_number(visit["number"], told.event_id)
    account = await receipts.account_of(visit_id)
    odd = extra_rules.judge_payment(told, account, visit["currency"])
    await receipts.keep_receipt(actor, visit, told, account, odd)
    await _post(told, visit)
    await _ask(told, visit, account, odd, actor)
    await shift_close.note_late_cash_of(visit["shift_id"], visit["order_id"])
    paid = sum(tender.amount_minor for tender in told.tenders)
    left = max(0, account.open_minor - paid)
    return Paid(visit["receipt_number"], account.billed_minor, paid, left, odd)


async def _post(told: ExtrasPaid, visit: dict[str, Any]) -> None:
    origin = postings.Origin(
        currency=visit["currency"], occurred_at=now(), order_id=visit["order_id"]
    )
    await ledger.post(
        [
            postings.extras_paid(told.event_id, n, tender.method, tender.amount_minor, origin)
            for n, tender in enumerate(told.tenders, start=1)
        ]
    )


async def _ask(
    told: ExtrasPaid, visit: dict[str, Any], account: Account, odd: list[str], actor: Actor
) -> None:
    """Let finance bill what is open and look at what is odd; what is paid is billed no more."""
    currency, number = visit["currency"], visit["receipt_number"]
    paid = sum(tender.amount_minor for tender in told.tenders)
    left = account.open_minor - paid
    for extra in await db.rows(TO_BILL, visit["id"]):
        if left > 0:
            title = f"{visit['number']}: {Money(left, currency)} of extras is to be billed"
            said = f"Receipt {number}: {Money(paid, currency)} was paid at the visit."
            detail = "\n".join([*extra["disagreements"], said])
            await helpdesk.restate_problem("extras_to_bill", extra["ref"], title, detail)
        elif not extra["disagreements"]:
            words = f"Paid at the visit, receipt {number}."
            await helpdesk.close_problems("extras_to_bill", extra["ref"], words, actor)
    if odd:
        await helpdesk.open_problem(
            "extras_payment_differs",
            f"{visit['number']}: receipt {number} does not agree",
            ref=str(told.event_id),
            detail="\n".join(odd),
            order_id=visit["order_id"],
            fulfilment_id=visit["fulfilment_id"],
        )
