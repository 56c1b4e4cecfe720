"""Distances and steps on the earth."""

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


def moved(lat: float, lng: float, *, north_m: float, east_m: float) -> tuple[float, float]:
    """Go so many metres from a place in degrees; steps are small against the earth.

    Nobody goes past a pole; past 180° the count goes on from the other side.
    """
    there = max(-90.0, min(90.0, lat + math.degrees(north_m / EARTH_RADIUS_M)))
    # At a pole itself every step leads south.
    around = EARTH_RADIUS_M * max(math.cos(math.radians(lat)), 1e-9)
    return there, (lng + math.degrees(east_m / around) + 180.0) % 360.0 - 180.0


def offset(lat: float, lng: float, to_lat: float, to_lng: float) -> tuple[float, float]:
    """Tell how many metres to the north and to the east a near place lies."""
    east = (to_lng - lng + 180.0) % 360.0 - 180.0
    return (
        math.radians(to_lat - lat) * EARTH_RADIUS_M,
        math.radians(east) * EARTH_RADIUS_M * math.cos(math.radians(lat)),
    )
