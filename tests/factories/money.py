"""Everything a tranche waits for, made with a line each; and a bank that keeps what it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from doorstep import journey, ports
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.razorpayx import RazorpayXHook
from doorstep.core import db, inbox, redis
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.outbox import bell
from doorstep.flows import procure, settle, vendor_answers
from doorstep.modules.finance import checks
from doorstep.modules.scm import service as scm
from tests.factories.care import Travelling, outside, place, reacting, travel
from tests.factories.world import World

KEY = "cko-test-key"
BANK_KEY = "rzp-secret"

MONEY: Mapping[str, Sequence[journey.Reaction]] = {
    "1002": [settle.review],
    "1003": [procure.make_purchase_order],
    **{code: [settle.review] for code in ("1004", "1009", "1013", "1015", "1018")},
    "payment_captured": [settle.verify_payment, settle.review],
    "payment_refunded": [settle.verify_payment, settle.review],
    **{fact: [settle.review] for fact in ("cash_counted", "bytes_verified", "install_approved")},
}
"""The reactions of finance and procurement alone."""

FINANCE = Actor(role="finance", source="person", person_id=UUID(int=7), request_id="desk")
SYSTEM = Actor.system("test")


class Bank:
    """A bank that pays a key once, and does to the caller what `mood` says."""

    def __init__(self) -> None:
        self.paid: dict[str, int] = {}
        self.calls: list[str] = []
        self.mood = "pay"

    async def pay(
        self,
        key: str,
        amount_minor: int,
        currency: str,
        beneficiary: ports.Beneficiary,
        reference: str,
    ) -> ports.PayoutAnswer:
        assert not db.in_transaction(), "the bank is called inside a transaction"
        self.calls.append(key)
        if self.mood == "refuse":
            return ports.PayoutAnswer(
                state="failed", bank_ref="", raw_status="rejected", reason="account closed"
            )
        if self.mood == "deaf":
            return ports.PayoutAnswer(state="unknown", bank_ref="")
        assert self.paid.setdefault(key, amount_minor) == amount_minor
        if self.mood == "pay and say nothing":
            return ports.PayoutAnswer(state="unknown", bank_ref="")
        return self._answer(key)

    async def enquire(self, key: str) -> ports.PayoutAnswer:
        assert not db.in_transaction()
        if key not in self.paid or self.mood == "deaf":
            return ports.PayoutAnswer(state="unknown", bank_ref="")
        return self._answer(key)

    def _answer(self, key: str) -> ports.PayoutAnswer:
        state: Any = "processing" if self.mood == "take time" else "paid"
        raw = "processing" if state == "processing" else "processed"
        return ports.PayoutAnswer(state=state, bank_ref=f"pout_{key[:8]}", raw_status=raw)


@asynccontextmanager
async def open_bank() -> AsyncIterator[Bank]:
    """Bind a bank double, the real readers of webhooks and the reactions of money for the block."""
    bank = Bank()
    hooks = {"checkout": CheckoutHook((KEY,)), "bank_hook": RazorpayXHook((BANK_KEY,))}
    with reacting(MONEY), outside(bank=bank, **hooks):
        yield bank
    # What was committed has rung for the worker; its connection belongs to this test.
    await bell.rest()
    await redis.stop()


async def make_costs(
    world: World, *, washing_machine: int = 900_01, kettle: int = 100_00, currency: str = "AED"
) -> None:
    """Set what the vendor's goods cost us; together 1000.01."""
    for sku, cost in (("WM-7KG", washing_machine), ("KET-17", kettle)):
        await scm.save_cost(world.vendor_id, world.products[sku], currency, cost)


async def purchased(*lines: tuple[str, int], **given: Any) -> tuple[Travelling, UUID]:
    """Place an order whose price is captured and whose purchase order is sent."""
    order = await place(*lines, **given)
    await make_costs(order.world)
    await travel(order.parcels[0], 1002, 1003)
    po_id: UUID = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])
    return order, po_id


def vendor_of(world: World) -> Actor:
    return Actor(
        role="vendor",
        source="person",
        person_id=UUID(int=8),
        vendor_id=world.vendor_id,
        request_id="desk",
    )


async def capture(order: Travelling, amount_minor: int | None = None, **given: Any) -> None:
    """Let the gateway's webhook say that an order's price is captured."""
    row = await db.one(
        "SELECT external_id, currency, total_minor FROM customer_order WHERE id = $1",
        order.order_id,
    )
    said = {
        "type": "payment_captured",
        "amount": row["total_minor"] if amount_minor is None else amount_minor,
        "currency": row["currency"],
        "reference": row["external_id"],
        "action": f"act_{uuid7()}",
        "id": "pay_1",
    } | given
    await arrive("checkout", checkout_body(**said))


def checkout_body(
    *, type: str, amount: int, currency: str, reference: str, action: str, id: str
) -> bytes:
    data = {
        "id": id,
        "action_id": action,
        "reference": reference,
        "amount": amount,
        "currency": currency,
        "processed_on": now().isoformat(),
    }
    return json.dumps({"id": f"evt_{uuid7()}", "type": type, "data": data}).encode()


def bank_body(key: str, status: str, ref: str = "pout_x") -> bytes:
    entity = {"id": ref, "status": status, "reference_id": key}
    event = {"event": f"payout.{status}", "payload": {"payout": {"entity": entity}}}
    return json.dumps(event).encode()


