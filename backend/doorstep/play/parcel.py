"""One parcel's way from the vendor's yes to the installation, each step by who does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from doorstep.play import door, goods, installation, picking, troubles
from doorstep.play.captures import now, step
from doorstep.play.visitors import Visitor, new_event, only, until

if TYPE_CHECKING:
    from doorstep.play.order import OrderPlay


class ParcelPlay:
    """Walks one parcel of an order through vendor, warehouse, road and installation."""

    def __init__(self, order: OrderPlay, parcel: dict[str, Any]) -> None:
        self.order = order
        self.company = order.company
        self.id: str = parcel["id"]
        self.location_id: str = parcel["location_id"]
        self.owned_by_vendor = parcel["owner_id"] is not None
        self.wrong_code_first = False
        self.pick_again = False
        self.keep_back = ""
        self.odd_serial = ""
        self.installs = False
        # A parcel that was split off at the door has come this far already.
        self.passed = {stage["stage"] for stage in parcel["stages"]}

    async def play(self) -> None:
        """Vendor, warehouse, courier, delivery and technician, each in turn, with any trouble."""
        for name, do, proven_by in self.steps():
            if proven_by in self.passed:
                continue
            outcome = await troubles.meet(self.order, self, name)
            if outcome is troubles.ENDED:
                return
            if outcome is troubles.GO_ON:
                await do()

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[None]], int]]:
        """List what is done with the parcel, in order, and the stage that shows it to be done.

        The last one, `finish`, is left to the order.
        """
        return [
            ("accept", self.accept, 1004),
            ("pick_check_pack", partial(picking.pick_check_pack, self), 1007),
            ("book", self.book, 1014),
            ("carry", self.carry, 1010),
            ("deliver", partial(door.deliver, self), 1013),
            ("install", partial(installation.install, self), 1015),
        ]

    async def book(self) -> None:
        """The dispatcher books the technician once the parcel has its AWB."""
        await self.reached(1008)
        self.installs = await installation.book_visit(self)

    async def reached(self, stage: int) -> None:
        """Wait until this parcel has settled the stage."""
        await self.order.stage_of(self.id, stage)

    async def accept(self) -> None:
        """The vendor accepts the purchase order (1004); our own goods have none."""
        if not self.owned_by_vendor:
            return
        vendor, po_id = await self.purchase_order()
        await vendor.post(f"/vendor/purchase-orders/{po_id}/accept", {"event_id": new_event()})

    async def purchase_order(self) -> tuple[Visitor, str]:
        """Give the vendor, and the purchase order that waits for him."""

        async def sent() -> str | None:
            po_id: str | None = self.order.parcel_of(await self.order.order(), self.id)["po_id"]
            return po_id

        po_id = await until(sent, "the purchase order")
        return await self.company.of("vendor", self.order.plan.channel), po_id

    async def carry(self) -> None:
        """The courier picks up, departs and passes the hub (1009 to 1011), scanning every piece."""
        courier, manifest = await self.give_to_courier()
        labels = [piece["label_no"] for piece in manifest["pieces"]]
        await courier.post(
            f"/field/manifests/{manifest['id']}/confirm", step() | {"counted": len(labels)}
        )
        for kind, stage in (("pickup", 1009), ("departure", 1010), ("hub_in", 1011)):
            scans = [
                {"scan_uid": new_event(), "label_no": n, "kind": kind, "captured_at": now()}
                for n in labels
            ]
            await courier.post("/field/scans", {"scans": scans})
            await self.reached(stage)

    async def give_to_courier(self) -> tuple[Visitor, dict[str, Any]]:
        """The dispatcher puts the parcel on a manifest; give the courier whose it is, and it."""
        dispatcher = await self.company.staff("dispatcher")
        courier = await self.company.of("courier", self.order.plan.channel)
        parcel = self.order.parcel_of(await self.order.order(), self.id)
        await dispatcher.ensure(
            "/console/manifests",
            {
                "location_id": parcel["location_id"],
                "courier_id": str(courier.user.person_id),
                "fulfilment_ids": [self.id],
            },
            "piece-already-given",
        )
        awb = _evidence(parcel, 1008, "awb")
        return courier, only(
            one
            for one in await courier.get("/field/manifests")
            if any(piece["label_no"].startswith(f"{awb}-") for piece in one["pieces"])
        )

    # --- What goes wrong --------------------------------------------------------------------------

    async def report(self, kind: str, *, reason: str = "", role: str = "dispatcher") -> None:
        """A desk reports what happened."""
        desk = await self.company.staff(role)
        body = {"event_id": new_event(), "kind": kind, "reason": reason}
        await desk.post(f"/console/fulfilments/{self.id}/detours", body)

    async def settle(self, kind: str, role: str) -> None:
        """A desk says that it is over, if it is open."""
        parcel = self.order.parcel_of(await self.order.order(), self.id)
        if not any(d["kind"] == kind and d["closed_at"] is None for d in parcel["detours"]):
            return
        desk = await self.company.staff(role)
        path = f"/console/fulfilments/{self.id}/detours/{kind}/settle"
        await desk.post(path, {"event_id": new_event()})

    async def ask_return(self, *, first_piece: bool = False) -> None:
        """The customer calls: everything goes back, or one piece of the first line."""
        desk = await self.company.staff("support")
        body: dict[str, Any] = {"event_id": new_event(), "reason": "changed_mind", "how": "home"}
        if first_piece:
            line = self.order.parcel_of(await self.order.order(), self.id)["lines"][0]
            body["lines"] = [{"fulfilment_line_id": line["id"], "quantity": 1}]
        await desk.post(f"/console/fulfilments/{self.id}/returns", body)

    async def take_in(self, grade: str) -> None:
        """The floor scans in whatever of the order is expected back."""
        await goods.take_in(self.company, self.order.plan.channel, self.order.number, grade=grade)

    async def restock(self, wanted: list[tuple[str, int]] | None = None) -> None:
        """Our own buyers find the goods of the order."""
        channel = self.order.plan.channel
        lines = wanted or list(self.order.plan.lines)
        await goods.restock(self.company, channel, self.location_id, lines)


def _evidence(parcel: dict[str, Any], stage: int, kind: str) -> str:
    """Read what a stage's evidence refers to."""
    return only(
        str(item["ref"])
        for passed in parcel["stages"]
        if passed["stage"] == stage
        for item in passed["evidence"]
        if item["kind"] == kind
    )
