"""Decisions of picking: when a parcel on the list is late. No I/O."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from doorstep.core.working_time import add_working_hours

PACKED_WITHIN = timedelta(days=1)
"""A parcel is packed within a working day of its coming onto the list."""

EVERY_DAY = range(1, 8)


def late_at(listed_at: datetime, zone: str, working_week: Collection[int]) -> datetime:
    """Tell from when on a parcel is late; `working_week` are the ISO weekdays of its channel."""
    days = {str(day): [("00:00", "24:00")] for day in working_week or EVERY_DAY}
    return add_working_hours(listed_at, PACKED_WITHIN, zone, days)
