"""The desk of approvals over HTTP: both forms, the word on them, and the policy (SPEC P5, P8)."""

from __future__ import annotations

import asyncio
from typing import Any

from doorstep.core.ids import uuid7
from tests.factories.approvals import MANY, open_problems, open_waits, say, verdicts, waiting
from tests.factories.company import Company
from tests.factories.journeys import place

MIXER = ("MIX-500", 1)


async def test_the_approver_sees_both_submitted_forms_side_by_side(company: Company) -> None:
    order = await place(company, MANY)
    await order.pay("approved")
    listed = await company.get("dispatcher", "/console/approvals?kind=reservation")
    [row] = listed
    assert (row["order_number"], row["customer"], row["total_minor"]) == (
        order.number, "Aisha Khan", 1_100_00,
    )  # fmt: skip
    assert row["reasons"] == ["11 of MIX-500; 10 of a SKU may pass."]
    assert row["due_at"] and row["held_until"] > row["waits_since"]
    forms = await company.get("finance", f"/console/approvals/{row['id']}")
    asked = forms["reservation_form"]
    assert asked["customer"] == {
        "name": "Aisha Khan", "phone": "+971501234567", "email": "aisha@example.com",
        "language": "en", "phone_verified": False,
    }  # fmt: skip
    assert (asked["address"]["line1"], asked["address"]["flat"]) == ("12 Marina Walk", "402")
    assert asked["placed_by_role"] == "sales"
    [line] = asked["lines"]
    assert (line["sku"], line["quantity"], line["total_minor"]) == ("MIX-500", 11, 1_100_00)
    [held] = line["held"]
    assert (held["location"], held["quantity"], held["free_left"], held["state"]) == (
        "DXB", 11, 9, "held",
    )  # fmt: skip
    paid = forms["payment_form"]
    assert (paid["cod_limit_minor"], paid["phone_verified"]) == (5_000_00, False)
    [way] = paid["lines"]
    assert (way["method"], way["state"], way["captured_minor"]) == ("credit_card", "authorised", 0)
    assert [(word["provider"], word["type"]) for word in way["words"]] == [
        ("checkout", "authorised")
    ]
    assert forms["policy_version"] == 1 and forms["policy"]["quantity_per_sku"] == 10
    assert forms["facts"]["lines"] == [
        {"sku": "MIX-500", "quantity": 11, "taken": 11, "free_left": 9}
    ]
    assert forms["decision"] is None


async def test_the_order_shows_what_was_approved_of_it_and_why(company: Company) -> None:
    order = await place(company, MIXER)
    await order.pay()
    seen = (await company.get("support", f"/api/orders/{order.number}"))["approvals"]
    assert [(one["kind"], one["verdict"], one["decided"]) for one in seen] == [
        ("reservation", "approved", "automatic"),
        ("payment", "approved", "automatic"),
    ]
    assert all(one["reasons"] for one in seen)
    assert await company.get("finance", "/console/approvals") == []


async def test_each_desk_decides_what_is_its_own_and_nobody_his_own_order(
    company: Company,
) -> None:
    order = await place(company, MANY, method="cod")
    goods = await waiting(order.order_id, "reservation")
    cash = await waiting(order.order_id, "payment")
    for who, approval_id, refusal in (
        ("finance", goods, "not-your-approval"),
        ("dispatcher", cash, "not-your-approval"),
        ("sales", goods, "own-order"),
    ):
        answer = await say(company, who, "approve", approval_id)
        assert (answer.status_code, answer.json()["type"]) == (403, f"/problems/{refusal}")
    assert (await say(company, "support", "approve", goods)).status_code == 403
    assert [verdict for _, verdict, _ in await verdicts(order.order_id)] == ["waiting", "waiting"]
    assert (await say(company, "dispatcher", "approve", goods)).status_code == 200
    assert (await say(company, "finance", "approve", cash)).status_code == 200
    assert {1002, 1003} <= set(await order.passed())


async def test_a_word_said_twice_is_one_and_another_word_is_told_who_was_first(
    company: Company,
) -> None:
    order = await place(company, MANY)
    goods = await waiting(order.order_id, "reservation")
    event_id = uuid7()
    first = await say(company, "dispatcher", "approve", goods, event_id=event_id)
    again = await say(company, "dispatcher", "approve", goods, event_id=event_id)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["decided_by"] == str(company.users["dispatcher"].id)
    turned = await say(company, "dispatcher", "reject", goods, event_id=event_id)
    assert (turned.status_code, turned.json()["type"]) == (409, "/problems/event-id-reused")
    other = await say(company, "admin", "reject", goods)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/approval-decided")
    assert other.json()["verdict"] == "approved"
    assert other.json()["decided_by"] == str(company.users["dispatcher"].id)
    elsewhere = await place(company, MIXER, method="cod")
    cash = await waiting(elsewhere.order_id, "payment")
    reused = await say(company, "finance", "approve", cash, event_id=event_id)
    assert (reused.status_code, reused.json()["type"]) == (409, "/problems/event-id-reused")
    forms = await company.get("dispatcher", f"/console/approvals/{goods}")
    assert forms["decision"]["verdict"] == "approved" and forms["verdict"] == "waiting"


