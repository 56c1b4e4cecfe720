"""Refunds outside the gateway: finance pays in cash or by bank transfer, and says so here (O2).

What is recorded counts as a refund of the gateway does: it is folded into the payment lines, posted
once, and ends the task as soon as nothing is owed any more.
"""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Refusal
from doorstep.core.money import Money
from doorstep.flows import settle
from doorstep.flows import settle_sql as sql
from doorstep.flows.refunds import ask_for_refund
from doorstep.modules.finance.rules.payments import Told, spread_refund
from doorstep.modules.finance.service import desk_refunds, payments
from doorstep.modules.finance.service.desk_refunds import DeskRefund
from doorstep.modules.finance.service.payments import PaymentLine, Word
from doorstep.modules.oms.payment_lines import set_payment_line

PROVIDERS = {"cash": "cash", "bank_transfer": "bank"}
"""How it was paid → whose word it is about the payment line."""


class RefundInAnotherCurrency(Refusal):
    """An order is refunded in the currency it was paid in."""

    title = "The refund is in another currency than the order."


class MoreThanOwed(Refusal):
    """What is to be given back was captured, and is not the price of anything any more."""

    title = "That much is not owed back to the customer."


class RefundKnown(Refusal):
    """The same receipt or transfer was recorded for this order under another event id."""

    title = "A refund of this order with this reference is recorded already."


@db.transactional
async def record_refund(refund: DeskRefund, *, actor: Actor) -> DeskRefund:
    """Count money that a desk has given back to a customer; the same `id` again changes nothing.

    Raises: EventIdReused; RefundKnown; RefundInAnotherCurrency; MoreThanOwed.
    """
    order = await settle.take_order(refund.order_id)
    known = await desk_refunds.find(refund.id)
    if known is not None:
        if known != refund:
            raise EventIdReused
        return known
    if refund.currency != order["currency"]:
        raise RefundInAnotherCurrency(f"It was paid in {order['currency']}.")
    lines = await db.rows(sql.PAYMENT_LINES, refund.order_id)
    said = await payments.told(
        refund.order_id, {line["id"]: line["amount_minor"] for line in lines}
    )
    _require_owed(refund, order["total_minor"] - order["credited_minor"], said)
    if not await desk_refunds.keep(refund, actor.person_id):
        # By its id, of another order at this very moment, or by its reference.
        raise EventIdReused if await desk_refunds.find(refund.id) else RefundKnown
    for line_id, amount in spread_refund(said, refund.amount_minor).items():
        await _count(refund, PaymentLine(
            id=line_id, order_id=refund.order_id, amount_minor=said[line_id].amount_minor
        ), amount)  # fmt: skip
    await ask_for_refund(refund.order_id)
    await settle.state_of_order("payment_refunded", refund.order_id, f"desk:{refund.id}")
    return refund


def _require_owed(refund: DeskRefund, price_minor: int, said: dict[UUID, Told]) -> None:
    owed = sum(told.kept_minor for told in said.values()) - price_minor
    if refund.amount_minor > owed:
        words = Money(max(0, owed), refund.currency)
        raise MoreThanOwed(f"{words} is owed back.", owed_minor=max(0, owed))


async def _count(refund: DeskRefund, line: PaymentLine, amount_minor: int) -> None:
    word = Word(
        provider=PROVIDERS[refund.method],
        action_id=f"{refund.id}:{line.id}",
        payment_id=refund.reference,
        type="refunded",
        amount_minor=amount_minor,
        currency=refund.currency,
        happened_at=now(),
    )
    told = await payments.record(line, word)
    if told is not None:
        await set_payment_line(line.id, told.state, told.captured_minor, "")
