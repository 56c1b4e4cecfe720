"""Refunds that a desk has paid itself, kept once each."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.finance import sql

Method = Literal["cash", "bank_transfer"]


class DeskRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money given back outside the gateway; `reference` is its receipt or transfer."""

    id: UUID
    order_id: UUID
    method: Method
    amount_minor: int
    currency: str
    reference: str


async def find(refund_id: UUID) -> DeskRefund | None:
    """Read a refund that was recorded under this id."""
    row = await db.row(sql.DESK_REFUND, refund_id)
    return None if row is None else msgspec.convert(row, DeskRefund)


async def keep(refund: DeskRefund, recorded_by: UUID | None) -> bool:
    """Keep a refund; tells whether neither its id nor its reference was known."""
    added = await db.execute(
        sql.KEEP_DESK_REFUND,
        refund.id,
        refund.order_id,
        refund.method,
        refund.amount_minor,
        refund.currency,
        refund.reference,
        recorded_by,
        now(),
    )
    return bool(added)
