"""Money on both sides of an order: the customer's payment (1002) and the vendor's tranches (1017).

Everything here is level-triggered: it reads what is true now, under the order's lock, and does what
follows from it. Run twice, in any order, it ends the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey, ports
from doorstep.core import db, inbox, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import job
from doorstep.flows import approvals
from doorstep.flows import settle_sql as sql
from doorstep.flows.refunds import ask_for_refund
from doorstep.flows.vendor_claims import claim_what_is_owed
from doorstep.modules.finance.rules import payments as payment_rules
from doorstep.modules.finance.rules.payments import Line, PaymentDecision, Terms, Told
from doorstep.modules.finance.rules.tranches import Facts
from doorstep.modules.finance.service import cash, door_links, payments, payouts, tranches
from doorstep.modules.finance.service.cash import Tender
from doorstep.modules.finance.service.payments import PaymentLine, Word
from doorstep.modules.finance.service.payouts import BankWord, Payee
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.oms.payment_lines import set_payment_line

# --- The customer pays --------------------------------------------------------------------------


@inbox.handler("checkout")
async def handle_checkout(message: inbox.Message) -> None:
    """Apply a webhook of the payment gateway.

    Raises: WaitsFor until the order it names is known.
    """
    event = ports.checkout().read(message.body)
    await apply_payment_event(event, "checkout", message.received_at)


@db.transactional
async def apply_payment_event(
    event: ports.PaymentEvent, provider: str, received_at: datetime
) -> None:
    """Count what a gateway says of a payment, once per action; money may pass 1002.

    Authorised is not paid. The shop's record of the same payment is not counted beside it.

    Raises: WaitsFor until the order it names is known.
    """
    if event.kind == "info":
        return
    order_id = await db.value(sql.FIND_ORDER, event.reference, event.payment_id, event.currency)
    if order_id is None:
        raise inbox.WaitsFor(f"order:{event.reference or event.payment_id}")
    word = Word(
        provider=provider,
        action_id=event.action_id,
        payment_id=event.payment_id,
        type=event.kind,
        amount_minor=event.amount_minor,
        currency=event.currency,
        happened_at=event.happened_at or received_at,
    )
    await _apply_word(order_id, word, event.reference)


async def _apply_word(order_id: UUID, word: Word, reference: str) -> None:
    order = await take_order(order_id)
    if word.currency and word.currency != order["currency"]:
        detail = f"{word.payment_id} is in {word.currency}, the order in {order['currency']}."
        await _ask_finance("payment_currency", "A payment is in another currency", order, detail)
        return
    row = await db.row(sql.CHOOSE_LINE, order_id, word.payment_id, reference, word.amount_minor)
    if row is None:
        await _ask_finance("payment_unexpected", "A payment for an order without one", order)
        return
    line = msgspec.convert(row, PaymentLine)
    told = await payments.record(line, msgspec.structs.replace(word, currency=order["currency"]))
    if told is None:
        return
    await set_payment_line(line.id, told.state, told.captured_minor, word.payment_id)
    if word.type == "captured":
        await door_links.captured(reference, word.amount_minor)
    if word.type == "failed":
        await _open_failure(order_id, word)
    if word.type == "hold":
        detail = f"The gateway stopped {word.payment_id}."
        await _ask_finance("payment_stopped", "A payment was stopped", order, detail)
    if word.type in ("captured", "refunded"):
        await ask_for_refund(order_id)
        name = f"payment_{word.type}"
        await state_of_order(name, order_id, f"{word.provider}:{word.action_id}")
    else:
        await verify_order_payment(order_id)


async def _open_failure(order_id: UUID, word: Word) -> None:
    """Open the detour `payment_failed` on every living parcel of the order; 1002 settles it.

    Where 1002 is passed already the engine keeps the report as overtaken, so the order in which a
    failure and the later success are heard makes no difference. Finance's task follows from the
    judgement of the whole payment.
    """
    for fulfilment in await db.rows(sql.FULFILMENTS, order_id):
        await journey.open_detour(
            journey.derived_id(
                fulfilment["id"], f"payment_failed:{word.provider}:{word.action_id}"
            ),
            fulfilment["id"],
            "payment_failed",
            actor=Actor.system("settle"),
            detail=f"The gateway refused {word.payment_id}.",
            evidence=[journey.Evidence("payment", word.payment_id)],
            captured_at=word.happened_at,
        )


async def state_of_order(name: str, order_id: UUID, ref: str) -> None:
    """State a fact of a whole order, on its first living fulfilment."""
    for fulfilment in (await db.rows(sql.FULFILMENTS, order_id))[:1]:
        await journey.state_fact(
            name,
            fulfilment["id"],
            actor=Actor.system("settle"),
            event_id=journey.derived_id(fulfilment["id"], f"{name}:{ref}"),
        )


async def verify_payment(fact: journey.Fact) -> None:
    """See, after money has come in, whether the order's goods may go (1002)."""
    await verify_order_payment(fact.order_id)


