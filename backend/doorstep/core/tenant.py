"""Reading as a vendor or as the holder of an order's link: PostgreSQL itself shows no other rows.

The application's own role owns the tables and sees everything. Inside `vendor(...)` the transaction
runs as `doorstep_vendor`, which may only read, only the tables granted to it (130_scm.sql,
150_finance.sql), and of them only the rows of the vendor set here (IA2). Inside `customer(...)` it
runs as `doorstep_customer`, with the rows of one order (210_customer_role.sql, IA1). A WHERE that
somebody forgets shows nothing more.
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


ENTER = """
SELECT set_config('app.link_order', $1, true), set_config('app.link_signed_in', $2, true),
       set_config('role', 'doorstep_customer', true)
"""
LEAVE = """
SELECT set_config('role', 'none', true), set_config('app.link_order', '', true),
       set_config('app.link_signed_in', '', true)
"""


@asynccontextmanager
async def customer(order_id: UUID, *, signed_in: bool) -> AsyncIterator[None]:
    """Run the block's statements as the holder of an order's link, who may only read it.

    Names, addresses and papers are there only for one who has signed in with a code. Opens a
    transaction, or joins the open one and gives it its own role back afterwards.
    """
    async with db.unit_of_work():
        # One round trip; all of it is local to the transaction.
        await db.execute(ENTER, str(order_id), "yes" if signed_in else "")
        yield
        await db.execute(LEAVE)
