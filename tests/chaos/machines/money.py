"""One order's money: told by gateway, shop and desk, released in six parts, paid by a moody bank."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from doorstep import journey, ports
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import Refusal
from doorstep.core.jobs import RetryAt
from doorstep.flows import cash, desk_refunds, settle, vendor_answers
from doorstep.modules.finance import jobs
from doorstep.modules.finance.rules.payouts import payout_id
from doorstep.modules.finance.service import payouts
from doorstep.modules.finance.service.desk_refunds import DeskRefund
from doorstep.modules.finance.service.payouts import BankWord
from doorstep.modules.helpdesk import jobs as _helpdesk  # noqa: F401 - registers its job
from tests.factories import money
from tests.factories.care import Travelling, passed, place, travel
from tests.factories.money import Bank
from tests.factories.world import World, an_order, make_world
from tests.models.money import FAILED, OPEN, PAID, REVERSED, Money
from tests.support.schedules import WORLD, Schedule, sweep_but

NAMES = uuid5(UUID(int=0), "money")
PRICE = 200_00
START = datetime(2026, 11, 23, 6, tzinfo=UTC)
ROAD = (1005, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1014, 1015, 1018)
WORDS = {
    "processing": ("processing", "processing", OPEN), "unknown": ("unknown", "", OPEN),
    "processed": ("paid", "processed", PAID), "rejected": ("failed", "rejected", FAILED),
    "reversed": ("failed", "reversed", REVERSED),
}  # fmt: skip
"""The bank's word → (state, raw status) as its adapter reads it, and how far the payout then is."""

