"""One order's way from the shop to 100 %: each step by the person who does it, over HTTP."""

from __future__ import annotations

import random
import re
from typing import Any

import msgspec

from doorstep.play import goods, troubles, waiting
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, StepFailed, new_event, patiently, until

RESTOCKS = 3
"""How often the buyers order goods again that others took before this order could."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is ordered where, and how it is paid; made from a seed before the play begins."""

    number: int
    channel: str = "AE"
    lines: tuple[tuple[str, int], ...] = (("WM-7KG", 1), ("KET-17", 1))
    payment: str = "checkoutcom_card_payment"
    seed: int = 0
    trouble: str = ""
    """What goes wrong, by its name in play/troubles.py; empty for nothing."""

    @property
    def cash(self) -> bool:
        """Tell whether the customer pays at the door."""
        return self.payment == "cashondelivery"


class OrderPlay:
    """Walks one order through its stages; what it learns on the way stays for the report."""

    walked_by = ParcelPlay
    """Who takes each parcel its way."""

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
        self.trouble = plan.trouble
        self.cash_taken_minor = 0

    async def play(self) -> None:
        """Go the whole way; every parcel by itself, then what concerns the order.

        Raises: StepFailed with the step that was not answered as it must be.
        """
        await self.place()
        if ending := troubles.ENDS_UNPAID.get(self.trouble):
            await ending(self)
            return
        if self.trouble == "pays too late":
            await waiting.hold_runs_out(self)
        await self.pay()
        if self.trouble == "date passes":
            await waiting.date_passes(self)
        await self.travel()
        await self.settle_cash()
        for parcel in await self.living():
            await self.rate(parcel)
        await self.stage_reached(1018, seconds=120)
        await self.release_rests()
        for parcel in await self.living():
            if parcel["po_id"]:
                self.tranches[parcel["id"]] = await self.paid_tranches(parcel["po_id"])
        for parcel in await self.living():
            await troubles.meet(self, ParcelPlay(self, parcel), "finish")

    async def release_rests(self) -> None:
        """Finance decides about purchase orders of which a part has ended."""
        ended = {p["po_id"] for p in (await self.order())["parcels"] if p["state"] == "ended"}
        finance = await self.company.staff("finance")
        for po_id in {p["po_id"] for p in await self.living() if p["po_id"]} & ended:
            body = {"event_id": new_event(), "reason": "Agreed with the vendor."}
            path = f"/console/finance/purchase-orders/{po_id}/rest"
            answer = await finance.try_post(path, body)
            if not answer.is_success:
                raise StepFailed(f"rest: {answer.status_code} {answer.text[:300]}")

    async def travel(self) -> None:
        """Every parcel goes its way, also those that stand in for one that has ended."""
        played: set[str] = set()
        while True:
            fresh = [p for p in await self.living() if p["id"] not in played]
            if not fresh:
                return
            for parcel in fresh:
                played.add(parcel["id"])
                await self.walked_by(self, await self.stocked(parcel["id"])).play()

    async def stocked(self, fulfilment_id: str) -> dict[str, Any]:
        """Wait until a parcel has its goods; while they are short, the buyers order more."""
        for _ in range(RESTOCKS):
            try:
                return await self.stage_of(fulfilment_id, 1003, seconds=50)
            except StepFailed:
                order = await self.order()
                places = [p["location_id"] for p in order["parcels"] if p["location_id"]]
                if not places or self.parcel_of(order, fulfilment_id)["location_id"]:
                    raise
                lines = list(self.plan.lines)
                await goods.restock(self.company, self.plan.channel, places[0], lines)
        return await self.stage_of(fulfilment_id, 1003, seconds=50)

    async def living(self) -> list[dict[str, Any]]:
        """List the parcels that have not ended."""
        return [p for p in (await self.order())["parcels"] if p["state"] == "open"]

    async def cancel(self, fulfilment_id: str | None, reason: str) -> None:
        """The customer calls support to cancel the order, or a parcel of it."""
        desk = await self.company.staff("support")
        body: dict[str, Any] = {"event_id": new_event(), "reason": reason}
        if fulfilment_id is not None:
            body["fulfilment_ids"] = [fulfilment_id]
        await desk.post(f"/console/orders/{self.order_id}/cancel", body)

    # --- The shop and the payment ---------------------------------------------------------------

    async def place(self) -> None:
        """A customer orders in the shop; Doorstep fetches the order."""
        self.shop_order = await self.company.outside(
            "POST",
            "/shop/_place",
            json={
                "channel": self.plan.channel,
                # Placed again under its number, an order is the same one.
                "increment_id": f"{self.plan.channel}-{new_event()[-12:].upper()}",
                "lines": [{"sku": sku, "quantity": n} for sku, n in self.plan.lines],
                "payment": self.plan.payment,
                "paid": False,
                "seed": self.dice.randrange(10**6),
            },
        )
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
        if self.trouble == "payment fails":
            await self._gateway("declined")
        await self._gateway("captured")

    async def reject(self) -> None:
        """Finance does not let the customer pay at the door; the order is cancelled with it."""
        finance = await self.company.staff("finance")

        async def waiting() -> str | None:
            found = await finance.get("/console/approvals", kind="payment", limit=500)
            return next((one["id"] for one in found if one["order_number"] == self.number), None)

        approval_id = await until(waiting, "the question whether it may be paid at the door")
        body = {"event_id": new_event(), "reason": "The phone number is somebody else's."}
        await finance.post(f"/console/approvals/{approval_id}/reject", body)

    async def _gateway(self, outcome: str) -> None:
        summary = await self.order()
        await self.company.outside(
            "POST",
            "/gateway/_capture",
            json={
                "reference": self.shop_order["increment_id"],
                "amount": summary["total_minor"],
                "currency": summary["currency"],
                "outcome": outcome,
            },
        )

    async def order(self) -> dict[str, Any]:
        """Read the order as support sees it."""
        desk = await self.company.staff("support")
        found: dict[str, Any] = await desk.get(f"/api/orders/{self.number}")
        return found

    async def stage_reached(self, stage: int, *, seconds: float = 60) -> dict[str, Any]:
        """Wait until every living parcel has settled the stage."""

        async def reached() -> dict[str, Any] | None:
            order = await self.order()
            done = [
                {s["stage"] for s in parcel["stages"]}
                for parcel in order["parcels"]
                if parcel["state"] == "open"
            ]
            return order if all(stage in stages for stages in done) else None

        return await until(reached, f"{self.number} to pass {stage}", seconds=seconds)

    async def stage_of(
        self, fulfilment_id: str, stage: int, *, seconds: float = 60
    ) -> dict[str, Any]:
        """Wait until this parcel has settled the stage; return the parcel."""

        async def reached() -> dict[str, Any] | None:
            parcel = self.parcel_of(await self.order(), fulfilment_id)
            return parcel if stage in {s["stage"] for s in parcel["stages"]} else None

        return await until(reached, f"{self.number} to pass {stage}", seconds=seconds)

    def parcel_of(self, order: dict[str, Any], fulfilment_id: str) -> dict[str, Any]:
        """Pick one parcel of an order."""
        found: dict[str, Any] = next(p for p in order["parcels"] if p["id"] == fulfilment_id)
        return found

    # --- The customer and the desks -------------------------------------------------------------

    async def messages(self) -> list[dict[str, Any]]:
        """Read what the customer's phone has received about this order."""
        phone = self.shop_order["billing_address"]["telephone"]
        found = await self.company.outside("GET", "/messages", params={"to": phone})
        return [m for m in found if self.number in m["body"] + m["subject"]]

    async def handover_code(self) -> str:
        """Read the code from the customer's newest message that has one."""

        async def told() -> str | None:
            for message in await self.messages():
                # Links are random letters and digits, and may hold six in a row.
                words = re.sub(r"https?://\S+", "", message["body"].replace(self.number, ""))
                found = re.search(r"(?<!\d)\d{6}(?!\d)", words)
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
                found = re.search(r"/t/([\w-]{20,})", message["body"])
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
        if not self.cash_taken_minor:
            return
        summary = await self.order()
        finance = await self.company.staff("finance")
        await finance.post(
            "/console/finance/cash-counts",
            {
                "event_id": new_event(),
                "order_ids": [self.order_id],
                "amount_minor": self.cash_taken_minor,
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
