"""The doctor finds nothing after whole journeys, and every planted violation under its own name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from doorstep import doctor
from doorstep.core.ids import uuid7
from doorstep.journey import chain
from tests.factories import floor
from tests.factories.captures import capture
from tests.factories.company import Company, open_company
from tests.factories.crews import crewed
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

ONE_ATTEMPT = (
    "ALTER TABLE payout DROP CONSTRAINT payout_attempt_key",
    "payout",
    "ALTER TABLE payout ADD CONSTRAINT payout_attempt_key UNIQUE (tranche_id, attempt)",
)
ONE_PASSING = (
    "DROP INDEX journey_event_stage_once",
    "journey_event",
    "CREATE UNIQUE INDEX journey_event_stage_once ON journey_event (fulfilment_id, stage, attempt)"
    " WHERE kind = 'stage'",
)
ONE_SEQ = (
    "ALTER TABLE journey_event DROP CONSTRAINT journey_event_pkey",
    "journey_event",
    "ALTER TABLE journey_event ADD CONSTRAINT journey_event_pkey PRIMARY KEY (fulfilment_id, seq)",
)
ONE_EVENT = (
    "ALTER TABLE journey_event DROP CONSTRAINT journey_event_id_unique",
    "journey_event",
    "ALTER TABLE journey_event ADD CONSTRAINT journey_event_id_unique UNIQUE (event_id)",
)
ONE_STOP = (
    "DROP INDEX delivery_stop_one_active",
    "delivery_stop",
    "CREATE UNIQUE INDEX delivery_stop_one_active ON delivery_stop (fulfilment_id)"
    " WHERE state = 'open'",
)
ONE_SHIFT = (
    "DROP INDEX shift_one_open_per_vehicle",
    "shift",
    "CREATE UNIQUE INDEX shift_one_open_per_vehicle ON shift (vehicle_id)"
    " WHERE state IN ('open', 'closing')",
)
ONE_VISIT = (
    "DROP INDEX visit_one_active",
    "visit",
    "CREATE UNIQUE INDEX visit_one_active ON visit (fulfilment_id)"
    " WHERE state IN ('booked', 'started')",
)
ONE_PLACE = (
    "ALTER TABLE visit DROP CONSTRAINT visit_no_overlap",
    "visit",
    "ALTER TABLE visit ADD CONSTRAINT visit_no_overlap EXCLUDE USING gist"
    " (technician_id WITH =, during WITH &&) WHERE (state IN ('booked', 'started'))",
)
ONE_MESSAGE = (
    "ALTER TABLE message DROP CONSTRAINT message_once_key",
    "message",
    "ALTER TABLE message ADD CONSTRAINT message_once_key UNIQUE NULLS NOT DISTINCT"
    " (order_id, fulfilment_id, po_id, problem_id, event, attempt, channel, recipient)",
)
SECOND_PERSON = (
    "ALTER TABLE stock_adjustment DROP CONSTRAINT stock_adjustment_second_person",
    "stock_adjustment",
    "ALTER TABLE stock_adjustment ADD CONSTRAINT stock_adjustment_second_person"
    " CHECK (decided_by <> proposed_by)",
)


def copies(table: str, changed: str, where: str = "true", times: int = 1) -> str:
    """Write a statement that copies rows of a table, with other values in some columns."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(x, jsonb_build_object({changed}))).*"
        f" FROM {table} x, generate_series(1, {times}) AS n WHERE {where}"
    )


AGAIN = (
    "INSERT INTO payout SELECT new_id(), tranche_id, po_id, vendor_id, 2, amount_minor, currency,"
    " left(new_id()::text, 30), {state}, beneficiary_name, beneficiary_account,"
    " beneficiary_bank_code, '', '', 'x', not_before, created_at, sent_at, answered_at"
    " FROM payout WHERE amount_minor = 20001"
)

