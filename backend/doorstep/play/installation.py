"""The technician's part of a parcel: the visit is booked, and finished or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorstep.play.captures import photo_for, place, step
from doorstep.play.pictures import strokes
from doorstep.play.visitors import StepFailed, Visitor

if TYPE_CHECKING:
    from doorstep.play.parcel import ParcelPlay


async def book_visit(parcel: ParcelPlay) -> bool:
    """The dispatcher books the technician before the delivery; goods may need none."""
    dispatcher = await parcel.company.staff("dispatcher")
    answer = await dispatcher.try_post("/console/visits", {"fulfilment_id": parcel.id})
    if answer.is_success or "visit-already-booked" in answer.text:
        return True
    if "nothing-to-install" in answer.text:
        return False
    raise StepFailed(f"booking: {answer.status_code} {answer.text[:300]}")


async def install(parcel: ParcelPlay) -> None:
    """The technician installs, shows and has it signed (1015), where there is something to."""
    if not parcel.installs:
        return
    technician, card = await visit_of(parcel)
    await technician.post(f"/field/visits/{card['id']}/start", step())
    units: list[dict[str, Any]] = []
    photos: list[dict[str, str]] = []
    topics: list[str] = []
    for unit in card["units"]:
        checklist = unit["checklist"] or {"items": [], "demo_topics": []}
        answers = {item["id"]: _answer(item["kind"]) for item in checklist["items"]}
        serials = unit["serials"] or [""] * unit["quantity"]
        units += [
            {
                "fulfilment_line_id": unit["fulfilment_line_id"],
                "checklist_id": unit["checklist_id"],
                "serial": serial,
                "answers": answers,
            }
            for serial in serials
        ]
        for slot in unit["photo_slots"]:
            if slot not in {p["slot"] for p in photos}:
                photos.append(await photo_for(technician, f"{parcel.order.number} visit", slot))
        topics += [topic["id"] for topic in checklist["demo_topics"]]
    await technician.post(
        f"/field/visits/{card['id']}/complete",
        step()
        | {
            "units": units,
            "photos": photos,
            "demo_topics": sorted(set(topics)),
            "sign_off": {"name": card["address"]["name"], "strokes": strokes()},
            "place": place(card["address"]),
        },
    )
    await parcel.reached(1015)


async def fail_visit(parcel: ParcelPlay, reason: str) -> None:
    """The technician cannot finish."""
    if not parcel.installs:
        return
    await parcel.reached(1014)
    technician, card = await visit_of(parcel)
    body = step() | {"reason": reason, "words": "As found."}
    await technician.post(f"/field/visits/{card['id']}/failed", body)


async def visit_of(parcel: ParcelPlay) -> tuple[Visitor, dict[str, Any]]:
    """Find the parcel's open visit: whose it is, and what stands on the phone about it."""
    for user in parcel.company.users("technician", parcel.order.plan.channel):
        technician = await parcel.company.person(user)
        for card in await technician.get("/field/visits"):
            if card["fulfilment_id"] == parcel.id:
                return technician, card
    raise StepFailed(f"{parcel.order.number} is on no technician's list")


def _answer(kind: str) -> object:
    return {"check": True, "number": 21.5, "text": "As it should be."}[kind]
