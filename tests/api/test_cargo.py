"""What is in a courier's hands between pickup and hub, box by box, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.floor import ok
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt

TWO_BOXES = ("MIX-500", 2)


async def fetched(company: Company, *, scanned: bool = True) -> Order:
    """Give a parcel to the courier by a manifest, and let him fetch it."""
    order = await standing(company, 1008, TWO_BOXES)
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    assert await cargo(company) == {}, "it is in no hands yet"
    if scanned:
        await scan(company, "courier", "pickup", *await order.labels())
    count = capture(counted=len(await order.labels()))
    await ok(company, "courier", f"/field/manifests/{made['id']}/confirm", count)
    return order


async def scan(
    company: Company, who: str, kind: str, *labels: str, at: timedelta = timedelta()
) -> None:
    scans = [
        {"scan_uid": uuid7(), "label_no": label, "kind": kind, "captured_at": now() + at}
        for label in labels
    ]
    await ok(company, who, "/field/scans", {"scans": scans})
    await company.work()


async def cargo(company: Company, who: str = "courier") -> dict[str, str]:
    return {one["label_no"]: one["next"] for one in await company.get(who, "/field/cargo")}


async def test_each_box_goes_from_pickup_to_the_hub_by_the_scans_of_its_courier(
    company: Company,
) -> None:
    order = await fetched(company)
    first, *rest = labels = await order.labels()
    assert await cargo(company) == dict.fromkeys(labels, "departure")
    told = (await company.get("courier", "/field/cargo"))[0]
    assert (told["number"], told["destination"]) == (order.number, "Dubai")
    assert (told["n"], told["of"], told["reported"]) == (1, len(labels), None)
    await scan(company, "courier", "departure", first)
    assert await cargo(company) == dict.fromkeys(rest, "departure") | {first: "hub_in"}
    await scan(company, "courier", "departure", *rest)
    assert 1010 in await order.passed()
    await scan(company, "courier", "hub_in", *labels)
    assert 1011 in await order.passed()
    assert await cargo(company) == dict.fromkeys(labels, "hub_out")
    await scan(company, "courier", "hub_out", *labels)
    assert await cargo(company) == dict.fromkeys(labels, "hub_in"), "on its way to the next hub"
    await order.go_on(1012)
    assert await cargo(company) == {}, "somebody has it out for delivery"


async def test_a_box_whose_label_was_not_scanned_at_the_pickup_is_in_his_hands_too(
    company: Company,
) -> None:
    order = await fetched(company, scanned=False)
    assert await cargo(company) == dict.fromkeys(await order.labels(), "departure")


async def test_scans_of_one_phone_that_come_in_out_of_order_tell_the_same(company: Company) -> None:
    order = await fetched(company, scanned=False)
    labels = await order.labels()
    await scan(company, "courier", "departure", *labels)
    await scan(company, "courier", "pickup", *labels, at=timedelta(minutes=-5))
    assert await cargo(company) == dict.fromkeys(labels, "hub_in")


async def test_a_box_that_is_scanned_at_the_pickup_of_others_stays_where_it_was(
    company: Company,
) -> None:
    order = await fetched(company)
    labels = await order.labels()
    await scan(company, "courier", "departure", *labels)
    await scan(company, "courier", "hub_in", *labels, at=timedelta(seconds=1))
    # By mistake, at his next pickup: the scan is kept, and the box stands at the hub as before.
    await scan(company, "courier", "pickup", labels[0], at=timedelta(seconds=2))
    assert await cargo(company) == dict.fromkeys(labels, "hub_out")
    kept = "SELECT count(*) FROM scan WHERE label_no = $1 AND kind = 'pickup'"
    assert await core_db.value(kept, labels[0]) == 2
    # Nor does it leave his hands because a colleague scans it at his own pickup.
    other = await company.join("courier")
    company.users["colleague"] = replace(other, role="courier")
    await scan(company, "colleague", "pickup", labels[0], at=timedelta(seconds=3))
    assert await cargo(company) == dict.fromkeys(labels, "hub_out")


async def test_what_somebody_else_has_scanned_since_is_in_his_hands_no_more(
    company: Company,
) -> None:
    order = await fetched(company)
    first, *rest = await order.labels()
    await scan(company, "warehouse", "hub_in", first)
    assert await cargo(company) == dict.fromkeys(rest, "departure")
    await scan(company, "courier", "handover", *rest)
    assert await cargo(company) == {}


async def test_a_person_of_another_channel_takes_nothing_by_knowing_a_label(
    company: Company,
) -> None:
    order = await fetched(company)
    other = await company.join("courier", channel_ids=[await elsewhere()])
    company.users["stranger"] = replace(other, role="courier")
    labels = await order.labels()
    await scan(company, "stranger", "pickup", *labels)
    assert await cargo(company) == dict.fromkeys(labels, "departure")
    assert await cargo(company, "stranger") == {}


async def elsewhere() -> Any:
    return await core_db.value(
        "INSERT INTO channel SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'code', 'ELSE', 'name', 'Elsewhere'))).* FROM channel c LIMIT 1"
        " RETURNING id"
    )


async def test_what_he_has_reported_stands_beside_the_box_until_he_scans_it_again(
    company: Company,
) -> None:
    order = await fetched(company)
    lost, *_ = await order.labels()
    await ok(company, "courier", "/field/piece-reports", capture(labels=[lost], kind="missing"))

    async def reported() -> dict[str, Any]:
        found = await company.get("courier", "/field/cargo")
        return {one["label_no"]: one["reported"] for one in found if one["reported"]}

    assert await reported() == {lost: "missing"}
    await scan(company, "courier", "departure", lost)
    assert await reported() == {}
    # What is damaged stays so, wherever it goes.
    await ok(company, "courier", "/field/piece-reports", capture(labels=[lost], kind="damaged"))
    await scan(company, "courier", "hub_in", lost)
    assert await reported() == {lost: "damaged"}


async def test_the_floor_scans_back_what_returns_and_the_van_holds_less(company: Company) -> None:
    """Custody follows the last scan: box by box for the phone, the whole parcel for the van."""
    shift = await crewed(company, "VAN-1")
    delivered, failed = [await standing(company, 1008, TWO_BOXES) for _ in range(2)]
    for order in (delivered, failed):
        order.shift_id = shift
        await order.go_on(1012)
    [van] = await company.get("warehouse", "/field/returning")
    assert (van["id"], van["vehicle"]) == (str(shift), "VAN-1")
    assert not any(piece["comes_back"] for piece in van["pieces"])
    await delivered.go_on(1013)
    await failed_attempt(failed)
    labels = await failed.labels()

    async def coming() -> list[str]:
        vans = await company.get("warehouse", "/field/returning")
        return [piece["label_no"] for van in vans for piece in van["pieces"] if piece["comes_back"]]

    async def held() -> list[str]:
        holding = (await company.get("delivery", "/field/shift"))["holding"]
        return [label for parcel in holding["parcels"] for label in parcel["labels"]]

    assert await coming() == await held() == labels
    await scan(company, "warehouse", "custody", labels[0])
    assert await coming() == await held() == labels[1:]
    await scan(company, "warehouse", "custody", *labels[1:])
    assert await coming() == await held() == []
    assert await company.get("warehouse", "/field/returning") == []
    closed = await company.send(
        "delivery", f"/field/shifts/{shift}/close", {"event_id": uuid7(), "explanations": []}
    )
    assert closed.status_code == 200, closed.text
    company.users["elsewhere"] = await company.join(
        "warehouse", source="phone", location_id=uuid7()
    )
    assert await company.get("elsewhere", "/field/returning") == []
