"""Use-cases of privacy: keep that somebody wants to be forgotten, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.privacy import rules

Way = Literal["page", "phone", "mail", "retention"]

# Who asks again, and now gives up what was waited for, is heard; nothing else of a request changes.
ASK = """
INSERT INTO erasure_request AS r (id, customer_id, channel_id, order_id, link_hash, way, recorded_by,
    gives_up_warranty, asked_at, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT (customer_id) DO UPDATE
   SET gives_up_warranty = r.gives_up_warranty OR excluded.gives_up_warranty,
       next_at = CASE WHEN r.state = 'waiting' THEN excluded.next_at ELSE r.next_at END
RETURNING r.id, r.xmax = 0 AS new
"""

# What the time has asked for nobody takes back, and what was carried out neither.
WITHDRAW = """
DELETE FROM erasure_request e USING customer_order o
 WHERE o.id = $1 AND e.customer_id = o.customer_id AND e.state = 'waiting' AND e.way <> 'retention'
"""

DUE = "SELECT id FROM erasure_request WHERE next_at <= $1 AND id > $2 ORDER BY id LIMIT 100"

LOCK = """
SELECT id, customer_id, channel_id, state, gives_up_warranty, asked_at, done_at, erased
  FROM erasure_request WHERE id = $1 FOR UPDATE
"""

WAIT = """
UPDATE erasure_request SET waits_for = $2, looked_at = $3, next_at = $4
 WHERE id = $1 AND state = 'waiting'
"""

DONE = """
UPDATE erasure_request
   SET state = 'done', waits_for = '{}', looked_at = $2, done_at = $2, next_at = $3, erased = $4
 WHERE id = $1 AND state = 'waiting'
"""

SWEPT = """
UPDATE erasure_request SET looked_at = $2, next_at = $3, erased = $4 WHERE id = $1 AND state = 'done'
"""

RETENTION = "SELECT retention_days FROM privacy_rule WHERE channel_id = $1"
DEFAULT_RETENTION_DAYS = 3650

SET_RETENTION = """
INSERT INTO privacy_rule (channel_id, retention_days, set_by, set_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (channel_id) DO UPDATE
   SET retention_days = excluded.retention_days, set_by = excluded.set_by, set_at = excluded.set_at
"""


async def ask(
    customer_id: UUID,
    channel_id: UUID,
    order_id: UUID,
    *,
    way: Way,
    gives_up_warranty: bool,
    link_hash: bytes | None = None,
    recorded_by: UUID | None = None,
) -> tuple[UUID, bool]:
    """Keep that a customer wants to be erased, once however often it is asked.

    Return the request, and whether it is new.
    """
    asked = await db.one(
        ASK, uuid7(), customer_id, channel_id, order_id, link_hash, way, recorded_by,
        gives_up_warranty, now(),
    )  # fmt: skip
    return asked["id"], asked["new"]


async def withdraw(order_id: UUID) -> bool:
    """Forget that an order's customer wants to be erased; False where he does not, or it is done."""
    return bool(await db.execute(WITHDRAW, order_id))


async def due(after: UUID) -> list[UUID]:
    """List the next requests that are to be looked at now, in the order of their ids."""
    return [row["id"] for row in await db.rows(DUE, now(), after)]


async def lock(request_id: UUID) -> dict[str, Any] | None:
    """Read a request and keep it for this transaction."""
    return await db.row(LOCK, request_id)


async def wait(request_id: UUID, reasons: Sequence[str]) -> None:
    """Let a request wait, and say what for."""
    moment = now()
    await db.execute(WAIT, request_id, list(reasons), moment, rules.look_again(reasons, moment))


async def done(request_id: UUID, erased: Mapping[str, int]) -> None:
    """Say that a request was carried out, and how much it has erased of which table."""
    moment = now()
    await db.execute(DONE, request_id, moment, rules.swept_again(moment, moment), dict(erased))


async def swept(request_id: UUID, done_at: datetime, erased: Mapping[str, int]) -> None:
    """Say that what came in after an erasure is erased too, and when it is looked for again."""
    moment = now()
    await db.execute(SWEPT, request_id, moment, rules.swept_again(done_at, moment), dict(erased))


async def retention_days(channel_id: UUID) -> int:
    """Tell how long a channel keeps people, in days from their last order on."""
    return await db.value(RETENTION, channel_id) or DEFAULT_RETENTION_DAYS


async def set_retention(channel_id: UUID, days: int, *, set_by: UUID | None) -> None:
    """Let a channel keep people for so many days after their last order."""
    await db.execute(SET_RETENTION, channel_id, days, set_by, now())
