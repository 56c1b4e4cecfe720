"""The days of a play: time passes only when nobody has anything left to do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from doorstep.core import clock
from doorstep.core.clock import ClockMovedInProduction
from doorstep.play.calendar import AN_HOUR_LATER, DAYS_LATER, Calendar
from doorstep.settings import Settings


async def test_time_passes_step_by_step_and_only_when_everybody_waits_for_it() -> None:
    told: list[str] = []

    async def turn(by: timedelta) -> None:
        told.append(f"turn {by}")

    async def waits(name: str, *until: timedelta) -> None:
        for after in until:
            await asyncio.sleep(0.01)
            told.append(f"{name} waits")
            await calendar.wait_until(after)
        told.append(f"{name} ends")

    calendar = Calendar(1, turn)
    await calendar.play(
        [waits("a", DAYS_LATER), waits("b", AN_HOUR_LATER, DAYS_LATER), waits("c"), waits("d")]
    )
    assert told == [
        "a waits", "b waits", "c ends", "d ends", "turn 1:00:00", "b waits",
        f"turn {DAYS_LATER - AN_HOUR_LATER}", "a ends", "b ends",
    ]  # fmt: skip


async def test_what_has_passed_already_is_not_waited_for() -> None:
    turns: list[timedelta] = []

    async def turn(by: timedelta) -> None:
        turns.append(by)

    async def waits() -> None:
        await calendar.wait_until(DAYS_LATER)
        await calendar.wait_until(AN_HOUR_LATER)

    calendar = Calendar(2, turn)
    await calendar.play([waits()])
    assert turns == [DAYS_LATER]


async def test_a_play_that_breaks_ends_the_others() -> None:
    async def breaks() -> None:
        raise RuntimeError("broken")

    async def waits() -> None:
        await calendar.wait_until(DAYS_LATER)

    calendar = Calendar(2)
    with pytest.raises(RuntimeError, match="does not pass"):
        await calendar.play([breaks(), waits()])


@pytest.mark.parametrize(
    "served",
    [{"cookie_secure": True}, {"cookie_secure": False, "public_url": "https://doorstep.example"}],
    ids=str,
)
def test_no_process_that_could_serve_a_customer_lives_in_another_time(
    served: dict[str, object],
) -> None:
    given = Settings(doorstep_clock_offset=60.0, **served)  # type: ignore[arg-type]
    with pytest.raises(ClockMovedInProduction):
        clock.start(given)
    assert clock.offset() == timedelta()
