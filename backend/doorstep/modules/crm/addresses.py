"""Where an order goes, as its customer completes it, or a desk that has asked him."""

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
       a.lng, a.instructions, a.missing, c.id AS customer_id, c.phone
  FROM customer_order o JOIN address a ON a.id = o.address_id JOIN customer c ON c.id = o.customer_id
 WHERE o.id = $1 FOR UPDATE OF a, c
"""

WRITE = """
UPDATE address SET line1 = $2, city = $3, postcode = $4, building = $5, floor = $6, flat = $7,
       lift = $8, instructions = $9, lat = $10, lng = $11,
       pin_at = CASE WHEN $12 THEN $13 ELSE pin_at END, missing = $14, completed_by = $15,
       completed_at = $13
 WHERE id = $1
"""

WRITE_PHONE = """
WITH known AS (UPDATE customer SET phone = $2 WHERE id = $1)
UPDATE address SET phone = $2 WHERE id = $3 AND phone IS NULL
"""

SEEN = """
SELECT o.number, a.name, c.phone, a.line1, a.building, a.floor, a.flat, a.lift, a.city, a.region,
       a.postcode, a.country, a.lat, a.lng, a.instructions, a.missing, a.completed_by, a.completed_at
  FROM customer_order o JOIN address a ON a.id = o.address_id JOIN customer c ON c.id = o.customer_id
 WHERE o.id = $1
"""

PARTS = (*rules.PLACE_PARTS, "building", "floor", "flat", "lift", "instructions")


class AddressPin(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where the door is, in degrees (WGS 84)."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]


class AddressCompletion(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a customer says of the door; what is None stays as it is.

    Street, town and postcode are told only where the shop has sent none.
    """

    line1: Annotated[str, Meta(max_length=240, pattern=r"^[^\x00-\x1f]*$")] | None = None
    city: Part | None = None
    postcode: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00-\x1f]*$")] | None = None
    building: Part | None = None
    floor: Part | None = None
    flat: Part | None = None
    lift: bool | None = None
    instructions: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] | None = None
    pin: AddressPin | None = None


class Completed(NamedTuple):
    """The address as it stands: what it still lacks; `version` names its content."""

    missing: list[str]
    changed: bool
    version: str


async def complete(
    order_id: UUID, told: AddressCompletion, by: UUID | None, phone: str | None = None
) -> Completed:
    """Write the parts that are told, and judge anew what is missing. The caller holds the order.

    `by` is the person of ours who has asked; None where the customer says it himself. `phone`: the
    number of an order that came with none that could be used.

    Raises: PinNotThere for a pin too far from the one that the order came with; PlaceIsAsSold;
    PhoneUnusable, PhoneIsAsSold.
    """
    before = await db.one(READ, order_id)
    parts = {name: getattr(told, name) for name in PARTS}
    said = {name: word for name, word in parts.items() if word is not None}
    rules.check_place(before, said)
    after: dict[str, Any] = before | said
    if told.pin is not None:
        rules.check_pin(before["lat"], before["lng"], told.pin.lat, told.pin.lng)
        after |= {"lat": told.pin.lat, "lng": told.pin.lng}
    text = msgspec.convert(
        {name: after[name] for name in rules.AddressText.__struct_fields__}, rules.AddressText
    )
    if phone is not None:
        after["phone"] = rules.only_phone(before["phone"], phone, before["country"])
    judged = set(rules.ADDRESS_PARTS)
    if after["phone"] is not None:
        judged.add("phone")
    # What lacks beside, an e-mail address say, is not judged here.
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
            by,
        )
    if after["phone"] != before["phone"]:
        await db.execute(WRITE_PHONE, before["customer_id"], after["phone"], before["id"])
    return Completed(missing, changed, _version(after))


async def read(order_id: UUID) -> dict[str, Any]:
    """Read where an order goes, what that lacks, and who has completed it last."""
    return await db.one(SEEN, order_id)


def _version(address: dict[str, Any]) -> str:
    said = "\x1f".join(str(address[name]) for name in (*PARTS, "lat", "lng", "phone"))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
