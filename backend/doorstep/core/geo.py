"""Distances on the earth."""

from __future__ import annotations

import math

EARTH_RADIUS_M = 6_371_000


def metres_between(lat: float, lng: float, other_lat: float, other_lng: float) -> float:
    """Measure along the ground between two places in degrees (haversine)."""
    here, there = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((there - here) / 2) ** 2
        + math.cos(here) * math.cos(there) * math.sin(math.radians(other_lng - lng) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))
