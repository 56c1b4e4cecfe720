"""Pictures that are named and do not come: somebody must ask for them after six hours (IC4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.flows.missing_pictures import find_missing_pictures
from tests.factories import floor
from tests.factories.company import Company, picture, upload
from tests.factories.journeys import standing
from tests.factories.mishaps import failed_attempt


async def alarms() -> list[dict[str, Any]]:
    """Look once more, and tell the alarms that there are."""
    await find_missing_pictures({})
    return await db.rows(
        "SELECT title, detail, closed_at IS NULL AS open, order_id FROM problem"
        " WHERE kind = 'picture_missing' ORDER BY id"
    )


async def test_a_failed_attempt_whose_pictures_do_not_come_rings_once_and_ends_with_them(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1012)
    photos = [picture(), picture()]
    named = [{"slot": "door", "sha256": photo} for photo in photos]
    answer = await failed_attempt(order, photos=named)
    assert answer.status_code == 200
    clock.advance(timedelta(hours=5, minutes=59))
    assert await alarms() == []
    clock.advance(timedelta(minutes=2))
    for _ in range(2):
        [alarm] = await alarms()
    assert alarm["title"] == "2 picture(s) of a failed delivery have not come for six hours"
    name = await db.value("SELECT name FROM person WHERE id = $1", company.users["delivery"].id)
    assert name in alarm["detail"]
    assert (alarm["open"], alarm["order_id"]) == (True, order.order_id)
    await upload(photos[0])
    assert (await alarms())[0]["open"], "one of two"
    await upload(photos[1])
    [alarm] = await alarms()
    assert not alarm["open"]


async def test_pictures_of_the_floor_are_asked_for_too(company: Company, clock: Any) -> None:
    body = floor.capture(code="NOBODY-KNOWS-IT", words="A box", photo_sha256=picture())
    await floor.ok(company, "warehouse", "/field/arrivals/unannounced", body)
    clock.advance(timedelta(hours=7))
    [alarm] = await alarms()
    assert "unannounced goods" in alarm["title"] and alarm["order_id"] is None
