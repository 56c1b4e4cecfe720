"""A month before a warranty ends its customer is reminded, once (J1018)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.flows import warranty_reminders
from tests.factories.care import place, reacting, travel

TO_DELIVERY = tuple(range(1002, 1014))


@pytest.fixture(autouse=True)
def _bound(db: Any) -> Iterator[None]:
    with reacting():
        yield


async def covered(ends: date, *, state: str = "active") -> UUID:
    """Have a parcel whose warranty ends on a day."""
    order = await place(("KET-17", 2))
    await travel(order.parcels[0], *TO_DELIVERY)
    await core_db.execute(
        "UPDATE warranty SET starts_on = $1::date - 365, ends_on = $1, state = $2,"
        " certificate_sha256 = repeat('a', 64), certificate_at = now()",
        ends,
        state,
    )
    return order.parcels[0]


async def told() -> list[str]:
    rows = await core_db.rows(
        "SELECT body FROM message WHERE event = 'warranty_ending' AND channel = 'sms'"
    )
    return [row["body"] for row in rows]


async def test_it_is_told_once_with_goods_and_day() -> None:
    await covered(now().date() + timedelta(days=warranty_reminders.DAYS_BEFORE))
    for _ in range(2):
        await warranty_reminders.remind({})
    [body] = await told()
    assert "2 × Kettle 1.7 l" in body and str(now().year) in body


@pytest.mark.parametrize(("days", "state"), [(31, "active"), (-1, "active"), (20, "void")])
async def test_nobody_is_told_too_soon_too_late_or_of_goods_that_went_back(
    days: int, state: str
) -> None:
    await covered(now().date() + timedelta(days=days), state=state)
    await warranty_reminders.remind({})
    assert await told() == []


async def test_two_days_of_one_parcel_are_two_messages() -> None:
    parcel = await covered(now().date() + timedelta(days=10))
    await core_db.execute(
        "INSERT INTO warranty (id, number, order_id, fulfilment_id, fulfilment_line_id, product_id,"
        " unit_id, serial, quantity, starts_on, ends_on, state, certificate_sha256, certificate_at)"
        " SELECT gen_random_uuid(), 'WR-SECOND', w.order_id, w.fulfilment_id, w.fulfilment_line_id,"
        " w.product_id, u.id, u.serial, 1, w.starts_on, w.ends_on + 5, 'active', repeat('b', 64), now()"
        " FROM warranty w, LATERAL (SELECT id, serial FROM unit LIMIT 1) u"
        " WHERE w.fulfilment_id = $1",
        parcel,
    )
    for _ in range(2):
        await warranty_reminders.remind({})
    assert len(await told()) == 2
