"""The sample company: running it again changes nothing, and its crews can go out."""

from __future__ import annotations

import pytest

from doorstep import doctor
from doorstep.core import db as core_db
from doorstep.seed import sample_users, seed

pytestmark = pytest.mark.usefixtures("db")


async def test_every_market_has_two_vans_with_a_crew_of_two_and_somebody_who_drives_alone() -> None:
    for _ in range(2):
        await seed()
    vans = await core_db.rows(
        "SELECT c.code, count(*) FROM vehicle v JOIN location y ON y.id = v.location_id"
        " JOIN channel c ON c.id = v.channel_id WHERE y.kind = 'van' GROUP BY c.code ORDER BY 1"
    )
    assert [(row["code"], row["count"]) for row in vans] == [
        ("AE", 2), ("IN", 2), ("KW", 2), ("QA", 2),
    ]  # fmt: skip
    sizes = await core_db.rows("SELECT count(*) FROM crew_member GROUP BY crew_id")
    assert [row["count"] for row in sizes] == [2] * 8
    first = next(u for u in sample_users() if (u.role, u.channel) == ("delivery", "AE"))
    assert not await core_db.value(
        "SELECT 1 FROM crew_member WHERE person_id = $1", first.person_id
    )
    assert [str(one) for one in await doctor.run()] == []
