"""Pure decisions about a message on its way: when it may go out, what a report changes, what comes next."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

State = Literal[
    "standby", "queued", "sending", "sent_unknown", "sent", "delivered", "read", "failed", "skipped"
]

ARRIVED = frozenset({"delivered", "read"})
_PROGRESS = {
    "queued": 0,
    "sending": 1,
    "sent_unknown": 2,
    "sent": 3,
    "failed": 4,
    "delivered": 5,
    "read": 6,
}
"""A report moves a message only upwards, so that any order of reports ends in the same state."""

MOST_SENDS = 6
"""How often a message is handed over again while nobody can say whether it was taken."""


class Quiet(NamedTuple):
    """The hours at which somebody is left in peace, on the clock of his zone."""

    zone: str
    since: time
    until: time


def quiet_until(moment: datetime, quiet: Quiet) -> datetime | None:
    """Tell when the quiet hours end that `moment` (UTC) falls into; None outside of them.

    They may go over midnight. On the two days of the year on which clocks change, the clock on the
    wall counts.
    """
    zone = ZoneInfo(quiet.zone)
    here = moment.astimezone(zone)
    clock = here.time()
    over_midnight = quiet.since >= quiet.until
    if quiet.since == quiet.until:
        return None
    inside = (
        clock >= quiet.since or clock < quiet.until
        if over_midnight
        else quiet.since <= clock < quiet.until
    )
    if not inside:
        return None
    day = here.date() + timedelta(days=1 if over_midnight and clock >= quiet.since else 0)
    end = datetime.combine(day, quiet.until, zone).astimezone(moment.tzinfo)
    if end <= moment:
        # The hour of the end comes twice tonight, and this is its second time.
        end = datetime.combine(day, quiet.until, zone).replace(fold=1).astimezone(moment.tzinfo)
    return end


def after_report(state: State, means: str) -> State:
    """Tell in which state a message is after a report: never less far than before."""
    if means == "nothing" or state in ("standby", "skipped"):
        return state
    if (state, means) == ("queued", "failed"):
        return state  # About an earlier send; it is on its way to be sent again.
    told = _PROGRESS.get(means, -1)
    return means if told > _PROGRESS[state] else state  # type: ignore[return-value]


NextStep = Literal["nothing", "wait", "next", "again", "give_up"]


class Standing(NamedTuple):
    """How a message stands when its time for a receipt is over, or may be."""

    state: State
    overdue: bool
    has_next: bool
    followed: bool
    """The next channel has been used already."""
    may_repeat: bool
    """A repeat does no harm, or a loss would do more."""
    sends: int


def follow_up(message: Standing) -> NextStep:
    """Decide what happens to a message of which no receipt has come.

    The next channel is used once. A message whose fate nobody knows is sent again only where there is
    no other channel and it must not be lost.
    """
    if message.followed or message.state in ("delivered", "read", "skipped", "standby"):
        return "nothing"
    if message.state == "failed":
        return "next" if message.has_next else "nothing"
    if not message.overdue or message.state == "sending":
        return "wait"
    if message.has_next:
        return "next"
    if message.state == "sent_unknown":
        return "again" if message.may_repeat and message.sends < MOST_SENDS else "give_up"
    return "nothing"
