"""ClickPost's webhooks: the two secrets, the dedupe key, and every status code."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from doorstep.adapters.clickpost import MEANINGS, ClickPostHook
from doorstep.ports import EventUnreadable
from tests.contract.conftest import Outside

HOOK = ClickPostHook(("cp-key",), ("cp-path",))
SCAN: dict[str, Any] = {
    "waybill": "P0109276342",
    "cp_id": 14,
    "clickpost_status_code": 6,
    "clickpost_status_description": "OutForDelivery",
    "status": "O",
    "location": "VASAI",
    "timestamp": "2017-08-02T13:23:02Z",
    "remark": "Out For Delivery",
    "additional": {"latest_status": {"clickpost_status_code": 8}, "notification_event_id": 3},
}


def body(**changes: Any) -> bytes:
    return msgspec.json.encode({**SCAN, **changes})


@pytest.mark.parametrize(
    ("header", "path", "genuine"),
    [
        ("cp-key", "cp-path", True),
        ("cp-key", "wrong", False),
        ("wrong", "cp-path", False),
        ("", "", False),
    ],
)
def test_header_and_path_must_both_be_right(header: str, path: str, genuine: bool) -> None:
    assert HOOK.genuine(b"{}", {"webhook_key": header}, path) is genuine


def test_nothing_is_genuine_without_configured_secrets() -> None:
    assert not ClickPostHook((), ()).genuine(b"{}", {"webhook_key": ""}, "")


def test_the_dedupe_key_is_the_scan_itself() -> None:
    plain = "P0109276342|6|2017-08-02T13:23:02Z|VASAI|Out For Delivery"
    assert HOOK.source_id(body(), {}) == hashlib.sha256(plain.encode()).hexdigest()
    # The latest status moves on between two deliveries of one scan; the scan stays one.
    assert HOOK.source_id(body(additional={}), {}) == HOOK.source_id(body(), {})
    assert HOOK.source_id(body(location="PUNE"), {}) != HOOK.source_id(body(), {})


def test_the_outer_scan_counts_and_not_the_latest_status() -> None:
    event = HOOK.read(body())
    assert (event.awb, event.stage, event.detour, event.raw_code) == (
        "P0109276342",
        1012,
        None,
        6,
    )
    assert event.happened_at == datetime(2017, 8, 2, 13, 23, 2, tzinfo=UTC)


def test_a_time_without_zone_is_indian() -> None:
    event = HOOK.read(body(timestamp="2026-01-10 18:30:00"))
    assert event.happened_at == datetime(2026, 1, 10, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "stage", "detour"),
    [
        (28, 1008, None),
        (1, 1008, None),
        (2, None, None),
        (3, 1008, "pickup_missed"),
        (25, None, None),
        (4, 1009, None),
        (5, 1010, None),
        (1004, 1011, None),
        (6, 1012, None),
        (9, 1012, "delivery_failed"),
        (7, None, "delivery_failed"),
        (8, 1013, None),
        (18, None, "carrier_delayed"),
        (19, None, "carrier_delayed"),
        (20, None, "carrier_delayed"),
        (10, None, "carrier_cancelled"),
        (16, None, "carrier_lost"),
        (17, None, "carrier_damaged"),
        (23, None, None),
        (11, None, "return_to_origin"),
        (12, None, "return_to_origin"),
        (21, None, "return_to_origin"),
        (26, None, "return_to_origin"),
        (27, None, "return_to_origin"),
        (13, None, "return_to_origin"),
        (15, None, "return_to_origin"),
        (14, None, "returned_to_origin"),
        (30, None, None),
        (31, None, None),
        (32, None, None),
        (101, None, None),
    ],
)
def test_every_code_means_what_the_table_says(
    code: int, stage: int | None, detour: str | None
) -> None:
    event = HOOK.read(body(clickpost_status_code=code))
    assert (event.stage, event.detour) == (stage, detour)


def test_the_table_above_is_whole() -> None:
    assert len(MEANINGS) == 31


def test_an_unknown_code_keeps_the_stage_and_says_so() -> None:
    event = HOOK.read(body(clickpost_status_code=1077))
    assert (event.stage, event.detour) == (None, "unknown_status")


def test_a_failed_delivery_is_explained_by_its_number() -> None:
    event = HOOK.read(body(clickpost_status_code=9, additional={"ndr_status_code": 1}))
    assert event.reason == "not_home"
    assert HOOK.read(body(clickpost_status_code=9, additional=None)).reason == "other"


def test_a_return_proves_no_stage_of_the_delivery() -> None:
    event = HOOK.read(body(clickpost_status_code=8, additional={"is_rvp": True}))
    assert (event.stage, event.return_leg) == (None, True)


@pytest.mark.parametrize(
    "broken", [b"", b"[]", body(timestamp="yesterday"), body(waybill=""), b"\xff\xfe"]
)
def test_a_broken_body_is_named_as_such(broken: bytes) -> None:
    with pytest.raises(EventUnreadable):
        HOOK.read(broken)


async def test_the_sandbox_tells_three_scans_with_the_latest_state(outside: Outside) -> None:
    scans = [{"waybill": "AWB1", "code": code} for code in (5, 6, 8)]
    await outside.http.post("/carrier/_status", json={"scans": scans})
    got = sorted(await outside.receiver.wait_for(3), key=lambda one: HOOK.read(one.body).raw_code)
    assert {one.path for one in got} == {"/hooks/clickpost/cp-path"}
    assert all(HOOK.genuine(one.body, one.headers, "cp-path") for one in got)
    assert [HOOK.read(one.body).stage for one in got] == [1010, 1012, 1013]
    latest = [msgspec.json.decode(one.body)["additional"]["latest_status"] for one in got]
    assert {one["clickpost_status_code"] for one in latest} == {8}
