"""The customer says where exactly his door is: the parts of the address, and a pin (P2).

A page behind the order's, for whoever has typed the code. A pin is looked at on a sketch, and moved
there, before anything is saved.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import URLEncodedBody

from doorstep.core import db
from doorstep.core.errors import Refusal
from doorstep.doors.track import page_files, page_steps, sketch
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import AddressForm, Link, LookForm
from doorstep.doors.track.page_steps import Asked, Number, customer
from doorstep.doors.track.pin import PlaceUnreadable, read_place
from doorstep.flows import customer_address
from doorstep.modules.crm import rules
from doorstep.modules.crm.addresses import AddressCompletion, AddressPin

ADDRESS = """
SELECT a.line1, a.city, a.postcode, a.building, a.floor, a.flat, a.lift, a.instructions, a.lat, a.lng,
       a.missing
  FROM customer_order o JOIN address a ON a.id = o.address_id WHERE o.id = $1
"""

DOOR = ("building", "floor", "flat")

LIFT = {"yes": True, "no": False, "": None}


@reads("/t/orders/{number:str}/address", "readAddressForm")
async def read_address(request: Asked, number: Number) -> Response[Any]:
    """Show what we know of the door, and ask for the rest."""
    link = await page_steps.signed_in(request, number)
    return await _address(request, link, await db.one(ADDRESS, link.order_id))


@takes("/t/orders/{number:str}/address", "completeAddress")
async def complete_address(
    request: Asked, number: Number, data: URLEncodedBody[AddressForm]
) -> Response[Any]:
    """Keep what the customer says of the door; whoever drives there sees it."""
    link = await page_steps.own_signed_in(request, number)

    async def do() -> None:
        await customer_address.complete(link.order_id, _completion(data), actor=customer(link))

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        known = await db.one(ADDRESS, link.order_id)
        return await _address(request, link, known, typed=data, refusal=refusal)
    return page_steps.back(request, link, "address_kept")


@takes("/t/orders/{number:str}/address/look", "lookAtDoor", status_code=200)
async def look_at_door(
    request: Asked, number: Number, data: URLEncodedBody[LookForm]
) -> Response[Any]:
    """Show a place on the sketch, perhaps moved by a press; nothing is saved, and what was typed stays."""
    link = await page_steps.own_signed_in(request, number)
    known = await db.one(ADDRESS, link.order_id)
    try:
        pin = _looked_at(data, _saved(known))
    except Refusal as refusal:
        return await _address(request, link, known, typed=data, refusal=refusal)
    return await _address(request, link, known, typed=data, pin=pin)


def _completion(data: AddressForm) -> AddressCompletion:
    """Read what was typed.

    Raises: PlaceUnreadable.
    """
    return AddressCompletion(
        line1=data.line1.strip() or None,
        city=data.city.strip() or None,
        postcode=data.postcode.strip() or None,
        building=data.building,
        floor=data.floor,
        flat=data.flat,
        lift=LIFT[data.lift],
        instructions=data.instructions,
        pin=read_place(data.place) if data.place.strip() else None,
    )


def _looked_at(data: LookForm, saved: AddressPin | None) -> AddressPin:
    """Find the place that is to be shown: the typed one, else the saved one, moved as was pressed.

    Raises: PlaceUnreadable, also where there is neither; PinNotThere.
    """
    pin = read_place(data.place) if data.place.strip() else saved
    if pin is None:
        raise PlaceUnreadable
    if data.move:
        way, metres = data.move.split()
        pin = sketch.step(pin, way, int(metres))
    if saved is not None:
        rules.check_pin(saved.lat, saved.lng, pin.lat, pin.lng)
    return pin


def _saved(known: dict[str, Any]) -> AddressPin | None:
    return None if known["lat"] is None else AddressPin(lat=known["lat"], lng=known["lng"])


async def _address(
    request: Asked,
    link: Link,
    known: dict[str, Any],
    *,
    typed: AddressForm | None = None,
    pin: AddressPin | None = None,
    refusal: Refusal | None = None,
) -> Response[Any]:
    """Show the form as it was filled in, and the pin that is looked at or else the saved one."""
    words, _ = page_steps.words_for(request, link)
    saved = _saved(known)
    # Street, town and postcode stay as ordered: they are asked for only where there are none.
    asked = [part for part in rules.PLACE_PARTS if part in known["missing"]]
    if typed is not None:
        # What was typed stays: only the place may have to be looked at again.
        known |= {name: getattr(typed, name) for name in (*asked, *DOOR)}
        known |= {"lift": LIFT[typed.lift], "instructions": typed.instructions}
    shown = pin or saved
    around = typed.around if pin is not None and isinstance(typed, LookForm) else 0
    return page_steps.page(
        "address.html",
        link,
        words,
        refusal=refusal,
        action="address",
        known=known,
        parts=[*asked, *DOOR],
        place=sketch.written(pin) if pin else typed.place if typed else "",
        sketch=sketch.draw(shown, saved, around) if shown else None,
        unsaved=pin is not None and pin != saved,
        ways=sketch.WAYS,
        steps=sketch.STEPS_M,
        script=page_files.script_path("door"),
    )


handlers = [read_address, complete_address, look_at_door]
"""The pages of this file."""
