"""Closing and archive: an order ends when nothing of it is open, and is found again (P18, P19)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from doorstep.core import blobs
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import closing
from doorstep.flows import tickets as ticket_flow
from doorstep.flows.closing import close_if_over, close_orders, read_closing
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.service import tickets
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.steps import healthy

KETTLE = ("KET-17", 1)
MIXER = ("MIX-500", 1)
DAYS = timedelta(days=14)
SYSTEM = Actor.system("test")


async def paid_out(company: Company) -> None:
    """Let the bank pay whatever it was asked to."""
    await company.work()
    for row in await closing.db.rows("SELECT id FROM payout WHERE state <> 'paid'"):
        await closing.db.execute(
            "UPDATE payout SET state = 'paid', sent_at = coalesce(sent_at, now()) WHERE id = $1",
            row["id"],
        )


async def delivered_at(order: Order) -> datetime:
    found: datetime = await closing.db.value(
        "SELECT recorded_at FROM journey_event WHERE fulfilment_id = $1 AND stage = 1013"
        " AND kind = 'stage'",
        order.parcel,
    )
    return found


async def state(order: Order) -> str:
    return (await read_closing(order.order_id)).state


async def how_1016(db: Any, order: Order) -> str | None:
    found: str | None = await db.value(
        "SELECT how FROM journey_event WHERE fulfilment_id = $1 AND stage = 1016"
        " AND kind = 'stage'",
        order.parcel,
    )
    return found


async def test_an_order_closes_by_itself_when_the_return_window_has_ended(
    company: Company, db: Any, clock: Any
) -> None:
    order = await standing(company, 1015)
    await paid_out(company)
    end = await delivered_at(order) + DAYS
    told = await read_closing(order.order_id)
    assert told.window_ends_at == end and told.state == "open"
    assert told.keeps_open == [f"Goods may be returned until {end:%Y-%m-%d %H:%M} UTC."]

    clock.set(end - timedelta(minutes=1))
    await close_orders({})
    assert await state(order) == "open" and await how_1016(db, order) is None

    clock.set(end + timedelta(seconds=1))
    await close_orders({})
    await close_orders({})
    done = await read_closing(order.order_id)
    assert (done.state, done.closed_by, done.keeps_open) == ("closed", None, [])
    assert done.closing_reason == closing.BY_ITSELF
    event = await db.one("SELECT * FROM journey_event WHERE stage = 1016 AND kind = 'stage'")
    assert (event["how"], event["actor_role"]) == ("not_given", "system")
    assert event["evidence"][0]["kind"] == "not_given"
    assert (await db.one("SELECT progress FROM fulfilment"))["progress"] == 100
    await company.work()
    await healthy()


async def test_feedback_that_was_given_stays_given(company: Company, db: Any, clock: Any) -> None:
    order = await standing(company, 1018)
    await paid_out(company)
    clock.advance(DAYS + timedelta(hours=1))
    await close_orders({})
    assert (await state(order), await how_1016(db, order)) == ("closed", "done")


async def test_every_parcel_counts_and_one_that_has_ended_is_finished(
    company: Company, db: Any, clock: Any
) -> None:
    order = await place(company, KETTLE, MIXER)
    first = order.parcel
    # A parcel that has still to leave would keep the question about its address open as well.
    await db.execute("UPDATE address SET missing = '{}'")
    await order.go_on(1015)
    await paid_out(company)
    clock.advance(timedelta(days=60))
    told = await read_closing(order.order_id)
    assert told.window_ends_at is None and len(told.keeps_open) == 1
    assert "waits for 1005 Item Picking" in told.keeps_open[0]
    await close_orders({})
    assert await state(order) == "open" and await how_1016(db, order) is None
    await db.execute(
        "UPDATE fulfilment SET state = 'ended', ended_as = 'cancelled' WHERE id <> $1", first
    )
    await close_orders({})
    assert (await state(order), await how_1016(db, order)) == ("closed", "not_given")


async def test_an_order_of_which_nothing_is_left_is_over_at_once(company: Company, db: Any) -> None:
    order = await place(company, KETTLE)
    await db.execute("UPDATE fulfilment SET state = 'ended', ended_as = 'cancelled'")
    await db.execute("UPDATE customer_order SET state = 'cancelled'")
    await close_orders({})
    told = await read_closing(order.order_id)
    assert told.state == "cancelled" and told.closed_at is not None
    assert [row["kind"] for row in await db.rows("SELECT kind FROM outbox WHERE done_at IS NULL")]


async def test_an_order_that_cannot_be_judged_does_not_keep_the_others_open(
    company: Company, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await place(company, KETTLE), await place(company, KETTLE)
    await db.execute("UPDATE fulfilment SET state = 'ended', ended_as = 'cancelled'")
    judge = closing.close_if_over

    async def fails_once(order_id: Any) -> bool:
        if order_id == first.order_id:
            raise ZeroDivisionError
        return await judge(order_id)

    monkeypatch.setattr(closing, "close_if_over", fails_once)
    with pytest.raises(ZeroDivisionError):
        await close_orders({})
    assert (await state(first), await state(second)) == ("open", "closed")


async def over(company: Company, clock: Any, *lines: tuple[str, int], **given: Any) -> Order:
    """An order whose return window has ended; whatever is paid is paid."""
    order = await standing(company, 1015, *(lines or (KETTLE,)), **given)
    await paid_out(company)
    clock.advance(DAYS + timedelta(hours=1))
    return order


async def test_whatever_is_open_keeps_the_order_open_and_is_named(
    company: Company, db: Any, clock: Any
) -> None:
    order = await over(company, clock)
    ticket = await ticket_flow.open_ticket(
        "complaint", "It hums", actor=SYSTEM, order_id=order.order_id
    )
    problem = await helpdesk.open_problem(
        "carrier_delayed", "Late", ref="A", order_id=order.order_id
    )
    await db.execute(
        "INSERT INTO detour_case (id, fulfilment_id, order_id, kind, attempt, blocks_from, reason,"
        " detail, progress, opened_role, opened_source, happened_at, opened_at)"
        " VALUES (new_id(), $1, $2, 'dispute', 1, NULL, '', 'x', 85, 'support', 'person',"
        " now(), now())",
        order.parcel,
        order.order_id,
    )
    await db.execute(
        "UPDATE payout SET state = 'failed' WHERE tranche_id ="
        " (SELECT id FROM tranche WHERE number = 3)"
    )
    number = await db.value("SELECT number FROM purchase_order")
    assert not await close_if_over(order.order_id)
    told = (await read_closing(order.order_id)).keeps_open
    assert told == [
        f"{ticket['number']}: It hums (support)",
        "Late (dispatcher)",
        "Parcel 1: dispute is not settled.",
        f"{number} V3: the bank has not paid it yet.",
    ]
    assert await how_1016(db, order) == "not_given", "the window has ended all the same"
    await tickets.resolve(ticket["id"], uuid7(), "Explained.", actor=SYSTEM)
    await helpdesk.close_problem(problem, actor=SYSTEM)
    await db.execute("UPDATE detour_case SET closed_at = now(), closed_as = 'settled'")
    assert not await close_if_over(order.order_id), "the payout"
    await db.execute("UPDATE payout SET state = 'paid'")
    assert await close_if_over(order.order_id)


async def test_cash_that_nobody_has_counted_keeps_the_order_open(
    company: Company, db: Any, clock: Any
) -> None:
    order = await place(company, MIXER, method="cod")
    reason = {"event_id": uuid7(), "reason": "known to us"}
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    await company.send("finance", path, reason)
    await order.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": order.total_minor}]}
    await order.take_well(await order.pod(**cash))
    clock.advance(DAYS + timedelta(hours=1))
    await close_orders({})
    told = (await read_closing(order.order_id)).keeps_open
    assert told == ["Cash from the door is not counted yet.", "A payment by cod is not in yet."]
    company.users["finance"] = await company.join("finance")  # the sessions of then are over
    count = {"event_id": uuid7(), "amount_minor": order.total_minor, "currency": "AED"}
    counted = await company.send(
        "finance", "/console/finance/cash-counts", count | {"order_ids": [order.order_id]}
    )
    assert counted.status_code == 201, counted.text
    await company.work()
    await close_orders({})
    assert await state(order) == "closed"


async def test_a_blocking_detour_keeps_the_feedback_open_too(
    company: Company, db: Any, clock: Any
) -> None:
    order = await over(company, clock)
    await db.execute(
        "INSERT INTO detour_case (id, fulfilment_id, order_id, kind, attempt, blocks_from, reason,"
        " detail, progress, opened_role, opened_source, happened_at, opened_at)"
        " VALUES (new_id(), $1, $2, 'hidden_damage', 1, 1014, '', 'x', 85, 'support', 'person',"
        " now(), now())",
        order.parcel,
        order.order_id,
    )
    await close_orders({})
    assert await how_1016(db, order) is None
    assert await db.value("SELECT count(*) FROM held_step") == 0
    await db.execute("UPDATE detour_case SET closed_at = now(), closed_as = 'settled'")
    await close_orders({})
    assert (await state(order), await how_1016(db, order)) == ("closed", "not_given")


async def test_a_person_closes_earlier_and_the_feedback_is_still_awaited(
    company: Company, db: Any, clock: Any
) -> None:
    order = await standing(company, 1015, KETTLE)
    await company.work()
    path = f"/console/orders/{order.order_id}/close"
    for reason in ("Agreed with the customer.", "Another reason."):
        answer = await company.send("support", path, {"reason": reason})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["state"], told["closed_by"]) == ("closed", "Canary support")
        assert told["closing_reason"] == "Agreed with the customer."
    await company.work()
    assert await how_1016(db, order) is None
    clock.advance(DAYS + timedelta(hours=1))
    await company.work()
    assert await how_1016(db, order) == "not_given"
    await healthy()


async def test_a_later_return_stands_beside_the_closed_order(
    company: Company, db: Any, clock: Any
) -> None:
    order = await over(company, clock)
    await close_orders({})
    ticket = await ticket_flow.open_ticket(
        "return", "After all", actor=SYSTEM, order_id=order.order_id
    )
    await close_orders({})
    assert await state(order) == "closed"
    assert (await read_closing(order.order_id)).keeps_open == []
    assert await db.value("SELECT state FROM ticket WHERE id = $1", ticket["id"]) == "open"


async def test_the_archive_lists_every_file_under_the_orders_folder(
    company: Company, db: Any, clock: Any
) -> None:
    order = await standing(company, 1015)
    await paid_out(company)
    clock.advance(DAYS + timedelta(hours=1))
    await close_orders({})
    await company.work()
    entries = {row["file"]: row for row in await db.rows("SELECT * FROM archive_entry")}
    year = await db.value("SELECT extract(year FROM placed_at)::int FROM customer_order")
    assert {(row["channel"], row["year"], row["number"]) for row in entries.values()} == {
        ("AE", year, order.number)
    }
    kinds = {row["kind"] for row in entries.values()}
    assert {"index", "label", "warranty"} <= kinds
    papers = await db.value("SELECT count(*) FROM order_document")
    assert {"label", "packing_slip", "invoice"} <= kinds and papers > 2
    photos = [name for name, row in entries.items() if row["kind"] == "photo"]
    assert {name.rsplit("-", 1)[0] for name in photos} == {
        "proof-of-delivery",
        "installation-report",
    }
    data = await blobs.get(entries["index.json"]["sha256"])
    index = json.loads(data)
    assert index["folder"] == f"AE/{year}/{order.number}/"
    assert {one["file"] for one in index["files"]} == set(entries) - {"index.json"}
    (parcel,) = index["parcels"]
    assert [one["stage"] for one in parcel["stages"]][-1] == 1016
    assert parcel["awbs"] and parcel["serials"]
    for personal in (b"Aisha", b"501234567", b"Marina"):
        assert personal not in data

    # Run again it changes nothing; what was added since is taken in.
    await closing.archive_order({"order_id": str(order.order_id)})
    again = {row["file"]: row for row in await db.rows("SELECT * FROM archive_entry")}
    assert again == entries
    note = await blobs.put(b"%PDF credit note", mime="application/pdf")
    await db.execute(
        "INSERT INTO order_document (id, order_id, kind, sha256, created_at)"
        " VALUES (new_id(), $1, 'credit_note', $2, $3)",
        order.order_id,
        note,
        now(),
    )
    await closing.archive_order({"order_id": str(order.order_id)})
    later = {row["file"]: row for row in await db.rows("SELECT * FROM archive_entry")}
    assert later["credit_note-en.pdf"]["sha256"] == note
    assert later["index.json"]["sha256"] != entries["index.json"]["sha256"]


async def test_an_archived_order_is_found_by_number_phone_awb_and_serial(
    company: Company, db: Any, clock: Any
) -> None:
    order = await standing(company, 1015)
    await paid_out(company)
    serial = await db.value("SELECT serial FROM warranty WHERE serial IS NOT NULL")
    awb = await db.value("SELECT awb FROM shipment")
    terms = [
        {"number": order.number},
        {"phone": "+971501234567"},
        {"phone": "00971 50 123 4567"},
        {"awb": awb},
        {"serial": serial},
    ]

    async def found(**params: str) -> list[dict[str, Any]]:
        answer = await company.http.get(
            "/console/archive", params=params, headers=company.users["support"].headers
        )
        assert answer.status_code == 200, answer.text
        listed: list[dict[str, Any]] = answer.json()
        return listed

    for term in terms:
        assert await found(**term) == [], "an open order is not in the archive"
    clock.advance(DAYS + timedelta(hours=1))
    await close_orders({})
    await company.work()
    company.users["support"] = await company.join("support")
    for term in terms:
        (one,) = await found(**term)
        assert one["number"] == order.number and one["files"], term
        assert one["folder"].endswith(f"/{order.number}/")
    assert await found(number="DS-999999") == await found(serial="nothing") == []
    for file in one["files"]:
        if file["kind"] == "photo":
            assert file["url"].startswith(f"/pictures/{file['sha256']}/large"), "by its own link"
            continue
        opened = await company.http.get(file["url"], headers=company.users["support"].headers)
        assert opened.status_code == 200, file
        assert opened.content.startswith(b"%PDF" if file["kind"] != "index" else b"{"), file
    (nothing,) = {
        (await company.http.get(path, headers=company.users["support"].headers)).status_code
        for path in (
            f"/console/archive/{one['order_id']}/files/nothing.pdf",
            f"/console/archive/{uuid7()}/files/index.json",
        )
    }
    assert nothing == 404
    for params in ({}, {"number": order.number, "awb": awb}):
        answer = await company.http.get(
            "/console/archive", params=params, headers=company.users["support"].headers
        )
        assert answer.json()["type"] == "/problems/nothing-to-look-for"
