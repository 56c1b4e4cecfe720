"""Goods of one warehouse: received, held, allocated, shipped, passed on, taken back, lost; at once too."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid5

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.flows.place_order import place_order
from doorstep.modules.wms import checks
from doorstep.modules.wms.schemas import QcScan
from doorstep.modules.wms.service import custody, floor, stock
from tests.factories.care import reacting
from tests.factories.world import SHOP, World, an_order, make_world
from tests.models.stock import OUT, SHELF, Placed, Refused, Stock
from tests.support.schedules import Schedule

NOBODY = str(UUID(int=0))
NAMES = uuid5(UUID(int=0), "stock")
WORLD = frozenset({
    "channel", "location", "product", "vendor", "vendor_cost", "migration", "migration_file",
    "ledger_account", "person",
})  # fmt: skip
"""Tables that all schedules share."""

VIOLATIONS = " UNION ALL ".join(
    f"SELECT '{name}' || ' ' || q.subject || ' ' || q.detail AS words FROM ({query}) q"
    for name, query in checks.QUERIES.items()
)
PICTURE = """
SELECT
  (SELECT coalesce(jsonb_agg(jsonb_build_array(l.code, p.sku, s.grade, s.on_hand, s.held, s.allocated)), '[]')
     FROM stock s JOIN location l ON l.id = s.location_id JOIN product p ON p.id = s.product_id
    WHERE s.on_hand <> 0 OR s.held <> 0 OR s.allocated <> 0) AS stock,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(c.fulfilment_line_id, l.code, c.quantity)), '[]')
     FROM custody c JOIN location l ON l.id = c.location_id) AS hands,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(r.fulfilment_line_id, r.state, r.quantity)), '[]')
     FROM reservation r) AS reservations,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(u.serial, l.code, u.state, u.fulfilment_line_id,
                                               u.grade)), '[]')
     FROM unit u JOIN location l ON l.id = u.location_id) AS units
