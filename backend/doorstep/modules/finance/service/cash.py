"""Cash from the door: taken by couriers, then counted once at the desk (IM9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that was taken: at a door with goods, or at a visit for extras.

    `taken_id` is the proof of delivery that tells of it, or the receipt.
    """

    at: Literal["door", "visit"]
    taken_id: UUID
    n: int
    order_id: UUID
    amount_minor: int
    currency: str


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk counted, and for which stops."""

    id: UUID
    run_id: UUID | None
    shift_id: UUID | None
    currency: str
    counted_minor: int
    note: str
    counted_by: UUID
    tenders: tuple[Tender, ...]

    @property
    def expected_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.tenders)


async def post_taken(tenders: Sequence[Tender]) -> None:
    """Post the cash that a courier took at doors: it is ours from there on, and not yet counted.

    That of a visit is posted with its receipt.
    """
    moment = now()
    await ledger.post(
        [
            postings.tender_taken(
                tender.taken_id,
                tender.n,
                tender.amount_minor,
                postings.Origin(
                    currency=tender.currency, occurred_at=moment, order_id=tender.order_id
                ),
            )
            for tender in tenders
            if tender.at == "door"
        ]
    )


async def find_count(count_id: UUID) -> dict[str, Any] | None:
    """Read a count that was recorded before under this id."""
    return await db.row(sql.CASH_COUNT, count_id)


async def record_count(count: Count) -> None:
    """Keep what was counted and post it; a difference is posted, never edited away (IM9)."""
    await post_taken(count.tenders)
    await db.execute(
        sql.RECORD_CASH_COUNT,
        count.id,
        count.run_id,
        count.shift_id,
        count.currency,
        count.expected_minor,
        count.counted_minor,
        count.note,
        count.counted_by,
        now(),
    )
    for at, statement in sql.RECORD_CASH_OF.items():
        tenders = [tender for tender in count.tenders if tender.at == at]
        await db.execute(
            statement,
            count.id,
            [tender.taken_id for tender in tenders],
            [tender.n for tender in tenders],
            [tender.order_id for tender in tenders],
            [tender.amount_minor for tender in tenders],
        )
    origin = postings.Origin(currency=count.currency, occurred_at=now())
    await ledger.post(
        [postings.cash_counted(count.id, count.expected_minor, count.counted_minor, origin)]
    )
