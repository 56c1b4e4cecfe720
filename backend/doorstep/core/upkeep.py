"""Forgets what has served: old rows of outbox, inbox and idempotency keys, and what phones had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.jobs import recurring

BATCH = 5_000

# A keyed row also keeps a second one from being added, so it stays longer.
_PRUNED = {
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox"
    " WHERE done_at < $1 AND key IS NULL LIMIT $2)": timedelta(days=7),
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE done_at < $1 LIMIT $2)": timedelta(
        days=90
    ),
    "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE done_at < $1 LIMIT $2)": timedelta(
        days=90
    ),
    "DELETE FROM idempotency_key WHERE (scope, key) IN (SELECT scope, key FROM idempotency_key"
    " WHERE created_at < $1 LIMIT $2)": timedelta(days=30),
    # A phone that was away for longer gets everything anew.
    "DELETE FROM pull_state WHERE (device_id, cursor) IN (SELECT device_id, cursor FROM pull_state"
    " WHERE made_at < $1 LIMIT $2)": timedelta(days=7),
}


@recurring("core.prune", every=3600, timeout=120)
async def prune(_payload: dict[str, Any]) -> None:
    """Delete rows past their time, in batches, so that no other statement waits long.

    Dead letters, waiting messages and problems are never deleted.
    """
    for statement, kept_for in _PRUNED.items():
        while await db.execute(statement, now() - kept_for, BATCH) == BATCH:
            pass
