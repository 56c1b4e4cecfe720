"""Cash from the door to the desk: counting it makes it a payment (V1, IM9)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.money import Money
from doorstep.flows import settle_sql as sql
from doorstep.flows.refunds import ask_for_refund
from doorstep.modules.finance.service import cash, payments
from doorstep.modules.finance.service.cash import Count, Tender
from doorstep.modules.finance.service.payments import PaymentLine, Word
from doorstep.modules.oms.payment_lines import set_payment_line


class NoCashToCount(Refusal):
    """Everything from there is counted, or nothing was taken in cash."""

    title = "There is no uncounted cash from this run, this shift or these orders."


class CashInAnotherCurrency(Refusal):
    """Cash of one currency is counted at a time."""

    title = "The cash to be counted is in another currency."


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a count; `difference_minor` is counted − expected."""

    id: UUID
    currency: str
    expected_minor: int
    counted_minor: int
    difference_minor: int
    order_ids: list[UUID]


@db.transactional
async def count_cash(
    event_id: UUID,
    *,
    run_id: UUID | None,
    order_ids: Sequence[UUID],
    counted_minor: int,
    currency: str,
    note: str,
    actor: Actor,
    shift_id: UUID | None = None,
) -> Counted:
    """Take in what couriers bring: the customers' cash now counts as paid, a difference is posted.

    Each tender is in exactly one count; the same `event_id` again gets the first answer. What a
    customer paid is what the courier took from him, whatever the desk finds in the bag.

    Raises: NoCashToCount; CashInAnotherCurrency.
    """
    known = await cash.find_count(event_id)
    if known is not None:
        return _counted(**known)
    await db.execute(sql.LOCK_ORDERS, await _orders(run_id, order_ids, shift_id))
    rows = await db.rows(sql.CASH_TO_COUNT, run_id, list(order_ids), shift_id)
    # The same count sent twice at once: the second has waited for the first one's locks.
    if (known := await cash.find_count(event_id)) is not None:
        return _counted(**known)
    tenders = tuple(msgspec.convert(row, Tender) for row in rows)
    if not tenders:
        raise NoCashToCount
    if {tender.currency for tender in tenders} != {currency}:
        raise CashInAnotherCurrency
    count = Count(
        id=event_id,
        run_id=run_id,
        shift_id=shift_id,
        currency=currency,
        counted_minor=counted_minor,
        note=note,
        counted_by=_person(actor),
        tenders=tenders,
    )
    await cash.record_count(count)
    for tender in tenders:
        await _credit(tender)
    await _tell(count, actor)
    return _counted(
        id=count.id,
        currency=currency,
        expected_minor=count.expected_minor,
        counted_minor=counted_minor,
        order_ids=[tender.order_id for tender in tenders],
    )


def _counted(
    *, id: UUID, currency: str, expected_minor: int, counted_minor: int, order_ids: list[UUID]
) -> Counted:
    return Counted(
        id=id,
        currency=currency,
        expected_minor=expected_minor,
        counted_minor=counted_minor,
        difference_minor=counted_minor - expected_minor,
        order_ids=sorted(set(order_ids)),
    )


def _person(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise ValueError("cash is counted by a person")
    return actor.person_id


async def _orders(
    run_id: UUID | None, order_ids: Sequence[UUID], shift_id: UUID | None
) -> list[UUID]:
    """Find the orders concerned before they are locked, all of them in id order (DESIGN §3)."""
    rows = await db.rows(sql.CASH_TO_COUNT, run_id, list(order_ids), shift_id)
    return sorted({row["order_id"] for row in rows})


async def _credit(tender: Tender) -> None:
    """Count a customer's cash towards the payment line that was due at his door.

    What he gave for extras has paid them already.
    """
    if tender.at == "visit":
        return
    row = await db.row(sql.CHOOSE_LINE_AT_DOOR, tender.order_id)
    if row is None:
        return
    line = msgspec.convert(row, PaymentLine)
    ref = f"{tender.taken_id}:{tender.n}"
    word = Word(
        provider="cash",
        action_id=ref,
        payment_id=ref,
        type="captured",
        amount_minor=tender.amount_minor,
        currency=tender.currency,
        happened_at=now(),
    )
    told = await payments.record(line, word)
    if told is not None:
        await set_payment_line(line.id, told.state, told.captured_minor, "")


async def _tell(count: Count, actor: Actor) -> None:
    short = count.counted_minor - count.expected_minor
    if short:
        await outbox.add(
            "helpdesk.open_problem",
            {
                "kind": "cash_difference",
                "title": f"Cash differs by {Money(short, count.currency)}",
                "detail": count.note,
                "ref": str(count.id),
                "owner_role": "finance",
                "channel_id": await db.value(
                    "SELECT channel_id FROM customer_order WHERE id = $1",
                    count.tenders[0].order_id,
                ),
            },
            key=f"problem:cash:{count.id}",
        )
    for order_id in sorted({tender.order_id for tender in count.tenders}):
        await ask_for_refund(order_id)
        for fulfilment in (await db.rows(sql.FULFILMENTS, order_id))[:1]:
            await journey.state_fact(
                "cash_counted",
                fulfilment["id"],
                actor=actor,
                data={"cash_count_id": str(count.id)},
                event_id=journey.derived_id(fulfilment["id"], f"cash_counted:{count.id}"),
            )