PICTURE = """
SELECT (SELECT jsonb_build_array(l.state, l.captured_minor) FROM payment_line l WHERE l.order_id = $1)
         AS line,
       (SELECT jsonb_agg(jsonb_build_array(t.state, t.amount_minor) ORDER BY t.number)
          FROM tranche t WHERE t.po_id = $2) AS tranches,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(t.number, p.attempt, p.state)), '[]')
          FROM payout p JOIN tranche t ON t.id = p.tranche_id WHERE p.po_id = $2) AS payouts
"""
amounts = st.sampled_from([PRICE, PRICE, PRICE // 2, 1, PRICE + 1, 150_00])
small = st.integers(0, 5)


class MoneyMachine(Schedule):
    world: ClassVar[World]
    bank: ClassVar[Bank]
    tamper: ClassVar[Callable[..., Any]]
    sweep: ClassVar[str]

    @classmethod
    @asynccontextmanager
    async def opened(cls, tamper: Callable[..., Any]) -> AsyncIterator[None]:
        cls.world = await make_world(units=50)
        cls.tamper = staticmethod(tamper)
        cls.sweep = await sweep_but(WORLD | {"stock", "stock_movement", "unit"})
        async with money.open_bank() as cls.bank:
            yield

    @initialize(
        costs=st.tuples(st.sampled_from([0, 1, 7, 900_01]), st.sampled_from([0, 3, 100_00])),
        at_door=st.booleans(), trusted=st.booleans(), by_shop=st.booleans(),
        far=st.sampled_from([0, 0, 5, 8, 10]),
    )  # fmt: skip
    def begin(
        self, costs: tuple[int, int], at_door: bool, trusted: bool, by_shop: bool, far: int
    ) -> None:
        self.model = Money(PRICE, sum(costs), at_door, trusted)
        self.run_id: UUID | None = None
        self.bank.paid.clear()
        self.order, self.po_id, self.tranches = self.do(self._begin(costs))
        if by_shop:
            self.shop()
        if far:
            self.vendor(accepts=True)
            self.travel(far)

    async def _begin(self, costs: tuple[int, int]) -> tuple[Travelling, UUID, dict[int, UUID]]:
        await self.tamper(
            self.sweep, "UPDATE stock SET held = 0, allocated = 0 WHERE held + allocated > 0"
        )
        method = "cod" if self.model.at_door else "credit_card"
        order = await place(order=an_order(method=method, price_minor=PRICE // 2), world=self.world)
        await money.make_costs(self.world, washing_machine=costs[0], kettle=costs[1])
        if self.model.trusted:
            await db.execute("UPDATE customer SET phone_verified_at = now()")
        await travel(order.parcels[0], 1002, 1003)
        po_id = await db.value("SELECT po_id FROM fulfilment WHERE id = $1", order.parcels[0])
        rows = await db.rows("SELECT number, id FROM tranche WHERE po_id = $1", po_id)
        return order, po_id, {row["number"]: row["id"] for row in rows}

    # --- The customer's money ------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from(["captured", "captured", "captured", "authorised", "failed", "refunded",
                              "hold"]),
        amount=amounts, action=small, minute=small, currency=st.sampled_from(["AED"] * 5 + ["KWD"]),
    )  # fmt: skip
    def gateway_says(self, kind: str, amount: int, action: int, minute: int, currency: str) -> None:
        event = ports.PaymentEvent(
            event_id="evt", kind=kind, raw_type=kind, payment_id="pay_1", action_id=f"act_{action}",  # type: ignore[arg-type]
            reference=self.order.number, amount_minor=amount, currency=currency,
            happened_at=START + timedelta(minutes=minute),
        )  # fmt: skip
        self.do(settle.apply_payment_event(event, "checkout", START))
        if currency == "AED":
            self.model.told(kind, f"act_{action}", amount, minute, "checkout")
        self._agree("gateway", kind)

    @rule()
    def shop(self) -> None:
        """The shop's record shows the line as captured; it comes with the order, before all words."""
        if self.model.actions:
            return
        self.do(self._shop())
        self.model.told_by_shop()
        self._agree("shop", "captured")

    @rule(
        amount=amounts, method=st.sampled_from(["cash", "bank_transfer"]), n=st.integers(0, 2),
    )  # fmt: skip
    def desk_refunds(self, amount: int, method: Any, n: int) -> None:
        refund = DeskRefund(
            id=uuid5(self.order.order_id, f"refund {n}"), order_id=self.order.order_id, method=method,
            amount_minor=amount, currency="AED", reference=f"receipt {n}",
        )  # fmt: skip
        said = self._said(desk_refunds.record_refund(refund, actor=money.FINANCE))
        assert said == self.model.refund_by_hand(f"refund {n}", amount, method)
        self._agree("desk refund", said)

    async def _shop(self) -> None:
        await db.execute(
            "UPDATE payment_line SET state = 'captured', captured_minor = amount_minor"
            " WHERE order_id = $1 AND state <> 'captured'",
            self.order.order_id,
        )
        await settle.verify_order_payment(self.order.order_id)

    @rule()
    def approve(self) -> None:
        said = self._said(settle.approve_payment(self.order.order_id, uuid5(NAMES, "approval"),
                                                 "known", actor=money.FINANCE))  # fmt: skip
        if self.model.answer == "declined" and not self.model.approved:
            assert said == "OrderHasEnded", "the vendor has ended the only parcel"
        else:
            assert said == "ok", said
            self.model.approved = True
        self._agree("approve", said)

    # --- The journey ---------------------------------------------------------------------------------

    @property
    def parcel(self) -> UUID:
        return self.order.parcels[0]

    @rule(accepts=st.sampled_from([True, True, True, False]))
    def vendor(self, accepts: bool) -> None:
        actor = money.vendor_of(self.world)
        event = uuid5(NAMES, f"{self.po_id} {accepts}")
        wanted = "accepted" if accepts else "declined"
        said = self._said(
            vendor_answers.accept(self.po_id, event, actor=actor)
            if accepts
            else vendor_answers.decline(self.po_id, event, "no", actor=actor)
        )
        if self.model.answer in ("sent", wanted):
            assert said == "ok", said
            self.model.answer = wanted
        else:
            assert said == "PurchaseOrderAlreadyAnswered", said
        self._agree("vendor", said)

    @rule(steps=st.integers(1, 4))
    def travel(self, steps: int) -> None:
        left = [code for code in ROAD if code not in self.model.passed][:steps]
        if self.model.answer != "accepted" or not left:
            return
        self.do(travel(self.parcel, *left))
        self.model.passed |= set(left)
        if 1013 in left:
            self.model.post_cash()
        self._agree("travel", "")

    @rule(
        cash=st.sampled_from([0, PRICE, PRICE, 150_00]), held=st.sampled_from([False, False, True]),
        verified=st.booleans(),
    )  # fmt: skip
    def proof_of_delivery(self, cash: int, held: bool, verified: bool) -> None:
        """Put the proof down before 1013 is passed, as its use-case does."""
        if self.model.pod or 1013 in self.model.passed or self.model.answer != "accepted":
            return
        hold = "the handover code was wrong" if held else None
        self.run_id = self.do(
            money.make_pod(self.order, self.parcel, cash=cash, hold=hold, verified=verified)
        )
        self.model.pod, self.model.cash = True, cash
        self.model.pod_held, self.model.bytes_verified = held, verified
        self._agree("pod", "")

    @rule()
    def verify_bytes(self) -> None:
        if self.model.pod:
            self.do(self._verify_bytes())
            self.model.bytes_verified = True
            self._agree("bytes", "")

    async def _verify_bytes(self) -> None:
        await db.execute("UPDATE pod SET bytes_verified_at = now()")
        await journey.state_fact("bytes_verified", self.parcel, actor=money.SYSTEM)

    @rule()
    def approve_installation(self) -> None:
        if 1015 in self.model.passed and not self.model.install_approved:
            self.do(money.approve_installation(self.order, self.parcel))
            self.model.install_approved = True
            self._agree("installation", "")

    @rule(kind=st.sampled_from(["dispute", "dispute", "serial_differs"]), over=st.booleans())
    def detour(self, kind: str, over: bool) -> None:
        row = journey.DETOURS[kind]
        if over:
            if self.model.holds.pop(kind, None) is None:
                return
            actor = Actor(role=min(row.settled_by), source="person", person_id=UUID(int=9))
            self._said(journey.settle_detour(self._new(), self.parcel, kind, actor=actor))
        else:
            if kind in self.model.holds or row.first not in {1001, *self.model.passed}:
                return
            actor = Actor(role=min(row.opened_by), source="person", person_id=UUID(int=9))
            said = self._said(journey.open_detour(self._new(), self.parcel, kind, actor=actor))
            if self.model.answer == "declined" and said == "FulfilmentEnded":
                return
            assert said == "ok", said
            assert row.holds_from is not None
            self.model.holds[kind] = row.holds_from
        self._agree("detour", over)

    def _new(self) -> UUID:
        return uuid5(self.parcel, f"event {sum(self.steps.values())}")

    # --- The vendor's money --------------------------------------------------------------------------

    def _payout(self, n: int, k: int) -> tuple[int, int] | None:
        """Choose a payout: (tranche, index of the attempt)."""
        known = [
            (t, a) for t in sorted(self.model.payouts) for a in range(len(self.model.payouts[t]))
        ]
        return known[(n * 7 + k) % len(known)] if known else None

    @rule(
        n=small, k=small,
        mood=st.sampled_from(["pay", "pay", "refuse", "deaf", "pay and say nothing", "take time"]),
    )  # fmt: skip
    def our_job_asks(self, n: int, k: int, mood: str) -> None:
        chosen = self._payout(n, k)
        if chosen is None:
            return
        self.bank.mood = mood
        self.do(self._ask(self._id(chosen)))
        self.model.ask(*chosen, mood)
        self._agree("job", mood)

    def _id(self, chosen: tuple[int, int]) -> UUID:
        return payout_id(self.tranches[chosen[0]], chosen[1] + 1)

    async def _ask(self, payout: UUID) -> None:
        with suppress(RetryAt):
            await jobs.pay_tranche({"payout_id": str(payout)})

    @rule(n=small, k=small, said=st.sampled_from(sorted(WORDS)))
    def bank_says(self, n: int, k: int, said: str) -> None:
        chosen = self._payout(n, k)
        if chosen is None:
            return
        state, raw, rank = WORDS[said]
        key = str(self._id(chosen))
        word = BankWord(
            state=state, bank_ref=f"pout_{key}", raw_status=raw, reason="", source="webhook"
        )
        self.do(payouts.hear_event(key, word))
        self.model.hear(*chosen, rank)
        self._agree("bank", said)

    @rule(n=st.integers(1, 6))
    def pay_again(self, n: int) -> None:
        said = self._said(settle.pay_again(self.tranches[n], actor=money.FINANCE))
        assert said == self.model.pay_again(n)
        self._agree("pay again", said)

    @rule(short=st.sampled_from([0, 0, 10_00, -5_00, PRICE]), again=st.integers(0, 1))
    def count_cash(self, short: int, again: int) -> None:
        counted = max(0, self.model.cash - short)
        event = f"count {again}"
        real: Any
        try:
            given = self.do(self._count(event, counted))
            real = (given.expected_minor, given.counted_minor)
        except Refusal as refused:
            real = type(refused).__name__
        assert real == self.model.count(event, counted)
        self._agree("count", real if isinstance(real, str) else "ok")

    async def _count(self, event: str, counted: int) -> cash.Counted:
        return await cash.count_cash(
            uuid5(self.order.order_id, event), run_id=self.run_id,
            order_ids=() if self.run_id else (self.order.order_id,), counted_minor=counted, note="",
            currency="AED", actor=money.FINANCE,
        )  # fmt: skip

    def _said(self, coroutine: Any) -> str:
        try:
            self.do(coroutine)
        except Refusal as refused:
            return type(refused).__name__
        return "ok"

    # --- Compared ------------------------------------------------------------------------------------

    def _agree(self, *what: object) -> None:
        self.count(*what)
        decision, real, wrong = self.do(self._look())
        self.model.review()
        wanted = self.model.picture()
        for name in wanted:
            assert real[name] == wanted[name], (what, name, real[name], wanted[name])
        assert decision == self.model.decision(), (decision, self.model.decision())
        assert wrong == [], wrong

    async def _look(self) -> tuple[str, dict[str, Any], list[str]]:
        decision = await settle.verify_order_payment(self.order.order_id)
        await self._review()
        row = await db.one(PICTURE, self.order.order_id, self.po_id)
        states = ("failed", "paid", "reversed")
        real = {
            "line": tuple(row["line"]),
            "states": [state for state, _ in row["tranches"]],
            "amounts": [amount for _, amount in row["tranches"]],
            "payouts": {(n, a): s if s in states else "open" for n, a, s in row["payouts"]},
            "books": await money.balances(),
            "settled": 1017 in await passed(self.parcel),
        }
        return str(decision.state), real, await money.violations()

    @db.transactional
    async def _review(self) -> None:
        await journey.lock(self.parcel)
        await settle.review_purchase_order(self.po_id)
