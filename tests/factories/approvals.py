"""What waits for an approval, and what its desks say of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from doorstep.core import db
from doorstep.core.ids import uuid7
from tests.factories.company import Company

MANY = ("MIX-500", 11)
"""More of a SKU than the default policy lets pass: the reservation waits."""


async def waiting(order_id: UUID, kind: str) -> UUID:
    """Find what waits of an order."""
    found: UUID = (
        await db.one(
            "SELECT id FROM approval WHERE order_id = $1 AND kind = $2 AND verdict = 'waiting'",
            order_id,
            kind,
        )
    )["id"]
    return found


async def say(
    company: Company, who: str, verdict: str, approval_id: UUID, **body: Any
) -> httpx.Response:
    """Approve or reject as somebody of this role, and let follow what follows."""
    word = {"event_id": uuid7(), "reason": "seen both forms"} | body
    answer = await company.send(who, f"/console/approvals/{approval_id}/{verdict}", word)
    await company.work()
    return answer


async def verdicts(order_id: UUID) -> list[tuple[str, str, str]]:
    """List (kind, verdict, decided) of an order, in the order of writing."""
    rows = await db.rows(
        "SELECT kind, verdict, decided FROM approval WHERE order_id = $1 ORDER BY decided_at, id",
        order_id,
    )
    return [(row["kind"], row["verdict"], row["decided"]) for row in rows]


async def open_waits(order_id: UUID) -> list[str]:
    """List the reasons of the detours `approval_waiting` that are open."""
    rows = await db.rows(
        "SELECT reason FROM detour_case WHERE order_id = $1 AND kind = 'approval_waiting'"
        " AND closed_at IS NULL",
        order_id,
    )
    return [row["reason"] for row in rows]


async def open_problems(order_id: UUID) -> list[str]:
    """List the kinds of the order's open problems."""
    rows = await db.rows(
        "SELECT kind FROM problem WHERE order_id = $1 AND closed_at IS NULL ORDER BY kind", order_id
    )
    return [row["kind"] for row in rows]
