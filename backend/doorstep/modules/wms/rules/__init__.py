"""Decisions of the warehouse: where goods are taken from, and what a scanned code is. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

_KIND_RANK = {"warehouse": 0, "store": 1, "vendor_store": 2}


class Offer(NamedTuple):
    """What one owner has of one SKU at one location, not yet promised to anybody."""

    stock_id: UUID
    sku: str
    location_id: UUID
    location_code: str
    kind: str
    owner_id: UUID | None
    available: int


class Share(NamedTuple):
    """A quantity of a line taken from one stock row."""

    line: int
    sku: str
    quantity: int
    stock_id: UUID


class Parcel(NamedTuple):
    """What one location ships of one owner's goods: a fulfilment to be."""

    location_id: UUID
    location_code: str
    owner_id: UUID | None
    shares: tuple[Share, ...]


class Route(NamedTuple):
    """Where every line comes from, what no stock covers, and why, in words (SPEC C10)."""

    parcels: tuple[Parcel, ...]
    short: tuple[tuple[int, str, int], ...]
    why: str


def route(lines: Sequence[tuple[str, int]], offers: Iterable[Offer]) -> Route:
    """Choose where the lines (sku, quantity) ship from.

    One location and owner for everything is best (one parcel); then the place that covers most
    lines; warehouses before stores before vendors' stores; then the fuller shelf.
    """
    places: dict[tuple[UUID, UUID | None], list[Offer]] = defaultdict(list)
    for offer in offers:
        places[offer.location_id, offer.owner_id].append(offer)
    left = {number: quantity for number, (_, quantity) in enumerate(lines)}
    taken: dict[UUID, int] = defaultdict(int)
    parcels: list[Parcel] = []
    for shelf in sorted(places.values(), key=lambda shelf: _rank(shelf, lines)):
        shares = _take(shelf, lines, left, taken)
        if shares:
            first = shelf[0]
            parcels.append(Parcel(first.location_id, first.location_code, first.owner_id, shares))
    short = tuple((n, lines[n][0], quantity) for n, quantity in left.items() if quantity)
    return Route(tuple(parcels), short, _why(parcels, short))


def _rank(shelf: list[Offer], lines: Sequence[tuple[str, int]]) -> tuple[int, int, int, str, str]:
    stocked: dict[str, int] = defaultdict(int)
    for offer in shelf:
        stocked[offer.sku] += offer.available
    wanted: dict[str, int] = defaultdict(int)
    for sku, quantity in lines:
        wanted[sku] += quantity
    covered = sum(stocked[sku] >= quantity for sku, quantity in wanted.items())
    first = shelf[0]
    return (
        -covered,
        _KIND_RANK.get(first.kind, len(_KIND_RANK)),
        -sum(stocked.values()),
        first.location_code,
        str(first.owner_id),
    )


def _take(
    shelf: list[Offer],
    lines: Sequence[tuple[str, int]],
    left: dict[int, int],
    taken: dict[UUID, int],
) -> tuple[Share, ...]:
    shares = []
    for number, (sku, _) in enumerate(lines):
        for offer in shelf:
            quantity = min(left[number], offer.available - taken[offer.stock_id])
            if offer.sku == sku and quantity > 0:
                shares.append(Share(number, sku, quantity, offer.stock_id))
                taken[offer.stock_id] += quantity
                left[number] -= quantity
    return tuple(shares)


def _why(parcels: Sequence[Parcel], short: Sequence[tuple[int, str, int]]) -> str:
    words = []
    if len(parcels) == 1 and not short:
        words.append(f"{parcels[0].location_code} has every line.")
    elif parcels:
        codes = ", ".join(parcel.location_code for parcel in parcels)
        words.append(f"No single place has every line: {codes}.")
    if short:
        missing = ", ".join(f"{quantity} × {sku}" for _, sku, quantity in short)
        words.append(f"No stock for {missing}.")
    return " ".join(words)


Grade = Literal["sellable", "open_box", "vendor_return", "scrap"]
"""What goods are that came in: only sellable ones go to orders again; scrap leaves the stock."""


class Lot(NamedTuple):
    """Pieces of a line of a parcel in one hand."""

    fulfilment_line_id: UUID
    location_id: UUID
    product_id: UUID
    owner_id: UUID | None
    quantity: int


Portion = Lot
"""Pieces of a lot that are to move."""


