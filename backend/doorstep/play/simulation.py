"""The simulator: many orders at once through the happy path, planned by a seed."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import NamedTuple

from doorstep.play.order import OrderPlay, Plan
from doorstep.play.visitors import StepFailed, visit

AT_ONCE = 16
"""Orders in play at the same time; more would only wait for the two cores."""

BASKETS = (
    (("WM-7KG", 1), ("KET-17", 1)),
    (("TV-55", 1),),
    (("AC-15T", 1),),
    (("KET-17", 2),),
    (("MIX-500", 1),),
    (("WM-7KG", 1), ("MIX-500", 1)),
)
CHANNELS = ("AE", "QA", "IN", "KW")
ONLINE_SHARE = 0.75


class SimulationResult(NamedTuple):
    """Whether every order reached 100 %, and what went wrong where it did not."""

    ok: bool
    orders: int
    failures: list[str]


def plan(orders: int, seed: int) -> list[Plan]:
    """Plan what is ordered where and how it is paid; the same seed plans the same."""
    dice = random.Random(seed)  # noqa: S311 - a plan, no secret
    return [
        Plan(
            number=number,
            channel=dice.choice(CHANNELS),
            lines=dice.choice(BASKETS),
            payment="checkoutcom_card_payment"
            if dice.random() < ONLINE_SHARE
            else "cashondelivery",
            seed=seed,
        )
        for number in range(1, orders + 1)
    ]


async def simulate(base_url: str, sandbox_url: str, orders: int, seed: int) -> SimulationResult:
    """Play all orders, then print how many reached 100 % and which did not."""
    failures: list[str] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(planned: Plan) -> None:
        async with gate:
            play = OrderPlay(company, planned)
            try:
                await play.play()
                order = await play.order()
                if order["progress"] != 100:
                    failures.append(f"{play.number} stands at {order['progress']} %")
            except StepFailed as failed:
                failures.append(f"{play.number or planned}: {failed}")

    async with visit(base_url, sandbox_url) as company:
        await asyncio.gather(*(one(planned) for planned in plan(orders, seed)))
    for failure in failures:
        print(f"WRONG: {failure}", file=sys.stderr)
    print(f"seed {seed}: {orders - len(failures)} of {orders} orders reached 100 %", flush=True)
    return SimulationResult(not failures, orders, failures)