async def test_of_two_approvers_at_once_one_wins_and_the_other_is_told(company: Company) -> None:
    for n in range(4):
        order = await place(company, MIXER, method="cod")
        cash = await waiting(order.order_id, "payment")
        word = {"event_id": uuid7(), "reason": f"round {n}"}
        path = f"/console/approvals/{cash}"
        answers = await asyncio.gather(
            company.send("finance", f"{path}/approve", word),
            company.send("admin", f"{path}/reject", word | {"event_id": uuid7()}),
            company.send("admin", f"{path}/approve", word | {"event_id": uuid7()}),
        )
        await company.work()
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        told = [answer.json() for answer in answers if answer.status_code == 409]
        assert {one["type"] for one in told} == {"/problems/approval-decided"}
        assert {one["verdict"] for one in told} == {won["verdict"]}
        assert (1002 in await order.passed()) == (won["verdict"] == "approved")
        decided = [one for one in await verdicts(order.order_id) if one[2] == "person"]
        assert decided == [("payment", won["verdict"], "person")]


async def test_a_rejected_order_is_cancelled_and_gives_its_goods_back(
    company: Company, db: Any
) -> None:
    order = await place(company, MANY)
    goods = await waiting(order.order_id, "reservation")
    answer = await say(company, "dispatcher", "reject", goods, reason="a reseller")
    assert (answer.status_code, answer.json()["verdict"]) == (200, "rejected")
    parcel = await db.one("SELECT state, ended_as FROM fulfilment WHERE id = $1", order.parcel)
    assert (parcel["state"], parcel["ended_as"]) == ("ended", "cancelled")
    assert await db.value("SELECT sum(held + allocated) FROM stock") == 0
    assert await open_waits(order.order_id) == []
    assert "reservation_approval" not in await open_problems(order.order_id)
    assert await company.get("dispatcher", "/console/approvals") == []


async def test_another_policy_holds_from_now_on_and_old_decisions_keep_theirs(
    company: Company,
) -> None:
    before = await place(company, MANY)
    [held] = await company.get("admin", "/console/approval-policies")
    path = f"/console/approval-policies/{company.world.channel_id}"
    change = {
        "event_id": uuid7(), "after_version": held["version"], "reason": "a sale",
        "rules": held["rules"] | {"quantity_per_sku": 20, "first_order_amount_minor": 99_99},
    }  # fmt: skip
    first = await company.send("admin", path, change)
    again = await company.send("admin", path, change)
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json() == again.json() and first.json()["version"] == 2
    late = await company.send("admin", path, change | {"event_id": uuid7()})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/policy-changed")
    other = {"rules": held["rules"], "after_version": 2}
    reused = await company.send("admin", path, change | other)
    assert (reused.status_code, reused.json()["type"]) == (409, "/problems/event-id-reused")
    assert (await company.send("finance", path, change)).status_code == 403
    negative = {"rules": held["rules"] | {"quantity_per_sku": -1}}
    assert (await company.send("admin", path, change | negative)).status_code == 422
    forms = await company.get(
        "admin", f"/console/approvals/{await waiting(before.order_id, 'reservation')}"
    )
    assert (forms["policy_version"], forms["policy"]["quantity_per_sku"]) == (1, 10)
    after = await place(company, MIXER)
    await after.pay()
    assert await verdicts(after.order_id) == [
        ("reservation", "approved", "automatic"),
        ("payment", "waiting", "automatic"),
    ]
    assert await open_problems(after.order_id) == ["payment_approval_waiting"]
    await before.pay()
    await say(company, "finance", "approve", await waiting(before.order_id, "payment"))
    assert ("reservation", "approved", "automatic") in await verdicts(before.order_id)
    assert 1003 in await before.passed(), "the new policy lets pass what the old one has stopped"


async def test_two_admins_at_once_make_one_new_version(company: Company, db: Any) -> None:
    await place(company, MIXER)
    [held] = await company.get("admin", "/console/approval-policies")
    path = f"/console/approval-policies/{company.world.channel_id}"
    answers = await asyncio.gather(
        *(
            company.send(
                "admin",
                path,
                {
                    "event_id": uuid7(), "after_version": 1, "reason": f"admin {n}",
                    "rules": held["rules"] | {"quantity_per_sku": 20 + n},
                },
            )
            for n in range(5)
        )
    )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await db.value("SELECT max(version) FROM approval_policy") == 2


async def test_a_channel_without_orders_shows_the_default(company: Company) -> None:
    [held] = await company.get("admin", "/console/approval-policies")
    assert (held["version"], held["reason"], held["set_by"]) == (0, "The default.", None)
    path = f"/console/approval-policies/{company.world.channel_id}"
    change = {
        "event_id": uuid7(), "after_version": 0, "reason": "ours", "rules": held["rules"],
    }  # fmt: skip
    assert (await company.send("admin", path, change)).json()["version"] == 1
