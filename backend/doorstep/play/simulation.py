"""The simulator: many orders at once, with what goes wrong mixed in by rate, planned by a seed."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from doorstep.play import troubles
from doorstep.play.calendar import Calendar, Turn
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
SOLD_OUT = (("FAN-16", 1),)
"""Of this nothing is on the shelf until somebody has waited for it."""


class SimulationResult(NamedTuple):
    """Whether every parcel reached 100 % or a declared end, and what went wrong where not."""

    ok: bool
    orders: int
    failures: list[str]
    ends: Counter[str]
    """How the parcels have ended: `100 %`, cancelled, returned, lost, replaced."""


def plan(orders: int, seed: int, detours: float = 0.0, *, time_passes: bool = False) -> list[Plan]:
    """Plan what is ordered where, how it is paid and what goes wrong; a seed plans the same.

    `detours` is the share of orders with which something goes wrong, where `time_passes` also by
    waiting for days.
    """
    dice = random.Random(seed)  # noqa: S311 - a plan, no secret
    plans = [
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
    # Other dice than above: the same orders are placed whatever goes wrong with them.
    fate = random.Random(f"{seed}/troubles")  # noqa: S311 - as above
    return [
        _troubled(one, fate, time_passes=time_passes) if fate.random() < detours else one
        for one in plans
    ]


def _troubled(planned: Plan, fate: random.Random, *, time_passes: bool) -> Plan:
    trouble = troubles.choose(planned, fate, time_passes=time_passes)
    lines = SOLD_OUT if trouble in troubles.WHEN_TIME_PASSES else planned.lines
    return replace(planned, trouble=trouble, lines=lines)


async def simulate(
    base_url: str,
    sandbox_url: str,
    orders: int,
    seed: int,
    detours: float = 0.0,
    *,
    turn: Turn | None = None,
    patience: float = 1.0,
) -> SimulationResult:
    """Play all orders of a seed, then print how they have ended and which have not.

    `turn` lets time pass; without it, what needs days does not go wrong. `patience` makes the
    people wait so many times longer for what must happen.
    """
    plans = plan(orders, seed, detours, time_passes=turn is not None)
    result = await perform(base_url, sandbox_url, plans, turn=turn, patience=patience)
    for failure in result.failures:
        print(f"WRONG: {failure}", file=sys.stderr)
    well = f"{orders - len(result.failures)} of {orders} orders reached 100 % or a declared end"
    parcels = ", ".join(f"{name}: {count}" for name, count in sorted(result.ends.items()))
    print(f"seed {seed}: {well} (parcels: {parcels})", flush=True)
    return result


async def perform(
    base_url: str,
    sandbox_url: str,
    plans: Sequence[Plan],
    *,
    turn: Turn | None = None,
    patience: float = 1.0,
) -> SimulationResult:
    """Play these orders, many at once; see `simulate`."""
    failures: list[str] = []
    ends: Counter[str] = Counter()

    async def one(planned: Plan) -> None:
        play = OrderPlay(company, planned)
        try:
            await play.play()
            for parcel in (await play.order())["parcels"]:
                ends[parcel["ended_as"] or f"{parcel['progress']} %"] += 1
                if parcel["state"] == "open" and parcel["progress"] != 100:
                    failures.append(f"{play.number} stands at {parcel['progress']} %")
        except StepFailed as failed:
            failures.append(f"{play.number or ''} ({planned.trouble or 'no trouble'}): {failed}")

    calendar = Calendar(AT_ONCE, turn)
    async with visit(base_url, sandbox_url, calendar=calendar, patience=patience) as company:
        await calendar.play([one(planned) for planned in plans])
    return SimulationResult(not failures, len(plans), failures, ends)
