"""The device's own time, at the edges of what can be kept."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import msgspec
import pytest

from doorstep.modules.wms.schemas import ReceiptScan


def scan(captured_at: str) -> ReceiptScan:
    body = {"scan_uid": str(uuid4()), "code": "6291000000017", "captured_at": captured_at}
    return msgspec.json.decode(msgspec.json.encode(body), type=ReceiptScan)


@pytest.mark.parametrize(
    "edge",
    [
        "0001-01-01T00:00:00Z",  # the driver's -infinity
        "0001-01-01T00:00:00+05:30",  # not in the calendar in UTC
        "9999-12-31T23:59:59.999999Z",  # the driver's infinity
        "9999-12-31T23:59:59-05:00",
    ],
)
def test_a_moment_at_the_edge_of_the_calendar_is_refused_in_words(edge: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="edge of the calendar"):
        scan(edge)


@pytest.mark.parametrize("wrong", ["1970-01-01T00:00:00Z", "2038-01-19T03:14:07+05:30"])
def test_a_clock_that_is_only_wrong_is_kept_as_it_is(wrong: str) -> None:
    assert scan(wrong).captured_at == datetime.fromisoformat(wrong)
