"""The doctor finds nothing after whole journeys, and every planted violation under its own name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from doorstep import doctor
from doorstep.core.ids import uuid7
from doorstep.journey import chain
from tests.factories import floor
from tests.factories.company import Company, open_company
from tests.factories.journeys import place, standing

Tamper = Callable[..., Awaitable[None]]


class Plant(NamedTuple):
    """A violation: the check that must find it, the statements that plant it, the tables they touch.

    `guards` are constraints that would refuse it and are lifted for the moment: name → definition.
    """

    check: str
    tables: tuple[str, ...]
    statements: tuple[str, ...]
    guards: tuple[tuple[str, str, str], ...] = ()


NO_OVERSELL = (
    "ALTER TABLE stock DROP CONSTRAINT stock_never_oversold",
    "stock",
    "ALTER TABLE stock ADD CONSTRAINT stock_never_oversold CHECK ("
    " held >= 0 AND allocated >= 0 AND on_hand >= held + allocated)",
)
ONE_RESERVATION = (
    "DROP INDEX reservation_line_once",
    "reservation",
    "CREATE UNIQUE INDEX reservation_line_once ON reservation (fulfilment_line_id)"
    " WHERE state IN ('held', 'allocated', 'consumed')",
)
ONE_PAYOUT = (
    "DROP INDEX payout_one_live",
    "payout",
    "CREATE UNIQUE INDEX payout_one_live ON payout (tranche_id)"
    " WHERE state IN ('due', 'sending', 'unknown', 'paid')",
)

AGAIN = (
    "INSERT INTO payout SELECT new_id(), tranche_id, po_id, vendor_id, 2, amount_minor, currency,"
    " left(new_id()::text, 30), {state}, beneficiary_name, beneficiary_account,"
    " beneficiary_bank_code, '', '', 'x', not_before, created_at, sent_at, answered_at"
    " FROM payout WHERE amount_minor = 20001"
)

PLANTS = {
    "an event is changed": Plant(
        "IA8 events", ("journey_event",), ("UPDATE journey_event SET reason = 'x' WHERE seq = 3",)
    ),
    "an event is removed": Plant(
        "IA8 events", ("journey_event",), ("DELETE FROM journey_event WHERE seq = 3",)
    ),
    "the tail is cut": Plant(
        "IA8 heads",
        ("journey_event",),
        ("DELETE FROM journey_event e USING fulfilment f WHERE f.id = e.fulfilment_id"
         " AND e.seq = f.head_seq",),
    ),
    "a fulfilment is gone with its events": Plant(
        "IA8 fulfilments",
        ("journey_event", "fulfilment"),
        ("DELETE FROM journey_event", "DELETE FROM fulfilment"),
    ),
    "a checkpoint is changed": Plant(
        "IA8 checkpoints", ("journey_checkpoint",), ("UPDATE journey_checkpoint SET heads = '{}'",)
    ),
    "a state has a stage that no event has": Plant(
        "IO2",
        ("fulfilment",),
        ("UPDATE fulfilment SET passed = array_remove(passed, 1013::smallint)",),
    ),
    "a delivery has no evidence": Plant(
        "IO5",
        ("journey_event",),
        ("UPDATE journey_event SET evidence = '[]' WHERE stage = 1013",),
    ),
    "a held step was forgotten": Plant(
        "IC1 held", ("held_step",), ("UPDATE held_step SET released_at = NULL, verdict = NULL",)
    ),
    "a job is dead": Plant(
        "IQ2",
        ("outbox",),
        ("UPDATE outbox SET done_at = NULL, dead_at = now() WHERE kind = 'flows.order_placed'",),
    ),
    "a job was never run": Plant(
        "IQ2",
        ("outbox",),
        ("UPDATE outbox SET done_at = NULL, next_at = now() - interval '1 hour'"
         " WHERE kind = 'flows.order_placed'",),
    ),
    "a message of others could not be handled": Plant(
        "IQ2 inbox", ("inbox",), ("UPDATE inbox SET state = 'problem', done_at = NULL",)
    ),
    "more is promised than there is": Plant(
        "IS1", ("stock",), ("UPDATE stock SET held = on_hand + 1",), (NO_OVERSELL,)
    ),
    "a hold belongs to no reservation": Plant(
        "IS1 reserved",
        ("stock",),
        ("UPDATE stock SET held = held + 1 WHERE on_hand > held + allocated",),
    ),
    "a detour that no event has opened": Plant(
        "IO2 detours",
        ("detour_case",),
        ("INSERT INTO detour_case SELECT new_id(), id, order_id, 'dispute', 1, NULL, 1, '', '', '[]',"
         " 0, 'finance', 'person', now(), now(), now(), 'settled' FROM fulfilment LIMIT 1",),
    ),
    "a piece was ordered that no parcel carries": Plant(
        "IO2 lines", ("fulfilment_line",), ("UPDATE fulfilment_line SET quantity = quantity + 1",)
    ),
    "a piece in the van is nobody's": Plant(
        "IS2 custody", ("custody",), ("UPDATE custody SET quantity = quantity + 1",)
    ),
    "goods came from nowhere": Plant(
        "IS2", ("stock",), ("UPDATE stock SET on_hand = on_hand + 1",)
    ),
    "units stand where no stock is": Plant(
        "IS2 units",
        ("unit",),
        ("UPDATE unit SET location_id = (SELECT id FROM location WHERE kind = 'customer')",),
    ),
    "a line has received what no receipt says": Plant(
        "IS2 receipts", ("expected_line",), ("UPDATE expected_line SET received = 0",)
    ),
    "a receipt is on no shelf": Plant(
        "IS2 receipts",
        ("stock_movement",),
        ("UPDATE stock_movement SET ref = 'x' WHERE ref LIKE 'receipt:%'",),
    ),
    "stock was adjusted that nobody approved": Plant(
        "IS2 adjustments", ("stock_adjustment",), ("UPDATE stock_adjustment SET state = 'rejected'",)
    ),
    "a difference of a count was forgotten": Plant(
        "IS2 counts",
        ("cycle_count_line",),
        ("UPDATE cycle_count_line SET difference = difference - 1",),
    ),
    "goods are reserved twice": Plant(
        "IS3",
        ("reservation",),
        ("INSERT INTO reservation SELECT new_id(), stock_id, order_id, fulfilment_line_id,"
         " quantity, state, expires_at, created_at, ended_at FROM reservation",),
        (ONE_RESERVATION,),
    ),
    "a tranche has two living payouts": Plant(
        "IM1", ("payout",), (AGAIN.format(state="'paid'"),), (ONE_PAYOUT,)
    ),
    "a tranche is booked as paid twice": Plant(
        "IM1",
        ("payout", "journal_entry", "journal_line"),
        (
            AGAIN.format(state="'failed'"),
            "INSERT INTO journal_entry SELECT (jsonb_populate_record(e, jsonb_build_object("
            " 'id', new_id(), 'key', 'paid:' || x.id))).* FROM journal_entry e"
            " JOIN payout p ON e.key = 'paid:' || p.id"
            " JOIN payout x ON x.tranche_id = p.tranche_id AND x.attempt = 2",
        ),
    ),
    "a tranche was released before its stage": Plant(
        "IM2",
        ("tranche",),
        ("UPDATE tranche SET decided_on = (SELECT jsonb_object_agg(key, 1)"
         " FROM jsonb_each(decided_on)) WHERE number = 4",),
    ),
    "a tranche was released before the acceptance": Plant(
        "IM2",
        ("purchase_order",),
        ("UPDATE purchase_order SET answered_at = now() + interval '1 day'",),
    ),
    "the first tranche was released before the money came": Plant(
        "IM2", ("payment_event",), ("DELETE FROM payment_event",)
    ),
    "the tranches are more than the purchase order": Plant(
        "IM3",
        ("tranche",),
        ("UPDATE tranche SET amount_minor = amount_minor + 1 WHERE number = 1",),
    ),
    "an entry does not balance": Plant(
        "IM4",
        ("journal_line",),
        ("UPDATE journal_line SET debit_minor = debit_minor + 1 WHERE debit_minor > 0",),
    ),
    "an entry has no lines": Plant("IM4", ("journal_line",), ("DELETE FROM journal_line",)),
    "a declined purchase order was paid": Plant(
        "IM5", ("purchase_order",), ("UPDATE purchase_order SET state = 'declined'",)
    ),
    "the ledger knows nothing of the payouts": Plant(
        "IM5",
        ("journal_entry", "journal_line"),
        ("DELETE FROM journal_line l USING journal_entry e WHERE e.id = l.entry_id"
         " AND e.key LIKE 'paid:%'", "DELETE FROM journal_entry WHERE key LIKE 'paid:%'"),
    ),
    "cash was counted that nobody took": Plant(
        "IM9", ("pod_tender",), ("UPDATE pod_tender SET amount_minor = amount_minor + 1",)
    ),
    "a count expected what its lines do not say": Plant(
        "IM9", ("cash_count",), ("UPDATE cash_count SET expected_minor = expected_minor + 1",)
    ),
    "couriers carry cash that the ledger does not know": Plant(
        "IM9", ("cash_count_line", "cash_count"), ("DELETE FROM cash_count_line",)
    ),
}  # fmt: skip


async def after_whole_journeys(company: Company) -> None:
    """One order with a step that came early, paid by card; one that is paid at the door."""
    order = await standing(company, 1003)
    await order.take(await order.pick())
    await order.go_on()
    cod = await place(company, ("MIX-500", 1), method="cod")
    approval = {"event_id": uuid7(), "reason": "known"}
    path = f"/console/finance/orders/{cod.order_id}/payment-approval"
    await company.send("finance", path, approval)
    await company.work()
    await cod.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": cod.total_minor}]}
    await cod.take_well(await cod.pod(**cash))
    count = {
        "event_id": uuid7(), "order_ids": [cod.order_id], "amount_minor": cod.total_minor,
        "currency": "AED",
    }  # fmt: skip
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201
    await company.work()
    await receive_and_count(company)
    await chain.write_checkpoint()


async def receive_and_count(company: Company) -> None:
    """Two kettles come in, and one mixer fewer is counted than the books say."""
    arrival = await floor.announced(company, ("KET-17", 2))
    await floor.scanned(company, arrival, floor.beep(floor.BARCODES["KET-17"], quantity=2))
    await floor.finished(company, arrival)
    asked = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["MIX-500"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    await floor.ok(company, "dispatcher", "/console/counts", asked, 201)
    [count] = await company.get("warehouse", "/field/counts")
    entry = floor.capture(line_id=count["lines"][0]["id"], quantity=18)
    path = f"/field/counts/{count['id']}"
    await floor.ok(company, "warehouse", f"{path}/entries", {"entries": [entry]})
    await floor.ok(company, "warehouse", f"{path}/finish", floor.capture())


def test_every_check_has_a_planted_violation() -> None:
    assert {plant.check for plant in PLANTS.values()} == {*doctor.QUERIES, *doctor.FUNCTIONS}


@pytest.mark.parametrize("part", range(2))
async def test_health_after_whole_journeys_and_every_planted_violation_by_its_name(
    db: Any, redis: Any, tmp_path: Path, tamper: Tamper, part: int
) -> None:
    async with open_company(tmp_path) as company:
        await after_whole_journeys(company)
    assert await found() == set()
    missed = []
    for words, plant in list(PLANTS.items())[part::2]:
        await tamper(*keep(plant), *plant.statements)
        try:
            if plant.check not in await found():
                missed.append(f"{plant.check}: {words}")
        finally:
            await tamper(*restore(plant))
        assert await found() == set(), f"{words}: not restored"
    assert missed == []


async def found() -> set[str]:
    return {violation.check for violation in await doctor.run()}


def keep(plant: Plant) -> list[str]:
    copies = [f"CREATE TEMP TABLE kept_{name} AS TABLE {name}" for name in plant.tables]
    return [*copies, *(lift for lift, _, _ in plant.guards)]


def restore(plant: Plant) -> list[str]:
    back = [
        statement
        for name in plant.tables
        for statement in (
            f"DELETE FROM {name}",
            f"INSERT INTO {name} SELECT * FROM kept_{name}",
            f"DROP TABLE kept_{name}",
        )
    ]
    return [*back, *(set_again for _, _, set_again in plant.guards)]