@job("flows.verify_payment", timeout=20)
@db.transactional
async def verify_payment_later(payload: dict[str, Any]) -> None:
    """See whether a new order is paid already, by the shop's record or the COD rule: {order_id}."""
    await verify_order_payment(UUID(payload["order_id"]))
    await outbox.done()


@db.transactional
async def verify_order_payment(order_id: UUID) -> PaymentDecision:
    """Pass 1002 on every fulfilment of an order whose payment allows it (SPEC J1002, O2).

    Pending stays as it is until the gateway speaks; what a person must look at becomes a problem,
    or waits for an approval where the channel's policy says so (P8).
    """
    order = await take_order(order_id)
    lines = await db.rows(sql.PAYMENT_LINES, order_id)
    unpaid = [f for f in await db.rows(sql.FULFILMENTS, order_id) if not f["paid"]]
    decision = await _decide(order, lines)
    if unpaid and decision.state not in _PAID:
        since = max(fulfilment["created_at"] for fulfilment in unpaid)
        decision = await _decide_since(since, order, lines) or decision
    if unpaid and decision.state in _PAID:
        decision = await approvals.judge_payment(order_id)
    if decision.state == "verified":
        for fulfilment in unpaid:
            await _pass_payment(fulfilment, order, lines)
        if unpaid:
            await _end_payment_problems(order_id)
    elif decision.state == "held" or (decision.state == "failed" and unpaid):
        title = _PROBLEMS[decision.state]
        await _ask_finance(f"payment_{decision.state}", title, order, decision.reason)
    return decision


_PAID = frozenset({"verified", "approval_waiting"})
"""All that is due now is captured."""


async def _decide_since(
    since: datetime, order: dict[str, Any], lines: list[dict[str, Any]]
) -> PaymentDecision | None:
    """Tell the decision of the first moment since then at which the payment was good, if any.

    A stage that is passed stays passed, so a refund or a second capture that came behind the whole
    payment, by the gateway's clock, must not keep 1002 back because it was heard of before it.
    """
    for moment in await payments.moments(order["id"], since):
        decision = await _decide(order, lines, moment)
        if decision.state in _PAID:
            return decision
    return None


async def _decide(
    order: dict[str, Any], lines: list[dict[str, Any]], until: datetime | None = None
) -> PaymentDecision:
    amounts = {line["id"]: line["amount_minor"] for line in lines}
    said = await payments.told(order["id"], amounts, until)
    return payment_rules.decide([_line(line, said) for line in lines], _terms(order))


_PROBLEMS = {
    "failed": "The payment failed",
    "held": "What was paid is not what is owed",
}


async def _end_payment_problems(order_id: UUID) -> None:
    for state in _PROBLEMS:
        await helpdesk.close_problems(
            f"payment_{state}", str(order_id), "The payment is verified.", Actor.system("settle")
        )


async def take_order(order_id: UUID) -> dict[str, Any]:
    """Lock an order, and take over what the shop's own record shows as captured."""
    since = now() - timedelta(days=payment_rules.REFUSED_DAYS)
    order = await db.one(sql.PAYMENT, order_id, since)
    captured = [
        line for line in await db.rows(sql.PAYMENT_LINES, order_id) if line["state"] == "captured"
    ]
    await payments.record_shop(order_id, order["currency"], order["placed_at"], captured)
    return order


def _line(row: dict[str, Any], said: dict[UUID, Told]) -> Line:
    told = said[row["id"]]
    return Line(
        due=row["due"],
        amount_minor=row["amount_minor"],
        captured_minor=told.captured_minor,
        over_minor=told.over_minor,
        failed=told.state == "failed",
    )


def _terms(order: dict[str, Any]) -> Terms:
    return Terms(**{name: order[name] for name in Terms.__struct_fields__})


async def _pass_payment(
    fulfilment: dict[str, Any], order: dict[str, Any], lines: list[dict[str, Any]]
) -> None:
    refs = [f"{line['method']}:{line['id']}" for line in lines] or [order["number"]]
    await journey.advance(
        journey.derived_id(fulfilment["id"], "1002", fulfilment["attempt"]),
        fulfilment["id"],
        1002,
        actor=Actor.system("settle"),
        evidence=[journey.Evidence("payment", ref) for ref in refs],
    )


