"""How a stock adjustment is told, on the floor and at the desks."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from doorstep.core.errors import EventIdReused
from doorstep.flows import adjust, announce
from doorstep.modules.wms.service import adjustments
from doorstep.modules.wms.service.shelf_changes import SerialsNotHere, StockPromised


class AdjustmentOut(Struct):
    """A stock adjustment: approved (booked), proposed (waits for a second person) or rejected."""

    id: UUID
    state: str
    why: str
    quantity: int
    grade: str
    to_grade: str | None
    serials: list[str]


PROPOSAL_REFUSALS = (
    announce.LocationMissing,
    announce.ProductUnknown,
    announce.VendorUnknown,
    adjust.NothingAdjusted,
    adjustments.SerialsNeeded,
    adjustments.NotARegrade,
    StockPromised,
    SerialsNotHere,
    EventIdReused,
)
"""How a proposal may be refused."""


def told(adjustment: adjustments.Adjustment) -> AdjustmentOut:
    """Turn an adjustment into what a client reads."""
    return AdjustmentOut(
        adjustment.id,
        adjustment.state,
        adjustment.why,
        adjustment.quantity,
        adjustment.grade,
        adjustment.to_grade,
        adjustment.serials,
    )
