"""How a tranche is told: to the vendor and to finance in the same words."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class TrancheOut(Struct, kw_only=True):
    """A part of a purchase order. `reason` says in words why it stands where it stands.

    `amount_minor` is what is paid; `withheld_minor` was for goods that did not stay.

    `state`: waiting, eligible (its condition is met, the acceptance is not), released, held.
    `payout_state` of its newest payout: due, sending, unknown, paid, failed, reversed, or null.
    """

    id: UUID
    number: int
    percent: int
    amount_minor: int
    withheld_minor: int
    currency: str
    state: str
    reason: str
    eligible_at: datetime | None
    released_at: datetime | None
    payout_id: UUID | None
    payout_attempt: int | None
    payout_state: str | None
    payout_reason: str | None
    payout_bank_ref: str | None
    payout_answered_at: datetime | None
