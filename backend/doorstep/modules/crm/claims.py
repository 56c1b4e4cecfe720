"""Claims under a warranty: when one may be made, and that it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import NotFound, Refusal


class WarrantyMissing(NotFound):
    """No such warranty, not one of this parcel, or of goods that went back: all look the same."""

    title = "There is no such warranty."


class WarrantyOver(Refusal):
    """The last day of the warranty is past; `ends_on` says which it was."""

    title = "The warranty of this piece is over."


class ClaimStillOpen(Refusal):
    """What was claimed before of this piece is not settled yet."""

    title = "You have told us of this piece already, and we are at it."


def check(warranty: Mapping[str, Any] | None, today: date) -> None:
    """Refuse a claim that cannot be made; `warranty`: (ends_on, claim_open), of the day at its place.

    Raises: WarrantyMissing, WarrantyOver, ClaimStillOpen.
    """
    if warranty is None:
        raise WarrantyMissing
    if warranty["ends_on"] < today:
        raise WarrantyOver(ends_on=warranty["ends_on"].isoformat())
    if warranty["claim_open"]:
        raise ClaimStillOpen


async def keep(
    claim_id: UUID,
    warranty_id: UUID,
    order_id: UUID,
    fulfilment_id: UUID,
    owner_n: int,
    place: str,
) -> None:
    """Write that somebody claims under a warranty; the caller holds the parcel.

    `owner_n`: 0 the order's customer, else a new owner, who says at which `place` the goods are.
    """
    await db.execute(
        "INSERT INTO warranty_claim (id, warranty_id, order_id, fulfilment_id, claimed_at, owner_n)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        claim_id,
        warranty_id,
        order_id,
        fulfilment_id,
        now(),
        owner_n,
    )
    if place:
        await db.execute(
            "INSERT INTO warranty_claim_place (claim_id, order_id, place) VALUES ($1, $2, $3)",
            claim_id,
            order_id,
            place,
        )
