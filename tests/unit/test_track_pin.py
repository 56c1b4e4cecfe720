"""What people copy from the maps of their phones, read as a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.doors.track.pin import PlaceUnreadable, read_place

HERE = (24.45, 54.37)


@pytest.mark.parametrize(
    "text",
    [
        "24.45, 54.37",
        " 24.45,54.37\n",
        "٢٤٫٤٥، ٥٤٫٣٧",
        "२४.४५, ५४.३७",
        "geo:24.45,54.37",
        "geo:24.45,54.37?z=17",
        "https://maps.google.com/?q=24.45,54.37",
        "https://www.google.com/maps/search/?api=1&query=24.45%2C54.37",
        "https://www.google.ae/maps/@24.45,54.37,17z",
        "https://www.google.com/maps/place/Home/@24.4,54.3,17z/data=!3m1!4b1!4m5!3d24.45!4d54.37",
        "https://maps.apple.com/?ll=24.45,54.37&q=Home",
        "https://www.openstreetmap.org/?mlat=24.45&mlon=54.37#map=17/24.4/54.3",
    ],
)
def test_it_is_read(text: str) -> None:
    found = read_place(text)
    assert (found.lat, found.lng) == HERE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Villa 7",
        "24.45",
        "91, 54.37",
        "24.45, 181",
        "24.45, 54.37 or so",
        "1e2, 3",
        "nan, nan",
        "https://maps.app.goo.gl/abc",
        "https://evil.example/?q=24.45,54.37",
        "https://google.com.evil.example/?q=24.45,54.37",
        "https://[::1/?q=24.45,54.37",
        "javascript:24.45,54.37",
        "https://www.google.com/maps/place/Home",
    ],
)
def test_what_says_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceUnreadable):
        read_place(text)


@given(st.text(max_size=200))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for one in (text, "https://www.google.com/" + text, "geo:" + text):
        try:
            found = read_place(one)
        except PlaceUnreadable:
            continue
        assert -90 <= found.lat <= 90 and -180 <= found.lng <= 180
