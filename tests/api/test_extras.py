"""Extras at a visit: a price once shown is charged, a capture is never refused, vans are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import standing
from tests.factories.steps import healthy

STROKES = [[[0.0, 0.0, 0], [5.0, 5.0, 10]]]
SIGNED = {"name": "Aisha Rahman", "strokes": STROKES}


def price(company: Company, code: str = "HOSE-2M", **other: Any) -> dict[str, Any]:
    channel = company.world.channel_id
    names = dict.fromkeys(("en", "ar", "hi"), "Hose")
    said = {"channel_id": channel, "code": code, "names": names, "unit": "piece"}
    return said | {"price_minor": 35_01, "tax_basis_points": 500} | other


async def set_price(company: Company, **other: Any) -> str:
    answer = await ok(company, "finance", "/console/prices", price(company, **other), 201)
    return str(answer["id"])


async def at_a_visit(company: Company) -> str:
    await standing(company, 1014)
    return str(await db.value("SELECT id FROM visit"))


async def test_what_was_shown_is_charged_and_a_changed_price_stands_beside_it(
    company: Company,
) -> None:
    visit = await at_a_visit(company)
    first = await set_price(company)
    assert await set_price(company) == first, "the same price again is no new version"
    shown = floor.capture(
        lines=[{"price_id": first, "quantity": 3}], shown_minor=110_28, sign_off=SIGNED
    )
    again = floor.capture(**{k: shown[k] for k in ("lines", "shown_minor", "sign_off")})
    path = f"/field/visits/{visit}/extras"
    for _ in range(2):
        kept = await ok(company, "technician", path, shown)
        # 3 x 35.01 = 105.03, and 5 % of it are 5.2515.
        assert (kept["charged_minor"], kept["reason"]) == (110_28, "")
    await set_price(company, price_minor=40_00)
    [holds] = await company.get("technician", "/field/prices")
    assert (holds["price_minor"], holds["currency"]) == (40_00, "AED")
    again["captured_at"] = (now() + timedelta(seconds=1)).isoformat()
    late = await ok(company, "technician", path, again)
    assert late["charged_minor"] == 110_28
    assert "shown at 35.01 AED, another holds since" in late["reason"]

    sold = await company.get("finance", f"/console/visits/{visit}/extras")
    assert [len(one["disagreements"]) for one in sold] == [0, 1]
    assert sold[0]["lines"] == [
        {"code": "HOSE-2M", "quantity": 3, "net_minor": 105_03, "tax_minor": 5_25}
    ]
    asked = await db.rows("SELECT owner_role, title FROM problem WHERE kind = 'extras_to_bill'")
    assert [row["owner_role"] for row in asked] == ["finance", "finance"]
    assert "110.28 AED" in asked[0]["title"]
    await healthy()


async def test_nothing_that_was_agreed_is_refused_whatever_does_not_fit(company: Company) -> None:
    visit = await at_a_visit(company)
    path = f"/field/visits/{visit}/extras"
    strange = floor.capture(lines=[{"price_id": uuid7(), "quantity": 2}], shown_minor=5)
    kept = await ok(company, "technician", path, strange)
    assert kept["charged_minor"] == 0
    for words in ("no price of this channel", "The screen showed 0.05 AED", "has not signed"):
        assert words in kept["reason"]
    other = await company.send("technician", f"/field/visits/{uuid7()}/extras", strange)
    assert other.status_code == 404
    await healthy()


async def test_a_price_of_tomorrow_does_not_hold_today_and_one_that_ended_is_not_offered(
    company: Company,
) -> None:
    today = await set_price(company)
    tomorrow = (now() + timedelta(days=1)).isoformat()
    await set_price(company, price_minor=99_00, valid_from=tomorrow)
    [only] = await company.get("finance", "/console/prices")
    assert (only["id"], only["version"]) == (today, 1)
    wrong = [
        (price(company, names={"en": "Hose"}), "price-not-named"),
        (price(company, sku="NO-SUCH"), "part-unknown"),
        (price(company, valid_until="2020-01-01T00:00:00Z"), "price-not-timed"),
        (price(company, channel_id=uuid7()), "not-found"),
    ]
    for body, problem in wrong:
        answer = await company.send("finance", "/console/prices", body)
        assert answer.json()["type"] == f"/problems/{problem}", answer.text
    assert (await company.send("support", "/console/prices", price(company))).status_code == 403
    soon = (now() + timedelta(milliseconds=1)).isoformat()
    await set_price(company, code="GONE", valid_from="2020-01-01T00:00:00Z", valid_until=soon)
    assert [one["code"] for one in await company.get("technician", "/field/prices")] == ["HOSE-2M"]


async def test_parts_are_loaded_used_up_once_and_may_be_less_than_nothing(company: Company) -> None:
    visit = await at_a_visit(company)
    used = await set_price(company, sku="KET-17")
    technician = company.users["technician"].id
    path = f"/console/technicians/{technician}/parts"
    load = {"event_id": uuid7(), "sku": "KET-17", "quantity": 2}
    for _ in range(2):
        await ok(company, "warehouse", path, load)
    for body, status in (
        (load | {"quantity": 3}, 409),
        (load | {"event_id": uuid7(), "quantity": 0}, 422),
        (load | {"event_id": uuid7(), "sku": "NO-SUCH"}, 422),
    ):
        assert (await company.send("warehouse", path, body)).status_code == status
    assert await on_van(company) == [("KET-17", 2)]

    taken = floor.capture(
        lines=[{"price_id": used, "quantity": 2}, {"price_id": used, "quantity": 1}],
        shown_minor=73_52 + 36_76,
        sign_off=SIGNED,
    )
    for _ in range(2):
        await ok(company, "technician", f"/field/visits/{visit}/extras", taken)
    assert await on_van(company) == [("KET-17", -1)]
    [short] = await company.get("dispatcher", "/console/parts")
    assert (short["technician_id"], short["quantity"]) == (str(technician), -1)
    await healthy()


async def on_van(company: Company) -> list[tuple[str, int]]:
    parts = await company.get("technician", "/field/parts")
    return [(part["sku"], part["quantity"]) for part in parts]
