"""The pretend carrier: scans told by ClickPost's webhooks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.hooks import Webhook
from doorstep.sandbox.world import Here

DESCRIPTIONS = {
    1: "OrderPlaced",
    28: "AWBRegistered",
    25: "OutForPickup",
    3: "PickupFailed",
    4: "PickedUp",
    5: "InTransit",
    1004: "DestinationHubIn",
    6: "OutForDelivery",
    9: "FailedDelivery",
    8: "Delivered",
    16: "Lost",
    17: "Damaged",
    11: "RTORequested",
    14: "RTODelivered",
}


class Scan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One scan of one parcel; `timestamp` defaults to now."""

    waybill: Annotated[str, Meta(min_length=1, max_length=60)]
    code: Annotated[int, Meta(ge=0, le=9999)]
    location: Annotated[str, Meta(max_length=200)] = "DUBAI"
    remark: Annotated[str, Meta(max_length=500)] = ""
    timestamp: Annotated[str, Meta(max_length=40)] = ""
    ndr_code: Annotated[int, Meta(ge=0, le=99)] | None = None


class Statuses(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Scans in the order in which they happened; the last one is the parcel's present state."""

    scans: Annotated[list[Scan], Meta(min_length=1, max_length=100)]


class Told(msgspec.Struct):
    """How many webhooks are on their way."""

    webhooks: int


def _fields(scan: Scan, now: str) -> dict[str, object]:
    description = DESCRIPTIONS.get(scan.code, "Unknown")
    return {
        "clickpost_status_code": scan.code,
        "clickpost_status_description": description,
        "status": str(scan.code),
        "location": scan.location,
        "timestamp": scan.timestamp or now,
        "remark": scan.remark or description,
    }


@post("/carrier/_status", status_code=HTTP_202_ACCEPTED)
async def push_statuses(world: Here, data: JSONBody[Statuses]) -> Told:
    """Tell scans by webhook, each with the parcel's latest state beside it."""
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    latest = {scan.waybill: _fields(scan, now) for scan in data.scans}
    path = f"/hooks/clickpost/{world.clickpost_path_secret}"
    webhooks = []
    for scan in data.scans:
        additional: dict[str, object] = {"latest_status": latest[scan.waybill]}
        if scan.ndr_code is not None:
            additional["ndr_status_code"] = scan.ndr_code
        body = {"waybill": scan.waybill, "cp_id": 138, **_fields(scan, now)}
        webhooks.append(
            Webhook(
                path,
                {"webhook_key": world.clickpost_key},
                msgspec.json.encode({**body, "additional": additional}),
            )
        )
    world.hooks.send("carrier", *webhooks)
    return Told(webhooks=len(webhooks))


ROUTES = [push_statuses]
