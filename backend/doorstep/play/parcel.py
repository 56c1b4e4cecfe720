"""One parcel's way from the vendor's yes to the installation, each step by who does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from doorstep.play import goods, troubles
from doorstep.play.pictures import photo, strokes
from doorstep.play.visitors import StepFailed, Visitor, new_event, until

if TYPE_CHECKING:
    from doorstep.play.order import OrderPlay

T = TypeVar("T")

WRONG_SERIALS = 40
"""How many serials a picker tries: others take from the same shelf at the same time."""


class ParcelPlay:
    """Walks one parcel of an order through vendor, warehouse, road and installation."""

    def __init__(self, order: OrderPlay, parcel: dict[str, Any]) -> None:
        self.order = order
        self.company = order.company
        self.id: str = parcel["id"]
        self.location_id: str = parcel["location_id"]
        self.owned_by_vendor = parcel["owner_id"] is not None
        self.wrong_code_first = False
        self.keep_back = ""
        self.odd_serial = ""
        self.installs = False

    async def play(self) -> None:
        """Vendor, warehouse, courier, delivery and technician, each in turn, with any trouble."""
        for name, step in self.steps():
            outcome = await troubles.meet(self.order, self, name)
            if outcome is troubles.ENDED:
                return
            if outcome is troubles.GO_ON:
                await step()

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """List what is done with the parcel, in order; `finish` is left to the order."""
        return [
            ("accept", self.accept),
            ("pick_check_pack", self.pick_check_pack),
            ("book", self.book),
            ("carry", self.carry),
            ("deliver", self.deliver),
            ("install", self.install),
        ]

    async def book(self) -> None:
        """The dispatcher books the technician once the parcel has its AWB."""
        await self.reached(1008)
        self.installs = await self.book_visit()

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

    async def pick_check_pack(self) -> None:
        """Pick, scan every code, close the boxes (1005 to 1007)."""
        picker = await self.company.of("warehouse", self.order.plan.channel)

        async def listed() -> dict[str, Any] | None:
            lists = await picker.get("/field/pick-lists")
            return next((one for one in lists if one["fulfilment_id"] == self.id), None)

        work = await until(listed, "the pick list")
        path = f"/field/fulfilments/{self.id}"
        await picker.post(f"{path}/pick", _step())
        await self.check(picker, path, work["lines"])
        pieces = [
            {name: line[name] for name in ("weight_g", "length_mm", "width_mm", "height_mm")}
            for line in work["lines"]
            for _ in range(line["pieces"])
        ]
        await picker.post(f"{path}/pack", _step() | {"pieces": pieces})

    async def check(self, picker: Visitor, path: str, lines: list[dict[str, Any]]) -> None:
        """Scan barcodes and accessories, then a serial per unit, trying others when one is gone."""
        event_id = new_event()
        if self.wrong_code_first:
            await self._scan(picker, path, event_id, ["NOT-IN-THIS-PARCEL"])
        codes = [
            code
            for line in lines
            for code in [line["barcode"], *(a["code"] for a in line["accessories"])]
            for _ in range(line["quantity"])
        ]
        missing = await self._scan(picker, path, event_id, codes)
        for line in lines:
            shelf = list(line["serials"])
            self.order.dice.shuffle(shelf)
            for serial in shelf[:WRONG_SERIALS]:
                if not any(f"serial of {line['sku']}" in words for words in missing):
                    break
                missing = await self._scan(picker, path, event_id, [serial], missing)
        if missing:
            raise StepFailed(f"QC of {self.order.number} still misses {missing}")

    async def _scan(
        self,
        picker: Visitor,
        path: str,
        event_id: str,
        codes: list[str],
        missing: list[str] | None = None,
    ) -> list[str]:
        scans = [{"scan_uid": new_event(), "code": code, "captured_at": _now()} for code in codes]
        answer = await picker.try_post(f"{path}/checks", {"event_id": event_id, "scans": scans})
        if answer.status_code == 409 and missing is not None:
            return missing
        if not answer.is_success:
            raise StepFailed(f"checks: {answer.status_code} {answer.text[:300]}")
        left: list[str] = answer.json()["missing"]
        return left

    async def book_visit(self) -> bool:
        """The dispatcher books the technician before the delivery; goods may need none."""
        dispatcher = await self.company.staff("dispatcher")
        answer = await dispatcher.try_post("/console/visits", {"fulfilment_id": self.id})
        if answer.is_success or "visit-already-booked" in answer.text:
            return True
        if "nothing-to-install" in answer.text:
            return False
        raise StepFailed(f"booking: {answer.status_code} {answer.text[:300]}")

    async def carry(self) -> None:
        """The courier picks up, departs and passes the hub (1009 to 1011), scanning every piece."""
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
        manifest = _only(
            one
            for one in await courier.get("/field/manifests")
            if any(piece["label_no"].startswith(f"{awb}-") for piece in one["pieces"])
        )
        labels = [piece["label_no"] for piece in manifest["pieces"]]
        await courier.post(
            f"/field/manifests/{manifest['id']}/confirm", _step() | {"counted": len(labels)}
        )
        for kind, stage in (("pickup", 1009), ("departure", 1010), ("hub_in", 1011)):
            scans = [
                {"scan_uid": new_event(), "label_no": n, "kind": kind, "captured_at": _now()}
                for n in labels
            ]
            await courier.post("/field/scans", {"scans": scans})
            await self.reached(stage)

    async def deliver(self) -> None:
        """The delivery executive accepts the run and hands over with every proof (1012, 1013)."""
        executive, stop = await self.go_out()
        recipe = stop["recipe"]
        kept = await self.kept_back()
        proof = _step() | {
            "receiver": {"name": stop["address"]["name"], "relation": "customer"},
            "photos": [
                await self._photo(executive, f"{self.order.number} delivery", slot)
                for slot in recipe["photo_slots"]
            ],
            "signature": strokes(),
            "handover_code": await self.order.handover_code(),
            "place": _place(stop["address"]),
            "scanned_labels": [piece["label_no"] for piece in stop["pieces"]],
            "tenders": [{"method": "cash", "amount_minor": stop["cash_due_minor"]}]
            if stop["cash_due_minor"]
            else [],
            "kept_back": kept,
            "serials": [self.odd_serial] if self.odd_serial else [],
        }
        await executive.post(f"/field/stops/{stop['id']}/pod", proof)
        self.order.cash_taken_minor += stop["cash_due_minor"]
        await self.reached(1013)
        if kept:
            await self.take_in("vendor_return" if self.owned_by_vendor else "open_box")
        if self.odd_serial:
            await self.confirm_serial()

    async def kept_back(self) -> list[dict[str, Any]]:
        """Name one piece that is not handed over, where the parcel has more than one."""
        if not self.keep_back:
            return []
        lines = self.order.parcel_of(await self.order.order(), self.id)["lines"]
        if sum(line["quantity"] for line in lines) < 2:
            return []
        small = min(lines, key=lambda line: str(line["sku"]))
        return [{"fulfilment_line_id": small["id"], "quantity": 1, "reason": self.keep_back}]

    async def confirm_serial(self) -> None:
        """The vendor, or for our own goods a dispatcher, says that the other serial is right."""
        parcel = self.order.parcel_of(await self.order.order(), self.id)
        if parcel["po_id"] is None:
            await self.settle("serial_differs", "dispatcher")
            return
        vendor = await self.company.of("vendor", self.order.plan.channel)
        path = f"/vendor/purchase-orders/{parcel['po_id']}/serials/confirm"
        await vendor.post(path, {"event_id": new_event()})

    async def go_out(self) -> tuple[Visitor, dict[str, Any]]:
        """Plan a run for the parcel and accept it; give the executive and his stop (1012)."""
        dispatcher = await self.company.staff("dispatcher")
        executive = await self.company.of("delivery", self.order.plan.channel)
        await dispatcher.ensure(
            "/console/runs",
            {
                "person_id": str(executive.user.person_id),
                "vehicle": "VAN-1",
                "planned_on": await self._today(),
                "fulfilment_ids": [self.id],
            },
            "already-assigned",
        )
        run, _ = await self._stop(executive)
        await executive.post(f"/field/runs/{run['id']}/accept", _step())
        _, stop = await self._stop(executive)
        return executive, stop

    # --- What goes wrong --------------------------------------------------------------------------

    async def fail_at_door(self, reason: str) -> None:
        """The executive drives there in vain."""
        executive, stop = await self.go_out()
        # The customer has this attempt's code; it opens nothing once the attempt has failed.
        await self.order.handover_code()
        failed = _step() | {"reason": reason, "called": True, "dwell_seconds": 480}
        await executive.post(f"/field/stops/{stop['id']}/failed", failed)

    async def fail_visit(self, reason: str) -> None:
        """The technician cannot finish."""
        if not self.installs:
            return
        await self.reached(1014)
        technician, card = await self._visit()
        body = _step() | {"reason": reason, "words": "As found."}
        await technician.post(f"/field/visits/{card['id']}/failed", body)

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

    async def ask_return(self) -> None:
        """The customer calls: everything goes back."""
        desk = await self.company.staff("support")
        body = {"event_id": new_event(), "reason": "changed_mind", "how": "home"}
        await desk.post(f"/console/fulfilments/{self.id}/returns", body)

    async def take_in(self, grade: str) -> None:
        """The floor scans in whatever of the order is expected back."""
        await goods.take_in(self.company, self.order.plan.channel, self.order.number, grade=grade)

    async def restock(self, wanted: list[tuple[str, int]] | None = None) -> None:
        """Our own buyers find the goods of the order."""
        channel = self.order.plan.channel
        lines = wanted or list(self.order.plan.lines)
        await goods.restock(self.company, channel, self.location_id, lines)

    async def _stop(self, executive: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
        """Find the delivery on the executive's phone: its run and its stop."""
        return _only(
            (run, stop)
            for run in await executive.get("/field/runs")
            for stop in run["stops"]
            if stop["fulfilment_id"] == self.id and stop["state"] == "open"
        )

    async def _today(self) -> str:
        return datetime.now(UTC).date().isoformat()

    async def _photo(self, visitor: Visitor, words: str, slot: str) -> dict[str, str]:
        return {"slot": slot, "sha256": await visitor.upload(photo(f"{words} {slot}"))}

    async def install(self) -> None:
        """The technician installs, shows and has it signed (1015), where there is something to."""
        if not self.installs:
            return
        technician, card = await self._visit()
        await technician.post(f"/field/visits/{card['id']}/start", _step())
        units: list[dict[str, Any]] = []
        photos: list[dict[str, str]] = []
        topics: list[str] = []
        for unit in card["units"]:
            checklist = unit["checklist"] or {"items": [], "demo_topics": []}
            answers = {item["id"]: _answer(item["kind"]) for item in checklist["items"]}
            serials = unit["serials"] or [""] * unit["quantity"]
            units += [
                {
                    "fulfilment_line_id": unit["fulfilment_line_id"],
                    "checklist_id": unit["checklist_id"],
                    "serial": serial,
                    "answers": answers,
                }
                for serial in serials
            ]
            for slot in unit["photo_slots"]:
                if slot not in {p["slot"] for p in photos}:
                    photos.append(await self._photo(technician, f"{self.order.number} visit", slot))
            topics += [topic["id"] for topic in checklist["demo_topics"]]
        await technician.post(
            f"/field/visits/{card['id']}/complete",
            _step()
            | {
                "units": units,
                "photos": photos,
                "demo_topics": sorted(set(topics)),
                "sign_off": {"name": card["address"]["name"], "strokes": strokes()},
                "place": _place(card["address"]),
            },
        )
        await self.reached(1015)

    async def _visit(self) -> tuple[Visitor, dict[str, Any]]:
        for user in self.company.users("technician", self.order.plan.channel):
            technician = await self.company.person(user)
            for card in await technician.get("/field/visits"):
                if card["fulfilment_id"] == self.id:
                    return technician, card
        raise StepFailed(f"{self.order.number} is on no technician's list")


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _step() -> dict[str, Any]:
    return {"event_id": new_event(), "captured_at": _now()}


def _place(address: dict[str, Any]) -> dict[str, Any] | None:
    if address["lat"] is None:
        return None
    return {"lat": address["lat"], "lng": address["lng"], "accuracy_m": 12.0}


def _answer(kind: str) -> object:
    return {"check": True, "number": 21.5, "text": "As it should be."}[kind]


def _only(found: Iterable[T]) -> T:
    """Take the one that is expected to be there.

    Raises: StepFailed when there is another number of them.
    """
    everything = list(found)
    if len(everything) != 1:
        raise StepFailed(f"one was expected: {everything}")
    return everything[0]


def _evidence(parcel: dict[str, Any], stage: int, kind: str) -> str:
    """Read what a stage's evidence refers to."""
    return _only(
        str(item["ref"])
        for passed in parcel["stages"]
        if passed["stage"] == stage
        for item in passed["evidence"]
        if item["kind"] == kind
    )
