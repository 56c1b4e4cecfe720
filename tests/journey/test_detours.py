"""Each detour at each stage where it may happen, and back again: stock, money, messages, work (J).

The table of detours says what to expect: an end, a new attempt, a block, tranches that wait, who is
told. What each gives back stands here beside it. After every one the doctor finds nothing, the same
report again changes nothing, and what is settled leaves everything as it was before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows.detours import TASKS
from doorstep.journey import Verdict
from doorstep.journey.detours import DETOURS, Detour
from doorstep.modules.helpdesk.kinds import KINDS
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy

STANDINGS = (1001, 1003, 1004, 1005, 1006, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1018)
"""Where an order can stand: 1002 and 1007 are followed at once by the next stage, 1015 by 1018."""

PHONES = frozenset({"courier", "delivery", "technician", "warehouse", "store", "vendor_store"})


@dataclass(frozen=True)
class Gives:
    """What an end gives back or sends anew; a dispatched parcel is expected back."""

    replacement: bool = False
    credit: bool = False
    written_off: bool = False
    expected_back: bool = True
    closes_po: bool = True


GIVES: dict[str, Gives] = {
    "vendor_declined": Gives(replacement=True),
    "wrong_goods": Gives(replacement=True),
    "lost": Gives(replacement=True, written_off=True, expected_back=False),
    "replaced": Gives(replacement=True),
    "cancelled": Gives(credit=True),
    "cancelled_after_dispatch": Gives(credit=True),
    "returned": Gives(credit=True, expected_back=False),
}
"""The ends of the table, each with what it undoes."""

CASES = [
    (detour, stage)
    for detour in DETOURS
    for stage in STANDINGS
    if stage >= detour.first and (detour.until is None or stage < detour.until)
]


def somebody(company: Company, detour: Detour, roles: frozenset[str]) -> Actor:
    """Act in one of these roles as it really acts: from a phone, at a screen, or as Doorstep."""
    if "system" in roles:
        return Actor.system(
            "test", source="carrier" if detour.department == "Transport" else "system"
        )
    role = min((role for role in roles if role in company.users), default="support")
    return Actor(
        role=role,
        source="phone" if role in PHONES else "person",
        person_id=company.users[role].id,
        request_id=uuid7().hex,
    )


async def report(order: Order, detour: Detour, event_id: UUID) -> journey.Answer:
    answer = await journey.open_detour(
        event_id,
        order.parcel,
        detour.kind,
        actor=somebody(order.company, detour, detour.opened_by),
        reason=min(detour.reasons, default=""),
        detail="as reported",
    )
    await order.company.work()
    return answer


async def around(order: Order) -> dict[str, Any]:
    """Describe stock, balances and open work, as far as an order has changed them."""
    return {
        name: [tuple(row.values()) for row in await db.rows(sql)]
        for name, sql in {
            "stock": "SELECT l.code, p.sku, s.owner_id, s.grade, s.on_hand, s.held, s.allocated"
            " FROM stock s JOIN location l ON l.id = s.location_id"
            " JOIN product p ON p.id = s.product_id"
            " WHERE (s.on_hand, s.held, s.allocated) <> (0, 0, 0) ORDER BY 1, 2, 3, 4",
            "units": "SELECT state, grade, count(*) FROM unit GROUP BY 1, 2 ORDER BY 1, 2",
            "balances": "SELECT account, currency, sum(debit_minor - credit_minor)::bigint"
            " FROM journal_line GROUP BY 1, 2 HAVING sum(debit_minor - credit_minor) <> 0 ORDER BY 1",
            "problems": "SELECT kind FROM problem WHERE closed_at IS NULL ORDER BY 1",
            "stops": "SELECT count(*) FROM delivery_stop WHERE state = 'open'",
            "visits": "SELECT count(*) FROM visit WHERE state IN ('booked', 'started')",
            "picks": "SELECT state FROM pick_list WHERE state <> 'dropped' ORDER BY 1",
            "arrivals": "SELECT kind FROM expected_arrival WHERE state = 'expected' ORDER BY 1",
            "orders to vendors": "SELECT state, total_minor FROM purchase_order ORDER BY 1, 2",
            "tranches": "SELECT number, state FROM tranche ORDER BY 1, 2",
            "detours": "SELECT kind FROM detour_case WHERE closed_at IS NULL ORDER BY 1",
        }.items()
    }


async def row_of(parcel: UUID) -> dict[str, Any]:
    return await db.one("SELECT * FROM fulfilment WHERE id = $1", parcel)


@pytest.mark.parametrize(
    ("detour", "stage"), CASES, ids=[f"{detour.kind} at {stage}" for detour, stage in CASES]
)
async def test_a_detour_does_what_its_row_says_and_leaves_everything_sound(
    company: Company, detour: Detour, stage: int
) -> None:
    order = await standing(company, stage)
    before, row_before = await around(order), await row_of(order.parcel)
    event_id = uuid7()
    answer = await report(order, detour, event_id)
    assert answer.verdict is Verdict.APPLIED, answer.reason

    after = await row_of(order.parcel)
    assert after["progress"] >= row_before["progress"]
    await check_case(order, detour, event_id)
    await check_messages(order, detour)
    await check_task(order, detour)
    await check_tranches(order, detour)
    if detour.ends_as is not None:
        await check_end(order, detour, row_before)
    elif detour.restarts is not None:
        assert after["attempt"] == 2
    await healthy()

    again = await everything()
    assert await report(order, detour, event_id) == answer
    assert await everything() == again
    if detour.ends_as is None:
        await undo(order, detour, before, stage)
    await healthy()


async def check_case(order: Order, detour: Detour, event_id: UUID) -> None:
    case = await db.one("SELECT * FROM detour_case WHERE id = $1", event_id)
    assert (case["kind"], case["fulfilment_id"]) == (detour.kind, order.parcel)
    event = await db.one(
        "SELECT kind, name, ends_as FROM journey_event WHERE event_id = $1", event_id
    )
    assert tuple(event.values()) == ("detour", detour.kind, detour.ends_as)
    if detour.ends_as is not None:
        assert case["closed_as"] == "ended"


async def check_messages(order: Order, detour: Detour) -> None:
    """The customer is told once on each channel, or not at all."""
    told = await db.rows("SELECT channel FROM message WHERE event = $1 ORDER BY 1", detour.kind)
    assert [row["channel"] for row in told] == (["email", "sms"] if detour.told else [])


async def check_task(order: Order, detour: Detour) -> None:
    """Whose task it is stands in the table of kinds, with a deadline."""
    asked = await db.rows(
        "SELECT owner_role, due_at, closed_at FROM problem WHERE kind = $1 AND ref = $2",
        detour.kind,
        str(order.parcel),
    )
    if detour.kind not in TASKS:
        assert asked == []
        return
    [task] = asked
    assert task["owner_role"] == KINDS[detour.kind].owner_role
    assert task["due_at"] is not None


async def check_tranches(order: Order, detour: Detour) -> None:
    """What is not released waits from the row's tranche on; an end holds everything."""
    rows = await db.rows(
        "SELECT t.number, t.state FROM tranche t JOIN fulfilment f ON f.po_id = t.po_id"
        " WHERE f.id = $1 ORDER BY 1",
        order.parcel,
    )
    lowest = 1 if detour.ends_as is not None else detour.holds_from
    for row in rows:
        if lowest is not None and row["number"] >= lowest:
            assert row["state"] in ("released", "held"), (row, detour.kind)


