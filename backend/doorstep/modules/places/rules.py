"""When a place may be kept, for how long, and how roughly it is told again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

KEPT_DAYS = 60
KEPT_FOR = timedelta(days=KEPT_DAYS)
"""Location is kept for 60 days (reliability 5.3)."""

LONGEST_DUTY = timedelta(hours=24)
"""Work that nobody has ended does not let a phone be followed for ever."""

SETTLES = timedelta(minutes=10)
"""So long after its end an hour is told to its person: the last of it is in by then."""

METRES_PER_DEGREE = 111_320

DutyKind = Literal["shift", "run", "visit"]


@dataclass(frozen=True, slots=True)
class Duty:
    """Work during which its person's place is recorded; `ends` None while it goes on."""

    kind: DutyKind
    id: UUID
    begins: datetime
    ends: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Tell whether the moment lies in it: from the beginning to its end, a day at most."""
        last = self.begins + LONGEST_DUTY
        return self.begins <= moment <= (last if self.ends is None else min(last, self.ends))


def duty_at(moment: datetime, duties: Iterable[Duty]) -> Duty | None:
    """Find the work that a moment belongs to."""
    return next((duty for duty in duties if duty.covers(moment)), None)


def told_until(moment: datetime) -> datetime:
    """Tell up to when hours are over and told, so that what is told changes once an hour."""
    return (moment - SETTLES).replace(minute=0, second=0, microsecond=0)


class Area(NamedTuple):
    """About where: within `radius_km` of a point that is rounded to about a kilometre."""

    lat: float
    lng: float
    radius_km: int


def roughly(south: float, west: float, north: float, east: float) -> Area:
    """Tell the smallest round area about a point that holds a rectangle."""
    lat, lng = (south + north) / 2, (west + east) / 2
    up = (north - south) / 2 * METRES_PER_DEGREE
    across = (east - west) / 2 * METRES_PER_DEGREE * math.cos(math.radians(lat))
    # Rounding the point moves it by up to 0.8 km.
    return Area(round(lat, 2), round(lng, 2), math.ceil((math.hypot(up, across) + 800) / 1000))
