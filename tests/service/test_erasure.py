"""A customer is forgotten: everywhere, once, and only when nothing is open (IA7)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import erasure, erasure_columns
from doorstep.flows.missing_pictures import NAMED
from tests.factories import erasing
from tests.factories.company import Company
from tests.factories.intake import send_order
from tests.factories.journeys import Order, standing
from tests.factories.steps import healthy
from tests.factories.sync import SyncedCompany

HOLDING = {
    "text", "jsonb", "bytea", "text[]", "double precision", "real", "json", "character varying",
}  # fmt: skip
"""Types of columns that can say something of a person."""

MONEY_AND_CHAIN = (
    "payment_line", "payment_event", "journal_entry", "journal_line", "tranche", "payout", "order_line",
    "pod_tender", "credit_note", "journey_event", "journey_checkpoint",
)  # fmt: skip

COLUMNS = """
SELECT c.relname AS name, a.attname AS column, format_type(a.atttypid, NULL) AS type
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r' AND c.relname NOT IN ('migration', 'migration_file')
"""


def at_desk(company: Company) -> Actor:
    channel = (company.world.channel_id,)
    return Actor(
        role="support", source="person", person_id=company.users["support"].id, channel_ids=channel
    )


async def ask(company: Company, order: Order, *, gives_up: bool = True) -> dict[str, Any]:
    """Ask for erasure at a desk, let it be looked at, and read the request."""
    request_id = await erasure.ask_at_desk(
        order.order_id, "phone", gives_up_warranty=gives_up, actor=at_desk(company)
    )
    await erasing.carried_out(company)
    return await core_db.one("SELECT * FROM erasure_request WHERE id = $1", request_id)


# --- What the file decides ------------------------------------------------------------------------


async def test_every_column_that_can_hold_a_person_has_a_decision_and_a_reason(db: Any) -> None:
    tables = erasure_columns.decisions()["tables"]
    stored: dict[str, set[str]] = {}
    for row in await db.rows(COLUMNS):
        columns = stored.setdefault(row["name"], set())
        if row["type"] in HOLDING:
            columns.add(row["column"])
    undecided = {
        f"{name}.{column}"
        for name, columns in stored.items()
        for column in columns
        if "goes" not in tables.get(name, {}) and column not in _decided(tables.get(name, {}))
    }
    assert undecided == set(), "say in flows/erasure_columns.json what becomes of them"
    assert {name for name in tables if name not in stored} == set()
    unknown = {
        f"{name}.{column}"
        for name, table in tables.items()
        for column in _decided(table) - stored[name] - {"status"}
    }
    assert unknown == set()


def _decided(table: dict[str, Any]) -> set[str]:
    kept = {column for group in table.get("keep", {}).values() for column in group}
    erased = set(erasure_columns.erased_columns(table))
    assert not kept & erased
    return kept | erased


async def test_append_only_rows_give_up_exactly_what_the_file_erases(db: Any) -> None:
    guards = await db.rows(
        "SELECT c.relname AS name, t.tgargs FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname = c.relname || '_append_only'"
    )
    tables = erasure_columns.decisions()["tables"]
    for row in guards:
        given_up = {name.decode() for name in row["tgargs"].split(b"\0") if name}
        assert given_up == set(erasure_columns.erased_columns(tables.get(row["name"], {}))), row[
            "name"
        ]


# --- The whole of it ------------------------------------------------------------------------------


async def test_after_a_whole_order_no_canary_is_left_in_any_column_or_file(
    company: Company, db: Any, clock: Any, tmp_path: Path
) -> None:
    order = await erasing.the_whole_way(company)
    await erasing.settled(company, clock)
    before = await erasing.traces()
    assert {canary for found in before.values() for canary in found} == set(erasing.CANARIES)
    assert {"capture.body", "message.body", "pod.receiver_name", "ticket.words"} <= before.keys()
    money = await _money(db)
    pictures = {row["sha256"] for row in await db.rows(NAMED)}
    assert pictures & await erasing.files_in(tmp_path)

    done = await ask(company, order)
    assert (done["state"], done["waits_for"]) == ("done", [])
    assert {"customer", "address", "pod", "capture", "message", "files"} <= done["erased"].keys()
    assert await erasing.traces() == {}
    # What is left of files is the index of the archive, which names nobody.
    left = {row["sha256"] for row in await db.rows("SELECT sha256 FROM archive_entry")}
    assert await erasing.files_in(tmp_path) == left
    blobs = {row["sha256"] for row in await db.rows("SELECT sha256 FROM blob")}
    assert left <= blobs and not pictures & blobs
    assert await _money(db) == money
    await healthy()


async def _money(db: Any) -> list[str]:
    """Copy what the books say."""
    found = []
    for table in MONEY_AND_CHAIN:
        rows = await db.rows(f'SELECT t::text AS row FROM "{table}" t ORDER BY 1')
        found += [f"{table} {row['row']}" for row in rows]
    return found


async def test_what_comes_again_after_an_erasure_is_a_duplicate_as_before(
    company: Company, db: Any, clock: Any
) -> None:
    synced = SyncedCompany.of(company)
    order = await erasing.place_canary(synced)
    payment = order.payment()
    await company.hook("checkout", payment)
    await company.work()
    await order.go_on(1012)
    proof = await order.pod()
    phone = synced.phones["delivery"]
    event = phone.of(proof.path, proof.body)
    [receipt] = await phone.push(event)
    await company.work()
    await order.go_on()
    then = clock.now()
    await erasing.settled(company, clock)
    assert (await ask(company, order))["state"] == "done"
    assert await erasing.traces() == {}

    # Sessions of phones do not live as long as a return window.
    clock.set(then)
    events = await db.value("SELECT count(*) FROM journey_event")
    assert await phone.push(event) == [receipt]
    assert (await company.hook("checkout", payment)).is_success
    again = await send_order(company, erasing.body_of(order.external_id))
    assert again.json()["order_id"] == str(order.order_id)
    await company.work()
    assert await db.value("SELECT count(*) FROM journey_event") == events
    assert await db.value("SELECT count(*) FROM stray_capture") == 0
    assert await db.value("SELECT count(*) FROM pod") == 1
    assert await db.value("SELECT count(*) FROM customer_order") == 1
    assert await db.value("SELECT count(*) FROM payment_event") == 1
    await healthy()


async def test_what_a_phone_brings_after_the_erasure_goes_at_the_next_look(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.the_whole_way(company)
    late = await order.pod(receiver={"name": "Zahra Qanary", "relation": "customer"})
    then = clock.now()
    await erasing.settled(company, clock)
    request = await ask(company, order)
    clock.set(then)
    synced = SyncedCompany.of(company)
    await synced.send("delivery", late.path, late.body)
    await company.work()
    assert "capture.body" in await erasing.traces()
    await db.execute("UPDATE problem SET closed_at = now() WHERE closed_at IS NULL")
    clock.set(request["next_at"])
    await erasure.look_at_erasures({})
    await company.work()
    assert await erasing.traces() == {}
    again = await db.one("SELECT * FROM erasure_request")
    assert again["done_at"] == request["done_at"] and again["next_at"] > request["next_at"]
    assert again["erased"]["capture"] > request["erased"]["capture"]


# --- Waiting --------------------------------------------------------------------------------------


async def test_it_waits_for_what_is_open_and_runs_when_that_has_ended(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.place_canary(company)
    waiting = await ask(company, order)
    assert (waiting["state"], waiting["waits_for"][0]) == ("waiting", "order")
    assert await db.value("SELECT name FROM customer") == "Zahra Qanary"
    await order.go_on()
    await erasing.settled(company, clock)
    await erasure.look_at_erasures({})
    assert (await db.one("SELECT * FROM erasure_request"))["state"] == "done"
    assert await db.value("SELECT name FROM customer") == "Erased"


async def test_a_running_warranty_is_waited_for_unless_it_is_given_up(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.the_whole_way(company)
    await erasing.settled(company, clock)
    waiting = await ask(company, order, gives_up=False)
    assert (waiting["state"], waiting["waits_for"]) == ("waiting", ["warranty"])
    assert (await ask(company, order))["state"] == "done"
    assert await db.value("SELECT count(*) FROM erasure_request") == 1


async def test_the_legal_time_of_the_channel_ends_every_waiting(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.place_canary(company)
    assert (await ask(company, order))["state"] == "waiting"
    await db.execute(
        "INSERT INTO privacy_rule (channel_id, retention_days) VALUES ($1, 30)",
        company.world.channel_id,
    )
    clock.advance(erasing.TWO_MONTHS)
    await erasure.look_at_erasures({})
    assert (await db.one("SELECT * FROM erasure_request"))["state"] == "done"
    assert "customer.name" not in await erasing.traces()


async def test_the_wish_is_confirmed_on_every_channel_before_nobody_knows_any_more_where_to_write(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.long_over(company, clock)
    asked = {"gives_up_warranty": True, "actor": at_desk(company)}
    request_id = await erasure.ask_at_desk(order.order_id, "mail", **asked)
    confirmed = "SELECT channel, recipient, state FROM message WHERE event = 'erasure_asked'"
    assert {tuple(row.values()) for row in await db.rows(confirmed)} == {
        ("sms", erasing.PHONE, "queued"), ("email", erasing.EMAIL, "queued"),
    }  # fmt: skip
    await erasure.look_at(request_id)
    waiting = await db.one("SELECT state, waits_for FROM erasure_request")
    assert (waiting["state"], waiting["waits_for"]) == ("waiting", ["work"])
    await erasing.carried_out(company)
    assert await db.value("SELECT state FROM erasure_request") == "done"
    told = await db.rows(confirmed)
    assert [row["state"] in ("sent", "delivered") for row in told] == [True, True], told
    assert not {row["recipient"] for row in told} & {erasing.PHONE, erasing.EMAIL}


async def test_whoever_takes_his_wish_back_and_asks_anew_is_told_again(
    company: Company, db: Any
) -> None:
    order = await erasing.place_canary(company)
    for _ in range(2):
        await erasure.ask_at_desk(
            order.order_id, "phone", gives_up_warranty=False, actor=at_desk(company)
        )
    times = "SELECT count(DISTINCT attempt) FROM message WHERE event = 'erasure_asked'"
    assert await db.value(times) == 1
    await erasure.withdraw_at_desk(order.order_id, actor=at_desk(company))
    await ask(company, order)
    assert await db.value(times) == 2


async def test_whose_time_is_over_is_erased_without_asking(
    company: Company, db: Any, clock: Any
) -> None:
    await erasing.place_canary(company)
    await erasure.find_expired_customers({})
    assert await db.value("SELECT count(*) FROM erasure_request") == 0
    await db.execute(
        "INSERT INTO privacy_rule (channel_id, retention_days) VALUES ($1, 30)",
        company.world.channel_id,
    )
    clock.advance(erasing.TWO_MONTHS)
    await erasure.find_expired_customers({})
    await company.work()
    request = await db.one("SELECT * FROM erasure_request")
    assert (request["way"], request["state"]) == ("retention", "done")
    assert await db.value("SELECT count(*) FROM message WHERE event = 'erasure_asked'") == 0


# --- Once, whole, and beside others ---------------------------------------------------------------


async def test_other_people_keep_everything(company: Company, db: Any, clock: Any) -> None:
    other = await standing(company, 1018)
    theirs = ("Aisha", "+971501234567", "aisha@example.com", "12 Marina Walk")
    order = await erasing.the_whole_way(company)
    await erasing.settled(company, clock)
    before = await erasing.traces(theirs)
    pictures = await db.value("SELECT count(*) FROM pod_photo")
    assert (await ask(company, order))["state"] == "done"
    assert await erasing.traces(theirs) == before
    assert await db.value("SELECT count(*) FROM pod_photo") == pictures - 1
    assert await db.value("SELECT count(*) FROM order_link WHERE order_id = $1", other.order_id) > 0
    await healthy()


async def test_asked_ten_times_at_once_it_is_done_once(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.the_whole_way(company)
    await erasing.settled(company, clock)
    asked = [
        erasure.ask_at_desk(order.order_id, "mail", gives_up_warranty=True, actor=at_desk(company))
        for _ in range(10)
    ]
    assert len(set(await asyncio.gather(*asked))) == 1
    [request] = await db.rows("SELECT id FROM erasure_request")
    # What is being sent is waited for; then ten look at once.
    await db.execute("DELETE FROM outbox WHERE kind = 'flows.erase_customer'")
    await company.work()
    await asyncio.gather(*(erasure.look_at(request["id"]) for _ in range(10)))
    first = await db.one("SELECT done_at, erased FROM erasure_request")
    await company.work()
    assert await db.one("SELECT done_at, erased FROM erasure_request") == first
    assert first["erased"]["customer"] == 1


async def test_an_order_that_arrives_meanwhile_is_waited_for_or_is_a_new_customers(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.long_over(company, clock)
    request_id = await erasure.ask_at_desk(
        order.order_id, "phone", gives_up_warranty=True, actor=at_desk(company)
    )
    await db.execute("DELETE FROM outbox WHERE kind = 'flows.erase_customer'")
    await company.work()
    answers = await asyncio.gather(
        *(erasure.look_at(request_id) for _ in range(3)),
        *(send_order(company, erasing.body_of(f"RACE-{n}", ("KET-17", 1))) for n in range(5)),
    )
    assert {answer.status_code for answer in answers if answer is not None} == {201}, answers
    request = await db.one("SELECT * FROM erasure_request")
    rows = await db.rows(
        "SELECT o.external_id, c.name FROM customer_order o JOIN customer c ON c.id = o.customer_id"
        " WHERE o.external_id LIKE 'RACE-%'"
    )
    # Nobody's goods travel without a name, whichever came first.
    assert {row["name"] for row in rows} == {"Zahra Qanary"}
    assert len(rows) == 5
    if request["state"] == "waiting":
        assert request["waits_for"][0] == "order"
    else:
        assert await db.value("SELECT count(*) FROM customer") == 2


async def test_an_append_only_row_gives_up_nothing_else_and_to_nobody_else(
    company: Company, db: Any, clock: Any
) -> None:
    order = await erasing.the_whole_way(company)
    await erasing.settled(company, clock)
    request = await ask(company, order, gives_up=False)
    update = "UPDATE ticket_message SET words = 'x'"
    with pytest.raises(Exception, match="append-only"):
        await db.execute(update)
    for statement in (
        "UPDATE ticket_message SET author = 'internal'",
        "UPDATE journal_line SET debit_minor = debit_minor + 1",
        "UPDATE capture SET verdict = 'rejected'",
        "DELETE FROM ticket_message",
        "DELETE FROM capture",
    ):
        with pytest.raises(Exception, match=r"append-only|kept as it is"):
            await within_erasure(db, request["id"], statement)
    with pytest.raises(Exception, match="append-only"):
        await within_erasure(db, uuid7(), update)
    await within_erasure(db, request["id"], update)


async def within_erasure(db: Any, request_id: UUID, statement: str) -> None:
    async with db.unit_of_work():
        await db.value("SELECT set_config('doorstep.erasure', $1, true)", str(request_id))
        await db.execute(statement)
