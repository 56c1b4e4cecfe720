"""What desks say of goods that are to come in: announced, not awaited any more, closed short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound
from doorstep.flows.receive import state_received
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.wms.service import receiving
from doorstep.modules.wms.service.receiving import Arrival, ExpectedGoods

SHELVES = ("warehouse", "store", "vendor_store", "hub")
"""Kinds of locations that have shelves; what is in a van or with a carrier is in custody."""

LOCATION_IN_SIGHT = """
SELECT l.channel_id FROM location l
 WHERE l.id = $1 AND l.active AND l.kind = ANY ($2) AND {scope}
"""


class LocationMissing(NotFound):
    title = "There is no such place for goods in your channels."


class ProductUnknown(Invalid):
    title = "One of the SKUs is not in the catalogue."


class VendorUnknown(Invalid):
    title = "There is no such vendor."


class NewArrival(NamedTuple):
    """What a desk announces; `lines` are (sku, quantity, serials)."""

    id: UUID
    kind: Literal["purchase", "transfer"]
    ref: str
    location_id: UUID
    from_location_id: UUID | None
    owner_id: UUID | None
    expected_on: date | None
    lines: Sequence[tuple[str, int, Sequence[str]]]


async def shelf_location(location_id: UUID, actor: Actor) -> UUID:
    """Make sure that the actor sees this location and that it has shelves; tell its channel.

    Raises: LocationMissing.
    """
    condition, arguments = scope(actor).locations("l", first=3)
    found: UUID | None = await db.value(
        LOCATION_IN_SIGHT.format(scope=condition), location_id, list(SHELVES), *arguments
    )
    if found is None:
        raise LocationMissing
    return found


async def products_of(skus: Sequence[str]) -> dict[str, UUID]:
    """Look SKUs up.

    Raises: ProductUnknown.
    """
    found = await db.rows("SELECT sku, id FROM product WHERE sku = ANY ($1)", list(skus))
    products = {row["sku"]: row["id"] for row in found}
    if unknown := sorted(set(skus) - products.keys()):
        raise ProductUnknown(", ".join(unknown), skus=unknown)
    return products


async def product_named(code: str) -> UUID:
    """Look goods up by their SKU or by the barcode on them: a phone knows the names of few.

    Raises: ProductUnknown.
    """
    found: UUID | None = await db.value(
        "SELECT id FROM product WHERE sku = $1 OR barcode = $1 ORDER BY sku = $1 DESC LIMIT 1", code
    )
    if found is None:
        raise ProductUnknown(code, skus=[code])
    return found


async def require_vendor(owner_id: UUID | None) -> None:
    """Make sure that an owner of goods exists; None is ourselves.

    Raises: VendorUnknown.
    """
    if owner_id is not None and not await db.value(
        "SELECT true FROM vendor WHERE id = $1", owner_id
    ):
        raise VendorUnknown


@db.transactional
async def announce(new: NewArrival, *, actor: Actor) -> Arrival:
    """Announce goods that a vendor or another location sends; the same id again changes nothing.

    Goods of a transfer stay free for orders where they are until they are received here.

    Raises: LocationMissing, ProductUnknown, VendorUnknown, NothingExpected, EventIdReused;
    ArrivalRefTaken.
    """
    channel_id = await shelf_location(new.location_id, actor)
    if new.from_location_id is not None:
        await shelf_location(new.from_location_id, actor)
    if (new.kind == "transfer") != (new.from_location_id is not None) or (
        new.from_location_id == new.location_id
    ):
        raise receiving.NothingExpected("A transfer comes from another location, a purchase never.")
    await require_vendor(new.owner_id)
    products = await products_of([sku for sku, _, _ in new.lines])
    arrival_id = await receiving.expect(
        new.kind,
        new.ref,
        channel_id=channel_id,
        lines=[
            ExpectedGoods(products[sku], quantity, serials=tuple(serials))
            for sku, quantity, serials in new.lines
        ],
        location_id=new.location_id,
        from_location_id=new.from_location_id,
        owner_id=new.owner_id,
        expected_on=new.expected_on,
        actor=actor,
        arrival_id=new.id,
    )
    if arrival_id != new.id:
        raise receiving.ArrivalRefTaken(f"{new.kind} {new.ref}")
    return await receiving.find(arrival_id)


async def in_sight(arrival_id: UUID, actor: Actor) -> Arrival:
    """Read an arrival of the desk's channels.

    Raises: ArrivalMissing.
    """
    condition, arguments = scope(actor).channels("a.channel_id", first=2)
    seen = await db.value(
        f"SELECT true FROM expected_arrival a WHERE a.id = $1 AND {condition}",  # noqa: S608 - a condition of scope
        arrival_id,
        *arguments,
    )
    if not seen:
        raise receiving.ArrivalMissing
    return await receiving.find(arrival_id)


@db.transactional
async def cancel(arrival_id: UUID, words: str, *, actor: Actor) -> Arrival:
    """Await goods no more of which nothing has come in.

    Raises: ArrivalMissing, ArrivalUnderWay, ArrivalEnded.
    """
    arrival = await in_sight(arrival_id, actor)
    if arrival.fulfilment_id is not None:
        await journey.lock(arrival.fulfilment_id)
    await receiving.cancel(arrival_id, actor=actor, words=words)
    return await receiving.find(arrival_id)


@db.transactional
async def close_short(event_id: UUID, arrival_id: UUID, words: str, *, actor: Actor) -> Arrival:
    """Await the missing pieces of an arrival no more, by a person's word.

    A parcel hears that nothing more will come; its missing pieces stay where custody has them.

    Raises: ArrivalMissing, ArrivalUnderWay; ArrivalEnded unless by the same person's words.
    """
    arrival = await in_sight(arrival_id, actor)
    if arrival.fulfilment_id is not None:
        await journey.lock(arrival.fulfilment_id)
    arrival = await receiving.lock(arrival_id)
    if arrival.ended:
        if not await _ended_by(arrival_id, words, actor):
            raise receiving.ArrivalEnded(arrival.number)
        return arrival
    await receiving.close_short(arrival, actor=actor, words=words)
    await helpdesk.close_problems("receiving_difference", str(arrival_id), words, actor)
    if arrival.fulfilment_id is not None:
        await state_received(arrival, event_id, [], actor=actor, complete=True)
    return await receiving.find(arrival_id)


async def _ended_by(arrival_id: UUID, words: str, actor: Actor) -> bool:
    return bool(
        await db.value(
            "SELECT true FROM expected_arrival"
            " WHERE id = $1 AND ended_by = $2 AND ending_words = $3",
            arrival_id,
            actor.person_id,
            words,
        )
    )
