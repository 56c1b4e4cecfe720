"""What the bank's words make of a payout, in whatever order they come (IM6, fault 6).

The bank may answer late, twice and out of order, and may take money back after days. A word moves
a payout only upward: nothing said → failed → paid → reversed. So every order of the same words
ends the same, and "paid" is never the last word.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

PayoutState = Literal["due", "sending", "unknown", "paid", "failed", "reversed"]

_RANK = {"due": 0, "sending": 0, "unknown": 0, "failed": 1, "paid": 2, "reversed": 3}

LIVE = ("due", "sending", "unknown", "paid")
"""States in which a second payout of the same tranche could pay twice (IM1)."""

KEY_LIFE = timedelta(hours=24)
"""How long the bank remembers a key; afterwards no machine asks to pay with it again (IM6)."""

COOLING = timedelta(hours=24)
"""How long a changed account waits before money goes to it (IM8)."""


def next_state(current: PayoutState, said: str, raw_status: str = "") -> PayoutState:
    """Fold one word of the bank (`processing`, `paid`, `failed`, `unknown`) into the state."""
    heard: PayoutState
    if said == "failed":
        heard = "reversed" if raw_status == "reversed" else "failed"
    elif said == "paid":
        heard = "paid"
    else:
        heard = "sending" if said == "processing" else "unknown"
    if _RANK[heard] > _RANK[current]:
        return heard
    if _RANK[current] == 0 and heard == "unknown" and current == "sending":
        return "unknown"
    if current == "unknown" and heard == "sending":
        return "sending"
    return current


def payout_id(tranche_id: UUID, attempt: int) -> UUID:
    """Name the payout, and with it the bank's key, by tranche and attempt: never drawn anew."""
    return uuid5(tranche_id, f"payout:{attempt}")


def ask_again_in(since_sent: timedelta) -> timedelta:
    """Wait as long again as it took so far, between two seconds and a quarter of an hour."""
    return min(max(since_sent, timedelta(seconds=2)), timedelta(minutes=15))


def not_before(moment: datetime, account_changed_at: datetime | None) -> datetime:
    """Tell when money may go to the account: now, or when a change of it has cooled (IM8)."""
    if account_changed_at is None:
        return moment
    return max(moment, account_changed_at + COOLING)
