"""What a customer tells us of the order: the door of the address, damage, what is missing (P2, M8)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.core.pictures import FileIsNoPicture, PictureDamaged
from doorstep.core.uploads import MAX_LENGTH, UploadTooLong
from doorstep.flows import customer_address, customer_reports
from doorstep.flows.detours import LineNotOfParcel
from doorstep.journey import Quantity
from doorstep.journey.refusals import DetourNotPossible
from doorstep.modules.crm.addresses import AddressCompletion, AddressPin
from doorstep.modules.crm.rules import PinNotThere
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.phones import a_phone, told
from tests.factories.steps import healthy
from tests.support.pictures import make_jpeg


def customer(order: Order) -> Actor:
    return Actor(role="customer", source="person", order_id=order.order_id, request_id="page")


async def address_of(order: Order) -> dict[str, Any]:
    return await core_db.one(
        "SELECT a.* FROM customer_order o JOIN address a ON a.id = o.address_id WHERE o.id = $1",
        order.order_id,
    )


async def test_the_door_is_completed_part_by_part_and_the_driver_is_told_once(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    me = customer(order)
    phone = await a_phone(company.users["delivery"].id)
    lacked = (await address_of(order))["missing"]
    assert "lift" in lacked
    for _ in range(2):
        missing = await customer_address.complete(
            order.order_id, AddressCompletion(lift=False, floor="4"), actor=me
        )
        assert set(missing) == set(lacked) - {"lift", "floor"}
    said = AddressCompletion(instructions="The bell is broken, please call.")
    await customer_address.complete(order.order_id, said, actor=me)
    kept = await address_of(order)
    assert (kept["lift"], kept["floor"]) == (False, "4")
    assert kept["instructions"] == "The bell is broken, please call."
    runs = await company.get("delivery", "/field/runs")
    [stop] = [one for run in runs for one in run["stops"] if one["number"] == order.number]
    assert stop["address"]["instructions"] == "The bell is broken, please call."
    assert [kind for kind, _ in await told(phone)] == ["stop_changed", "stop_changed"]
    await healthy()


async def test_a_pin_is_dropped_but_not_in_another_town(company: Company) -> None:
    order = await standing(company, 1003)
    here = await address_of(order)
    near = AddressPin(lat=(here["lat"] or 25.08) + 0.01, lng=(here["lng"] or 55.14))
    await customer_address.complete(
        order.order_id, AddressCompletion(pin=near), actor=customer(order)
    )
    kept = await address_of(order)
    assert (kept["lat"], kept["lng"]) == (near.lat, near.lng)
    assert kept["pin_at"] is not None
    assert "pin" not in kept["missing"]
    far = AddressCompletion(pin=AddressPin(lat=near.lat + 2, lng=near.lng))
    with pytest.raises(PinNotThere):
        await customer_address.complete(order.order_id, far, actor=customer(order))
    assert await address_of(order) == kept


async def test_nobody_completes_the_address_of_another_nor_one_where_nothing_comes(
    company: Company,
) -> None:
    order, other = await standing(company, 1015), await place(company, ("KET-17", 1))
    said = AddressCompletion(floor="9")
    with pytest.raises(NotFound):
        await customer_address.complete(order.order_id, said, actor=customer(other))
    with pytest.raises(customer_address.NothingIsComing):
        await customer_address.complete(order.order_id, said, actor=customer(order))


async def test_damage_is_reported_once_with_photos_that_the_desk_sees(company: Company) -> None:
    order = await standing(company, 1013)
    photos = [await customer_reports.keep_photo(make_jpeg(640, 480)) for _ in range(2)]
    event_id = uuid7()
    for _ in range(2):
        await customer_reports.report(
            order.parcel, event_id, "hidden_damage", words="A dent in the door.",
            photos=photos[:1], actor=customer(order),
        )  # fmt: skip
    [case] = await core_db.rows("SELECT kind, detail, opened_role FROM detour_case")
    assert case == {
        "kind": "hidden_damage", "detail": "A dent in the door.", "opened_role": "customer",
    }  # fmt: skip
    [ticket] = await core_db.rows("SELECT id, type, words FROM ticket")
    assert (ticket["type"], ticket["words"]) == ("damage", "A dent in the door.")
    shown = await core_db.rows("SELECT sha256 FROM ticket_photo WHERE ticket_id = $1", ticket["id"])
    assert [row["sha256"] for row in shown] == photos[:1]
    assert await core_db.value("SELECT count(*) FROM picture WHERE sha256 = $1", photos[0]) == 2
    await healthy()


async def test_a_missing_part_names_its_goods_and_nothing_of_another_parcel(
    company: Company,
) -> None:
    order, other = await standing(company, 1013), await standing(company, 1013)
    me = customer(order)
    own, foreign = [
        await core_db.value("SELECT id FROM fulfilment_line WHERE fulfilment_id = $1", one.parcel)
        for one in (order, other)
    ]
    missing = customer_reports.report
    for line_id, quantity in ((foreign, 1), (own, 99)):
        wrong = Quantity(fulfilment_line_id=line_id, quantity=quantity)
        with pytest.raises(LineNotOfParcel):
            await missing(order.parcel, uuid7(), "part_missing", words="", lines=[wrong], actor=me)
    with pytest.raises(NotFound):
        await missing(other.parcel, uuid7(), "part_missing", words="", actor=me)
    assert await core_db.value("SELECT count(*) FROM detour_case") == 0
    right = Quantity(fulfilment_line_id=own, quantity=1)
    await missing(order.parcel, uuid7(), "part_missing", words="No hose.", lines=[right], actor=me)
    assert await core_db.value("SELECT type FROM ticket") == "missing_part"


async def test_nothing_is_damaged_before_it_is_there_and_no_more_than_six_photos(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    with pytest.raises(DetourNotPossible):
        await customer_reports.report(
            order.parcel, uuid7(), "hidden_damage", words="", actor=customer(order)
        )
    with pytest.raises(customer_reports.TooManyPhotos):
        await customer_reports.report(
            order.parcel, uuid7(), "hidden_damage", words="", photos=["0" * 64] * 7,
            actor=customer(order),
        )  # fmt: skip
    assert await core_db.value("SELECT count(*) FROM ticket") == 0


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"%PDF-1.7 not a picture", FileIsNoPicture),
        (b"<svg onload=alert(1)>", FileIsNoPicture),
        (make_jpeg(64, 64)[:200], PictureDamaged),
        (b"\xff\xd8\xff" + bytes(MAX_LENGTH), UploadTooLong),
    ],
    ids=["a paper", "a script", "a broken one", "a large one"],
)
async def test_only_pictures_are_kept(
    company: Company, data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await customer_reports.keep_photo(data)
    assert await core_db.value("SELECT count(*) FROM picture") == 0
