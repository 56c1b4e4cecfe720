"""Decisions about erasure: what it waits for, and when it is looked at again. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

WaitsFor = Literal["order", "money", "case", "warranty", "work"]

WORDS: dict[WaitsFor, str] = {
    "order": "An order is under way, or can still be given back.",
    "money": "Money is not settled.",
    "case": "A question, claim or return is open.",
    "warranty": "A warranty runs, and was not given up.",
    "work": "Something of an order is just being sent or worked on.",
}
"""What an erasure waits for, as a desk reads it."""

LOOK_AGAIN = timedelta(hours=6)
LOOK_SOON = timedelta(minutes=10)
"""So often a request that waits is looked at; soon, when only a job is still at work."""

SWEEP_AGAIN = timedelta(days=1)
SWEPT_FOR = timedelta(days=90)
"""Phones may come back after weeks, and webhooks are kept for so long: what they bring goes too."""


def waits(
    found: Collection[WaitsFor],
    *,
    gives_up_warranty: bool,
    last_order_at: datetime,
    retention_days: int,
    at: datetime,
) -> list[WaitsFor]:
    """Say what an erasure waits for, in the order of WORDS; nothing once the legal time is over.

    A warranty that was given up is not waited for.
    """
    if retention_over(last_order_at, retention_days, at):
        return []
    return [
        reason
        for reason in get_args(WaitsFor)
        if reason in found and not (reason == "warranty" and gives_up_warranty)
    ]


def look_again(reasons: Sequence[str], at: datetime) -> datetime:
    """Say when a request that waits for these is looked at again."""
    return at + (LOOK_SOON if list(reasons) == ["work"] else LOOK_AGAIN)


def retention_over(last_order_at: datetime, retention_days: int, at: datetime) -> bool:
    """Tell whether a customer's newest order is older than the channel keeps people."""
    return at >= last_order_at + timedelta(days=retention_days)


def swept_again(done_at: datetime, at: datetime) -> datetime | None:
    """Say when what came in after an erasure is looked for again; None once nothing comes any more."""
    return at + SWEEP_AGAIN if at < done_at + SWEPT_FOR else None
