"""What is done to goods: once by the product, once by the model, and then the two are compared."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid5

import msgspec

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
from tests.models.stock import SHELF, Placed, Refused, Stock
from tests.support.schedules import WORLD, Schedule, sweep_but

NOBODY = str(UUID(int=0))
NAMES = uuid5(UUID(int=0), "stock")
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


class StockSchedule(Schedule):
    """Does deeds in both, one or two at once."""

    model: Stock
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
        cls.sweep = await sweep_but(WORLD)
        with reacting({}):
            yield

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