def portions(
    lots: Sequence[Lot],
    wanted: Mapping[UUID, int] | None,
    named: Mapping[tuple[UUID, UUID], int] | None = None,
) -> list[Portion] | None:
    """Choose which pieces move: `wanted` by line, or everything; None when there are too few.

    `named`: how many units of a line are asked for by their serials at each place; those are taken
    from where they are, the others from any hand.
    """
    if wanted is None:
        return list(lots)
    asked = dict(named or {})
    free = dict(wanted)
    for (line_id, _), quantity in asked.items():
        free[line_id] = max(0, free.get(line_id, 0) - quantity)
    chosen: list[Portion] = []
    for lot in lots:
        line_id, place = lot.fulfilment_line_id, (lot.fulfilment_line_id, lot.location_id)
        own = min(asked.get(place, 0), lot.quantity)
        other = min(free.get(line_id, 0), lot.quantity - own)
        if own + other > 0:
            chosen.append(lot._replace(quantity=own + other))
        if own:
            asked[place] -= own
        if other:
            free[line_id] -= other
    return None if any(asked.values()) or any(free.values()) else chosen


Kind = Literal["barcode", "serial", "accessory", "unknown"]


class Expected(NamedTuple):
    """What QC must see of one line, and what it has seen so far."""

    fulfilment_line_id: UUID
    product_id: UUID
    sku: str
    name: str
    quantity: int
    barcode: str
    serialised: bool
    accessories: tuple[str, ...]
    seen_barcodes: int
    seen_serials: frozenset[str]
    seen_accessories: Mapping[str, int]


class Reading(NamedTuple):
    """What one scanned code is: which line it serves, or why it is wrong, in words."""

    kind: Kind
    ok: bool
    fulfilment_line_id: UUID | None
    unit_id: UUID | None
    reason: str


def read_code(code: str, expected: Sequence[Expected], units: Mapping[str, Any]) -> Reading:
    """Tell barcode, serial and accessory apart, and whether the code belongs into this parcel.

    `units` are the serial units known under this code: code → {id, product_id, state, free}.
    """
    readings = [
        _barcode(line) if code == line.barcode else _accessory(code, line)
        for line in expected
        if code == line.barcode or code in line.accessories
    ]
    if readings:
        return _first_right(readings)
    unit = units.get(code)
    if unit is not None:
        return _serial(code, unit, expected)
    return Reading("unknown", False, None, None, "This code belongs to nothing in the parcel.")


def _barcode(line: Expected) -> Reading:
    if line.seen_barcodes >= line.quantity:
        reason = f"{line.quantity} × {line.sku} are already scanned."
        return Reading("barcode", False, line.fulfilment_line_id, None, reason)
    return Reading("barcode", True, line.fulfilment_line_id, None, "")


def _accessory(code: str, line: Expected) -> Reading:
    if line.seen_accessories.get(code, 0) >= line.quantity:
        reason = f"Accessory {code} is already scanned {line.quantity} times."
        return Reading("accessory", False, line.fulfilment_line_id, None, reason)
    return Reading("accessory", True, line.fulfilment_line_id, None, "")


def _serial(code: str, unit: Mapping[str, Any], expected: Sequence[Expected]) -> Reading:
    lines = [line for line in expected if line.serialised and line.product_id == unit["product_id"]]
    if not lines:
        return Reading("serial", False, None, unit["id"], f"Serial {code} is another product's.")
    for line in lines:
        if code in line.seen_serials:
            reason = f"Serial {code} is already scanned."
            return Reading("serial", False, line.fulfilment_line_id, unit["id"], reason)
    return _first_right([_serial_of(code, unit, line) for line in lines])


def _serial_of(code: str, unit: Mapping[str, Any], line: Expected) -> Reading:
    reason = ""
    if len(line.seen_serials) >= line.quantity:
        reason = f"{line.quantity} × {line.sku} already have their serials."
    elif not unit["free"]:
        reason = f"Serial {code} is not free at this location."
    return Reading("serial", not reason, line.fulfilment_line_id, unit["id"], reason)


def _first_right(readings: Sequence[Reading]) -> Reading:
    """A product may stand on two lines of an order: a code is for the first that misses it."""
    return next((reading for reading in readings if reading.ok), readings[-1])


def still_missing(expected: Sequence[Expected]) -> list[str]:
    """List in words what QC has not seen yet; empty means that the parcel is right."""
    missing = []
    for line in expected:
        if line.seen_barcodes < line.quantity:
            missing.append(f"{line.quantity - line.seen_barcodes} × barcode of {line.sku}")
        if line.serialised and len(line.seen_serials) < line.quantity:
            missing.append(f"{line.quantity - len(line.seen_serials)} × serial of {line.sku}")
        missing.extend(
            f"{line.quantity - line.seen_accessories.get(code, 0)} × accessory {code}"
            for code in line.accessories
            if line.seen_accessories.get(code, 0) < line.quantity
        )
    return missing
