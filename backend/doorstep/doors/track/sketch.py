"""A sketch of where the door is said to be: rings of distance, the pin, and the place before it. Pure.

It has no streets: those are in the maps of the customer's own phone, which the page opens at the pin.
"""

from __future__ import annotations

from typing import NamedTuple

from doorstep.core import geo
from doorstep.modules.crm.addresses import AddressPin

REACHES_M = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 25_000)
"""How far a sketch reaches from its middle, in metres; the last is beyond what a pin may be moved."""

STEPS_M = (20, 100)
"""How far one press moves the pin: across a house, across a block."""

WAYS = {"north": (1, 0), "south": (-1, 0), "east": (0, 1), "west": (0, -1)}
"""Where a press moves it to: north and east count up."""

HALF = 100
"""Units of the drawing from its middle to its side."""


class Sketch(NamedTuple):
    """What is drawn: `reach_m` and `ring_m` in metres, the rest in units of the drawing.

    `before` is where the saved pin lies (x to the east, y to the south), None where it is the pin
    itself or there is none. `around` is how far the phone that told the place may be wrong.
    """

    pin: AddressPin
    reach_m: int
    ring_m: int
    before: tuple[float, float] | None
    around: float


def draw(pin: AddressPin, saved: AddressPin | None, around_m: float = 0) -> Sketch:
    """Lay the pin into the middle, and whatever else is known around it, as large as there is room."""
    north, east = geo.offset(pin.lat, pin.lng, saved.lat, saved.lng) if saved else (0.0, 0.0)
    far = max(abs(north), abs(east), around_m) * 1.1
    reach = next((one for one in REACHES_M if one >= far), REACHES_M[-1])
    unit = HALF / reach
    before = (round(east * unit, 1), round(-north * unit, 1))
    shown = saved is not None and saved != pin and max(map(abs, before)) <= HALF
    return Sketch(pin, reach, reach // 2, before if shown else None, round(around_m * unit, 1))


def step(pin: AddressPin, way: str, metres: int) -> AddressPin:
    """Move the pin by one press."""
    north, east = WAYS[way]
    lat, lng = geo.moved(pin.lat, pin.lng, north_m=north * metres, east_m=east * metres)
    return AddressPin(lat=lat, lng=lng)


def written(pin: AddressPin) -> str:
    """Write a place as people paste it; the fifth decimal is a metre."""
    return f"{pin.lat:.5f}, {pin.lng:.5f}"
