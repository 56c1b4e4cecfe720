"""Whose the goods are on the road: a van of ours, or the fleet at large; custody = last scan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.core.jobs import job
from doorstep.flows import fleet_sql as sql
from doorstep.modules.tms import fleet_rules
from doorstep.modules.tms import service as tms
from doorstep.modules.wms.service import custody, stock


async def van_of(actor: Actor, *, fulfilment_id: UUID, channel_id: UUID) -> UUID | None:
    """Find the van that a person's goods stand on: that of his open shift, for our own parcels."""
    if actor.person_id is None or not await db.value(sql.BY_OWN_FLEET, fulfilment_id):
        return None
    van: UUID | None = await db.value(sql.OWN_OPEN_SHIFT, actor.person_id, channel_id)
    return van


async def pieces_of(fulfilment_id: UUID) -> list[fleet_rules.Seen]:
    """List the boxes of a parcel, each with the last scan that tells who has it."""
    return [fleet_rules.Seen(**row) for row in await db.rows(sql.PIECES_SEEN, fulfilment_id)]


@job("flows.follow_scans", queue="default", timeout=30)
async def follow_scans(payload: dict[str, Any]) -> None:
    """Let the goods of the parcels with {labels} go to whoever has scanned every box last."""
    for row in await db.rows(sql.PARCELS_OF_LABELS, payload["labels"]):
        await settle(row["fulfilment_id"])


@db.transactional
async def settle(fulfilment_id: UUID) -> None:
    """Give a parcel on the road to the hand that every box's last scan names.

    A crew gets what is its work to deliver, so knowing a label moves nothing; the floor of the
    channel takes it off any van. Half the boxes scanned move nothing. Again it changes nothing.
    """
    fulfilment = await journey.lock(fulfilment_id)
    if not await db.value(sql.BY_OWN_FLEET, fulfilment_id):
        return
    pieces = await pieces_of(fulfilment_id)
    hand = fleet_rules.hand_of(pieces)
    if hand is None:
        return
    towards = await _place_of(hand, fulfilment)
    if towards is not None:
        await give(fulfilment, towards, ref=f"scan:{fleet_rules.last_of(pieces).scan_uid}")


async def _place_of(hand: UUID | str, fulfilment: dict[str, Any]) -> UUID | None:
    if not isinstance(hand, UUID):
        return await stock.place_of_kind(fulfilment["channel_id"], "carrier")
    if await db.value(sql.WORK_OF, fulfilment["id"]) != hand:
        return None
    shift = await tms.lock_shift(hand, strength="use")
    place: UUID = shift["location_id"]
    return place if shift["state"] == "open" else None


async def give(
    fulfilment: dict[str, Any],
    towards: UUID,
    *,
    ref: str,
    out_of: Collection[UUID] | None = None,
) -> bool:
    """Move the goods of a parcel that are on the road to another hand; tell whether any were.

    `out_of` limits it to what stands at these places. The caller holds the parcel's lock.
    """
    lots = [
        lot
        for lot in await db.rows(sql.ON_THE_ROAD, fulfilment["id"])
        if lot["location_id"] != towards and (out_of is None or lot["location_id"] in out_of)
    ]
    if not lots:
        return False
    await custody.pass_on(
        fulfilment["id"],
        fulfilment["order_id"],
        towards,
        reason="hand_over",
        ref=ref,
        out_of={lot["location_id"] for lot in lots},
    )
    return True


@db.transactional
async def load(run_id: UUID, fulfilment_id: UUID) -> None:
    """An accepted run of a shift takes its goods over that were with our fleet at large.

    Once a box was scanned after the acceptance, scans alone tell where it is.
    """
    run = await db.one("SELECT shift_id, accepted_at FROM delivery_run WHERE id = $1", run_id)
    if run["shift_id"] is None or run["accepted_at"] is None:
        return
    fulfilment = await journey.lock(fulfilment_id)
    pieces = await pieces_of(fulfilment_id)
    if any(piece.at is not None and piece.at > run["accepted_at"] for piece in pieces):
        return
    if not await db.value(sql.BY_OWN_FLEET, fulfilment_id):
        return
    place = await _place_of(run["shift_id"], fulfilment)
    if place is not None:
        at_large = await stock.place_of_kind(fulfilment["channel_id"], "carrier")
        await give(fulfilment, place, ref=f"load:{run_id}:{uuid7()}", out_of={at_large})


def seen(pieces: Sequence[Any]) -> list[fleet_rules.Seen]:
    """Read boxes that a statement returned as JSON."""
    return msgspec.convert(pieces, list[fleet_rules.Seen])
