"""Goods of one warehouse: received, held, allocated, shipped, passed on, taken back, lost; at once too."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.chaos.machines.stock_deeds import NOBODY, Deed, StockSchedule
from tests.models.stock import OUT, Stock

SKUS = ("WM-7KG", "KET-17", "MIX-500")
HANDS = ("VAN-1", "CARRIER-AE", "CUST-AE")
grades = st.sampled_from(["sellable", "sellable", "open_box", "vendor_return"])
orders = st.dictionaries(
    st.sampled_from(("WM-7KG", "WM-7KG", *SKUS)), st.sampled_from([1, 2, 2, 3]), min_size=1
)
number = st.integers(0, 100)


class StockMachine(StockSchedule):
    """Chooses what is done."""

    @initialize(
        first=st.lists(st.sampled_from([0, 1, 3, 6]), min_size=3, max_size=3),
        under_way=st.lists(st.tuples(orders, st.sampled_from(HANDS)), max_size=2),
    )
    def begin(self, first: list[int], under_way: list[tuple[dict[str, int], str]]) -> None:
        order = sorted(HANDS, key=lambda code: self.places[code].bytes)
        self.model = Stock(frozenset({"WM-7KG"}), tuple(order))
        self.deeds = 0
        self.do(self.tamper(self.sweep))
        for sku, quantity in zip(SKUS, first, strict=True):
            if quantity:
                self._do(self._delivery(sku, quantity, "sellable"))
        for order, place in under_way:
            placing = Deed("place", order=order, ref=self._ref())
            self._do(placing)
            for parcel in dict.fromkeys(one.parcel for one in placing.placed):
                self._do(Deed("allocate", parcel))
                self._do(self._shipping(parcel, place))

    # --- Choosing ------------------------------------------------------------------------------------

    def _ref(self) -> str:
        self.deeds += 1
        return f"deed {self.deeds}"

    def _parcel(self, n: int, *states: str) -> str:
        """Choose a parcel, rather one with a line in such a state."""
        lines = self.model.lines.values()
        parcels = list(dict.fromkeys(one.parcel for one in lines))
        fit = list(dict.fromkeys(one.parcel for one in lines if one.reserved in states))
        chosen = fit if fit and n % 5 else parcels
        return chosen[n % len(chosen)] if chosen else NOBODY

    def _delivery(self, sku: str, quantity: int, grade: str) -> Deed:
        ref = self._ref()
        serials = tuple(f"{ref} no. {n}" for n in range(quantity)) if sku == "WM-7KG" else ()
        return Deed("receive", sku=sku, quantity=quantity, grade=grade, serials=serials, ref=ref)

    def _goods(self, parcel: str, n: int) -> dict[str, Any] | None:
        """Choose some pieces that are out, or nothing in particular: everything."""
        if n % 3 == 0:
            return None
        chosen: dict[str, Any] = {}
        for key, line in self.model.of(parcel):
            out = sum(self.model.hands[key, place] for place in HANDS)
            if line.sku in self.model.serialised:
                units = sorted(
                    serial
                    for serial, unit in self.model.units.items()
                    if unit.line == key and unit.state in OUT
                )
                if units:
                    chosen[key] = tuple(units[-1 - n % len(units) :])
            elif out or n % 7 == 0:
                # Now and then more than there is.
                chosen[key] = 1 + n % (out + (n % 7 == 0) or 1)
        return chosen or None

    # --- Rules ---------------------------------------------------------------------------------------

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 4), grade=grades, known=st.booleans())
    def receive(self, sku: str, quantity: int, grade: str, known: bool) -> None:
        deed = self._delivery(sku, quantity, grade)
        if known and deed.serials and self.model.units:
            deed.serials = (*deed.serials[1:], min(self.model.units))
        self._do(deed)

    @rule(order=orders, short=st.booleans())
    def hold(self, order: dict[str, int], short: bool) -> None:
        self._do(Deed("place", order=order, short=short, ref=self._ref()))

    @rule(n=number)
    def allocate(self, n: int) -> None:
        self._do(Deed("allocate", self._parcel(n, "held")))

    @rule(n=number)
    def release(self, n: int) -> None:
        self._do(Deed("release", self._parcel(n, "held", "allocated")))

    @rule(n=number, place=st.sampled_from(HANDS))
    def ship(self, n: int, place: str) -> None:
        self._do(self._shipping(self._parcel(n, "allocated"), place))

    @rule(n=number, m=number, place=st.sampled_from(HANDS))
    def pass_on(self, n: int, m: int, place: str) -> None:
        self._do(self._passing(n, m, place))

    @rule(
        n=number,
        m=number,
        grade=st.sampled_from(["sellable", "open_box", "vendor_return", "scrap"]),
    )
    def take_back(self, n: int, m: int, grade: str) -> None:
        self._do(self._return(n, m, grade))

    @rule(n=number)
    def write_off(self, n: int) -> None:
        self._do(Deed("write_off", self._parcel(n, "consumed"), ref=self._ref()))

    @rule(
        n=number, m=number, whats=st.lists(
            st.sampled_from(["place", "allocate", "release", "ship", "pass_on", "take_back", "receive"]),
            min_size=2, max_size=2),
        order=orders, place=st.sampled_from(HANDS),
    )  # fmt: skip
    def two_at_once(
        self, n: int, m: int, whats: list[str], order: dict[str, int], place: str
    ) -> None:
        """Let two writers work at the same time, on two connections."""
        first, second = (self._any(what, n + k, m, order, place) for k, what in enumerate(whats))
        if first.parcel == second.parcel and {first.what, second.what} == {"allocate", "ship"}:
            # Nothing is shipped that was allocated just now: QC has not seen its serials.
            second = Deed("release", second.parcel)
        self._do(first, second)

    def _any(self, what: str, n: int, m: int, order: dict[str, int], place: str) -> Deed:
        if what == "place":
            return Deed("place", order=order, ref=self._ref())
        if what == "receive":
            return self._delivery(min(order), 1, "sellable")
        if what == "ship":
            return self._shipping(self._parcel(n, "allocated"), place)
        if what == "pass_on":
            return self._passing(n, m, place)
        if what == "take_back":
            return self._return(n, m, "sellable")
        return Deed(what, self._parcel(n, "held", "allocated"))

    def _passing(self, n: int, m: int, place: str) -> Deed:
        parcel = self._parcel(n, "consumed")
        return Deed("pass_on", parcel, place, goods=self._goods(parcel, m), ref=self._ref())

    def _return(self, n: int, m: int, grade: str) -> Deed:
        parcel = self._parcel(n, "consumed")
        return Deed("take_back", parcel, grade=grade, goods=self._goods(parcel, m), ref=self._ref())

    def _shipping(self, parcel: str, place: str) -> Deed:
        """Pick the serials first: nothing leaves the shelf that QC has not seen."""
        for key, line in self.model.of(parcel):
            if line.sku not in self.model.serialised or line.reserved != "allocated":
                continue
            picked = sum(unit.line == key for unit in self.model.units.values())
            free = sorted(
                serial
                for serial, unit in self.model.units.items()
                if unit.state == "in_stock" and unit.sku == line.sku and unit.grade == "sellable"
            )
            for serial in free[: line.quantity - picked]:
                self._do(Deed("pick", parcel, line=key, serials=(serial,)))
        return Deed("ship", parcel, place)
