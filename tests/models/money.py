"""The money of one order and its purchase order, to the minor unit, as a bookkeeper would keep it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SHARES = (20, 20, 20, 20, 10, 10)
OPEN, FAILED, PAID, REVERSED = 0, 1, 2, 3
"""How far a payout has come by what the bank has said; it never goes back."""


def tranches_of(total: int) -> list[int]:
    """Six parts that add to the total: whole shares first, then a unit each to the largest rests."""
    parts = [total * share // 100 for share in SHARES]
    rests = sorted(range(6), key=lambda n: (-(total * SHARES[n] % 100), n))
    for n in rests[: total - sum(parts)]:
        parts[n] += 1
    return parts


@dataclass
class Payout:
    """One attempt to pay a tranche. `asked`: the bank was called; `took`: it has the money out."""

    rank: int = OPEN
    asked: bool = False
    took: bool = False
    booked: bool = False

    @property
    def live(self) -> bool:
        return self.rank in (OPEN, PAID)


@dataclass
class Money:
    """Everything that is known, and the books that follow from it."""

    price: int
    cost: int
    at_door: bool
    trusted: bool
    """The customer's phone is verified, so that he may pay at the door."""

    # The customer's payment.
    actions: set[tuple[str, str, str]] = field(default_factory=set)
    shop: int = 0
    taken: int = 0
    refunded: int = 0
    by_hand: dict[str, tuple[int, str]] = field(default_factory=dict)
    words: list[tuple[int, str, str]] = field(default_factory=list)
    approved: bool = False

    # The vendor and the journey.
    answer: str = "sent"
    passed: set[int] = field(default_factory=set)
    pod: bool = False
    pod_held: bool = False
    bytes_verified: bool = False
    install_approved: bool = False
    holds: dict[str, int] = field(default_factory=dict)

    # Money to the vendor.
    states: list[str] = field(default_factory=lambda: ["waiting"] * 6)
    advances: set[int] = field(default_factory=set)
    payouts: dict[int, list[Payout]] = field(default_factory=dict)

    # Cash.
    cash: int = 0
    cash_posted: bool = False
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    books: Counter[str] = field(default_factory=Counter)

    def book(self, debit: str, credit: str, amount: int) -> None:
        self.books[debit] += amount
        self.books[credit] -= amount

    # --- The customer pays -----------------------------------------------------------------------------

    @property
    def counted(self) -> int:
        return max(self.shop, self.taken)

    @property
    def captured(self) -> int:
        return min(self.price, max(0, self.counted - self.refunded))

    @property
    def line_state(self) -> str:
        if self.counted:
            return "captured"
        last = max(self.words, default=(0, "", "hold"))[2]
        return last if last in ("authorised", "failed") else "pending"

    def told_by_shop(self) -> None:
        """The shop's record counts where nobody else has told of the money yet."""
        if not self.counted:
            self.shop = self.price
            self.book("gateway_clearing", "customer_deposit", self.price)

    def told(self, kind: str, action: str, amount: int, moment: int, provider: str) -> None:
        if (provider, action, kind) in self.actions:
            return
        self.actions.add((provider, action, kind))
        before = self.counted
        if kind == "captured":
            self.taken += amount
            if provider != "cash":
                self.book("gateway_clearing", "customer_deposit", self.counted - before)
        elif kind == "refunded":
            self.refunded += amount
            self.book("customer_deposit", "gateway_clearing", amount)
        else:
            self.words.append((moment, action, kind))

    def decision(self) -> str:
        """Say whether the goods may go."""
        missing = self.price - self.captured
        if self.counted - self.refunded > self.price:
            return "held"
        if not missing:
            return "verified"
        if self.at_door:
            return "verified" if self.trusted or self.approved else "approval_waiting"
        if missing < self.price:
            return "held"
        return "failed" if self.line_state == "failed" else "waiting"

    def refund_by_hand(self, event: str, amount: int, method: str) -> str:
        """Give back at the desk what was captured beyond the price."""
        if event in self.by_hand:
            return "ok" if self.by_hand[event] == (amount, method) else "EventIdReused"
        if amount > max(0, self.counted - self.refunded) - self.price:
            return "MoreThanOwed"
        self.by_hand[event] = (amount, method)
        self.refunded += amount
        account = {"cash": "cash_desk", "bank_transfer": "bank"}[method]
        self.book("customer_deposit", account, amount)
        return "ok"

    # --- The vendor is paid -------------------------------------------------------------------------------

    def review(self) -> None:
        """Judge the six parts by what is true now; what is released stays released."""
        delivered = 1013 in self.passed
        amounts = tranches_of(self.cost)
        for n, state in enumerate(self.states, start=1):
            if state == "released":
                continue
            self.states[n - 1] = verdict = self._judge(n)
            if verdict == "released" and amounts[n - 1]:
                self.payouts[n] = [Payout()]
                goods = "cost_of_goods" if delivered else "vendor_advance"
                self.book(goods, "vendor_payable", amounts[n - 1])
                if not delivered:
                    self.advances.add(n)
        if delivered:
            for n in self.advances:
                self.book("cost_of_goods", "vendor_advance", amounts[n - 1])
            self.advances.clear()

    def _judge(self, n: int) -> str:
        against = (
            self.answer == "declined"
            or any(lowest <= n for lowest in self.holds.values())
            or (n == 4 and self.pod_held)
        )
        if against:
            return "held"
        due = {
            1: (self.captured if self.counted else 0) >= self.price,
            2: self.answer == "accepted",
            3: 1009 in self.passed,
            4: 1013 in self.passed and self.pod and self.bytes_verified,
            5: 1015 in self.passed and self.install_approved,
            6: 1018 in self.passed,
        }[n]
        if not due:
            return "waiting"
        return "released" if self.answer == "accepted" else "eligible"

    @property
    def settled(self) -> bool:
        return 1015 in self.passed and self.states[:5] == ["released"] * 5

    # --- The bank ---------------------------------------------------------------------------------------

    def hear(self, n: int, attempt: int, rank: int) -> None:
        payout = self.payouts[n][attempt]
        if rank <= payout.rank:
            return
        others = (one for one in self.payouts[n] if one is not payout)
        if rank == PAID and not payout.live and any(one.live for one in others):
            return
        payout.rank = rank
        amount = tranches_of(self.cost)[n - 1]
        if rank >= PAID and not payout.booked:
            payout.booked = True
            self.book("vendor_payable", "bank", amount)
        if rank == REVERSED:
            self.book("bank", "vendor_payable", amount)

    def ask(self, n: int, attempt: int, mood: str) -> None:
        """Let our job ask the bank: first what it knows of the key, then to pay."""
        payout = self.payouts[n][attempt]
        if payout.rank != OPEN:
            return
        knows = payout.asked and payout.took and mood != "deaf"
        payout.asked = True
        if not knows and mood == "refuse":
            self.hear(n, attempt, FAILED)
            return
        if not knows and mood in ("pay", "take time", "pay and say nothing"):
            payout.took = True
        if mood == "pay" or (knows and mood != "take time"):
            self.hear(n, attempt, PAID)

    def pay_again(self, n: int) -> str:
        if self.answer != "accepted":
            return "TrancheMissing"
        if n not in self.payouts:
            return "TrancheNotReleased"
        if any(one.live for one in self.payouts[n]):
            return "PayoutStillLive"
        self.payouts[n].append(Payout())
        return "ok"

    # --- Cash -------------------------------------------------------------------------------------------

    def post_cash(self) -> None:
        if self.cash and not self.cash_posted:
            self.cash_posted = True
            self.book("courier_cash", "customer_deposit", self.cash)

    def count(self, event: str, counted: int) -> tuple[int, int] | str:
        if event in self.counts:
            return self.counts[event]
        if not self.cash or self.counts:
            return "NoCashToCount"
        self.post_cash()
        self.counts[event] = (self.cash, counted)
        self.book("cash_desk", "courier_cash", counted)
        self.book("cash_difference", "courier_cash", self.cash - counted)
        if self.at_door:
            self.told("captured", "cash", self.cash, 0, "cash")
        return self.counts[event]

    # --- Compared with the database ----------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        return {
            "line": (self.line_state, self.captured),
            "states": self.states,
            "amounts": tranches_of(self.cost),
            "payouts": {
                (n, attempt): ("open", "failed", "paid", "reversed")[payout.rank]
                for n, attempts in self.payouts.items()
                for attempt, payout in enumerate(attempts, start=1)
            },
            "books": {account: amount for account, amount in self.books.items() if amount},
            "settled": self.settled,
        }
