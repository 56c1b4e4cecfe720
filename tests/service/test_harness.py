"""The test harness itself: what one test leaves behind, the next one does not see."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from doorstep.core.clock import now


@pytest.fixture(scope="module")
async def table(db: Any, worker: Any) -> None:
    await db.execute("CREATE TABLE IF NOT EXISTS harness_probe (id int PRIMARY KEY)")


async def test_the_application_role_is_not_a_superuser(db: Any) -> None:
    assert await db.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


async def test_durability_is_off_and_the_time_zone_is_utc(db: Any) -> None:
    assert await db.value("SHOW fsync") == "off"
    assert await db.value("SHOW timezone") == "UTC"


@pytest.mark.parametrize("turn", [1, 2])
async def test_redis_is_empty_at_the_start_of_each_test(redis: Redis, turn: int) -> None:
    assert await redis.dbsize() == 0
    await redis.set("left", turn)


async def test_a_moved_clock_runs_on_from_there(clock: Any) -> None:
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(hours=2))
    assert timedelta() <= now() - datetime(2030, 1, 1, 2, tzinfo=UTC) < timedelta(seconds=5)


async def test_the_clock_is_right_again_afterwards() -> None:
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=1)
