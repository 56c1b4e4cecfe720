"""Decisions of earnings: who can earn by what, what an hour makes, where a line follows. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, get_args
from uuid import UUID

Kind = Literal["delivery", "failed_attempt", "pickup", "installation", "failed_visit", "shift_hour"]
"""`pickup`: a manifest that was taken over; `shift_hour`: everybody who worked a shift, by its end. The door
or the visit earns whoever has captured its end."""

Reason = Literal["done", "not_accepted", "replaced", "decided", "given_back"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_ROAD: Sequence[Kind] = ("delivery", "failed_attempt", "pickup", "shift_hour")
_AT_DOORS: Sequence[Kind] = ("delivery", "failed_attempt")
KINDS_OF: Mapping[str, Sequence[Kind]] = {
    "courier": _ROAD,
    "delivery": _ROAD,
    "store": _AT_DOORS,
    "vendor_store": _AT_DOORS,
    "technician": ("installation", "failed_visit", "shift_hour"),
}
"""Role → the kinds of work that it does."""

LOOKS_BACK = timedelta(days=62)
"""How far back the first rate of a kind may begin: what was earned by it then follows."""


def told_since(today: date) -> date:
    """Tell from which day on a person reads what was earned: this week and the one before."""
    return today - timedelta(days=today.weekday() + 7)


class Work(NamedTuple):
    """A finished piece of work of a person, and what it earns by the rate that held.

    `earns` is false where it does not count, now or any more; `why` says then why not, or by whose
    word it does. `last_n` and `last_minor` are its newest line. `rate_minor` is of one piece or hour.
    """

    event_id: UUID
    kind: Kind
    person_id: UUID
    channel_id: UUID
    order_id: UUID | None
    number: str
    currency: str
    minutes: int | None
    worked_at: datetime
    worked_on: date
    earns: bool
    why: Reason
    words: str
    rate_id: UUID | None
    rate_minor: int
    last_n: int
    last_minor: int
    last_rate_id: UUID | None


class Line(NamedTuple):
    """What is to be written for a piece of work."""

    n: int
    amount_minor: int
    reason: Reason
    rate_id: UUID


def amount(rate_minor: int, minutes: int | None) -> int:
    """Tell what a piece of work earns; hours by the minute, halves of a minor unit up."""
    return rate_minor if minutes is None else (rate_minor * minutes + 30) // 60


def next_line(work: Work) -> Line | None:
    """Tell which line follows for a piece of work, if one does: each takes back the one before.

    Work without a rate earns nothing and has no line; what a rate was when its first line was made
    stays.
    """
    stands = work.last_n % 2 == 1
    if work.earns == stands:
        return None
    if work.last_rate_id is not None:
        reason = work.why if stands or work.why == "decided" else "given_back"
        return Line(work.last_n + 1, -work.last_minor, reason, work.last_rate_id)
    earned = amount(work.rate_minor, work.minutes)
    if work.rate_id is None or earned == 0:
        return None
    return Line(1, earned, work.why, work.rate_id)
