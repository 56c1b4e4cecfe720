"""Reading as a vendor: PostgreSQL itself shows only that vendor's rows (IA2).

The application's own role owns the tables and sees everything. Inside `vendor(...)` the transaction
runs as `doorstep_vendor`, which may only read, only the tables granted to it (130_scm.sql,
150_finance.sql), and of them only the rows of the vendor set here. A WHERE that somebody forgets
shows nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from doorstep.core import db


@asynccontextmanager
async def vendor(vendor_id: UUID | None) -> AsyncIterator[None]:
    """Run the block's statements as this vendor; without a vendor (None) nothing is visible.

    Opens a transaction, or joins the open one and gives it its own role back afterwards. When an
    exception leaves the block, the rollback does that.
    """
    async with db.unit_of_work():
        # Both settings are local to the transaction: the pooled connection keeps nothing of them.
        await db.execute("SELECT set_config('app.vendor_id', $1, true)", str(vendor_id or ""))
        await db.execute("SET LOCAL ROLE doorstep_vendor")
        yield
        await db.execute("SET LOCAL ROLE NONE")
        await db.execute("SELECT set_config('app.vendor_id', '', true)")
