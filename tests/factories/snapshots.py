"""What the database holds, in forms that two moments or two runs can be compared by."""

from __future__ import annotations

from typing import Any

from doorstep.core import db

EFFECTS = (
    "stock", "stock_movement", "reservation", "unit", "pick_list", "package", "shipment", "piece",
    "journal_entry", "journal_line", "payment_line", "payment_event", "purchase_order", "po_line",
    "tranche", "payout", "message", "problem", "handover_code", "visit", "feedback", "warranty",
    "order_document", "customer_order", "fulfilment_line", "cash_count", "cash_count_line",
    "visit_extra", "extra_receipt", "extra_tender", "cash_count_extra",
)  # fmt: skip
"""Tables in which a step that is done twice must leave nothing more than done once."""

ARRIVALS = ("inbox.handle", "flows.evaluate_scans", "flows.blob_verified", "flows.verify_payment")
"""Jobs that only look at what has come in; looking twice is allowed, acting twice is not."""

FLEETING = frozenset(
    {"session", "session_token", "device", "idempotency_key", "outgoing_call", "sync_health"}
)
"""Tables that say who was here, not what was done."""


async def effects() -> dict[str, list[str]]:
    """Copy every row of the effect tables, every stage passed and every job that acts."""
    found = {name: await rows_of(name) for name in EFFECTS}
    found["stages"] = await _rows(
        "SELECT format('%s %s %s', fulfilment_id, stage, how) AS row FROM journey_event"
        " WHERE kind = 'stage'"
    )
    found["outbox"] = await _rows(
        "SELECT format('%s %s %s', id, kind, key) AS row FROM outbox WHERE kind <> ALL ($1)",
        list(ARRIVALS),
    )
    return found


async def everything() -> dict[str, list[str]]:
    """Copy every row of every table, except who was here."""
    names = await db.rows(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1"
    )
    return {
        row["relname"]: await rows_of(row["relname"])
        for row in names
        if row["relname"] not in FLEETING
    }


async def rows_of(table: str) -> list[str]:
    """Copy every row of a table as text."""
    return await _rows(f'SELECT t::text AS row FROM "{table}" t')


async def _rows(sql: str, *arguments: Any) -> list[str]:
    return sorted(row["row"] for row in await db.rows(sql, *arguments))


OUTCOME = {
    "stages": "SELECT f.parcel, array_agg(DISTINCT s ORDER BY s)::text AS passed, f.progress,"
    " f.state FROM fulfilment f, unnest(f.passed) s GROUP BY f.id",
    "stock": "SELECT l.code, p.sku, s.on_hand, s.held, s.allocated FROM stock s"
    " JOIN location l ON l.id = s.location_id JOIN product p ON p.id = s.product_id",
    "movements": "SELECT l.code, p.sku, m.reason, m.quantity FROM stock_movement m"
    " JOIN stock s ON s.id = m.stock_id JOIN location l ON l.id = s.location_id"
    " JOIN product p ON p.id = s.product_id",
    "reservations": "SELECT state, quantity FROM reservation",
    "units": "SELECT state, count(*) FROM unit GROUP BY state",
    "accounts": "SELECT account, currency, sum(debit_minor - credit_minor)::bigint FROM journal_line"
    " GROUP BY account, currency HAVING sum(debit_minor - credit_minor) <> 0",
    # What is released after the goods were received was never an advance, and needs no receipt.
    "entries": "SELECT split_part(key, ':', 1) AS kind, count(*) FROM journal_entry"
    " WHERE key NOT LIKE 'receipt:%' GROUP BY 1",
    "payments": "SELECT state, amount_minor, captured_minor FROM payment_line",
    "purchase orders": "SELECT state, total_minor FROM purchase_order",
    "tranches": "SELECT number, state, amount_minor FROM tranche",
    "payouts": "SELECT t.number, x.attempt, x.amount_minor, x.state FROM payout x"
    " JOIN tranche t ON t.id = x.tranche_id",
    "warranties": "SELECT state, count(*) FROM warranty GROUP BY state",
    "inbox": "SELECT source, state, count(*) FROM inbox GROUP BY 1, 2",
    "unfinished": "SELECT kind, last_error FROM outbox WHERE done_at IS NULL",
    "problems": "SELECT kind FROM problem",
}


async def outcome(*without: str) -> dict[str, list[str]]:
    """Describe where everything has ended, without ids and times: two runs can be compared."""
    return {
        name: await _rows(f"SELECT t::text AS row FROM ({sql}) t")
        for name, sql in OUTCOME.items()
        if name not in without
    }