async def arrive(source: str, body: bytes) -> None:
    """Keep a webhook as its door does and run its job."""
    hook: Any = ports.checkout() if source == "checkout" else ports.bank_hook()
    header = "cko-signature" if source == "checkout" else "x-razorpay-signature"
    key = KEY if source == "checkout" else BANK_KEY
    headers = {header: hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}
    assert hook.genuine(body, headers)
    await inbox.receive(source, hook.source_id(body, headers), body, headers)
    row = await db.one(
        "SELECT payload FROM outbox WHERE kind = 'inbox.handle' ORDER BY created_at DESC, id DESC"
    )
    await inbox.handle(row["payload"])


async def _stop(order: Travelling, parcel: UUID) -> UUID:
    run, stop, person = uuid7(), uuid7(), await _person("delivery")
    await db.execute(
        "INSERT INTO delivery_run (id, channel_id, person_id, vehicle, planned_on, planned_at)"
        " VALUES ($1, $2, $3, 'van', CURRENT_DATE, $4)",
        run, order.world.channel_id, person, now(),
    )  # fmt: skip
    await db.execute(
        "INSERT INTO delivery_stop (id, run_id, order_id, fulfilment_id, position)"
        " VALUES ($1, $2, $3, $4, 1)",
        stop, run, order.order_id, parcel,
    )  # fmt: skip
    return stop


async def _person(role: str) -> UUID:
    person = uuid7()
    await db.execute(
        "INSERT INTO person (id, role, name, created_at) VALUES ($1, $2, $2, $3)",
        person, role, now(),
    )  # fmt: skip
    return person


async def make_pod(
    order: Travelling,
    parcel: UUID,
    *,
    cash: int = 0,
    hold: str | None = None,
    verified: bool = True,
) -> UUID:
    """Put down a proof of delivery, with cash taken at the door if any; return the run's id."""
    pod, stop = uuid7(), await _stop(order, parcel)
    run = await db.one("SELECT run_id, person_id FROM delivery_stop s JOIN delivery_run r"
                       " ON r.id = s.run_id WHERE s.id = $1", stop)  # fmt: skip
    await db.execute(
        "INSERT INTO pod (id, order_id, fulfilment_id, stop_id, attempt, person_id, receiver_name,"
        " receiver_relation, scanned_labels, due_minor, tendered_minor, currency, missing,"
        " hold_reason, verdict, verdict_reason, captured_at, recorded_at, bytes_verified_at)"
        " VALUES ($1, $2, $3, $4, 1, $5, 'Aisha', 'self', '{}', $6, $6, 'AED', '{}', $7, 'applied',"
        " '', $8, $8, $9)",
        pod, order.order_id, parcel, stop, run["person_id"], cash, hold, now(),
        now() if verified else None,
    )  # fmt: skip
    if cash:
        await db.execute(
            "INSERT INTO pod_tender (pod_id, n, method, amount_minor, reference)"
            " VALUES ($1, 1, 'cash', $2, '')",
            pod, cash,
        )  # fmt: skip
    run_id: UUID = run["run_id"]
    return run_id


async def approve_installation(order: Travelling, parcel: UUID) -> None:
    """Put down an approved report of a visit and state the fact."""
    technician, visit, report = await _person("technician"), uuid7(), uuid7()
    await db.execute(
        "INSERT INTO technician (person_id, channel_id, skills, hours) VALUES ($1, $2, '{}', '{}')",
        technician, order.world.channel_id,
    )  # fmt: skip
    await db.execute(
        "INSERT INTO visit (id, order_id, fulfilment_id, technician_id, skills, during, booked_at)"
        " VALUES ($1, $2, $3, $4, '{}', tstzrange($5::timestamptz, $5::timestamptz + '1 hour'), $5)",
        visit, order.order_id, parcel, technician, now(),
    )  # fmt: skip
    await db.execute(
        "INSERT INTO visit_report (id, order_id, fulfilment_id, visit_id, technician_id,"
        " demo_topics, signer_name, missing, disagreements, verdict, verdict_reason, captured_at,"
        " recorded_at, approved_at, approval, approval_reason)"
        " VALUES ($1, $2, $3, $4, $5, '{}', 'Aisha', '{}', '{}', 'applied', '', $6, $6, $6,"
        " 'automatic', 'agrees')",
        report, order.order_id, parcel, visit, technician, now(),
    )  # fmt: skip
    await journey.state_fact("install_approved", parcel, actor=SYSTEM)


async def states(po_id: UUID) -> list[str]:
    """Tell the state of each tranche, V1 to V6."""
    rows = await db.rows("SELECT state FROM tranche WHERE po_id = $1 ORDER BY number", po_id)
    return [row["state"] for row in rows]


async def reasons(po_id: UUID) -> dict[int, str]:
    rows = await db.rows("SELECT number, reason FROM tranche WHERE po_id = $1", po_id)
    return {row["number"]: row["reason"] for row in rows}


async def balances() -> dict[str, int]:
    """Tell every account that is not at zero; debit is positive."""
    rows = await db.rows(
        "SELECT account, sum(debit_minor - credit_minor)::bigint AS balance FROM journal_line"
        " GROUP BY account HAVING sum(debit_minor - credit_minor) <> 0"
    )
    return {row["account"]: row["balance"] for row in rows}


async def violations() -> list[str]:
    """Run every check of money."""
    found: list[str] = []
    for check in (
        checks.check_im1, checks.check_im2, checks.check_im3, checks.check_im4, checks.check_im5,
        checks.check_im9,
    ):  # fmt: skip
        found += await check()
    return found


async def accept(order: Travelling, po_id: UUID, event_id: UUID | None = None) -> journey.Answer:
    """Let the vendor accept."""
    return await vendor_answers.accept(po_id, event_id or uuid7(), actor=vendor_of(order.world))
