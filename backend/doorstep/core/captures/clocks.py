"""When a capture was made, as far as the server can know it (IC6).

A phone's wall clock can be set; its monotonic clock cannot, and together with the last word of the
server it says when something was captured at the earliest. Nobody orders by it or pays by it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

TOLERANCE = timedelta(minutes=5)
"""A wall clock that is off by less is not worth a word."""

DRIFT = 0.0005
"""How much faster than ours a phone's monotonic clock may run."""

ANSWER = timedelta(seconds=30)
"""How long an answer with the server's time may have been on its way."""

BACKDATED, POSTDATED = "backdated", "postdated"


class Interval(NamedTuple):
    """The capture was made neither before nor after."""

    earliest: datetime
    latest: datetime


def interval(
    mono_ms: int,
    server_at: datetime | None,
    server_mono_ms: int | None,
    *,
    not_before: datetime,
    received_at: datetime,
) -> Interval:
    """Tell in which time something was captured that the server has now.

    `server_at` was heard at `server_mono_ms` of the clock that shows `mono_ms` at the capture.
    `not_before` is known otherwise: the device was enrolled, an earlier event of it was captured.
    A monotonic clock may stand still while the phone sleeps, so it bounds from below only; what
    the phone says the server has said counts only where it is possible.
    """
    earliest, latest = min(not_before, received_at), received_at
    if server_at is None or server_mono_ms is None or server_at > received_at:
        return Interval(earliest, latest)
    since = timedelta(milliseconds=mono_ms - server_mono_ms) * (1 - DRIFT)
    if since >= timedelta():
        if server_at + since <= received_at:
            earliest = max(earliest, server_at + since)
    else:
        latest = max(earliest, min(latest, server_at + since + ANSWER))
    return Interval(earliest, latest)


def flag(captured_at: datetime, within: Interval) -> str | None:
    """Name a wall clock that was far outside of what is possible."""
    if captured_at < within.earliest - TOLERANCE:
        return BACKDATED
    if captured_at > within.latest + TOLERANCE:
        return POSTDATED
    return None
