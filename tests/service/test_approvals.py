"""The ordinary order approves itself, the rest waits: on a real database, with every reaction."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest

from doorstep import journey
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import approvals, approve, settle, unrouted
from doorstep.flows.place_order import place_order
from doorstep.modules.finance.rules.approvals import Facts, decide, default_policy
from doorstep.modules.wms.service import stock
from tests.factories import money
from tests.factories.approvals import MANY, open_problems, open_waits, verdicts, waiting
from tests.factories.care import passed
from tests.factories.company import Company
from tests.factories.journeys import place
from tests.factories.world import SHOP, an_order

DISPATCHER = Actor(role="dispatcher", source="person", person_id=UUID(int=9))
MIXER = ("MIX-500", 1)
SEED = 58
ORDERS = 200


async def fill(company: Company, sku: str, quantity: int) -> None:
    await stock.receive(
        company.world.warehouse_id, company.world.products[sku], None, quantity, ref=str(uuid7())
    )


# --- Touchless ----------------------------------------------------------------------------------


async def test_a_small_prepaid_order_is_reserved_without_a_hand_and_says_why(
    company: Company, db: Any
) -> None:
    order = await place(company, MIXER)
    await order.pay()
    assert {1002, 1003} <= set(await order.passed())
    assert await verdicts(order.order_id) == [
        ("reservation", "approved", "automatic"),
        ("payment", "approved", "automatic"),
    ]
    assert await open_problems(order.order_id) == []
    rows = await db.rows("SELECT * FROM approval WHERE order_id = $1", order.order_id)
    for row in rows:
        facts = msgspec.convert(row["facts"], Facts)
        again = decide(row["kind"], default_policy("AED"), facts)
        assert again.approved and list(again.reasons) == row["reasons"], "it can be explained again"
        assert (row["policy_version"], row["decided_role"]) == (1, "system")
    assert await db.value("SELECT rules FROM approval_policy") == msgspec.to_builtins(
        default_policy("AED")
    )


KINDS = {
    # name: (price of a mixer, pieces, method, phone verified, what waits)
    "small": (1_300_00, 1, "credit_card", False, set()),
    "a few": (900_00, 3, "debit_card", False, set()),
    "cod of a known phone": (1_300_00, 1, "cod", True, set()),
    "cod of an unknown phone": (1_300_00, 1, "cod", False, {"payment"}),
    "cod above the limit": (5_000_01, 1, "cod", True, {"payment"}),
    "many": (10_00, 11, "credit_card", False, {"reservation"}),
    "large": (24_000_00, 1, "credit_card", True, {"payment"}),
    "huge": (40_000_00, 1, "credit_card", True, {"payment", "reservation"}),
}


async def test_of_two_hundred_mixed_orders_none_is_decided_silently(
    company: Company, db: Any
) -> None:
    rng = random.Random(SEED)
    await fill(company, "MIX-500", 2_000)
    placed: dict[UUID, str] = {}
    for n in range(ORDERS):
        name = rng.choice(list(KINDS))
        price, pieces, method, verified, _ = KINDS[name]
        order = an_order(("MIX-500", pieces), method=method, price_minor=price)  # type: ignore[arg-type]
        who = {"phone": f"05012{n:05}", "email": f"c{n}@example.com"}
        customer = msgspec.structs.replace(order.customer, **who)
        taken = await place_order(
            msgspec.structs.replace(order, customer=customer), actor=SHOP, may_be_short=False
        )
        placed[taken.order_id] = name
        if verified:
            await db.execute(
                "UPDATE customer SET phone_verified_at = $2 WHERE id ="
                " (SELECT customer_id FROM customer_order WHERE id = $1)",
                taken.order_id,
                now(),
            )
        if method != "cod":
            await db.execute(
                "UPDATE payment_line SET state = 'captured', captured_minor = amount_minor"
                " WHERE order_id = $1",
                taken.order_id,
            )
    while await db.value(
        "SELECT true FROM outbox WHERE done_at IS NULL AND next_at <= now() LIMIT 1"
    ):
        await company.work()
    seen = Counter(placed.values())
    assert set(seen) == set(KINDS), f"seed {SEED} leaves a kind out"
    for order_id, name in placed.items():
        waits = KINDS[name][-1]
        said = await db.rows("SELECT * FROM approval WHERE order_id = $1", order_id)
        assert {row["kind"]: row["verdict"] for row in said} == {
            kind: "waiting" if kind in waits else "approved" for kind in ("reservation", "payment")
        }, name
        assert all(row["reasons"] and row["facts"] and row["policy_version"] for row in said)
        [parcel] = await db.rows("SELECT passed FROM fulfilment WHERE order_id = $1", order_id)
        assert (1002 in parcel["passed"]) == ("payment" not in waits), name
        assert (1003 in parcel["passed"]) == (not waits), name
        assert len(await open_waits(order_id)) == (1 if waits else 0), name
        assert await open_problems(order_id) == sorted(
            approvals.PROBLEMS[kind][0] for kind in approvals.PROBLEMS if kind in waits
        ), name
    due = await db.rows("SELECT due_at, opened_at, owner_role, kind FROM problem")
    assert all(row["due_at"] > row["opened_at"] for row in due)
    owners = {row["kind"]: row["owner_role"] for row in due}
    assert owners == {"payment_approval_waiting": "finance", "reservation_approval": "dispatcher"}


# --- While it waits -----------------------------------------------------------------------------


async def test_money_that_comes_while_the_reservation_waits_is_kept_and_goes_on_with_the_word(
    company: Company,
) -> None:
    order = await place(company, MANY)
    assert await open_waits(order.order_id) == ["reservation"]
    await order.pay()
    assert 1002 in await order.passed() and 1003 not in await order.passed()
    decided = await approve.decide(
        await waiting(order.order_id, "reservation"), uuid7(), "approved", "a hotel",
        actor=DISPATCHER,
    )  # fmt: skip
    assert decided.decided == "person" and decided.reasons == ("a hotel",)
    assert 1003 in await order.passed()
    assert await open_waits(order.order_id) == await open_problems(order.order_id) == []


async def test_a_word_before_the_money_lets_the_goods_go_when_it_comes(company: Company) -> None:
    order = await place(company, MANY)
    await approve.decide(
        await waiting(order.order_id, "reservation"), uuid7(), "approved", "ok", actor=DISPATCHER
    )
    assert await open_waits(order.order_id) == [] and 1002 not in await order.passed()
    await order.pay()
    assert {1002, 1003} <= set(await order.passed())


async def test_a_hold_that_is_lost_while_it_waits_is_never_taken_for_stock(
    company: Company, db: Any
) -> None:
    order = await place(company, MANY)
    await order.pay()
    await stock.release(order.parcel)
    await approve.decide(
        await waiting(order.order_id, "reservation"), uuid7(), "approved", "ok", actor=DISPATCHER
    )
    await company.work()
    living = await db.value(
        "SELECT count(*) FROM reservation WHERE order_id = $1 AND state = 'allocated'",
        order.order_id,
    )
    short = "short_stock" in await open_problems(order.order_id)
    assert (1003 in await order.passed()) == (living > 0) != short
    assert await open_waits(order.order_id) == []


async def test_both_questions_must_be_answered(company: Company, db: Any) -> None:
    order = await place(company, MANY, method="cod")
    assert await open_waits(order.order_id) == ["reservation"], "one detour stands for both"
    assert await open_problems(order.order_id) == [
        "payment_approval_waiting", "reservation_approval",
    ]  # fmt: skip
    await approve.decide(
        await waiting(order.order_id, "reservation"), uuid7(), "approved", "ok", actor=DISPATCHER
    )
    assert await open_waits(order.order_id) == ["payment"]
    assert await open_problems(order.order_id) == ["payment_approval_waiting"]
    await settle.approve_payment(order.order_id, uuid7(), "ok", actor=money.FINANCE)
    await company.work()
    assert {1002, 1003} <= set(await order.passed())
    assert await open_waits(order.order_id) == await open_problems(order.order_id) == []


async def test_what_speaks_against_a_payment_may_pass_by_itself(company: Company, db: Any) -> None:
    order = await place(company, MIXER, method="cod")
    assert await verdicts(order.order_id) == [
        ("reservation", "approved", "automatic"),
        ("payment", "waiting", "automatic"),
    ]
    assert await open_waits(order.order_id) == ["payment"]
    await db.execute("UPDATE customer SET phone_verified_at = now()")
    assert (await settle.verify_order_payment(order.order_id)).state == "verified"
    assert (await verdicts(order.order_id))[-1] == ("payment", "approved", "automatic")
    assert {1002, 1003} <= set(await order.passed())
    assert await open_waits(order.order_id) == await open_problems(order.order_id) == []


async def test_a_payment_link_that_pays_what_waited_at_the_door_answers_the_question(
    company: Company,
) -> None:
    order = await place(company, MIXER, method="cod")
    await order.pay()
    assert (await verdicts(order.order_id))[-1] == ("payment", "approved", "automatic")
    assert {1002, 1003} <= set(await order.passed())


async def test_a_shelf_that_is_full_again_answers_the_question(company: Company) -> None:
    """Paid by the gateway before the order's own job ran, then restocked."""
    await place(company, ("MIX-500", 8))
    await place(company, ("MIX-500", 8))
    order = await place(company, ("MIX-500", 3))
    assert await open_waits(order.order_id) == ["reservation"], "3 of the last 4"
    await order.pay()
    assert 1003 not in await order.passed()
    await fill(company, "MIX-500", 50)
    assert await approvals.reservation_approved(order.order_id)
    await company.work()
    assert 1003 in await order.passed()
    assert await open_waits(order.order_id) == await open_problems(order.order_id) == []


