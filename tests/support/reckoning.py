"""What must add up after orders were played to their end: goods, money and messages.

Read from the database and from the outside world, never through the code that wrote it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tests.support.whole_stack import WholeStack

_UNFINISHED = """
SELECT o.number, f.parcel, f.stage, f.progress, f.state
  FROM customer_order o LEFT JOIN fulfilment f ON f.order_id = o.id
 WHERE f.progress IS DISTINCT FROM 100 OR f.state <> 'open'
"""
_TRANCHES = """
SELECT p.number || ' V' || t.number AS reference, p.number AS po, t.amount_minor, t.currency
  FROM purchase_order p JOIN tranche t ON t.po_id = p.id
"""
_TOTALS = "SELECT number AS po, total_minor FROM purchase_order"
# Goods neither appear nor vanish: what was received stands somewhere, and what orders asked for
# stands with the customers, in every market by itself.
_GOODS = """
SELECT l.channel_id, s.product_id, s.owner_id,
       sum(s.on_hand) AS somewhere, sum(s.held + s.allocated) AS reserved,
       sum(s.on_hand) FILTER (WHERE l.kind = 'customer') AS with_customers,
       sum(s.on_hand) FILTER (WHERE l.kind = 'carrier') AS on_the_road,
       (SELECT sum(m.quantity) FROM stock_movement m JOIN stock x ON x.id = m.stock_id
         JOIN location y ON y.id = x.location_id
         WHERE m.reason = 'receive' AND y.channel_id = l.channel_id
           AND x.product_id = s.product_id AND x.owner_id IS NOT DISTINCT FROM s.owner_id) AS received,
       (SELECT sum(fl.quantity) FROM fulfilment_line fl JOIN fulfilment f ON f.id = fl.fulfilment_id
         WHERE f.channel_id = l.channel_id AND fl.product_id = s.product_id
           AND f.owner_id IS NOT DISTINCT FROM s.owner_id) AS ordered
  FROM stock s JOIN location l ON l.id = s.location_id
 GROUP BY l.channel_id, s.product_id, s.owner_id
"""
_MESSAGES = """
SELECT order_id, fulfilment_id, po_id, event, attempt, channel, recipient, state, provider_id
  FROM message
"""
_LEFT_OVER = "SELECT kind, last_error FROM outbox WHERE dead_at IS NOT NULL"


async def check_orders(stack: WholeStack, orders: int) -> None:
    """Every order is there once, and every parcel of it has gone the whole way."""
    count = await stack.rows(
        "SELECT count(*) AS n, count(DISTINCT external_id) AS d FROM customer_order"
    )
    assert count == [{"n": orders, "d": orders}]
    assert await stack.rows(_UNFINISHED) == []
    assert await stack.rows(_LEFT_OVER) == []


async def check_money(stack: WholeStack) -> int:
    """The bank has paid each tranche once, to the minor unit; return how many payouts it made."""
    ledger = await stack.sandbox("/bank/ledger")
    tranches = {row["reference"]: row for row in await stack.rows(_TRANCHES)}
    due = {name: row for name, row in tranches.items() if row["amount_minor"]}
    paid = {entry["reference"]: entry for entry in ledger["payouts"]}

    assert set(ledger["by_key"].values()) <= {1}
    assert {reference: len(keys) for reference, keys in ledger["keys_by_reference"].items()} == (
        dict.fromkeys(due, 1)
    )
    assert {name: (entry["amount"], entry["currency"]) for name, entry in paid.items()} == {
        name: (row["amount_minor"], row["currency"]) for name, row in due.items()
    }
    assert {entry["status"] for entry in ledger["payouts"]} <= {"processed"}
    sums: dict[str, int] = defaultdict(int)
    for name, entry in paid.items():
        sums[tranches[name]["po"]] += entry["amount"]
    assert sums == {row["po"]: row["total_minor"] for row in await stack.rows(_TOTALS)}
    return len(ledger["payouts"])


async def check_goods(stack: WholeStack) -> None:
    """What was received is somewhere, what was ordered is with the customers, nothing is reserved."""
    for goods in await stack.rows(_GOODS):
        assert goods["somewhere"] == goods["received"], goods
        assert goods["reserved"] == 0, goods
        assert (goods["with_customers"] or 0) == (goods["ordered"] or 0), goods
        assert not goods["on_the_road"], goods


async def check_messages(stack: WholeStack) -> int:
    """Every message was told once and is known to have been; return how many there are."""
    rows = await stack.rows(_MESSAGES)
    assert {row["state"] for row in rows} <= {"sent"}
    told = Counter(tuple(row[n] for n in row if n not in ("state", "provider_id")) for row in rows)
    assert [cause for cause, times in told.items() if times > 1] == []
    arrived: list[dict[str, Any]] = []
    for recipient in {row["recipient"] for row in rows}:
        arrived += await stack.sandbox("/messages", to=recipient)
    assert Counter(m["id"] for m in arrived) == Counter(row["provider_id"] for row in rows)
    return len(arrived)


async def check_doctor(stack: WholeStack) -> None:
    """`doorstep doctor` finds nothing."""
    status, said = await stack.doctor()
    assert status == 0, said
