"""Purchase orders: made once, at cost, answered by their vendor alone, seen by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from doorstep.core import tenant
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import procure, vendor_answers
from doorstep.journey.refusals import StageAlreadyDone
from doorstep.modules.finance.service import tranches
from doorstep.modules.scm import service as scm
from doorstep.modules.scm.schemas import VendorData
from tests.factories import money
from tests.factories.care import passed, place, travel
from tests.factories.money import Bank, accept, purchased, states, vendor_of
from tests.factories.world import make_vendor


@pytest.fixture(autouse=True)
async def bank(db: Any) -> AsyncIterator[Bank]:
    async with money.open_bank() as double:
        yield double


async def test_allocated_goods_of_a_vendor_are_ordered_at_cost(db: Any) -> None:
    order, po_id = await purchased()
    row = await db.one("SELECT * FROM purchase_order")
    assert (row["id"], row["state"], row["total_minor"]) == (po_id, "sent", 1000_01)
    assert row["fulfilment_id"] == order.parcels[0] and row["number"].startswith("PO-")
    lines = await db.rows("SELECT sku, unit_cost_minor FROM po_line ORDER BY position")
    assert [tuple(line.values()) for line in lines] == [("WM-7KG", 900_01), ("KET-17", 100_00)]
    told = await db.one("SELECT payload FROM outbox WHERE kind = 'messages.tell_vendor'")
    assert told["payload"]["template"] == "po_sent" and told["payload"]["po_id"] == str(po_id)


async def test_the_answer_is_due_in_the_vendors_working_hours(db: Any, clock: Any) -> None:
    clock.set(now().replace(hour=12) + timedelta(days=7 - now().isoweekday()))  # a Sunday
    await purchased()
    due_at = await db.value("SELECT answer_due_at AT TIME ZONE 'Asia/Dubai' FROM purchase_order")
    assert (due_at.isoweekday(), due_at.hour) == (1, 17)


async def test_a_purchase_order_is_made_once(db: Any) -> None:
    order, po_id = await purchased()
    assert await procure.order_from_vendor(order.parcels[0]) == po_id
    assert await db.value("SELECT count(*) FROM purchase_order") == 1


async def test_our_own_goods_have_no_purchase_order(db: Any) -> None:
    order = await place(("MIX-500", 1))
    await travel(order.parcels[0], 1002, 1003)
    assert await db.value("SELECT count(*) FROM purchase_order") == 0
    assert 1004 in await passed(order.parcels[0])


async def test_a_missing_cost_asks_a_person_and_is_tried_again(db: Any) -> None:
    order = await place()
    await travel(order.parcels[0], 1002, 1003)
    assert await db.value("SELECT count(*) FROM purchase_order") == 0
    asked = await db.one("SELECT payload FROM outbox WHERE kind = 'helpdesk.open_problem'")
    assert asked["payload"]["kind"] == "cost_missing" and "WM-7KG" in asked["payload"]["title"]
    await money.make_costs(order.world)
    again = await db.one("SELECT payload FROM outbox WHERE kind = 'flows.order_from_vendor'")
    await procure.order_from_vendor_later(again["payload"])
    assert await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])


async def test_accepting_passes_1004_and_twice_is_once(db: Any) -> None:
    order, po_id = await purchased()
    event_id = uuid7()
    first = await accept(order, po_id, event_id)
    assert first.verdict == "applied" and 1004 in await passed(order.parcels[0])
    again = await accept(order, po_id, event_id)
    assert (again.verdict, again.event_id) == ("applied", event_id)
    with pytest.raises((scm.PurchaseOrderAlreadyAnswered, StageAlreadyDone)):
        await accept(order, po_id)


async def test_a_declined_purchase_order_pays_nothing_and_ends_its_parcel(db: Any) -> None:
    order, po_id = await purchased()
    event_id = uuid7()
    for _ in range(2):
        await vendor_answers.decline(
            po_id, event_id, "out of stock here", actor=vendor_of(order.world)
        )
    await money.capture(order)
    assert await states(po_id) == ["held"] * 6
    assert await db.value("SELECT count(*) FROM payout") == 0
    ended = await db.row("SELECT state, ended_as FROM fulfilment")
    assert ended == {"state": "ended", "ended_as": "replaced"}
    with pytest.raises(scm.PurchaseOrderAlreadyAnswered):
        await accept(order, po_id)
    assert 1004 not in await passed(order.parcels[0])


async def test_another_vendors_purchase_order_does_not_exist(db: Any) -> None:
    order, po_id = await purchased()
    stranger = vendor_of(order.world)
    stranger = type(stranger)(
        role="vendor", source="person", person_id=stranger.person_id, vendor_id=uuid7()
    )
    with pytest.raises(scm.PurchaseOrderMissing):
        await vendor_answers.accept(po_id, uuid7(), actor=stranger)
    with pytest.raises(scm.PurchaseOrderMissing):
        await vendor_answers.decline(po_id, uuid7(), "no", actor=stranger)
    assert await db.value("SELECT state FROM purchase_order") == "sent"


# --- Row level security (IA2) ---------------------------------------------------------------------


OWNED = ("vendor", "purchase_order", "po_line", "tranche", "payout")


async def test_with_the_where_removed_a_vendor_sees_only_his_own_rows(db: Any) -> None:
    order, po_id = await purchased()
    await accept(order, po_id)
    stranger = await make_vendor("V-OTHER")
    for vendor_id, sees in ((order.world.vendor_id, True), (stranger, False), (None, False)):
        async with tenant.vendor(vendor_id):
            found = {table: await db.value(f"SELECT count(*) FROM {table}") for table in OWNED}
        own = found.pop("vendor")
        assert own == (vendor_id is not None)
        assert all((count > 0) is sees for count in found.values()), found
    assert await db.value("SELECT count(*) FROM vendor") == 2, "the own role sees all again"


async def test_a_vendor_reads_nothing_else_and_writes_nothing(db: Any) -> None:
    order, _ = await purchased()
    for statement in (
        "SELECT * FROM customer",
        "SELECT * FROM customer_order",
        "SELECT * FROM payment_line",
        "SELECT * FROM outbox",
        "UPDATE purchase_order SET state = 'accepted'",
        "UPDATE tranche SET state = 'released'",
        "DELETE FROM payout",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant.vendor(order.world.vendor_id):
                await db.execute(statement)
    assert await db.value("SELECT current_user") == "doorstep", "the connection is clean"
    assert not await db.value("SELECT current_setting('app.vendor_id', true)")


async def test_the_vendors_reads_work_under_it(db: Any) -> None:
    order, po_id = await purchased()
    await accept(order, po_id)
    mine = order.world.vendor_id
    async with tenant.vendor(mine):
        listed = await scm.list_own(mine, state=None, before=None, limit=50)
        read = await scm.read_own(mine, po_id)
        parts = await tranches.of_purchase_order(po_id)
    assert [row["id"] for row in listed] == [po_id]
    assert [line["sku"] for line in read["lines"]] == ["WM-7KG", "KET-17"]
    assert [part["state"] for part in parts] == ["waiting", "released"] + ["waiting"] * 4
    async with tenant.vendor(mine):
        assert await scm.list_own(mine, state="sent", before=None, limit=50) == []
        with pytest.raises(scm.PurchaseOrderMissing):
            await scm.read_own(mine, uuid7())


async def test_percentages_must_be_whole(db: Any) -> None:
    vendor = VendorData(
        code="V", name="V", country="AE", zone="Asia/Dubai", email="",
        percentages=[20, 20, 20, 20, 10, 11], account_name="V", account_number="AE0001",
    )  # fmt: skip
    with pytest.raises(scm.PercentagesNotWhole):
        await scm.save_vendor(vendor)
    with pytest.raises(asyncpg.CheckViolationError, match="vendor_percentages_whole"):
        await make_vendor()
        await db.execute("UPDATE vendor SET percentages = '{20,20,20,20,10,11}'")


async def test_saving_a_vendor_again_starts_cooling_only_for_a_new_account(db: Any) -> None:
    await make_vendor()
    await make_vendor()
    assert await db.value("SELECT account_changed_at FROM vendor") is None
    await db.execute("UPDATE vendor SET bank_code = 'OTHER'")
    assert await db.value("SELECT account_changed_at FROM vendor") is not None