"""
LINES = """
SELECT l.id::text AS line, l.fulfilment_id::text AS parcel, p.sku, l.quantity,
       coalesce((SELECT r.state FROM reservation r WHERE r.fulfilment_line_id = l.id), 'none') AS reserved
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = ANY ($1) ORDER BY l.id
"""

SKUS = ("WM-7KG", "KET-17", "MIX-500")
HANDS = ("VAN-1", "CARRIER-AE", "CUST-AE")
grades = st.sampled_from(["sellable", "sellable", "open_box", "vendor_return"])
orders = st.dictionaries(
    st.sampled_from(("WM-7KG", "WM-7KG", *SKUS)), st.sampled_from([1, 2, 2, 3]), min_size=1
)
number = st.integers(0, 100)


@dataclass
class Deed:
    """One use-case with what it is about, and afterwards what the product answered."""

    what: str
    parcel: str = ""
    place: str = ""
    sku: str = ""
    quantity: int = 0
    grade: str = "sellable"
    serials: tuple[str, ...] = ()
    order: dict[str, int] = field(default_factory=dict)
    short: bool = False
    goods: dict[str, Any] | None = None
    line: str = ""
    ref: str = ""
    placed: list[Placed] = field(default_factory=list)
    answer: str = ""


class StockMachine(Schedule):
    world: ClassVar[World]
    places: ClassVar[dict[str, UUID]]
    tamper: ClassVar[Callable[..., Any]]
    sweep: ClassVar[str]

    @classmethod
    @asynccontextmanager
    async def opened(cls, tamper: Callable[..., Any]) -> AsyncIterator[None]:
        cls.world = await make_world(units=0)
        cls.tamper = staticmethod(tamper)
        await stock.save_location(
            {"code": "VAN-1", "name": "Van", "kind": "van", "channel_id": cls.world.channel_id}
        )
        cls.places = {
            row["code"]: row["id"] for row in await db.rows("SELECT code, id FROM location")
        }
        tables = await db.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND"
                               " relnamespace = 'public'::regnamespace")  # fmt: skip
        cls.sweep = "; ".join(
            f'DELETE FROM "{row["relname"]}"' for row in tables if row["relname"] not in WORLD
        )
        with reacting({}):
            yield

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

    # --- Done in both, and compared --------------------------------------------------------------------

    def _do(self, *deeds: Deed) -> None:
        deeds = tuple(deed for deed in deeds if deed.parcel != NOBODY)
        if not deeds:
            return
        self.story += deeds
        self.do(self._really(deeds))
        for deed in deeds:
            self.count(deed.what, deed.answer)
        if len(deeds) == 1:
            self._in_the_model(deeds[0])
        elif not (self._explained(deeds) or self._explained(tuple(reversed(deeds)))):
            raise AssertionError(f"no order of {deeds} explains what is there now")
        self._agree()

    def _explained(self, deeds: tuple[Deed, ...]) -> bool:
        kept, self.model = self.model, copy.deepcopy(self.model)
        try:
            for deed in deeds:
                self._in_the_model(deed)
        except AssertionError:
            self.model = kept
            return False
        if self.model.picture() == self._picture():
            return True
        self.model = kept
        return False

    async def _really(self, deeds: tuple[Deed, ...]) -> None:
        for deed, answer in zip(
            deeds, await asyncio.gather(*(self._act(deed) for deed in deeds)), strict=True
        ):
            deed.answer = answer

    async def _act(self, deed: Deed) -> str:
        try:
            await self._use_case(deed)
        except Refusal as refused:
            return type(refused).__name__
        return "ok"

    async def _use_case(self, deed: Deed) -> None:
        if deed.what == "receive":
            owner = None if deed.sku == "MIX-500" else self.world.vendor_id
            await stock.receive(
                self.places[SHELF], self.world.products[deed.sku], owner, deed.quantity,
                ref=deed.ref, serials=list(deed.serials), grade=deed.grade,  # type: ignore[arg-type]
            )  # fmt: skip
        elif deed.what == "place":
            answer = await place_order(
                an_order(*deed.order.items(), external_id=deed.ref), actor=SHOP,
                may_be_short=deed.short,
            )  # fmt: skip
            parcels = msgspec.json.decode(answer.answer)["fulfilment_ids"]
            rows = await db.rows(LINES, [UUID(one) for one in parcels])
            placed = (Placed(**row) for row in rows)
            deed.placed = sorted(placed, key=lambda one: (one.sku, one.reserved))
        else:
            await self._moved(deed)

    @db.transactional
    async def _moved(self, deed: Deed) -> None:
        parcel = UUID(deed.parcel)
        locked = await journey.lock(parcel)
        order = locked["order_id"]
        goods = None
        if deed.goods is not None:
            goods = [
                custody.Quantity(UUID(line), len(what), what)
                if isinstance(what, tuple)
                else custody.Quantity(UUID(line), what)
                for line, what in deed.goods.items()
            ]
        if deed.what == "allocate":
            await stock.allocate(parcel)
        elif deed.what == "release":
            await stock.release(parcel)
        elif deed.what == "pick":
            scan = QcScan(scan_uid=uuid5(NAMES, f"{deed.line} {deed.serials[0]}"),
                          code=deed.serials[0], captured_at=now())  # fmt: skip
            seen = await floor.check_scans(
                parcel, self.places[SHELF], self.world.vendor_id, [scan], Actor.system("test")
            )
            assert seen[0].reading.ok, seen
        elif deed.what == "ship":
            await custody.ship(parcel, order, self.places[deed.place])
        elif deed.what == "pass_on":
            await custody.pass_on(
                parcel, order, self.places[deed.place], reason=_reason(deed), ref=deed.ref,
                goods=goods,
            )  # fmt: skip
        elif deed.what == "take_back":
            await custody.take_back(
                parcel, order, self.places[SHELF], ref=deed.ref, grade=deed.grade,  # type: ignore[arg-type]
                goods=goods,
            )  # fmt: skip
        else:
            await custody.write_off(parcel, order, ref=deed.ref)

    def _in_the_model(self, deed: Deed) -> None:
        model, said = self.model, "ok"
        try:
            if deed.what == "receive":
                model.receive(deed.sku, deed.quantity, deed.serials, deed.grade)
            elif deed.what == "place":
                model.place(deed.order, deed.short, deed.placed)
            elif deed.what == "allocate":
                model.allocate(deed.parcel)
            elif deed.what == "release":
                model.release(deed.parcel)
            elif deed.what == "pick":
                model.pick(deed.line, deed.serials[0])
            elif deed.what == "ship":
                model.ship(deed.parcel, deed.place)
            elif deed.what == "pass_on":
                state = "delivered" if _reason(deed) == "deliver" else "shipped"
                model.pass_on(deed.parcel, deed.place, state, deed.goods)
            elif deed.what == "take_back":
                model.take_back(deed.parcel, deed.grade, deed.goods)
            else:
                model.write_off(deed.parcel)
        except Refused as refused:
            said = str(refused)
        assert deed.answer == said, f"{deed}: the product says {deed.answer}, the model {said}"

    def _picture(self) -> dict[str, Any]:
        row = self.do(db.one(PICTURE))
        return {
            "stock": {
                (place, sku, grade): tuple(rest) for place, sku, grade, *rest in row["stock"]
            },
            "hands": {(line, place): quantity for line, place, quantity in row["hands"]},
            "reservations": {line: (state, n) for line, state, n in row["reservations"]},
            "units": {serial: tuple(rest) for serial, *rest in row["units"]},
        }

    def _agree(self) -> None:
        real, wanted = self._picture(), self.model.picture()
        for name in wanted:
            assert real[name] == wanted[name], (name, real[name], wanted[name])
        assert self.model.conserved(), "what came in is no longer all there"
        violations = self.do(db.rows(VIOLATIONS))
        assert violations == [], violations


def _reason(deed: Deed) -> Any:
    return "deliver" if deed.place == "CUST-AE" else "hand_over"
