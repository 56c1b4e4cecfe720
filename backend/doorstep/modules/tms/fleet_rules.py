"""Pure decisions of the fleet: what a crew can take, whose the goods are, what a shift holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

GRAMS = 1000
MILLILITRES = 1000


class Goods(NamedTuple):
    """What a parcel asks for: people to carry its heaviest piece, weight and room."""

    crew_size: int
    weight_g: int
    volume_ml: int


class Room(NamedTuple):
    """A crew and its vehicle, with what it carries or is to carry already."""

    people: int
    capacity_kg: int
    capacity_l: int
    weight_g: int = 0
    volume_ml: int = 0

    def with_load(self, goods: Goods) -> Room:
        """Add goods to the load."""
        return self._replace(
            weight_g=self.weight_g + goods.weight_g, volume_ml=self.volume_ml + goods.volume_ml
        )


class Obstacle(NamedTuple):
    """Why a crew with its vehicle cannot take goods, in words."""

    kind: Literal["crew", "vehicle"]
    words: str


def obstacle(room: Room, goods: Goods) -> Obstacle | None:
    """Tell what keeps a crew from taking goods on top of its load, or None (SPEC J, crew size)."""
    if goods.crew_size > room.people:
        return Obstacle(
            "crew", f"It takes {goods.crew_size} people to carry; the crew is {room.people}."
        )
    loaded = room.with_load(goods)
    if loaded.weight_g > room.capacity_kg * GRAMS:
        kilos = _up(loaded.weight_g, GRAMS)
        return Obstacle(
            "vehicle", f"The vehicle takes {room.capacity_kg} kg; it would carry {kilos} kg."
        )
    if loaded.volume_ml > room.capacity_l * MILLILITRES:
        litres = _up(loaded.volume_ml, MILLILITRES)
        return Obstacle(
            "vehicle", f"The vehicle takes {room.capacity_l} l; it would carry {litres} l."
        )
    return None


def _up(amount: int, unit: int) -> int:
    """Round up, so that a refusal never names a number that would fit."""
    return -(-amount // unit)


def share_out(room: Room, parcels: Iterable[Goods]) -> list[Obstacle | None]:
    """Load parcels in order as far as they fit; tell for each what keeps it off, or None."""
    told: list[Obstacle | None] = []
    for goods in parcels:
        found = obstacle(room, goods)
        if found is None:
            room = room.with_load(goods)
        told.append(found)
    return told


class Seen(NamedTuple):
    """The last scan of a piece that says who has it: a shift's crew, the floor, or nobody yet."""

    label_no: str
    shift_id: UUID | None
    on_the_floor: bool
    at: datetime | None
    scan_uid: UUID | None


FLOOR: Literal["floor"] = "floor"


def hand_of(pieces: Sequence[Seen]) -> UUID | Literal["floor"] | None:
    """Tell who has the whole parcel by the last scan of every piece: a shift, the floor, or None.

    Half a parcel in one hand and half in another is in no one hand: nothing moves.
    """
    if not pieces:
        return None
    hands = {FLOOR if piece.on_the_floor else piece.shift_id for piece in pieces}
    return hands.pop() if len(hands) == 1 else None


def last_of(pieces: Sequence[Seen]) -> Seen:
    """Pick the piece that was seen last: its scan completed the parcel."""
    return max(
        (piece for piece in pieces if piece.at is not None),
        key=lambda piece: (piece.at, str(piece.scan_uid)),
    )


class Explained(NamedTuple):
    """A word about a piece, or about a whole parcel."""

    label_no: str | None
    fulfilment_id: UUID | None


def unexplained(
    fulfilment_id: UUID, pieces: Sequence[Seen], explained: Collection[Explained]
) -> list[str] | None:
    """Name the pieces of a parcel on the van that nothing accounts for; None: the whole parcel.

    An empty list is good. A piece that the floor has scanned is back. A parcel without pieces can
    only be explained as a whole.
    """
    if any(one.fulfilment_id == fulfilment_id for one in explained):
        return []
    if not pieces:
        return None
    told = {one.label_no for one in explained}
    left = [p.label_no for p in pieces if not p.on_the_floor and p.label_no not in told]
    return None if len(left) == len(pieces) else left


def holding(cash: Iterable[str], goods: Iterable[tuple[str, int]], labels: Sequence[str]) -> str:
    """Say what a crew still holds: `You hold AED 3,148.00 and 1 Refrigerator.`

    `cash` are written amounts, `goods` names with quantities, `labels` single boxes of parcels
    whose other boxes are accounted for.
    """
    counted: Counter[str] = Counter()
    for name, quantity in goods:
        counted[name] += quantity
    things = [*cash, *(f"{quantity} {name}" for name, quantity in sorted(counted.items()))]
    if labels:
        things.append(
            f"box {', '.join(labels)}" if len(labels) == 1 else f"boxes {', '.join(labels)}"
        )
    if not things:
        return "You hold nothing."
    return f"You hold {_and(things)}."


def _and(things: Sequence[str]) -> str:
    if len(things) == 1:
        return things[0]
    return f"{', '.join(things[:-1])} and {things[-1]}"


def loaded(scanned: int, expected: int) -> str:
    """Say how far the loading is: `47 of 48`."""
    return f"{scanned} of {expected}"
