"""One order's way from the shop to 100 %: each step by the person who does it, over HTTP."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from doorstep.play.pictures import photo, strokes
from doorstep.play.visitors import Company, StepFailed, Visitor, new_event, patiently, until

T = TypeVar("T")

WRONG_SERIALS = 40
"""How many serials a picker tries: others take from the same shelf at the same time."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is ordered where, and how it is paid; made from a seed before the play begins."""

    number: int
    channel: str = "AE"
    lines: tuple[tuple[str, int], ...] = (("WM-7KG", 1), ("KET-17", 1))
    payment: str = "checkoutcom_card_payment"
    seed: int = 0

    @property
    def cash(self) -> bool:
        """Tell whether the customer pays at the door."""
        return self.payment == "cashondelivery"


class OrderPlay:
    """Walks one order through its stages; what it learns on the way stays for the report."""

    def __init__(self, company: Company, plan: Plan) -> None:
        self.company = company
        self.plan = plan
        self.dice = random.Random(f"{plan.seed}/{plan.number}")  # noqa: S311 - a plan, no secret
        self.shop_order: dict[str, Any] = {}
        self.number = ""
        self.order_id = ""
        self.token = ""
        self.codes: set[str] = set()
        self.tranches: dict[str, list[dict[str, Any]]] = {}

    async def play(self) -> None:
        """Go the whole way; every parcel by itself, then what concerns the order.

        Raises: StepFailed with the step that was not answered as it must be.
        """
        await self.place()
        await self.pay()
        for parcel in (await self.stage_reached(1003))["parcels"]:
            await self.take_parcel(parcel)
        await self.settle_cash()
        for parcel in (await self.order())["parcels"]:
            await self.rate(parcel)
        await self.stage_reached(1018, seconds=120)
        for parcel in (await self.order())["parcels"]:
            if parcel["po_id"]:
                self.tranches[parcel["id"]] = await self.paid_tranches(parcel["po_id"])

    # --- The shop and the payment ---------------------------------------------------------------

    async def place(self) -> None:
        """A customer orders in the shop; Doorstep fetches the order."""
        answer = await self.company.sandbox.post(
            "/shop/_place",
            json={
                "channel": self.plan.channel,
                "lines": [{"sku": sku, "quantity": n} for sku, n in self.plan.lines],
                "payment": self.plan.payment,
                "paid": False,
                "seed": self.dice.randrange(10**6),
            },
        )
        answer.raise_for_status()
        self.shop_order = answer.json()
        desk = await self.company.staff("support")

        async def known() -> dict[str, Any] | None:
            found = await desk.get("/api/orders", external_id=self.shop_order["increment_id"])
            return found[0] if found else None

        summary = await until(known, "the order to come in", seconds=90)
        self.number, self.order_id = summary["number"], summary["id"]

    async def pay(self) -> None:
        """The gateway tells by webhook that it has the money; cash at the door finance approves."""
        if self.plan.cash:
            finance = await self.company.staff("finance")
            await finance.post(
                f"/console/finance/orders/{self.order_id}/payment-approval",
                {"event_id": new_event(), "reason": "Known customer, confirmed by phone."},
            )
            return
        summary = await self.order()
        answer = await self.company.sandbox.post(
            "/gateway/_capture",
            json={
                "reference": self.shop_order["increment_id"],
                "amount": summary["total_minor"],
                "currency": summary["currency"],
            },
        )
        answer.raise_for_status()

    async def order(self) -> dict[str, Any]:
        """Read the order as support sees it."""
        desk = await self.company.staff("support")
        found: dict[str, Any] = await desk.get(f"/api/orders/{self.number}")
        return found

    async def stage_reached(self, stage: int, *, seconds: float = 60) -> dict[str, Any]:
        """Wait until every parcel has settled the stage."""

        async def reached() -> dict[str, Any] | None:
            order = await self.order()
            done = [{s["stage"] for s in parcel["stages"]} for parcel in order["parcels"]]
            return order if all(stage in stages for stages in done) else None

        return await until(reached, f"{self.number} to pass {stage}", seconds=seconds)

    # --- One parcel -----------------------------------------------------------------------------

    async def take_parcel(self, parcel: dict[str, Any]) -> None:
        """Vendor, warehouse, courier, delivery and technician, each in turn."""
        fulfilment_id = parcel["id"]
        if parcel["owner_id"]:
            await self.accept(fulfilment_id)
        await self.pick_check_pack(fulfilment_id)
        await self.stage_of(fulfilment_id, 1008)
        installs = await self.book_visit(fulfilment_id)
        await self.carry(fulfilment_id)
        await self.deliver(fulfilment_id)
        if installs:
            await self.install(fulfilment_id)

    async def stage_of(self, fulfilment_id: str, stage: int) -> dict[str, Any]:
        """Wait until this parcel has settled the stage; return the parcel."""

        async def reached() -> dict[str, Any] | None:
            parcel = self.parcel_of(await self.order(), fulfilment_id)
            return parcel if stage in {s["stage"] for s in parcel["stages"]} else None

        return await until(reached, f"{self.number} to pass {stage}")

    def parcel_of(self, order: dict[str, Any], fulfilment_id: str) -> dict[str, Any]:
        """Pick one parcel of an order."""
        found: dict[str, Any] = next(p for p in order["parcels"] if p["id"] == fulfilment_id)
        return found

    async def accept(self, fulfilment_id: str) -> None:
        """The vendor accepts the purchase order (1004)."""

        async def sent() -> str | None:
            po_id: str | None = self.parcel_of(await self.order(), fulfilment_id)["po_id"]
            return po_id

        po_id = await until(sent, "the purchase order")
        vendor = await self.company.of("vendor", self.plan.channel)
        await vendor.post(f"/vendor/purchase-orders/{po_id}/accept", {"event_id": new_event()})

    async def pick_check_pack(self, fulfilment_id: str) -> None:
        """Pick, scan every code, close the boxes (1005 to 1007)."""
        picker = await self.company.of("warehouse", self.plan.channel)

        async def listed() -> dict[str, Any] | None:
            lists = await picker.get("/field/pick-lists")
            return next((one for one in lists if one["fulfilment_id"] == fulfilment_id), None)

        work = await until(listed, "the pick list")
        path = f"/field/fulfilments/{fulfilment_id}"
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
        codes = [
            code
            for line in lines
            for code in [line["barcode"], *(a["code"] for a in line["accessories"])]
            for _ in range(line["quantity"])
        ]
        missing = await self._scan(picker, path, event_id, codes)
        for line in lines:
            shelf = list(line["serials"])
            self.dice.shuffle(shelf)
            for serial in shelf[:WRONG_SERIALS]:
                if not any(f"serial of {line['sku']}" in words for words in missing):
                    break
                missing = await self._scan(picker, path, event_id, [serial], missing)
        if missing:
            raise StepFailed(f"QC of {self.number} still misses {missing}")

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

    async def book_visit(self, fulfilment_id: str) -> bool:
        """The dispatcher books the technician before the delivery; goods may need none."""
        dispatcher = await self.company.staff("dispatcher")
        answer = await dispatcher.try_post("/console/visits", {"fulfilment_id": fulfilment_id})
        if answer.is_success or "visit-already-booked" in answer.text:
            return True
        if "nothing-to-install" in answer.text:
            return False
        raise StepFailed(f"booking: {answer.status_code} {answer.text[:300]}")

    async def carry(self, fulfilment_id: str) -> None:
        """The courier picks up, departs and passes the hub (1009 to 1011), scanning every piece."""
        dispatcher = await self.company.staff("dispatcher")
        courier = await self.company.of("courier", self.plan.channel)
        parcel = self.parcel_of(await self.order(), fulfilment_id)
        await dispatcher.ensure(
            "/console/manifests",
            {
                "location_id": parcel["location_id"],
                "courier_id": str(courier.user.person_id),
                "fulfilment_ids": [fulfilment_id],
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
            await self.stage_of(fulfilment_id, stage)

    async def deliver(self, fulfilment_id: str) -> None:
        """The delivery executive accepts the run and hands over with every proof (1012, 1013)."""
        dispatcher = await self.company.staff("dispatcher")
        executive = await self.company.of("delivery", self.plan.channel)
        await dispatcher.ensure(
            "/console/runs",
            {
                "person_id": str(executive.user.person_id),
                "vehicle": "VAN-1",
                "planned_on": await self._today(),
                "fulfilment_ids": [fulfilment_id],
            },
            "already-assigned",
        )
        run, _ = await self._stop(executive, fulfilment_id)
        await executive.post(f"/field/runs/{run['id']}/accept", _step())
        _, stop = await self._stop(executive, fulfilment_id)
        recipe = stop["recipe"]
        proof = _step() | {
            "receiver": {"name": stop["address"]["name"], "relation": "customer"},
            "photos": [
                await self._photo(executive, f"{self.number} delivery", slot)
                for slot in recipe["photo_slots"]
            ],
            "signature": strokes(),
            "handover_code": await self.handover_code(),
            "place": _place(stop["address"]),
            "scanned_labels": [piece["label_no"] for piece in stop["pieces"]],
            "tenders": [{"method": "cash", "amount_minor": stop["cash_due_minor"]}]
            if stop["cash_due_minor"]
            else [],
        }
        await executive.post(f"/field/stops/{stop['id']}/pod", proof)
        await self.stage_of(fulfilment_id, 1013)

    async def _stop(
        self, executive: Visitor, fulfilment_id: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Find the delivery on the executive's phone: its run and its stop."""
        return _only(
            (run, stop)
            for run in await executive.get("/field/runs")
            for stop in run["stops"]
            if stop["fulfilment_id"] == fulfilment_id
        )

    async def _today(self) -> str:
        return datetime.now(UTC).date().isoformat()

    async def _photo(self, visitor: Visitor, words: str, slot: str) -> dict[str, str]:
        return {"slot": slot, "sha256": await visitor.upload(photo(f"{words} {slot}"))}

    async def install(self, fulfilment_id: str) -> None:
        """The technician installs, shows and has it signed (1015)."""
        technician, card = await self._visit(fulfilment_id)
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
                    photos.append(await self._photo(technician, f"{self.number} visit", slot))
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
        await self.stage_of(fulfilment_id, 1015)

    async def _visit(self, fulfilment_id: str) -> tuple[Visitor, dict[str, Any]]:
        for user in self.company.users("technician", self.plan.channel):
            technician = await self.company.person(user)
            for card in await technician.get("/field/visits"):
                if card["fulfilment_id"] == fulfilment_id:
                    return technician, card
        raise StepFailed(f"{self.number} is on no technician's list")

    # --- The customer and the desks -------------------------------------------------------------

    async def messages(self) -> list[dict[str, Any]]:
        """Read what the customer's phone has received about this order."""
        phone = self.shop_order["billing_address"]["telephone"]
        answer = await self.company.sandbox.get("/messages", params={"to": phone})
        return [m for m in answer.json() if self.number in m["body"] + m["subject"]]

    async def handover_code(self) -> str:
        """Read the code from the customer's newest message that has one."""

        async def told() -> str | None:
            for message in await self.messages():
                found = re.search(r"(?<!\d)\d{6}(?!\d)", message["body"].replace(self.number, ""))
                if found and found[0] not in self.codes:
                    return found[0]
            return None

        # Every parcel has a code of its own.
        code = await until(told, "the handover code")
        self.codes.add(code)
        return code

    async def tracking_token(self) -> str:
        """Take the link's token from the message that confirmed the order."""

        async def told() -> str | None:
            for message in await self.messages():
                found = re.search(r"/track/([\w-]{20,})", message["body"])
                if found:
                    return found[1]
            return None

        if not self.token:
            self.token = await until(told, "the tracking link")
        return self.token

    async def rate(self, parcel: dict[str, Any]) -> None:
        """The customer rates delivery and installation through the link (1016)."""
        token = await self.tracking_token()
        installed = any(s["stage"] == 1015 and s["how"] == "done" for s in parcel["stages"])
        rating = {
            "event_id": new_event(),
            "parcel": parcel["parcel"],
            "delivery_rating": 5,
            "installation_rating": 5 if installed else None,
            "words": "Everything works.",
        }
        answer = await patiently(
            lambda: self.company.http.post(f"/track/{token}/feedback", json=rating)
        )
        if not answer.is_success:
            raise StepFailed(f"feedback: {answer.status_code} {answer.text[:300]}")

    async def settle_cash(self) -> None:
        """Finance counts the cash that the courier brought: now it is a payment (V1)."""
        if not self.plan.cash:
            return
        summary = await self.order()
        finance = await self.company.staff("finance")
        await finance.post(
            "/console/finance/cash-counts",
            {
                "event_id": new_event(),
                "order_ids": [self.order_id],
                "amount_minor": summary["total_minor"],
                "currency": summary["currency"],
            },
        )

    async def paid_tranches(self, po_id: str) -> list[dict[str, Any]]:
        """Wait until the bank has paid all six tranches."""
        finance = await self.company.staff("finance")

        async def paid() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = await finance.get(
                f"/console/finance/purchase-orders/{po_id}/tranches"
            )
            return found if all(_is_paid(tranche) for tranche in found) else None

        return await until(paid, f"the tranches of {self.number} to be paid", seconds=120)


def _is_paid(tranche: dict[str, Any]) -> bool:
    nothing_due = tranche["state"] == "released" and tranche["amount_minor"] == 0
    return bool(nothing_due or tranche["payout_state"] == "paid")


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