async def test_who_refused_at_the_door_pays_before_or_waits(company: Company, db: Any) -> None:
    before = await place(company, MIXER, method="cod")
    await db.execute("UPDATE customer SET phone_verified_at = now()")
    await settle.verify_order_payment(before.order_id)
    await before.go_on(1012)
    refused = await journey.open_detour(
        uuid7(), before.parcel, "delivery_failed", reason="refused",
        actor=Actor(role="delivery", source="phone", person_id=company.users["delivery"].id),
    )  # fmt: skip
    assert refused.verdict is journey.Verdict.APPLIED, refused
    order = await place(company, MIXER, method="cod")
    [row] = await db.rows(
        "SELECT reasons, facts FROM approval WHERE order_id = $1 AND verdict = 'waiting'",
        order.order_id,
    )
    assert row["reasons"] == ["The customer refused to pay at the door within the last 90 days."]
    assert row["facts"]["refused_at_door_lately"] == row["facts"]["orders_before"] == 1
    prepaid = await place(company, MIXER)
    await prepaid.pay()
    assert {1002, 1003} <= set(await prepaid.passed())


async def test_history_counts_what_was_delivered_and_what_the_customer_cancelled(
    company: Company, db: Any
) -> None:
    delivered = await place(company, MIXER)
    await delivered.go_on(1013)
    for reason in ("customer", "no_stock"):
        gone = await place(company, MIXER)
        await journey.open_detour(
            uuid7(), gone.parcel, "cancelled", actor=Actor.system("test"), reason=reason
        )
    order = await place(company, MIXER)
    facts = await db.value(
        "SELECT facts FROM approval WHERE order_id = $1 AND kind = 'reservation'", order.order_id
    )
    assert (facts["orders_before"], facts["orders_completed"], facts["cancelled_lately"]) == (
        3,
        1,
        1,
    )