async def _ask_finance(kind: str, title: str, order: dict[str, Any], detail: str = "") -> None:
    # No key: once closed, the same trouble may come again; while open, helpdesk keeps it one.
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": kind,
            "title": f"{order['number']}: {title}",
            "detail": detail,
            "ref": str(order["id"]),
            "order_id": str(order["id"]),
            "owner_role": "finance",
        },
        order_id=order["id"],
    )


@db.transactional
async def approve_payment(
    order_id: UUID, event_id: UUID, reason: str, *, actor: Actor
) -> PaymentDecision:
    """Let an order go on although the policy says no, on a person's word (P8).

    What is due now must still be captured: a person cannot approve that away. An approval that
    stands already is not written again.

    Raises: ApprovalDecided after a rejection, OwnOrder, OrderHasEnded, EventIdReused.
    """
    await approvals.approve_payment(order_id, event_id, reason, actor=actor)
    return await verify_order_payment(order_id)


# --- The vendor is paid -------------------------------------------------------------------------

OF_THE_ORDER = frozenset({"1002", "payment_captured", "payment_refunded", "cash_counted"})
"""Facts about the whole order: every purchase order of it is judged again."""


async def review(fact: journey.Fact) -> None:
    """Judge the tranches again that this fact may release or hold; nothing for our own goods."""
    if fact.name == "1013":
        await post_cash_of(fact.fulfilment_id)
    whole = fact.name in OF_THE_ORDER
    for row in await db.rows(sql.PURCHASE_ORDERS, fact.fulfilment_id, whole, fact.order_id):
        await review_purchase_order(row["po_id"])


async def post_cash_of(fulfilment_id: UUID) -> None:
    """Post the cash that was taken at the door with a delivery; counting it comes later."""
    rows = await db.rows(sql.CASH_OF_FULFILMENT, fulfilment_id)
    await cash.post_taken([msgspec.convert(row, Tender) for row in rows])


@db.transactional
async def review_purchase_order(po_id: UUID) -> None:
    """Judge a purchase order's tranches by what is true now; V1 to V5 released completes 1017.

    The caller holds the locks of the order and its fulfilments.
    """
    found = await db.one(sql.FACTS, po_id)
    purchase_order = tranches.PurchaseOrder(
        id=po_id,
        order_id=found["order_id"],
        currency=found["currency"],
        heads=found["heads"],
        total_minor=found["total_minor"],
        gone_minor=found["gone_minor"],
    )
    payee = Payee(
        name=found["account_name"],
        account_number=found["account_number"],
        bank_code=found["bank_code"],
        account_changed_at=found["account_changed_at"],
    )
    facts = msgspec.convert(found, Facts)
    settled = await tranches.review(purchase_order, facts, payee)
    if facts.ended_as or facts.came_back:
        await claim_what_is_owed(po_id)
    if settled:
        for fulfilment in found["unsettled"]:
            await _complete_settlement(UUID(fulfilment["id"]), fulfilment["attempt"], found)


async def _complete_settlement(
    fulfilment_id: UUID, attempt: int, purchase_order: dict[str, Any]
) -> None:
    await journey.advance(
        journey.derived_id(fulfilment_id, "1017", attempt),
        fulfilment_id,
        1017,
        actor=Actor.system("settle"),
        evidence=[journey.Evidence("tranches", purchase_order["number"])],
    )


@inbox.handler("bank")
async def handle_bank(message: inbox.Message) -> None:
    """Apply a webhook of the bank to the payout it names.

    Raises: WaitsFor when no payout is known by its key or the bank's own reference.
    """
    event = ports.bank_hook().read(message.body)
    word = BankWord(
        state=event.state,
        bank_ref=event.bank_ref,
        raw_status=event.raw_status,
        reason=event.reason,
        source="webhook",
    )
    if await payouts.hear_event(event.key, word) is None:
        raise inbox.WaitsFor(f"payout:{event.key or event.bank_ref}")


@db.transactional
async def pay_again(tranche_id: UUID, *, actor: Actor) -> int:
    """Order a new payout of a released tranche whose last one failed or came back.

    The vendor's account as it stands now is taken. Returns the number of the attempt.

    Raises: TrancheMissing, TrancheNotReleased, PayoutStillLive.
    """
    row = await db.row(sql.PAYEE_OF_TRANCHE, tranche_id)
    if row is None:
        raise payouts.TrancheMissing
    await journey.lock(row.pop("fulfilment_id"))
    attempt = await payouts.order_again(
        tranche_id, msgspec.convert(row, Payee), by=str(actor.person_id)
    )
    for failed in await db.rows(sql.FAILED_PAYOUTS, tranche_id):
        kind = f"payout_{failed['state']}"
        await helpdesk.close_problems(kind, str(failed["id"]), "A new payout was ordered.", actor)
    return attempt
