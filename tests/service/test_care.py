"""After the delivery: warranty and certificate pass 1018, the customer's rating passes 1016."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import blobs
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import care
from doorstep.journey.refusals import StageTooEarly
from doorstep.modules.crm import service as crm
from doorstep.modules.crm.rules import NothingWasInstalled
from tests.factories.care import Travelling, passed, place, reacting, serials_for, travel

TO_DELIVERY = tuple(range(1002, 1014))
TO_INSTALLATION = (*TO_DELIVERY, 1014, 1015)


@pytest.fixture(autouse=True)
def _bound() -> Any:
    with reacting():
        yield


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[None]:
    await blobs.start(tmp_path.as_uri())
    yield
    await blobs.stop()


def customer(order: Travelling) -> Actor:
    return Actor(role="customer", source="person", order_id=order.order_id)


def rating(event_id: UUID | None = None, installation: int | None = None) -> crm.Feedback:
    return crm.Feedback(
        event_id=event_id or uuid7(), delivery_rating=4, installation_rating=installation, words=""
    )


async def certificate_jobs(db: Any) -> list[dict[str, Any]]:
    rows = await db.rows("SELECT payload FROM outbox WHERE kind = 'flows.issue_certificates'")
    return [row["payload"] for row in rows]


async def test_the_whole_way_from_installation_to_an_active_warranty(db: Any, store: None) -> None:
    order = await place(("WM-7KG", 1), ("KET-17", 2))
    parcel = order.parcels[0]
    await serials_for(parcel, order.world.serials["WM-7KG"][:1])
    await travel(parcel, *TO_INSTALLATION)
    assert 1018 not in await passed(parcel)

    (payload,) = await certificate_jobs(db)
    await care.issue_certificates(payload)
    await care.issue_certificates(payload)

    assert 1018 in await passed(parcel)
    rows = await db.rows("SELECT * FROM warranty ORDER BY serial NULLS LAST")
    assert [(row["serial"], row["quantity"], row["state"]) for row in rows] == [
        ("WM-7KG-SN0000", 1, "active"),
        (None, 2, "active"),
    ]
    event = await db.one("SELECT * FROM journey_event WHERE stage = 1018")
    assert event["actor_role"] == "system"
    assert {(one["kind"], one["ref"], one["sha256"]) for one in event["evidence"]} == {
        ("certificate", row["number"], row["certificate_sha256"]) for row in rows
    }
    assert (await blobs.get(rows[0]["certificate_sha256"])).startswith(b"%PDF")
    assert await db.value("SELECT count(*) FROM message WHERE event = '1018'") == 2


async def test_without_installation_the_warranty_starts_at_delivery(db: Any, store: None) -> None:
    order = await place(("KET-17", 1))
    await travel(order.parcels[0], *TO_DELIVERY)
    assert 1015 in await passed(order.parcels[0])
    (payload,) = await certificate_jobs(db)
    await care.issue_certificates(payload)
    assert 1018 in await passed(order.parcels[0])


async def test_the_warranty_starts_on_the_channels_day(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    # 21:30 in UTC is past midnight in Dubai.
    clock.set(now().replace(hour=21, minute=30) + timedelta(days=1))
    today = now().date()
    await travel(order.parcels[0], *TO_DELIVERY)
    assert await db.value("SELECT starts_on FROM warranty") == today + timedelta(days=1)


async def test_goods_without_warranty_get_no_certificate(db: Any) -> None:
    order = await place(("MIX-500", 1))
    await travel(order.parcels[0], *TO_DELIVERY)
    assert await certificate_jobs(db) == []
    assert 1018 in await passed(order.parcels[0])


async def test_a_certificate_names_the_customer_by_initials_only(db: Any) -> None:
    order = await place(("KET-17", 1))
    await travel(order.parcels[0], *TO_DELIVERY)
    rows = await db.rows(care.WITHOUT_CERTIFICATE, order.parcels[0])
    (warranty,) = care.msgspec.convert(rows, list[crm.Warranty])
    paper = care.paper_of(warranty)
    assert paper.customer_name == "A. K." and paper.installed_on is None
    assert paper.verification_url.endswith(f"/verify/{warranty.number}")


async def test_the_customer_is_asked_and_his_link_runs_out_after_the_last_parcel(db: Any) -> None:
    order = await place(("KET-17", 1), ("MIX-500", 1))
    first, second = order.parcels
    fresh = await db.value("SELECT expires_at FROM order_link")
    await travel(first, *TO_DELIVERY)
    assert await db.value("SELECT count(*) FROM message WHERE event = 'feedback_request'") == 2
    assert await db.value("SELECT expires_at FROM order_link") == fresh
    await travel(second, *TO_DELIVERY)
    assert await db.value("SELECT expires_at FROM order_link") < now() + timedelta(days=31)


async def test_a_rating_passes_1016_and_again_changes_nothing(db: Any) -> None:
    order = await place(("WM-7KG", 1))
    parcel = order.parcels[0]
    await travel(parcel, *TO_INSTALLATION)
    given = rating(installation=5)
    first = await care.give_feedback(parcel, given, actor=customer(order))
    again = await care.give_feedback(parcel, given, actor=customer(order))
    assert first.verdict == again.verdict == "applied" and 1016 in await passed(parcel)
    with pytest.raises(crm.FeedbackAlreadyGiven):
        await care.give_feedback(parcel, rating(), actor=customer(order))
    assert await db.value("SELECT count(*) FROM journey_event WHERE stage = 1016") == 1


async def test_a_rating_before_the_installation_leaves_nothing(db: Any) -> None:
    order = await place(("WM-7KG", 1))
    await travel(order.parcels[0], *TO_DELIVERY)
    with pytest.raises(StageTooEarly):
        await care.give_feedback(order.parcels[0], rating(), actor=customer(order))
    assert await db.value("SELECT count(*) FROM feedback") == 0


async def test_nobody_rates_another_order_or_what_was_not_installed(db: Any) -> None:
    order = await place(("KET-17", 1))
    await travel(order.parcels[0], *TO_DELIVERY)
    stranger = Actor(role="customer", source="person", order_id=uuid7())
    with pytest.raises(NotFound):
        await care.give_feedback(order.parcels[0], rating(), actor=stranger)
    with pytest.raises(NothingWasInstalled):
        await care.give_feedback(order.parcels[0], rating(installation=3), actor=customer(order))