# --- Ends ---------------------------------------------------------------------------------------


async def test_nobody_is_asked_about_an_order_that_was_cancelled(company: Company) -> None:
    order = await place(company, MANY, method="cod")
    asked = await waiting(order.order_id, "reservation")
    await journey.open_detour(
        uuid7(), order.parcel, "cancelled", actor=Actor.system("test"), reason="customer"
    )
    assert await open_waits(order.order_id) == await open_problems(order.order_id) == []
    before = await verdicts(order.order_id)
    with pytest.raises(approvals.OrderHasEnded):
        await approve.decide(asked, uuid7(), "approved", "too late", actor=DISPATCHER)
    with pytest.raises(approvals.OrderHasEnded):
        await settle.approve_payment(order.order_id, uuid7(), "too late", actor=money.FINANCE)
    assert await verdicts(order.order_id) == before


async def test_a_rejected_payment_stays_rejected_whatever_money_comes(
    company: Company, db: Any
) -> None:
    order = await place(company, MIXER, method="cod")
    asked = await waiting(order.order_id, "payment")
    await approve.decide(asked, uuid7(), "rejected", "a known fraud", actor=money.FINANCE)
    parcel = await db.one("SELECT state, ended_as FROM fulfilment WHERE id = $1", order.parcel)
    assert (parcel["state"], parcel["ended_as"]) == ("ended", "cancelled")
    assert await open_waits(order.order_id) == []
    assert "payment_approval_waiting" not in await open_problems(order.order_id)
    assert await db.value("SELECT sum(held + allocated) FROM stock") == 0, "the hold is given back"
    await order.pay()
    assert 1002 not in await order.passed()
    with pytest.raises(approvals.ApprovalDecided):
        await settle.approve_payment(order.order_id, uuid7(), "but still", actor=money.FINANCE)


async def test_what_waits_for_an_approval_raises_no_alarm_of_being_unrouted(
    company: Company, clock: Any, db: Any
) -> None:
    order = await place(company, MANY)
    await order.pay()
    assert 1002 in await passed(order.parcel)
    clock.advance(unrouted.ALARM_AFTER * 2)
    await unrouted.find_unrouted({})
    assert await open_problems(order.order_id) == ["reservation_approval"]
