"""The sketch of the customer's door: how far it reaches, and what a press of a button moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorstep.core import geo
from doorstep.doors.track import sketch
from doorstep.modules.crm.addresses import AddressPin
from doorstep.modules.crm.rules import PIN_REACH_M

DOOR = AddressPin(lat=25.08, lng=55.14)
LATITUDES, LONGITUDES = st.floats(-80, 80), st.floats(-180, 179.99)


def test_alone_it_reaches_a_hundred_metres() -> None:
    drawn = sketch.draw(DOOR, DOOR)
    assert (drawn.reach_m, drawn.ring_m, drawn.before, drawn.around) == (100, 50, None, 0)
    assert sketch.draw(DOOR, None).before is None


def test_the_place_before_is_on_it_wherever_a_pin_may_be_moved() -> None:
    for metres in (20, 95, 450, 5_000, PIN_REACH_M):
        for way in sketch.WAYS:
            drawn = sketch.draw(sketch.step(DOOR, way, metres), DOOR)
            assert drawn.before is not None and max(map(abs, drawn.before)) <= sketch.HALF
            north, east = sketch.WAYS[way]
            # The place before lies behind whoever went that way; on paper south counts up.
            x, y = drawn.before
            assert (x * east <= 0, y * north >= 0, drawn.reach_m > metres) == (True, True, True)


def test_what_the_phone_does_not_know_is_drawn_as_wide_as_it_is() -> None:
    assert sketch.draw(DOOR, None, 900).reach_m == 1_000
    assert sketch.draw(DOOR, None, 900).around == 90
    assert sketch.draw(DOOR, None, 100_000).reach_m == sketch.REACHES_M[-1]


def test_a_place_is_written_as_it_can_be_pasted_again() -> None:
    assert sketch.written(AddressPin(lat=-1.5, lng=179.999994)) == "-1.50000, 179.99999"


@given(LATITUDES, LONGITUDES, st.sampled_from([*sketch.WAYS]), st.sampled_from(sketch.STEPS_M))
def test_a_press_goes_so_far_and_the_opposite_one_back(
    lat: float, lng: float, way: str, metres: int
) -> None:
    back = {"north": "south", "south": "north", "east": "west", "west": "east"}[way]
    there = sketch.step(AddressPin(lat=lat, lng=lng), way, metres)
    assert abs(geo.metres_between(lat, lng, there.lat, there.lng) - metres) < 0.01 * metres
    again = sketch.step(there, back, metres)
    assert geo.metres_between(lat, lng, again.lat, again.lng) < 0.05
    assert -180 <= there.lng < 180


@given(LATITUDES, LONGITUDES, st.floats(-20_000, 20_000), st.floats(-20_000, 20_000))
def test_an_offset_is_what_was_gone(lat: float, lng: float, north: float, east: float) -> None:
    there = geo.moved(lat, lng, north_m=north, east_m=east)
    assert all(
        abs(told - gone) < 0.5
        for told, gone in zip(geo.offset(lat, lng, *there), (north, east), strict=True)
    )
