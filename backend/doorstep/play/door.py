"""The customer's door: an executive goes out with the parcel, hands it over or comes back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorstep.play.captures import photo_for, place, step, today
from doorstep.play.pictures import strokes
from doorstep.play.visitors import Visitor, new_event, only, until

if TYPE_CHECKING:
    from doorstep.play.parcel import ParcelPlay


async def deliver(parcel: ParcelPlay) -> None:
    """The delivery executive accepts the run and hands over with every proof (1012, 1013)."""
    executive, stop = await go_out(parcel)
    recipe = stop["recipe"]
    # What was left behind at an earlier door comes without a box of its own.
    label = stop["pieces"][0]["label_no"] if stop["pieces"] else ""
    kept = await _kept_back(parcel)
    proof = step() | {
        "receiver": {"name": stop["address"]["name"], "relation": "customer"},
        "photos": [
            await photo_for(executive, f"{parcel.id} delivery", slot, label)
            for slot in recipe["photo_slots"]
        ],
        "signature": strokes(),
        "handover_code": await parcel.order.handover_code(),
        "place": place(stop["address"]),
        "scanned_labels": [piece["label_no"] for piece in stop["pieces"]],
        "tenders": [{"method": "cash", "amount_minor": stop["cash_due_minor"]}]
        if stop["cash_due_minor"]
        else [],
        "kept_back": kept,
        "serials": [parcel.odd_serial] if parcel.odd_serial else [],
    }
    await executive.post(f"/field/stops/{stop['id']}/pod", proof)
    parcel.order.cash_taken_minor += stop["cash_due_minor"]
    await parcel.reached(1013)
    if kept:
        await parcel.take_in("vendor_return" if parcel.owned_by_vendor else "open_box")
    if parcel.odd_serial:
        await _confirm_serial(parcel)


async def fail_at_door(parcel: ParcelPlay, reason: str) -> None:
    """The executive drives there in vain."""
    executive, stop = await go_out(parcel)
    # The customer has this attempt's code; it opens nothing once the attempt has failed.
    await parcel.order.handover_code()
    failed = step() | {"reason": reason, "called": True, "dwell_seconds": 480}
    await executive.post(f"/field/stops/{stop['id']}/failed", failed)


async def go_out(parcel: ParcelPlay) -> tuple[Visitor, dict[str, Any]]:
    """Plan a run for the parcel and accept it; give the executive and his stop (1012)."""
    executive = await plan_run(parcel)
    run, _ = await stop_of(parcel, executive)
    await executive.post(f"/field/runs/{run['id']}/accept", step())
    _, stop = await stop_of(parcel, executive)
    return executive, stop


async def plan_run(parcel: ParcelPlay) -> Visitor:
    """Plan a run for the parcel; give the executive whose it is."""
    dispatcher = await parcel.company.staff("dispatcher")
    executive = await parcel.company.of("delivery", parcel.order.plan.channel)
    await dispatcher.ensure(
        "/console/runs",
        {
            "person_id": str(executive.user.person_id),
            "vehicle": "VAN-1",
            "planned_on": today(parcel.order.plan.channel).isoformat(),
            "fulfilment_ids": [parcel.id],
        },
        "already-assigned",
    )
    return executive


async def _kept_back(parcel: ParcelPlay) -> list[dict[str, Any]]:
    """Name one piece that is not handed over, where the parcel has more than one."""
    if not parcel.keep_back:
        return []
    lines = parcel.order.parcel_of(await parcel.order.order(), parcel.id)["lines"]
    if sum(line["quantity"] for line in lines) < 2:
        return []
    small = min(lines, key=lambda line: str(line["sku"]))
    return [{"fulfilment_line_id": small["id"], "quantity": 1, "reason": parcel.keep_back}]


async def _confirm_serial(parcel: ParcelPlay) -> None:
    """The vendor, or for our own goods a dispatcher, says that the other serial is right."""
    po_id = parcel.order.parcel_of(await parcel.order.order(), parcel.id)["po_id"]
    if po_id is None:
        await parcel.settle("serial_differs", "dispatcher")
        return
    vendor = await parcel.company.of("vendor", parcel.order.plan.channel)
    await vendor.post(f"/vendor/purchase-orders/{po_id}/serials/confirm", {"event_id": new_event()})


async def stop_of(parcel: ParcelPlay, executive: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Find the delivery on the executive's phone: its run and its stop.

    Looked for until it is there: a server whose clock is an hour slow lists, just after midnight, what was
    planned for the day before.
    """

    async def there() -> tuple[dict[str, Any], dict[str, Any]] | None:
        found = [
            (run, stop)
            for run in await executive.get("/field/runs")
            for stop in run["stops"]
            if stop["fulfilment_id"] == parcel.id and stop["state"] == "open"
        ]
        return only(found) if found else None

    return await until(there, f"{parcel.order.number} on the executive's phone")
