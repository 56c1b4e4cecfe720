"""Where a field worker has to go."""

from __future__ import annotations

from msgspec import Struct


class DoorAddress(Struct):
    """Where to go and whom to call; `lat` and `lng` are null where nobody set a pin."""

    name: str
    phone: str | None
    line1: str
    building: str
    floor: str
    flat: str
    lift: bool | None
    area: str
    city: str
    postcode: str
    lat: float | None
    lng: float | None
    instructions: str
