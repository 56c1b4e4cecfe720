"""Scanners and phones hand in what they saw, up to two hundred labels at a time."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.flows import transport
from doorstep.modules.tms.schemas import Scan

MAX_SCANS = 200


class ScansIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Scans in any order; each has its own id, so a batch may be sent again."""

    scans: Annotated[list[Scan], Meta(min_length=1, max_length=MAX_SCANS)]


class ScanOut(Struct):
    """What became of one scan: stored, duplicate, or stored under an unknown label."""

    scan_uid: UUID
    verdict: str


class ScansOut(Struct):
    """One answer per scan, in the order of the request; all of them are stored."""

    scans: list[ScanOut]


@post(
    "/field/scans",
    operation_id="addScans",
    opt=needs("tms:scan:write"),
    status_code=200,
    tags=["transport"],
)
async def add_scans(data: ScansIn, actor: Actor) -> ScansOut:
    """Store scans (pickup, departure, hub_in, hub_out, load, transfer, handover, custody), each once.

    A scan moves nothing by itself: once every piece of a shipment has a pickup, departure or
    hub_in scan, a job passes 1009, 1010 or 1011. Once a crew has scanned every piece of a parcel of
    its work (load; transfer from another van), the goods stand on its van; a hub_in or custody
    scan of every piece by the floor takes them off it.
    """
    kept = await transport.keep_scans(data.scans, actor=actor)
    return ScansOut([ScanOut(one.scan_uid, one.verdict) for one in kept])


handlers = [add_scans]
"""The routes of this door."""
