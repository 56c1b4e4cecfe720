"""A van is down: one call gives its deliveries to another shift, tells the customers, and says
what the other vehicle cannot take.

The goods follow by themselves: they are the other van's once its crew has scanned every box.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.jobs import job
from doorstep.flows import fleet, fleet_sql, hands, notify, phones
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import fleet_rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import NothingToUndo, SameShift, ShiftMissing, ShiftOver


async def van_down(
    from_shift_id: UUID,
    *,
    event_id: UUID,
    to_shift_id: UUID,
    reason: str,
    actor: Actor,
    undoes_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """Give everything that a shift has to do and carries to another one, in driving order.

    Returns its parcels, each with what became of it. Each moves in a transaction of its own, since
    no use-case locks two orders; if this process dies in between, the job does the rest. The same
    event id again moves nothing more and gets the same answer. The call in the other direction
    that names the first one (`undoes_id`) moves back what of it is still to do.

    Raises: ShiftMissing, SameShift, ShiftOver, NothingToUndo, EventIdReused.
    """
    await _tell(from_shift_id, event_id, to_shift_id, reason, undoes_id, actor)
    await _move_all(event_id)
    return await tms.parcels_of(event_id)


@db.transactional
async def _tell(
    from_shift_id: UUID,
    event_id: UUID,
    to_shift_id: UUID,
    reason: str,
    undoes_id: UUID | None,
    actor: Actor,
) -> None:
    await fleet.require("shift", from_shift_id, ShiftMissing, actor)
    await fleet.require("shift", to_shift_id, ShiftMissing, actor)
    if from_shift_id == to_shift_id:
        raise SameShift
    # Both are locked in one order by everybody, so that two calls do not wait in a circle.
    shifts = {one: await tms.lock_shift(one) for one in sorted((from_shift_id, to_shift_id))}
    if await tms.find_van_down(event_id, from_shift_id, to_shift_id):
        return
    down, other = shifts[from_shift_id], shifts[to_shift_id]
    if down["channel_id"] != other["channel_id"]:
        raise SameShift
    for shift in (down, other):
        if shift["state"] not in ("planned", "open"):
            raise ShiftOver(number=shift["number"])
    if undoes_id is not None and not await tms.find_van_down(undoes_id, to_shift_id, from_shift_id):
        raise NothingToUndo
    parcels = await _shared_out(down, other, undoes_id)
    await tms.keep_van_down(
        actor,
        event_id,
        from_shift_id=from_shift_id,
        to_shift_id=to_shift_id,
        reason=reason,
        undoes_id=undoes_id,
        parcels=parcels,
    )
    await _report_what_is_left(event_id, down, other)
    await outbox.add(
        "flows.move_parcels", {"van_down_id": event_id}, key=f"move_parcels:{event_id}"
    )


async def _shared_out(
    down: dict[str, Any], other: dict[str, Any], undoes_id: UUID | None
) -> list[tms.Handover]:
    """Decide which parcels the other crew and vehicle can take."""
    # What stands on a van whose shift has not begun is another shift's.
    place = down["location_id"] if down["state"] == "open" else None
    work = await db.rows(fleet_sql.TO_HAND_OVER, down["id"], place, undoes_id)
    goods = await fleet.goods_of([parcel["fulfilment_id"] for parcel in work])
    told = fleet_rules.share_out(
        await fleet.room_of(other), [goods[parcel["fulfilment_id"]][1] for parcel in work]
    )
    return [
        tms.Handover(**parcel, words=found.words if found else "")
        for parcel, found in zip(work, told, strict=True)
    ]


async def _report_what_is_left(
    van_down_id: UUID, down: dict[str, Any], other: dict[str, Any]
) -> None:
    for parcel in await tms.parcels_of(van_down_id):
        if parcel["state"] == "left":
            await helpdesk.open_problem(
                "van_down_leftover",
                f"{parcel['number']}: {other['vehicle']} cannot take it over from {down['vehicle']}",
                ref=f"{van_down_id}:{parcel['fulfilment_id']}",
                detail=parcel["words"],
                order_id=parcel["order_id"],
                fulfilment_id=parcel["fulfilment_id"],
                owner_role="dispatcher",
            )


async def _move_all(van_down_id: UUID) -> None:
    for parcel in await tms.parcels_of(van_down_id):
        if parcel["state"] == "waiting":
            await _move(parcel)


@db.transactional
async def _move(parcel: dict[str, Any]) -> None:
    """Move one delivery, tell its customer, and see whether its boxes were scanned already."""
    await journey.lock(parcel["fulfilment_id"])
    if not await tms.hand_over_stop(parcel):
        return
    if parcel["stop_id"] is not None:
        await notify.tell_other_team(parcel["order_id"], parcel["fulfilment_id"])
        await phones.tell_stop_added(parcel["fulfilment_id"])
    await hands.settle(parcel["fulfilment_id"])


@job("flows.move_parcels", queue="default", timeout=60)
async def move_parcels(payload: dict[str, Any]) -> None:
    """Move what a call about {van_down_id} has not moved yet."""
    await _move_all(UUID(payload["van_down_id"]))
