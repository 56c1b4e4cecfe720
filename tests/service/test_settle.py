"""The customer's payment and the vendor's tranches, on a real database, through their flows."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from doorstep import journey, ports
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import cash, settle
from doorstep.modules.helpdesk import jobs as _helpdesk  # noqa: F401 - registers its job
from tests.factories import money
from tests.factories.care import passed, place, travel
from tests.factories.money import Bank, accept, capture, purchased, states, violations
from tests.factories.world import an_order


@pytest.fixture(autouse=True)
async def bank(db: Any) -> AsyncIterator[Bank]:
    async with money.open_bank() as double:
        yield double


async def problems(db: Any) -> list[str]:
    rows = await db.rows(
        "SELECT payload ->> 'kind' AS kind FROM outbox WHERE kind = 'helpdesk.open_problem'"
        " UNION ALL SELECT kind FROM problem"
    )
    return sorted(row["kind"] for row in rows)


# --- 1002 ---------------------------------------------------------------------------------------


async def test_a_captured_payment_passes_1002_and_is_posted_once(db: Any) -> None:
    order = await place()
    await capture(order, action="act_1")
    await capture(order, action="act_1")
    assert 1002 in await passed(order.parcels[0])
    line = await db.one("SELECT * FROM payment_line WHERE order_id = $1", order.order_id)
    assert (line["state"], line["captured_minor"], line["provider_ref"]) == (
        "captured",
        200_00,
        "pay_1",
    )
    assert await money.balances() == {"gateway_clearing": 200_00, "customer_deposit": -200_00}


async def test_authorised_is_not_paid(db: Any) -> None:
    order = await place()
    await capture(order, type="payment_approved")
    assert 1002 not in await passed(order.parcels[0])
    assert await db.value("SELECT state FROM payment_line") == "authorised"
    assert await money.balances() == {}


async def test_the_shops_record_and_the_webhook_are_counted_once(db: Any) -> None:
    order = await place()
    await db.execute("UPDATE payment_line SET state = 'captured', captured_minor = amount_minor")
    decision = await settle.verify_order_payment(order.order_id)
    assert decision.state == "verified" and 1002 in await passed(order.parcels[0])
    await capture(order)
    assert await money.balances() == {"gateway_clearing": 200_00, "customer_deposit": -200_00}
    assert await db.value("SELECT count(*) FROM payment_event") == 2
    assert await problems(db) == []


@pytest.mark.parametrize("amount", [199_99, 200_01])
async def test_a_part_or_more_than_asked_is_held_for_a_person(db: Any, amount: int) -> None:
    order = await place()
    await capture(order, amount)
    assert 1002 not in await passed(order.parcels[0])
    assert await problems(db) == ["payment_held"]


async def test_the_missing_part_lets_the_order_go(db: Any) -> None:
    order = await place()
    await capture(order, 150_00)
    await capture(order, 50_00)
    assert 1002 in await passed(order.parcels[0])


async def test_a_webhook_before_its_order_waits_for_it(db: Any) -> None:
    order = an_order(external_id="AE-9")
    body = money.checkout_body(
        type="payment_captured", amount=200_00, currency="AED", reference="AE-9", action="a", id="p"
    )
    await money.arrive("checkout", body)
    waiting = await db.one("SELECT state, waits_for FROM inbox")
    assert (waiting["state"], waiting["waits_for"]) == ("waiting", "order:AE-9")
    placed = await place(order=order)
    found = await db.one("SELECT id FROM inbox")
    await settle.inbox.handle({"inbox_id": str(found["id"])})
    assert 1002 in await passed(placed.parcels[0])


async def test_every_order_of_the_gateways_words_ends_the_same(db: Any) -> None:
    words = [
        ("payment_approved", "act_a", 200_00),
        ("payment_captured", "act_c", 200_00),
        ("payment_refunded", "act_r", 50_00),
        ("payment_declined", "act_d", 200_00),
    ]
    ends = set()
    rng = random.Random(7)
    world = None
    for shuffled in rng.sample(list(itertools.permutations(words)), 5):
        order = await place(world=world)
        world = order.world
        for kind, action, amount in [*shuffled, rng.choice(shuffled)]:
            await capture(
                order, amount, type=kind, action=f"{action}-{order.number}", id=order.number
            )
        line = await db.one(
            "SELECT state, captured_minor FROM payment_line WHERE order_id = $1", order.order_id
        )
        posted = await db.value(
            "SELECT sum(debit_minor - credit_minor) FROM journal_line l"
            " JOIN journal_entry e ON e.id = l.entry_id"
            " WHERE e.order_id = $1 AND account = 'customer_deposit'",
            order.order_id,
        )
        ends.add((line["state"], line["captured_minor"], int(posted)))
    assert ends == {("captured", 150_00, -150_00)}


async def test_the_same_capture_many_times_at_once_is_counted_once(db: Any) -> None:
    order = await place()
    row = await db.one("SELECT external_id FROM customer_order")
    event = ports.PaymentEvent(
        event_id="evt", kind="captured", raw_type="payment_captured", payment_id="pay_1",
        action_id="act_1", reference=row["external_id"], amount_minor=200_00, currency="AED",
        happened_at=now(),
    )  # fmt: skip
    await asyncio.gather(
        *(settle.apply_payment_event(event, "checkout", now()) for _ in range(8)),
        *(settle.verify_order_payment(order.order_id) for _ in range(4)),
    )
    assert 1002 in await passed(order.parcels[0])
    assert await money.balances() == {"gateway_clearing": 200_00, "customer_deposit": -200_00}
    assert await db.value("SELECT count(*) FROM payment_event") == 1


async def test_cod_passes_by_the_rule_or_asks_for_an_approval(db: Any) -> None:
    order = await place(order=an_order(method="cod"))
    assert (await settle.verify_order_payment(order.order_id)).state == "approval_waiting"
    assert await problems(db) == ["payment_approval_waiting"]
    assert 1002 not in await passed(order.parcels[0])
    await db.execute("UPDATE customer SET phone_verified_at = now()")
    assert (await settle.verify_order_payment(order.order_id)).state == "verified"
    assert 1002 in await passed(order.parcels[0])


async def test_a_person_may_approve_what_the_cod_rule_stops(db: Any) -> None:
    order = await place(order=an_order(method="cod"))
    decision = await settle.approve_payment(
        order.order_id, uuid7(), "an old customer", actor=money.FINANCE
    )
    assert decision.state == "verified" and 1002 in await passed(order.parcels[0])


# --- Tranches -----------------------------------------------------------------------------------


async def test_the_tranches_follow_the_journey_one_by_one(db: Any, bank: Bank) -> None:
    order, po_id = await purchased()
    parcel = order.parcels[0]
    amounts = await db.rows(
        "SELECT amount_minor FROM tranche WHERE po_id = $1 ORDER BY number", po_id
    )
    assert [row["amount_minor"] for row in amounts] == [
        200_01, 200_00, 200_00, 200_00, 100_00, 100_00,
    ]  # fmt: skip
    assert await states(po_id) == ["waiting"] * 6
    await capture(order)
    assert await states(po_id) == ["eligible", *["waiting"] * 5]
    await accept(order, po_id)
    assert await states(po_id) == ["released"] * 2 + ["waiting"] * 4
    await travel(parcel, 1005, 1006, 1007, 1008)
    assert (await states(po_id))[2] == "waiting", "a printed AWB is no proof"
    await travel(parcel, 1009)
    assert await states(po_id) == ["released"] * 3 + ["waiting"] * 3
    await money.make_pod(order, parcel, verified=False)
    await travel(parcel, 1010, 1012, 1013)
    waiting = "Waits for the photos of the proof of delivery to be verified."
    assert (await money.reasons(po_id))[4] == waiting
    assert await money.balances() == {
        "gateway_clearing": 200_00, "customer_deposit": -200_00,
        "cost_of_goods": 600_01, "vendor_payable": -600_01,
    }  # fmt: skip
    await db.execute("UPDATE pod SET bytes_verified_at = now()")
    await journey.state_fact("bytes_verified", parcel, actor=money.SYSTEM)
    assert await states(po_id) == ["released"] * 4 + ["waiting"] * 2
    await travel(parcel, 1014, 1015)
    assert 1017 not in await passed(parcel)
    await money.approve_installation(order, parcel)
    assert await states(po_id) == ["released"] * 5 + ["waiting"]
    assert 1017 in await passed(parcel)
    await travel(parcel, 1016, 1018)
    assert await states(po_id) == ["released"] * 6
    assert await violations() == []
    assert await db.value("SELECT progress FROM fulfilment WHERE id = $1", parcel) == 100


async def test_judging_again_changes_nothing(db: Any) -> None:
    order, po_id = await purchased()
    await capture(order)
    await accept(order, po_id)
    count = (
        "SELECT (SELECT count(*) FROM journal_line) AS lines,"
        " (SELECT count(*) FROM payout) AS payouts, (SELECT count(*) FROM outbox) AS jobs"
    )
    before = await db.one(count)
    for _ in range(3):
        await settle.review_purchase_order(po_id)
    assert await db.one(count) == before


async def test_a_wrong_code_at_the_door_holds_v4(db: Any) -> None:
    order, po_id = await purchased()
    await accept(order, po_id)
    await travel(order.parcels[0], 1005, 1006, 1007, 1008, 1009, 1010, 1012)
    await money.make_pod(order, order.parcels[0], hold="the handover code was wrong")
    await travel(order.parcels[0], 1013)
    assert (await states(po_id))[3] == "held"
    assert "handover code" in (await money.reasons(po_id))[4]


async def test_a_dispute_holds_what_is_not_released(db: Any) -> None:
    order, po_id = await purchased()
    await accept(order, po_id)
    finance = Actor(role="finance", source="person", person_id=uuid7())
    await journey.open_detour(uuid7(), order.parcels[0], "dispute", actor=finance)
    await settle.review_purchase_order(po_id)
    assert await states(po_id) == ["held", "released", *["held"] * 4]


async def test_a_zero_tranche_is_released_without_a_payout(db: Any) -> None:
    order = await place()
    await money.make_costs(order.world, washing_machine=2, kettle=0)
    await travel(order.parcels[0], 1002, 1003)
    po_id = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])
    await capture(order)
    await accept(order, po_id)
    rows = await db.rows("SELECT amount_minor FROM tranche ORDER BY number")
    assert [row["amount_minor"] for row in rows] == [1, 1, 0, 0, 0, 0]
    await travel(order.parcels[0], 1005, 1006, 1007, 1008, 1009)
    assert (await states(po_id))[2] == "released"
    assert await db.value("SELECT count(*) FROM payout") == 2


async def test_goods_without_installation_or_warranty_are_paid_with_the_delivery(db: Any) -> None:
    order = await place(("KET-17", 1))
    await db.execute("UPDATE fulfilment SET has_warranty = false WHERE id = $1", order.parcels[0])
    await money.make_costs(order.world)
    await travel(order.parcels[0], 1002, 1003)
    po_id = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])
    await capture(order)
    await accept(order, po_id)
    await money.make_pod(order, order.parcels[0])
    await travel(order.parcels[0], 1005, 1006, 1007, 1008, 1009, 1010, 1012, 1013)
    assert await states(po_id) == ["released"] * 6
    assert 1017 in await passed(order.parcels[0])


# --- Cash ---------------------------------------------------------------------------------------


async def delivered_for_cash(db: Any) -> tuple[Any, Any, Any]:
    order = await place(order=an_order(method="cod"))
    await money.make_costs(order.world)
    await travel(order.parcels[0], 1002, 1003)
    po_id = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])
    await accept(order, po_id)
    run_id = await money.make_pod(order, order.parcels[0], cash=200_00)
    await travel(order.parcels[0], 1005, 1006, 1007, 1008, 1009, 1010, 1012, 1013)
    return order, po_id, run_id


async def count(run_id: Any, counted: int, event_id: Any = None, **given: Any) -> cash.Counted:
    return await cash.count_cash(
        event_id or uuid7(), run_id=run_id, order_ids=(), counted_minor=counted, note="",
        currency=given.pop("currency", "AED"), actor=money.FINANCE,
    )  # fmt: skip


async def test_cash_counts_for_v1_when_it_is_counted_at_the_desk(db: Any) -> None:
    _, po_id, run_id = await delivered_for_cash(db)
    assert (await states(po_id))[0] == "waiting"
    assert (await money.balances())["courier_cash"] == 200_00
    event_id = uuid7()
    counted = await count(run_id, 200_00, event_id)
    assert counted.difference_minor == 0
    assert await count(run_id, 200_00, event_id) == counted, "the same event is the same count"
    assert (await states(po_id))[0] == "released"
    after = await money.balances()
    assert after["cash_desk"] == 200_00 and "courier_cash" not in after
    assert await db.value("SELECT state FROM payment_line") == "captured"
    with pytest.raises(cash.NoCashToCount):
        await count(run_id, 200_00)
    assert await violations() == []


async def test_a_difference_is_an_entry_and_a_problem_and_the_customer_has_paid(db: Any) -> None:
    _, po_id, run_id = await delivered_for_cash(db)
    counted = await count(run_id, 190_00)
    assert counted.difference_minor == -10_00
    assert (await money.balances())["cash_difference"] == 10_00
    assert (await states(po_id))[0] == "released"
    assert "cash_difference" in await problems(db)
    assert await violations() == []


async def test_cash_of_another_currency_is_refused_whole(db: Any) -> None:
    *_, run_id = await delivered_for_cash(db)
    before = await money.balances()
    with pytest.raises(cash.CashInAnotherCurrency):
        await count(run_id, 200_00, currency="KWD")
    assert await money.balances() == before
    assert await db.value("SELECT count(*) FROM cash_count") == 0