async def check_end(order: Order, detour: Detour, before: dict[str, Any]) -> None:
    gives = GIVES[detour.kind]
    ended = await row_of(order.parcel)
    assert (ended["state"], ended["ended_as"]) == ("ended", detour.ends_as)
    assert await db.value("SELECT count(*) FROM held_step WHERE released_at IS NULL") == 0
    assert await db.value("SELECT count(*) FROM delivery_stop WHERE state = 'open'") == 0
    assert await db.value("SELECT count(*) FROM visit WHERE state = 'booked'") == 0
    assert (
        await db.value(
            "SELECT count(*) FROM reservation r JOIN fulfilment_line l ON l.id = r.fulfilment_line_id"
            " WHERE l.fulfilment_id = $1 AND r.state IN ('held', 'allocated')",
            order.parcel,
        )
        == 0
    )
    dispatched = 1009 in before["passed"]
    arrivals = await db.rows(
        "SELECT kind FROM expected_arrival WHERE fulfilment_id = $1", order.parcel
    )
    where = "customer_return" if 1013 in before["passed"] else "return_to_origin"
    assert [row["kind"] for row in arrivals] == (
        [where] if dispatched and gives.expected_back else []
    )
    scrapped = await db.value("SELECT count(*) FROM stock_movement WHERE reason = 'scrap'")
    assert bool(scrapped) == (gives.written_off and dispatched)
    credited = await db.value("SELECT coalesce(sum(amount_minor), 0)::bigint FROM credit_note")
    assert credited == (order.total_minor if gives.credit else 0)
    refund = await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'")
    assert bool(refund) == (gives.credit and 1002 in before["passed"])
    successors = await db.rows("SELECT * FROM fulfilment WHERE replaces_id = $1", order.parcel)
    assert bool(successors) == gives.replacement
    for successor in successors:
        assert {1001, 1002} <= set(successor["passed"])
    po_state = await db.value("SELECT state FROM purchase_order WHERE id = $1", before["po_id"])
    if before["po_id"] is not None and not dispatched:
        assert po_state in ("cancelled", "declined")


