"""Where an order goes, as its customer completes it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.crm import rules

Part = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f]*$")]

READ = """
SELECT a.id, a.line1, a.building, a.floor, a.flat, a.lift, a.city, a.postcode, a.country, a.lat,
       a.lng, a.instructions, a.missing
  FROM customer_order o JOIN address a ON a.id = o.address_id WHERE o.id = $1 FOR UPDATE OF a
"""

WRITE = """
UPDATE address SET building = $2, floor = $3, flat = $4, lift = $5, instructions = $6, lat = $7,
       lng = $8, pin_at = CASE WHEN $9 THEN $10 ELSE pin_at END, missing = $11
 WHERE id = $1
"""

PARTS = ("building", "floor", "flat", "lift", "instructions")


class Pin(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where the door is, in degrees (WGS 84)."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]


class Completion(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a customer says of the door; what is None stays as it is."""

    building: Part | None = None
    floor: Part | None = None
    flat: Part | None = None
    lift: bool | None = None
    instructions: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] | None = None
    pin: Pin | None = None


class Completed(NamedTuple):
    """The address as it stands: what it still lacks; `version` names its content."""

    missing: list[str]
    changed: bool
    version: str


async def complete(order_id: UUID, told: Completion) -> Completed:
    """Write the parts that are told, and judge anew what is missing. The caller holds the order.

    Raises: PinNotThere for a pin too far from the one that the order came with.
    """
    before = await db.one(READ, order_id)
    parts = {name: getattr(told, name) for name in PARTS}
    after: dict[str, Any] = before | {
        name: said for name, said in parts.items() if said is not None
    }
    if told.pin is not None:
        rules.check_pin(before["lat"], before["lng"], told.pin.lat, told.pin.lng)
        after |= {"lat": told.pin.lat, "lng": told.pin.lng}
    text = msgspec.convert(
        {name: after[name] for name in rules.AddressText.__struct_fields__}, rules.AddressText
    )
    judged = set(rules.ADDRESS_PARTS)
    # What lacks beside the address, a phone number say, is not judged here.
    missing = [part for part in before["missing"] if part not in judged]
    missing += rules.missing_parts(text, before["country"])
    changed = after != before
    if changed:
        await db.execute(
            WRITE,
            before["id"],
            *(after[name] for name in PARTS),
            after["lat"],
            after["lng"],
            told.pin is not None,
            now(),
            missing,
        )
    return Completed(missing, changed, _version(after))


def _version(address: dict[str, Any]) -> str:
    said = "\x1f".join(str(address[name]) for name in (*PARTS, "lat", "lng"))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
