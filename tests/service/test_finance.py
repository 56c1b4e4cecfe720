"""Ledger, payouts and their guards: paid once, whatever dies, and nothing that does not balance."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from doorstep.core import clock as core_clock
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.jobs import RetryAt
from doorstep.flows import settle
from doorstep.modules.finance import jobs
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger, payouts
from tests.factories import money
from tests.factories.care import travel
from tests.factories.money import Bank, accept, capture, purchased, violations


@pytest.fixture(autouse=True)
async def bank(db: Any) -> AsyncIterator[Bank]:
    async with money.open_bank() as double:
        yield double


async def one_payout(db: Any) -> tuple[UUID, UUID]:
    """Release V2 alone; return the ids of its payout and its tranche."""
    order, po_id = await purchased()
    await accept(order, po_id)
    row = await db.one("SELECT id, tranche_id FROM payout")
    return row["id"], row["tranche_id"]


async def pay(payout_id: UUID) -> None:
    await jobs.pay_tranche({"payout_id": str(payout_id)})


async def state(db: Any, payout_id: UUID) -> str:
    found: str = await db.value("SELECT state FROM payout WHERE id = $1", payout_id)
    return found


# --- The job that pays ----------------------------------------------------------------------------


async def test_a_release_is_an_intent_with_the_account_and_a_job(db: Any) -> None:
    payout_id, tranche_id = await one_payout(db)
    row = await db.one("SELECT * FROM payout")
    assert (row["state"], row["attempt"], row["key"]) == ("due", 1, str(payout_id))
    assert row["beneficiary_account"] == "AE0001"
    job = await db.one("SELECT kind, payload, key FROM outbox WHERE kind = 'finance.pay_tranche'")
    assert job["payload"] == {"payout_id": str(payout_id)} and job["key"] == f"pay:{tranche_id}:1"


async def test_the_bank_pays_and_the_ledger_says_so(db: Any, bank: Bank) -> None:
    payout_id, _ = await one_payout(db)
    await pay(payout_id)
    await pay(payout_id)
    assert await state(db, payout_id) == "paid"
    assert bank.calls == [str(payout_id)]
    assert await money.balances() == {"vendor_advance": 200_00, "bank": -200_00}
    assert await violations() == []


async def test_a_bank_that_pays_and_then_times_out_has_paid_once(db: Any, bank: Bank) -> None:
    payout_id, _ = await one_payout(db)
    bank.mood = "pay and say nothing"
    with pytest.raises(RetryAt):
        await pay(payout_id)
    assert await state(db, payout_id) == "unknown"
    assert (await money.balances())["vendor_payable"] == -200_00
    bank.mood = "pay"
    await pay(payout_id)
    assert await state(db, payout_id) == "paid"
    assert bank.paid == {str(payout_id): 200_00}
    assert await violations() == []


async def test_a_bank_that_heard_nothing_is_asked_again_with_the_same_key(
    db: Any, bank: Bank
) -> None:
    payout_id, _ = await one_payout(db)
    bank.mood = "deaf"
    for _ in range(3):
        with pytest.raises(RetryAt):
            await pay(payout_id)
    bank.mood = "pay"
    await pay(payout_id)
    assert set(bank.calls) == {str(payout_id)} and await state(db, payout_id) == "paid"


async def test_a_worker_that_dies_at_any_line_leaves_one_payment(
    db: Any, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    payout_id, _ = await one_payout(db)
    whole = {"begin": payouts.begin, "hear": payouts.hear}

    async def dies(*_: Any, **__: Any) -> Any:
        raise asyncio.CancelledError

    for name in ("begin", "hear"):
        monkeypatch.setattr(payouts, name, dies)
        with pytest.raises(asyncio.CancelledError):
            await pay(payout_id)
        monkeypatch.setattr(payouts, name, whole[name])
    assert await state(db, payout_id) == "sending"
    await pay(payout_id)
    assert await state(db, payout_id) == "paid" and bank.paid == {str(payout_id): 200_00}
    assert await violations() == []


async def test_after_the_keys_life_no_machine_pays_again(db: Any, bank: Bank, clock: Any) -> None:
    payout_id, _ = await one_payout(db)
    bank.mood = "deaf"
    with pytest.raises(RetryAt):
        await pay(payout_id)
    clock.advance(timedelta(hours=25))
    bank.mood = "pay"
    await pay(payout_id)
    assert bank.paid == {} and await state(db, payout_id) == "unknown"
    kinds = await db.rows("SELECT payload ->> 'kind' AS kind FROM outbox WHERE kind LIKE 'help%'")
    assert [row["kind"] for row in kinds] == ["payout_unknown"]


async def test_a_person_is_asked_once_about_a_payment_that_is_under_way_for_a_day(
    db: Any, bank: Bank, clock: Any
) -> None:
    payout_id, _ = await one_payout(db)
    asked = "SELECT count(*) FROM outbox WHERE payload ->> 'kind' = 'payout_unknown'"
    bank.mood = "take time"
    for hours, questions in ((0, 0), (23, 0), (2, 1), (1, 1)):
        clock.advance(timedelta(hours=hours))
        with pytest.raises(RetryAt):
            await pay(payout_id)
        assert await db.value(asked) == questions
    bank.mood = "pay"
    await pay(payout_id)
    assert await state(db, payout_id) == "paid" and bank.calls == [str(payout_id)]


async def test_a_refused_payout_is_paid_again_by_a_person_with_a_new_key(
    db: Any, bank: Bank
) -> None:
    payout_id, tranche_id = await one_payout(db)
    bank.mood = "refuse"
    await pay(payout_id)
    assert await state(db, payout_id) == "failed"
    bank.mood = "pay"
    assert await settle.pay_again(tranche_id, actor=money.FINANCE) == 2
    with pytest.raises(payouts.PayoutStillLive):
        await settle.pay_again(tranche_id, actor=money.FINANCE)
    second = await db.value("SELECT id FROM payout WHERE attempt = 2")
    await pay(second)
    assert await state(db, second) == "paid" and list(bank.paid) == [str(second)]
    assert await violations() == []


async def test_a_tranche_that_is_not_released_cannot_be_hurried(db: Any) -> None:
    await one_payout(db)
    waiting = await db.value("SELECT id FROM tranche WHERE number = 6")
    with pytest.raises(payouts.TrancheNotReleased):
        await settle.pay_again(waiting, actor=money.FINANCE)
    with pytest.raises(payouts.TrancheMissing):
        await settle.pay_again(uuid7(), actor=money.FINANCE)


async def test_a_changed_account_cools_first(db: Any, bank: Bank) -> None:
    order, po_id = await purchased()
    await db.execute("UPDATE vendor SET account_number = 'AE0002'")
    await accept(order, po_id)
    row = await db.one("SELECT id, not_before, beneficiary_account FROM payout")
    assert row["beneficiary_account"] == "AE0002"
    assert row["not_before"] > now() + timedelta(hours=23)
    assert await db.value(
        "SELECT abs(extract(epoch FROM next_at - $1)) < 1 FROM outbox"
        " WHERE kind = 'finance.pay_tranche'",
        row["not_before"],
    )
    with pytest.raises(RetryAt):
        await pay(row["id"])
    assert bank.calls == []


# --- The bank's webhooks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["processed", "reversed", "processing"]))
)
async def test_paid_is_never_the_last_word_in_whatever_order_it_comes(
    db: Any, bank: Bank, order: tuple[str, ...]
) -> None:
    bank.mood = "take time"
    payout_id, tranche_id = await one_payout(db)
    with pytest.raises(RetryAt):
        await pay(payout_id)
    for status in [*order, order[0]]:
        await money.arrive("bank", money.bank_body(str(payout_id), status))
    assert await state(db, payout_id) == "reversed"
    assert await money.balances() == {"vendor_advance": 200_00, "vendor_payable": -200_00}
    assert await violations() == []
    assert await settle.pay_again(tranche_id, actor=money.FINANCE) == 2


async def test_a_webhook_about_nothing_we_know_waits(db: Any) -> None:
    await money.arrive("bank", money.bank_body("nobody", "processed", "pout_9"))
    assert await db.value("SELECT waits_for FROM inbox") == "payout:nobody"


async def test_money_out_twice_asks_a_person_and_changes_nothing(db: Any, bank: Bank) -> None:
    payout_id, tranche_id = await one_payout(db)
    bank.mood = "refuse"
    await pay(payout_id)
    bank.mood = "pay"
    await settle.pay_again(tranche_id, actor=money.FINANCE)
    await pay(await db.value("SELECT id FROM payout WHERE attempt = 2"))
    await money.arrive("bank", money.bank_body(str(payout_id), "processed"))
    assert await state(db, payout_id) == "failed"
    kinds = await db.rows("SELECT payload ->> 'kind' AS kind FROM outbox WHERE kind LIKE 'help%'")
    assert {row["kind"] for row in kinds} == {"payout_failed", "payout_paid_twice"}
    assert await violations() == []


# --- Guards that hold without our code -----------------------------------------------------------


async def test_an_entry_that_does_not_balance_cannot_be_committed(db: Any) -> None:
    entry = postings.Entry(
        key="bad", memo="bad", occurred_at=now(),
        lines=(postings.Line("bank", "AED", 5, 0), postings.Line("vendor_payable", "AED", 0, 4)),
    )  # fmt: skip
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.post([entry])
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(
            "INSERT INTO journal_entry (id, key, memo, occurred_at) VALUES ($1, 'e', 'e', now())",
            uuid7(),
        )
    assert await db.value("SELECT count(*) FROM journal_entry") == 0


async def test_posting_twice_is_posting_once(db: Any) -> None:
    entry = postings.captured(uuid7(), 5, postings.Origin(currency="AED", occurred_at=now()))
    assert [await ledger.post([entry]), await ledger.post([entry])] == [1, 0]
    assert await db.value("SELECT count(*) FROM journal_line") == 2


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE journal_line SET debit_minor = 1", "append-only"),
        ("DELETE FROM payment_event", "append-only"),
        ("UPDATE tranche SET amount_minor = amount_minor + 1 WHERE number = 6", "tranches are"),
        ("DELETE FROM tranche WHERE number = 6", "tranches are"),
        ("UPDATE purchase_order SET total_minor = 1", "lines are"),
        ("UPDATE tranche SET state = 'waiting', released_at = NULL, decided_on = NULL", "released"),
        ("UPDATE payout SET beneficiary_account = 'AE9999'", "intent"),
        ("UPDATE payout SET amount_minor = 1", "intent"),
    ],
)
async def test_the_database_refuses_to_bend_money(db: Any, statement: str, error: str) -> None:
    order, po_id = await purchased()
    await capture(order)
    await accept(order, po_id)
    with pytest.raises(asyncpg.PostgresError, match=error):
        await db.execute(statement)


async def test_one_tranche_has_one_live_payout_and_none_without_a_release(db: Any) -> None:
    payout_id, _ = await one_payout(db)
    copy = (
        "INSERT INTO payout SELECT (jsonb_populate_record(p, jsonb_build_object("
        "'id', $2::uuid, 'key', $2::text, 'attempt', 2, 'tranche_id', coalesce($3, p.tranche_id)"
        "))).* FROM payout p WHERE id = $1"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="payout_one_live"):
        await db.execute(copy, payout_id, uuid7(), None)
    waiting = await db.value("SELECT id FROM tranche WHERE number = 3")
    with pytest.raises(asyncpg.CheckViolationError, match="not released"):
        await db.execute(copy, payout_id, uuid7(), waiting)


async def test_only_an_accepted_purchase_order_has_releases(db: Any) -> None:
    await purchased()
    with pytest.raises(asyncpg.CheckViolationError, match="accepted"):
        await db.execute(
            "UPDATE tranche SET state = 'released', released_at = now(), decided_on = '{}'"
            " WHERE number = 1"
        )


async def test_the_checks_name_what_is_wrong(db: Any, worker: Any) -> None:
    order, po_id = await purchased()
    await capture(order)
    await accept(order, po_id)
    admin = await asyncpg.connect(worker.servers.database_url(worker.database, "postgres"))
    try:
        await admin.execute(
            "SET session_replication_role = replica;"
            "UPDATE tranche SET amount_minor = amount_minor + 1 WHERE number = 2;"
            "UPDATE tranche SET state = 'released', released_at = now(),"
            " decided_on = (SELECT decided_on FROM tranche WHERE number = 1) WHERE number = 4;"
            "DELETE FROM journal_line WHERE account = 'vendor_payable'"
        )
    finally:
        await admin.close()
    found = await violations()
    assert any("tranches are" in words for words in found), "IM3"
    assert any("V4 was released before 1013" in words for words in found), "IM2"
    assert any("out of balance" in words for words in found), "IM4"
    assert any("the ledger has released" in words for words in found), "IM5"


async def test_a_whole_journey_pays_the_whole_purchase_order(db: Any, bank: Bank) -> None:
    order, po_id = await purchased()
    parcel = order.parcels[0]
    await capture(order)
    await accept(order, po_id)
    await money.make_pod(order, parcel)
    await travel(parcel, 1005, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1014, 1015)
    await money.approve_installation(order, parcel)
    await travel(parcel, 1016, 1018)
    for row in await db.rows("SELECT id FROM payout"):
        await pay(row["id"])
    assert sorted(bank.paid.values()) == [100_00, 100_00, 200_00, 200_00, 200_00, 200_01]
    assert await money.balances() == {
        "gateway_clearing": 200_00, "customer_deposit": -200_00,
        "cost_of_goods": 1000_01, "bank": -1000_01,
    }  # fmt: skip
    assert await violations() == []
    entries = await ledger.entries_of(order.order_id)
    assert len(entries) == 1 + 6 + 3 + 6


async def test_a_payout_begun_by_a_worker_whose_clock_is_wrong_is_asked_for_again_soon(
    db: Any, bank: Bank
) -> None:
    payout_id, _ = await one_payout(db)
    core_clock.set_skew(timedelta(hours=-1))
    try:
        begun = await payouts.begin(payout_id)
    finally:
        core_clock.set_skew(timedelta())
    again = await payouts.begin(payout_id)
    assert begun is not None and begun.age == timedelta()
    assert again is not None and timedelta() <= again.age < timedelta(seconds=5)