CREDIT = (
    "WITH note AS (INSERT INTO credit_note (id, order_id, fulfilment_id, reason, amount_minor,"
    " currency, created_at) SELECT new_id(), o.id, f.id, 'cancelled', {amount}, o.currency, now()"
    " FROM customer_order o JOIN fulfilment f ON f.order_id = o.id LIMIT 1 RETURNING *)"
    " INSERT INTO credit_note_line SELECT n.id, l.id, l.order_line_id, l.quantity + {more}, {lines}"
    " FROM note n JOIN customer_order o ON o.id = n.order_id"
    " JOIN fulfilment_line l ON l.fulfilment_id = n.fulfilment_id ORDER BY l.id LIMIT 1"
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
    "a van nobody drives has goods on it": Plant(
        "IS2 vans", ("shift",), ("UPDATE shift SET state = 'closed', closed_at = now(),"
         " close_event_id = new_id(), closed_by = opened_by WHERE state = 'open'",),
    ),
    "a closed shift has a delivery to do": Plant(
        "IO6 shifts",
        ("delivery_stop",),
        ("UPDATE delivery_stop SET state = 'open', closed_at = NULL WHERE run_id IN (SELECT r.id"
         " FROM delivery_run r JOIN shift s ON s.id = r.shift_id WHERE s.state = 'closed')",),
    ),
    "a shift was closed with cash that nobody had counted": Plant(
        "IM9 shifts", ("cash_count_line",), ("DELETE FROM cash_count_line",)
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
    "a payout is sent with a second key": Plant(
        "IM6",
        ("payout",),
        (copies("payout", "'id', new_id(), 'key', new_id(), 'state', 'failed'"),),
        (ONE_ATTEMPT,),
    ),
    "a key was drawn, not made of tranche and attempt": Plant(
        "IM6", ("payout",), ("UPDATE payout SET key = left(new_id()::text, 30)",)
    ),
    "a payout is of an attempt that its key does not name": Plant(
        "IM6", ("payout",), ("UPDATE payout SET attempt = attempt + 1",)
    ),
    "nobody is asked about a payout without an answer": Plant(
        "IM6 silence",
        ("payout",),
        ("UPDATE payout SET state = 'unknown', sent_at = now() - interval '25 hours'",),
    ),
    "the answered question about a payout is of another day": Plant(
        "IM6 silence",
        ("payout", "problem"),
        ("UPDATE payout SET state = 'sending', sent_at = now() - interval '25 hours'",
         "INSERT INTO problem (id, kind, title, ref, owner_role, due_at, opened_at, closed_at)"
         " SELECT new_id(), 'payout_unknown', 'x', id::text, 'finance', now(), now(), now()"
         " FROM payout"),
    ),
    "whoever placed the order approved its payment": Plant(
        "IM7",
        ("approval",),
        ("UPDATE approval a SET decided_by = e.actor_id FROM journey_event e"
         " WHERE e.order_id = a.order_id AND e.stage = 1001 AND a.decided = 'person'",),
    ),
    "whoever proposed an adjustment approved it": Plant(
        "IM7 adjustments",
        ("stock_adjustment",),
        ("UPDATE stock_adjustment SET proposed_by = p.id, decided_by = p.id FROM person p",),
        (SECOND_PERSON,),
    ),
    "money was sent before the account had cooled": Plant(
        "IM8", ("payout",), ("UPDATE payout SET not_before = sent_at + interval '1 second'",)
    ),
    "a step was taken after the end": Plant(
        "IO1",
        ("journey_event",),
        ("UPDATE journey_event SET ends_as = 'cancelled' WHERE seq = 3",),
    ),
    "an attempt was begun after the end": Plant(
        "IO1",
        ("journey_event",),
        ("UPDATE journey_event SET kind = CASE WHEN stage = 1018 THEN 'detour' ELSE 'fact' END,"
         " ends_as = CASE WHEN seq = 3 THEN 'cancelled' END",),
    ),
    "the customer sees less than is done": Plant(
        "IO1 progress", ("fulfilment",), ("UPDATE fulfilment SET progress = 10",)
    ),
    "the stage is behind what is done": Plant(
        "IO1 progress", ("fulfilment",), ("UPDATE fulfilment SET stage = 1002",)
    ),
    "a detour is open that a stage has settled": Plant(
        "IO2 settled",
        ("detour_case",),
        ("INSERT INTO detour_case SELECT event_id, fulfilment_id, order_id, 'carrier_delayed', 1,"
         " NULL, NULL, '', '', '[]', 0, 'system', 'system', now(), now() FROM journey_event"
         " WHERE stage = 1010",),
    ),
    "a stage was passed twice in an attempt": Plant(
        "IO3",
        ("journey_event",),
        ("UPDATE journey_event SET stage = 1010 WHERE stage = 1009",),
        (ONE_PASSING,),
    ),
    "an event stands twice": Plant(
        "IA8 events",
        ("journey_event",),
        ("INSERT INTO journey_event SELECT * FROM journey_event WHERE seq = 3",),
        (ONE_SEQ, ONE_EVENT, ONE_PASSING),
    ),
    **{
        f"nobody knows an event's {column}": Plant(
            "IO4", ("journey_event",), (f"UPDATE journey_event SET {column} = '{value}'",)
        )
        for column, value in {
            "device": "", "actor_role": "", "source": "", "captured_at": "-infinity",
            "recorded_at": "infinity",
        }.items()
    },
    "nobody knows by which request a phone spoke": Plant(
        "IO4",
        ("journey_event",),
        ("UPDATE journey_event SET request_id = '' WHERE source = 'phone'",),
    ),
    "a technician is at two visits at once": Plant(
        "IO6 visits",
        ("visit",),
        (copies("visit", "'id', new_id(), 'state', 'booked', 'start_event_id', null", times=2),),
        (ONE_VISIT, ONE_PLACE),
    ),
    "a parcel is to be delivered by two runs": Plant(
        "IO6 stops",
        ("delivery_stop",),
        (copies("delivery_stop", "'id', new_id(), 'state', 'open', 'closed_at', null,"
                " 'position', x.position + 100 * n", times=2),),
        (ONE_STOP,),
    ),
    "a van is driven by two crews": Plant(
        "IO6 vehicles",
        ("shift",),
        (copies("shift", "'id', new_id(), 'open_event_id', new_id(), 'number', 'SH-AGAIN'",
                "x.state = 'open'"),),
        (ONE_SHIFT,),
    ),
    "a proof was applied that no event tells of": Plant(
        "IC1 applied", ("pod",), ("UPDATE pod SET id = new_id()",)
    ),
    "a report was applied that no event tells of": Plant(
        "IC1 applied", ("visit_report",), ("UPDATE visit_report SET id = new_id()",)
    ),
    "a failed delivery was applied that no event tells of": Plant(
        "IC1 applied",
        ("delivery_attempt",),
        ("INSERT INTO delivery_attempt SELECT new_id(), order_id, fulfilment_id, stop_id, attempt,"
         " person_id, device_id, 'delivery_failed', 'not_home', '', true, 60, NULL, '{}', lat, lng,"
         " accuracy_m, 'applied', captured_at, recorded_at FROM pod",),
    ),
    "a failed visit was applied that no event tells of": Plant(
        "IC1 applied",
        ("visit_failure",),
        ("INSERT INTO visit_failure SELECT new_id(), order_id, fulfilment_id, visit_id,"
         " technician_id, device_id, 'not_home', '', '{}', 'applied', captured_at, recorded_at"
         " FROM visit_report",),
    ),
    "the picture of a proof has not come for hours": Plant(
        "IC4",
        ("pod", "pod_photo"),
        ("UPDATE pod SET recorded_at = recorded_at - interval '7 hours'",
         "UPDATE pod_photo SET verified_at = NULL"),
    ),
    "the picture of a report has not come for hours": Plant(
        "IC4 reports",
        ("visit_report", "visit_report_photo"),
        ("UPDATE visit_report SET recorded_at = recorded_at - interval '7 hours'",
         "UPDATE visit_report_photo SET verified_at = NULL"),
    ),
    "the customer was told of a delivery that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET event = '1016' WHERE event = '1013'",)
    ),
    "the customer was told of an attempt that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET attempt = 2 WHERE event = '1013'",)
    ),
    "the customer was told of a payment that was none": Plant(
        "IQ1",
        ("journey_event",),
        ("UPDATE journey_event SET kind = 'fact' WHERE stage = 1002",),
    ),
    "the customer was told of a loss that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET event = 'lost' WHERE event = '1013'",)
    ),
    "a released tranche was not ordered to be paid": Plant(
        "IQ1 payouts", ("payout",), ("DELETE FROM payout",)
    ),
    "the customer was told twice": Plant(
        "IQ3", ("message",), (copies("message", "'id', new_id()"),), (ONE_MESSAGE,)
    ),
    "more pieces are credited than were ordered": Plant(
        "IM5 credited pieces",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount=0, lines=0, more=1),),
    ),
    "more money is credited than the order costs": Plant(
        "IM5 credited money",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount="o.total_minor + 1", lines="o.total_minor + 1", more=0),),
    ),
    "a credit note is not the sum of its lines": Plant(
        "IM5 credited money",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount=2, lines=1, more=0),),
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
    await paid_at_the_door(company)
    # One crew has delivered, been paid and gone home; another is out with goods on its van.
    shift_id = await crewed(company, "VAN-1")
    await paid_at_the_door(company, shift_id)
    end = {"event_id": uuid7()}
    closed = await company.send("delivery", f"/field/shifts/{shift_id}/close", end)
    assert closed.status_code == 200
    await standing(company, 1012, ("MIX-500", 1), shift_id=await crewed(company, "VAN-2"))
    await receive_and_count(company)
    await chain.write_checkpoint()


async def paid_at_the_door(company: Company, shift_id: UUID | None = None) -> None:
    """Deliver an order for cash, by a crew if a shift is given, and count the cash."""
    cod = await place(company, ("MIX-500", 1), method="cod")
    cod.shift_id = shift_id
    approval = {"event_id": uuid7(), "reason": "known"}
    path = f"/console/finance/orders/{cod.order_id}/payment-approval"
    await company.send("finance", path, approval)
    await company.work()
    await cod.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": cod.total_minor}]}
    await cod.take_well(await cod.pod(**cash))
    whose = {"shift_id": shift_id} if shift_id else {"order_ids": [cod.order_id]}
    count = {"event_id": uuid7(), "amount_minor": cod.total_minor, "currency": "AED"} | whose
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201
    await company.work()


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
    entry = capture(line_id=count["lines"][0]["id"], quantity=18)
    path = f"/field/counts/{count['id']}"
    await floor.ok(company, "warehouse", f"{path}/entries", {"entries": [entry]})
    await floor.ok(company, "warehouse", f"{path}/finish", capture())


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
