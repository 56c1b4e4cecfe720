"""Random schedules against pure models, on the real database: journey, stock, money (issue 3, IM, IS, IO).

After every step the rows equal the model and every check of the doctor that concerns them is silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.chaos.machines.journey import JourneyMachine
from tests.chaos.machines.money import MoneyMachine
from tests.chaos.machines.stock import StockMachine
from tests.support.schedules import Schedule, run_schedules

SCHEDULES, MANY_SCHEDULES = 100, 700
"""Of each of the three machines: 300 in all, and 2,100 in the soak."""

Tamper = Callable[..., Awaitable[None]]
MACHINES: dict[str, type[Schedule]] = {
    "journey": JourneyMachine,
    "stock": StockMachine,
    "money": MoneyMachine,
}


@pytest.mark.parametrize("name", MACHINES)
async def test_schedules_end_as_the_model_says(db: Any, tamper: Tamper, name: str) -> None:
    await run(MACHINES[name], tamper, SCHEDULES, steps=20, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("name", MACHINES)
async def test_many_schedules_end_as_the_model_says(db: Any, tamper: Tamper, name: str) -> None:
    await run(MACHINES[name], tamper, MANY_SCHEDULES, steps=30, seed=2)


async def run(
    machine: type[Schedule], tamper: Tamper, schedules: int, *, steps: int, seed: int
) -> None:
    async with machine.opened(tamper):
        await run_schedules(machine, schedules, steps=steps, seed=seed)
