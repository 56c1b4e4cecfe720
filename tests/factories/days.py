"""A day full of work: a job that came through the real doors, copied under other names and ids."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.ids import uuid7

Tamper = Callable[..., Awaitable[None]]

_ORDER = "(SELECT order_id FROM fulfilment WHERE id = $1)"
OF_A_JOB = {
    "address": f"t.id = (SELECT address_id FROM customer_order WHERE id = {_ORDER})",
    "customer_order": f"t.id = {_ORDER}",
    "order_line": f"t.order_id = {_ORDER}",
    "payment_line": f"t.order_id = {_ORDER}",
    "fulfilment": "t.id = $1",
    "fulfilment_line": "t.fulfilment_id = $1",
    "unit": "t.fulfilment_line_id IN (SELECT id FROM fulfilment_line WHERE fulfilment_id = $1)",
    "shipment": "t.fulfilment_id = $1",
    "piece": "t.shipment_id IN (SELECT id FROM shipment WHERE fulfilment_id = $1)",
    "delivery_stop": "t.fulfilment_id = $1 AND t.state = 'open'",
    "visit": "t.fulfilment_id = $1 AND t.state = 'booked'",
    "pick_list": "t.fulfilment_id = $1",
}
"""Table → which of its rows are copied with a fulfilment."""

UNIQUE = re.compile(r"number|external_id|external_ref|label_no|awb|serial|reference")
"""Columns whose text no two rows share."""


async def copy_job(
    tamper: Tamper, parcel: UUID, copies: int, *, called: str, **others: Any
) -> list[UUID]:
    """Copy a job so often: "Somebody 7 Called" at "7 Called Street"; return the new parcels.

    `others` are columns that get another value in whichever table has them.
    """
    rows = {
        table: [
            row["row"]
            for row in await db.rows(
                f"SELECT to_jsonb(t) AS row FROM {table} t WHERE {whose} ORDER BY t.id",
                parcel,
            )
        ]
        for table, whose in OF_A_JOB.items()
    }
    made: list[UUID] = []
    statements: list[str] = []
    for n in range(1, copies + 1):
        ids = {row["id"]: str(uuid7()) for found in rows.values() for row in found}
        made.append(UUID(ids[str(parcel)]))
        for table, found in rows.items():
            new = [_renamed(table, row, n, called) | _given(row, others) for row in found]
            text = msgspec.json.encode(new).decode()
            for old, other in ids.items():
                text = text.replace(old, other)
            statements.append(
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $j${text}$j$)"
            )
    await tamper(*statements)
    return made


def _renamed(table: str, row: dict[str, Any], n: int, called: str) -> dict[str, Any]:
    new = {
        name: f"{value}-{called}-{n}"
        if isinstance(value, str) and UNIQUE.fullmatch(name)
        else value
        for name, value in row.items()
    }
    if table == "address":
        new |= {"name": f"Somebody {n} {called}", "line1": f"{n} {called} Street"}
        new |= {"phone": f"+9715{n:08}", "instructions": f"Ring twice, ask for {called} {n}."}
    if table == "delivery_stop":
        new |= {"position": n + 1}
    if table == "visit":
        month, day = 1 + n // 28, 1 + n % 28
        new |= {"during": f"[2027-{month:02}-{day:02} 06:00+00,2027-{month:02}-{day:02} 08:00+00)"}
    return new


def _given(row: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) for name, value in others.items() if name in row}
