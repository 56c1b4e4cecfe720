"""What must add up after orders were played to their end: orders, goods, money and messages.

Read from the database and from the outside world, never through the code that wrote it. Every
check tells in words what does not add up; nothing is health.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from doorstep.chaos.arena import Arena


class Reckoning(NamedTuple):
    """What was found wrong, and how much there was to find it in."""

    wrong: list[str]
    payouts: int
    messages: int


# A parcel ends at 100 % or in an end that a detour declares.
_UNFINISHED = """
SELECT o.number, f.parcel, f.stage, f.progress, f.state
  FROM customer_order o LEFT JOIN fulfilment f ON f.order_id = o.id
 WHERE f.id IS NULL OR (f.state = 'open' AND f.progress < 100)
"""
_ORDERS = "SELECT count(*) AS n, count(DISTINCT external_id) AS d FROM customer_order"
_LEFT_OVER = "SELECT kind, last_error FROM outbox WHERE dead_at IS NOT NULL"
_ENDED = "SELECT count(*) AS n FROM fulfilment WHERE state <> 'open'"
_TRANCHES = """
SELECT p.number || ' V' || t.number AS reference, p.number AS po,
       (p.total_minor - sum(t.withheld_minor) OVER (PARTITION BY p.id))::bigint AS total_minor,
       t.amount_minor, t.currency, t.state = 'released' AS released,
       NOT EXISTS (SELECT FROM fulfilment f WHERE f.po_id = p.id AND f.progress < 100) AS whole
  FROM purchase_order p JOIN tranche t ON t.po_id = p.id
"""
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
# What can wait until the morning, where it is night now, is not told yet.
_MESSAGES = """
SELECT order_id, fulfilment_id, po_id, problem_id, visit_id, event, attempt, channel, recipient,
       state, provider_id
  FROM message WHERE NOT (state = 'queued' AND send_at > created_at)
"""


async def reckon(arena: Arena, orders: int) -> Reckoning:
    """Check everything that so many orders have left behind."""
    money, payouts = await check_money(arena)
    messages, told = await check_messages(arena)
    wrong = [
        *await check_orders(arena, orders),
        *money,
        *await check_goods(arena),
        *messages,
        *await check_doctor(arena),
    ]
    return Reckoning(wrong, payouts, told)


async def check_orders(arena: Arena, orders: int) -> list[str]:
    """Every order is there once, and every parcel of it has come to an end."""
    [count] = await arena.rows(_ORDERS)
    wrong = [f"There are {count}, not {orders} orders."] if {*count.values()} != {orders} else []
    wrong += [f"Not at its end: {row}" for row in await arena.rows(_UNFINISHED)]
    return wrong + [f"A dead letter: {row}" for row in await arena.rows(_LEFT_OVER)]


async def check_money(arena: Arena) -> tuple[list[str], int]:
    """The bank has paid each tranche that is due once, to the minor unit; tell how many it paid."""
    ledger = await arena.sandbox("/bank/ledger")
    tranches = {row["reference"]: row for row in await arena.rows(_TRANCHES)}
    due = {
        name: row
        for name, row in tranches.items()
        if row["amount_minor"] and (row["released"] or row["whole"])
    }
    paid = Counter(entry["reference"] for entry in ledger["payouts"])
    wrong = [f"The bank paid key {key} {n} times" for key, n in ledger["by_key"].items() if n > 1]
    wrong += [f"{name} is paid {paid[name]} times" for name in due if paid[name] != 1]
    wrong += [f"{name} is paid and not due" for name in paid if name not in due]
    wrong += [
        f"{name} was asked for with {len(keys)} keys"
        for name, keys in ledger["keys_by_reference"].items()
        if len(keys) != 1
    ]
    sums: dict[str, int] = defaultdict(int)
    for entry in ledger["payouts"]:
        row = tranches.get(entry["reference"])
        if row is None or (entry["amount"], entry["currency"]) != (
            row["amount_minor"],
            row["currency"],
        ):
            wrong.append(f"{entry['reference']}: the bank paid {entry}, due was {row}")
            continue
        sums[row["po"]] += entry["amount"]
        if entry["status"] != "processed":
            wrong.append(f"{entry['reference']} is {entry['status']} at the bank")
    totals = {row["po"]: row["total_minor"] for row in tranches.values() if row["whole"]}
    wrong += [
        f"{po}: {sums[po]} of {total} are paid" for po, total in totals.items() if sums[po] != total
    ]
    return wrong, len(ledger["payouts"])


async def check_goods(arena: Arena) -> list[str]:
    """What was received is somewhere, what was ordered is with the customers, nothing is reserved."""
    [ended] = await arena.rows(_ENDED)
    wrong: list[str] = []
    for goods in await arena.rows(_GOODS):
        # What became of the goods of an order that ended before its time, its detour knows.
        delivered = ended["n"] or (goods["with_customers"] or 0) == (goods["ordered"] or 0)
        arrived = ended["n"] or not goods["on_the_road"]
        if goods["somewhere"] != goods["received"] or goods["reserved"] or not delivered:
            wrong.append(f"Goods do not add up: {goods}")
        elif not arrived:
            wrong.append(f"Goods are still on the road: {goods}")
    return wrong


async def check_messages(arena: Arena) -> tuple[list[str], int]:
    """Every message was told once and is known to have been; tell how many arrived."""
    rows = await arena.rows(_MESSAGES)
    wrong = [f"A message is {row['state']}: {row}" for row in rows if row["state"] != "sent"]
    told = Counter(tuple(row[n] for n in row if n not in ("state", "provider_id")) for row in rows)
    wrong += [f"Told {times} times: {cause}" for cause, times in told.items() if times > 1]
    arrived: list[dict[str, Any]] = []
    for recipient in sorted({row["recipient"] for row in rows}):
        arrived += await arena.sandbox("/messages", to=recipient)
    known = Counter(row["provider_id"] for row in rows)
    here = Counter(message["id"] for message in arrived)
    wrong += [f"Message {number} arrived {here[number]} times" for number in here - known]
    wrong += [f"Message {number} never arrived" for number in known - here]
    return wrong, len(arrived)


async def check_doctor(arena: Arena) -> list[str]:
    """`doorstep doctor` finds nothing."""
    status, said = await arena.doctor()
    return [f"doctor: {line}" for line in said.splitlines()] if status else []
