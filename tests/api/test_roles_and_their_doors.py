"""Whoever the table lets report or settle a detour has a door to do so (SPEC J, P5)."""

from __future__ import annotations

from doorstep.core import db
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.company import Company, picture, upload
from tests.factories.journeys import standing
from tests.factories.mishaps import open_kinds, parcel_of
from tests.factories.steps import healthy


async def test_a_vendor_disputes_his_purchase_order_and_finance_agrees_with_him(
    company: Company,
) -> None:
    order = await standing(company, 1004)
    path = f"/vendor/purchase-orders/{await order.po_id()}/dispute"
    word = {"event_id": uuid7(), "words": "The price is last year's."}
    for _ in range(2):
        await floor.ok(company, "vendor", path, word)
    again = await company.send("vendor", path, word | {"event_id": uuid7()})
    assert again.json()["type"] == "/problems/detour-known"
    asked = await db.one("SELECT owner_role, detail FROM problem WHERE kind = 'dispute'")
    assert tuple(asked.values()) == ("finance", "The price is last year's.")
    await order.go_on(1009)
    assert await db.value("SELECT state FROM tranche WHERE number = 3") == "held"
    over = {"event_id": uuid7()}
    await floor.ok(
        company, "finance", f"/console/fulfilments/{order.parcel}/detours/dispute/settle", over
    )
    await company.work()
    paid = await db.rows("SELECT DISTINCT state FROM tranche WHERE number <= 3")
    assert [row["state"] for row in paid] == ["released"]
    await healthy()


async def misses_part(company: Company) -> bool:
    """Read off the technician's card whether a part is missing."""
    [card] = await company.get("technician", "/field/visits")
    missing: bool = card["missing_part"]
    return missing


async def test_a_technician_reports_damage_and_a_missing_part_and_says_when_it_is_fitted(
    company: Company,
) -> None:
    order = await standing(company, 1014)
    visit = await db.value("SELECT id FROM visit")
    photo = picture()
    await upload(photo)
    assert not await misses_part(company)
    for kind in ("part_missing", "hidden_damage"):
        body = floor.capture(
            kind=kind, words="As seen.", photos=[{"slot": "spot", "sha256": photo}]
        )
        for _ in range(2):
            answer = await floor.ok(company, "technician", f"/field/visits/{visit}/findings", body)
            assert answer["verdict"] == "applied"
    assert await open_kinds() == ["hidden_damage", "part_missing"]
    assert await misses_part(company)
    fitted = floor.capture()
    for _ in range(2):
        await floor.ok(company, "technician", f"/field/visits/{visit}/part-fitted", fitted)
    assert await open_kinds() == ["hidden_damage"]
    assert not await misses_part(company)
    # From a phone even what settles nothing is kept.
    late = await company.send("technician", f"/field/visits/{visit}/part-fitted", floor.capture())
    assert (late.status_code, late.json()["verdict"]) == (200, "duplicate")
    path = f"/console/fulfilments/{order.parcel}/detours/hidden_damage/settle"
    await floor.ok(company, "support", path, {"event_id": uuid7()})
    await order.go_on()
    assert (await parcel_of(order))["progress"] == 100
    await healthy()
