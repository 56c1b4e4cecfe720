"""Goods on one shelf and in many hands, counted piece by piece."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

SHELF = "DXB"
OUT = ("shipped", "delivered")


class Refused(Exception):
    """The product must refuse with this name, and nothing may change."""


@dataclass
class Line:
    """A quantity of one SKU in a parcel. `reserved` is none, held, allocated, consumed or released."""

    parcel: str
    sku: str
    quantity: int
    reserved: str


@dataclass
class Unit:
    """A piece with a serial number."""

    sku: str
    place: str = SHELF
    state: str = "in_stock"
    line: str | None = None
    grade: str = "sellable"


@dataclass(frozen=True)
class Placed:
    """A line as the order's answer shows it."""

    line: str
    parcel: str
    sku: str
    quantity: int
    reserved: str


@dataclass
class Stock:
    """Everything there is."""

    serialised: frozenset[str]
    places: tuple[str, ...]
    """In the order in which hands are emptied when a line lies in several."""
    on_hand: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lines: dict[str, Line] = field(default_factory=dict)
    hands: Counter[tuple[str, str]] = field(default_factory=Counter)
    units: dict[str, Unit] = field(default_factory=dict)
    received: int = 0
    gone: int = 0

    def reserved(self, sku: str, state: str) -> int:
        return sum(
            one.quantity for one in self.lines.values() if (one.sku, one.reserved) == (sku, state)
        )

    def available(self, sku: str) -> int:
        shelf = self.on_hand[SHELF, sku, "sellable"]
        return shelf - self.reserved(sku, "held") - self.reserved(sku, "allocated")

    def of(self, parcel: str) -> list[tuple[str, Line]]:
        return [(key, one) for key, one in sorted(self.lines.items()) if one.parcel == parcel]

    # --- What may be done ---------------------------------------------------------------------------

    def receive(self, sku: str, quantity: int, serials: Sequence[str], grade: str) -> None:
        # What was written off may turn up again; what stands anywhere may not.
        known = [self.units[serial] for serial in serials if serial in self.units]
        if any(unit.state != "scrapped" for unit in known):
            raise Refused("SerialKnown")
        self.on_hand[SHELF, sku, grade] += quantity
        self.received += quantity
        for serial in serials:
            self.units[serial] = Unit(sku, grade=grade)

    def place(self, wanted: dict[str, int], may_be_short: bool, placed: Iterable[Placed]) -> None:
        """Take a hold for everything, or as much as there is where the shop has sold it already."""
        can = {sku: min(quantity, max(0, self.available(sku))) for sku, quantity in wanted.items()}
        if not may_be_short and can != wanted:
            raise Refused("OutOfStock")
        held: Counter[str] = Counter()
        short: Counter[str] = Counter()
        for one in placed:
            (held if one.reserved == "held" else short)[one.sku] += one.quantity
            self.lines[one.line] = Line(one.parcel, one.sku, one.quantity, one.reserved)
        assert held == Counter(can), f"held {held}, there were {can}"
        assert short == Counter(wanted) - Counter(can), f"short of {short}"

    def allocate(self, parcel: str) -> None:
        mine = [one for _, one in self.of(parcel)]
        if any(one.reserved not in ("held", "allocated") for one in mine):
            raise Refused("HoldLost")
        for one in mine:
            one.reserved = "allocated"

    def release(self, parcel: str) -> None:
        for key, one in self.of(parcel):
            if one.reserved in ("held", "allocated"):
                one.reserved = "released"
            for unit in self.units.values():
                if unit.line == key and unit.state == "picked":
                    unit.state, unit.line = "in_stock", None

    def pick(self, line: str, serial: str) -> None:
        unit = self.units[serial]
        unit.state, unit.line = "picked", line

    def ship(self, parcel: str, to: str) -> None:
        for key, one in self.of(parcel):
            if one.reserved == "allocated":
                one.reserved = "consumed"
                self.on_hand[SHELF, one.sku, "sellable"] -= one.quantity
                self._give(key, to, one.quantity)
            for unit in self.units.values():
                if unit.line == key and unit.state == "picked":
                    unit.state, unit.place = "shipped", to

    def pass_on(self, parcel: str, to: str, state: str, goods: dict[str, Any] | None) -> None:
        self._take(parcel, goods, towards=to)
        for key, _, quantity in self.moved:
            self._give(key, to, quantity)
        for unit in self._named(parcel, goods):
            unit.place, unit.state = to, state

    def take_back(self, parcel: str, grade: str, goods: dict[str, Any] | None) -> None:
        self._take(parcel, goods, towards="")
        moved = {key for key, _, _ in self.moved}
        for key, _, quantity in self.moved:
            if grade == "scrap":
                self.gone += quantity
            else:
                self.on_hand[SHELF, self.lines[key].sku, grade] += quantity
        for unit in self._named(parcel, goods):
            if unit.line not in moved:
                continue
            if grade == "scrap":
                unit.state = "scrapped"
            else:
                unit.state, unit.place, unit.line, unit.grade = "in_stock", SHELF, None, grade

    def write_off(self, parcel: str) -> None:
        self.take_back(parcel, "scrap", None)

    # --- Hands ---------------------------------------------------------------------------------------

    moved: list[tuple[str, str, int]] = field(default_factory=list)

    def _give(self, line: str, place: str, quantity: int) -> None:
        self.hands[line, place] += quantity
        self.on_hand[place, self.lines[line].sku, "sellable"] += quantity

    def _take(self, parcel: str, goods: dict[str, Any] | None, *, towards: str) -> None:
        """Take pieces out of the hands they are in: named ones from where they are."""
        chosen: list[tuple[str, str, int]] = []
        for key, one in self.of(parcel):
            lots = [(place, self.hands[key, place]) for place in self.places if place != towards]
            if goods is None:
                chosen += [(key, place, quantity) for place, quantity in lots if quantity]
            elif key in goods and one.sku in self.serialised:
                named = Counter(self.units[serial].place for serial in goods[key])
                if any(quantity > dict(lots).get(place, 0) for place, quantity in named.items()):
                    raise Refused("GoodsElsewhere")
                chosen += [(key, place, quantity) for place, quantity in sorted(named.items())]
            elif key in goods:
                left = int(goods[key])
                for place, there in lots:
                    if take := min(left, there):
                        chosen.append((key, place, take))
                        left -= take
                if left:
                    raise Refused("GoodsElsewhere")
        self.moved = chosen
        for key, place, quantity in chosen:
            self.hands[key, place] -= quantity
            self.on_hand[place, self.lines[key].sku, "sellable"] -= quantity

    def _named(self, parcel: str, goods: dict[str, Any] | None) -> list[Unit]:
        keys = {key for key, _ in self.of(parcel)}
        named = None
        if goods is not None:
            named = {s for pieces in goods.values() if isinstance(pieces, tuple) for s in pieces}
        return [
            unit
            for serial, unit in self.units.items()
            if unit.line in keys and unit.state in OUT and (named is None or serial in named)
        ]

    # --- Compared with the database ----------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        rows: dict[tuple[str, str, str], tuple[int, int, int]] = {}
        for (place, sku, grade), quantity in self.on_hand.items():
            sellable = place == SHELF and grade == "sellable"
            held = self.reserved(sku, "held") if sellable else 0
            allocated = self.reserved(sku, "allocated") if sellable else 0
            if quantity or held or allocated:
                rows[place, sku, grade] = (quantity, held, allocated)
        return {
            "stock": rows,
            "hands": {key: quantity for key, quantity in self.hands.items() if quantity},
            "reservations": {
                key: (one.reserved, one.quantity)
                for key, one in self.lines.items()
                if one.reserved != "none"
            },
            "units": {
                serial: (unit.place, unit.state, unit.line, unit.grade)
                for serial, unit in self.units.items()
            },
        }

    def conserved(self) -> bool:
        """What came in is on the shelf, in a hand, or scrapped."""
        by_line: dict[str, int] = defaultdict(int)
        for (line, _), quantity in self.hands.items():
            by_line[line] += quantity
        whole = all(by_line[key] <= one.quantity for key, one in self.lines.items())
        return whole and sum(self.on_hand.values()) + self.gone == self.received
