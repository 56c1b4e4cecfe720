"""ClickPost: carrier scans by webhook, and what each status code proves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from doorstep.adapters.signatures import any_equals, keys_of
from doorstep.adapters.times import parse_time
from doorstep.ports import CarrierEvent, CarrierTrouble, EventUnreadable
from doorstep.settings import settings

IST = timezone(timedelta(hours=5, minutes=30))
"""ClickPost's times without a zone are Indian."""


class Meaning(NamedTuple):
    """What a status code proves (a stage passed), and what trouble it tells."""

    stage: int | None = None
    detour: CarrierTrouble | None = None


_NEWS = Meaning()
_RETURNING = Meaning(detour="return_to_origin")

MEANINGS: dict[int, Meaning] = {
    28: Meaning(1008),  # AWB registered
    1: Meaning(1008),  # manifested
    2: _NEWS,  # pickup pending
    3: Meaning(1008, "pickup_missed"),
    # Out for pickup belongs to 1009 but nothing has been picked up, and 1009 releases money (V3).
    25: _NEWS,
    4: Meaning(1009),
    5: Meaning(1010),
    1004: Meaning(1011),
    6: Meaning(1012),
    9: Meaning(1012, "delivery_failed"),
    7: Meaning(None, "delivery_failed"),
    8: Meaning(1013),
    18: Meaning(None, "carrier_delayed"),
    19: Meaning(None, "carrier_delayed"),
    20: Meaning(None, "carrier_delayed"),
    10: Meaning(None, "carrier_cancelled"),
    16: Meaning(None, "carrier_lost"),
    17: Meaning(None, "carrier_damaged"),
    23: _NEWS,  # they stop tracking
    11: _RETURNING,
    12: _RETURNING,
    21: _RETURNING,
    26: _RETURNING,
    27: _RETURNING,
    13: _RETURNING,
    15: _RETURNING,
    14: Meaning(None, "returned_to_origin"),
    30: _NEWS,  # exchange: picked up, on its way, delivered
    31: _NEWS,
    32: _NEWS,
    101: _NEWS,  # a return asked for in ClickPost's own returns product
}

NDR_REASONS: dict[int, str] = {
    1: "not_home",
    2: "refused",
    3: "rescheduled",
    4: "no_attempt",
    5: "unreachable",
    6: "address",
    7: "cash_not_ready",
    8: "out_of_area",
    9: "cancelled",
    10: "self_collect",
    11: "seized",
}
"""Why a delivery failed, by ClickPost's number; never by its text."""


class _Additional(msgspec.Struct, kw_only=True):
    ndr_status_code: int | None = None
    is_rvp: bool | None = None


class _Scan(msgspec.Struct, kw_only=True):
    waybill: Annotated[str, Meta(min_length=1, max_length=60)]
    clickpost_status_code: Annotated[int, Meta(ge=0, le=999_999)]
    timestamp: Annotated[str, Meta(max_length=40)]
    location: Annotated[str, Meta(max_length=500)] | None = None
    remark: Annotated[str, Meta(max_length=2000)] | None = None
    additional: _Additional | None = None


def _scan(body: bytes) -> _Scan:
    try:
        # Some carriers' numbers arrive as text.
        return msgspec.json.decode(body, type=_Scan, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise EventUnreadable(f"ClickPost: {broken}") from broken


def parse_scan_time(text: str) -> datetime:
    """Read a scan's time as UTC; without a zone it is Indian time. Raises: EventUnreadable."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return parse_time(text)
    return (moment.replace(tzinfo=IST) if moment.tzinfo is None else moment).astimezone(UTC)


class ClickPostHook:
    """Tracking webhooks of ClickPost; a `ports.Hook[CarrierEvent]`.

    They are not signed: the header `webhook_key` and the secret in our path must both be right, and
    what they say stays a hint (no webhook alone releases money).
    """

    def __init__(self, webhook_keys: tuple[str, ...], path_secrets: tuple[str, ...]) -> None:
        self._keys = webhook_keys
        self._path_secrets = path_secrets

    @classmethod
    def configured(cls) -> ClickPostHook:
        """Take the keys and the path's secrets from the settings."""
        return cls(
            keys_of(settings().clickpost_webhook_keys), keys_of(settings().clickpost_path_secrets)
        )

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check the header `webhook_key` and the secret part of the path."""
        keyed = any_equals(self._keys, headers.get("webhook_key", ""))
        return any_equals(self._path_secrets, path_secret) and keyed

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the scan: sha256 of waybill|code|timestamp|location|remark.

        Raises: EventUnreadable.
        """
        scan = _scan(body)
        parts = (
            scan.waybill,
            str(scan.clickpost_status_code),
            scan.timestamp,
            scan.location or "",
            scan.remark or "",
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def read(self, body: bytes) -> CarrierEvent:
        """Understand the outer scan; `latest_status` inside is the present state and not this scan.

        A code that is not in their list keeps the stage and is the trouble `unknown_status`.

        Raises: EventUnreadable.
        """
        scan = _scan(body)
        additional = scan.additional or _Additional()
        returning = bool(additional.is_rvp)
        meaning = MEANINGS.get(scan.clickpost_status_code, Meaning(detour="unknown_status"))
        failed = meaning.detour == "delivery_failed"
        return CarrierEvent(
            awb=scan.waybill,
            stage=None if returning else meaning.stage,
            detour=None if returning and meaning.detour != "unknown_status" else meaning.detour,
            reason=NDR_REASONS.get(additional.ndr_status_code or 0, "other") if failed else "",
            happened_at=parse_scan_time(scan.timestamp),
            location=scan.location or "",
            remark=scan.remark or "",
            raw_code=scan.clickpost_status_code,
            return_leg=returning,
        )