async def undo(order: Order, detour: Detour, before: dict[str, Any], stage: int) -> None:
    """Settle it, or take the new attempt to where the order stood: all is as it was before."""
    if detour.restarts is not None:
        if detour.kind == "delivery_failed":
            await order.take_well(await order.accept_run())
        await order.go_on(stage)
    elif detour.settled_by:
        answer = await journey.settle_detour(
            uuid7(),
            order.parcel,
            detour.kind,
            actor=somebody(order.company, detour, detour.settled_by),
        )
        assert answer.verdict is Verdict.APPLIED, answer.reason
        await order.company.work()
        if detour.kind == "return_to_origin" and 1012 in await order.passed():
            # Nobody drives there until the delivery is given to somebody again.
            await order.take_well(await order.accept_run())
    after = await around(order)
    assert after == before
    assert 1001 in await order.passed()


@pytest.mark.parametrize("kind", ["delivery_failed", "installation_failed", "repick", "short_stock",
                                  "hidden_damage", "dispute", "carrier_lost"])  # fmt: skip
async def test_after_a_detour_the_order_still_reaches_the_end(company: Company, kind: str) -> None:
    detour = journey.DETOURS[kind]
    order = await standing(company, max(detour.first, 1003) if kind != "short_stock" else 1001)
    await report(order, detour, uuid7())
    if detour.restarts is None:
        settling = somebody(company, detour, detour.settled_by)
        await journey.settle_detour(uuid7(), order.parcel, kind, actor=settling)
        await company.work()
    await order.go_on()
    assert (await row_of(order.parcel))["progress"] == 100
    assert await db.value("SELECT count(*) FROM payout WHERE state = 'paid'") == 6
    assert await db.value("SELECT count(*) FROM detour_case WHERE closed_at IS NULL") == 0
    await healthy()


async def test_cancelling_before_dispatch_leaves_the_shelves_as_if_it_had_never_been_ordered(
    company: Company,
) -> None:
    first = await place(company)
    untouched = await around(first)
    order = await standing(company, 1008)
    await report(order, journey.DETOURS["cancelled"], uuid7())
    after = await around(order)
    assert (after["stock"], after["units"]) == (untouched["stock"], untouched["units"])
    assert after["visits"] == untouched["visits"] and after["stops"] == untouched["stops"]
    assert await db.value("SELECT state FROM customer_order WHERE id = $1", order.order_id) == (
        "cancelled"
    )
