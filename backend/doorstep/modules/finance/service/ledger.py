"""The double-entry ledger: posting, and reading what was posted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules.postings import Entry


async def post(entries: Sequence[Entry]) -> int:
    """Write entries into the ledger in one statement; those whose key is known change nothing.

    Returns how many were new. That each balances is checked by the database at COMMIT (IM4).
    """
    if not entries:
        return 0
    written: int = await db.value(sql.POST, msgspec.to_builtins(entries))
    return written


async def entries_of(order_id: UUID) -> list[dict[str, Any]]:
    """Read every entry that belongs to an order or its purchase orders, oldest first."""
    return await db.rows(sql.LEDGER_OF_ORDER, order_id)
