"""Damaged and missing boxes: kept whatever they name, acted upon once, with their pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.captures.registry import TYPES
from doorstep.flows import piece_reports
from doorstep.flows.missing_pictures import find_missing_pictures
from tests.factories.captures import capture
from tests.factories.company import Company, picture, upload
from tests.factories.floor import ok, refused
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import open_kinds
from tests.factories.steps import healthy

PATH = "/field/piece-reports"


async def reported(company: Company, who: str, **body: Any) -> dict[str, Any]:
    said = capture(**body)
    answer = await ok(company, who, PATH, said)
    assert answer["verdict"] == "applied"
    await company.work()
    return said


async def problems() -> list[tuple[str, Any]]:
    """List what is asked of parcels; of an order, before it leaves, the address is asked for as well."""
    rows = await core_db.rows(
        "SELECT kind, fulfilment_id FROM problem WHERE closed_at IS NULL"
        " AND kind <> 'address_incomplete' ORDER BY kind, opened_at"
    )
    return [(row["kind"], row["fulfilment_id"]) for row in rows]


async def verdicts() -> list[str]:
    rows = await core_db.rows("SELECT verdict FROM piece_report_parcel ORDER BY recorded_at")
    return [row["verdict"] for row in rows]


@pytest.mark.parametrize("who", ["courier", "delivery", "warehouse"])
async def test_a_damaged_box_is_a_damaged_parcel_with_its_picture(
    company: Company, who: str
) -> None:
    order = await standing(company, 1010)
    photo = picture()
    label, *_ = await order.labels()
    said = await reported(
        company, who, labels=[label], kind="damaged", words="A corner is in.",
        photos=[{"slot": "damage", "sha256": photo}],
    )  # fmt: skip
    assert await open_kinds() == ["carrier_damaged"]
    [problem] = await core_db.rows("SELECT * FROM problem WHERE kind = 'carrier_damaged'")
    assert problem["detail"] == f"{label}: damaged. A corner is in."
    event = await core_db.one("SELECT * FROM journey_event WHERE name = 'carrier_damaged'")
    assert event["actor_id"] == company.users[who].id
    assert event["evidence"] == [{"kind": "photo", "ref": "damage", "sha256": photo}]
    shown = await company.get("dispatcher", f"/console/fulfilments/{order.parcel}/pictures")
    assert [(one["what"], one["capture_id"], one["picture"]["sha256"]) for one in shown] == [
        ("report of damaged pieces", str(said["event_id"]), photo)
    ]
    await upload(photo)
    await healthy()


async def test_what_is_missing_is_lost_on_the_road_and_looked_for_before_it(
    company: Company,
) -> None:
    here, gone = await standing(company, 1008), await standing(company, 1010)
    labels = [*await here.labels(), *await gone.labels()]
    await reported(company, "courier", labels=labels, kind="missing")
    assert await open_kinds() == ["carrier_lost"]
    assert await problems() == [
        ("carrier_lost", gone.parcel),
        ("piece_unaccounted", here.parcel),
    ]
    assert sorted(await verdicts()) == ["applied", "asked"]


async def everything_told() -> Any:
    return [
        await core_db.rows("SELECT * FROM piece_report"),
        await core_db.rows("SELECT * FROM piece_report_parcel"),
        await core_db.rows("SELECT * FROM problem ORDER BY id"),
        await core_db.rows("SELECT * FROM journey_event ORDER BY event_id"),
    ]


async def test_the_same_report_again_and_its_job_again_change_nothing(company: Company) -> None:
    order = await standing(company, 1010)
    said = await reported(company, "courier", labels=await order.labels(), kind="damaged")
    before = await everything_told()
    again = await ok(company, "courier", PATH, said)
    assert again == {"event_id": str(said["event_id"]), "verdict": "duplicate"}
    await piece_reports.act_on_piece_report({"report_id": str(said["event_id"]), "photos": []})
    await company.work()
    assert await everything_told() == before
    other = said | {"kind": "missing"}
    await refused(company, "courier", PATH, other, "event-id-reused")
    await refused(company, "delivery", PATH, said, "event-id-reused")
    assert await everything_told() == before


async def test_a_second_report_is_kept_beside_the_first_with_its_picture(company: Company) -> None:
    order = await standing(company, 1010)
    for who in ("courier", "warehouse"):
        photos = [{"slot": "damage", "sha256": picture()}]
        await reported(company, who, labels=await order.labels(), kind="damaged", photos=photos)
    assert await open_kinds() == ["carrier_damaged"]
    assert len(await pictures_of(order)) == 2
    assert (await verdicts())[0] == "applied"
    assert (await verdicts())[1] in ("duplicate", "review")


async def pictures_of(order: Order) -> list[str]:
    shown = await order.company.get("dispatcher", f"/console/fulfilments/{order.parcel}/pictures")
    return [one["picture"]["sha256"] for one in shown]


async def test_a_label_that_nobody_knows_is_kept_and_a_desk_is_asked(company: Company) -> None:
    await reported(company, "courier", labels=["SOMETHING-1"], kind="damaged", words="On my van.")
    assert await problems() == [("piece_unaccounted", None)]
    assert await core_db.value("SELECT detail FROM problem") == "SOMETHING-1: damaged. On my van."
    assert await verdicts() == []


async def test_somebody_of_another_channel_moves_nothing_by_knowing_a_label(
    company: Company,
) -> None:
    order = await standing(company, 1010)
    channel = await core_db.value(
        "INSERT INTO channel SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'code', 'ELSE', 'name', 'Elsewhere'))).* FROM channel c LIMIT 1"
        " RETURNING id"
    )
    other = await company.join("courier", channel_ids=[channel])
    company.users["stranger"] = replace(other, role="courier")
    photos = [{"slot": "damage", "sha256": picture()}]
    await reported(company, "stranger", labels=await order.labels(), kind="missing", photos=photos)
    assert await open_kinds() == []
    assert await pictures_of(order) == []
    [problem] = await core_db.rows("SELECT * FROM problem WHERE closed_at IS NULL")
    assert (problem["kind"], problem["channel_id"]) == ("piece_unaccounted", channel)
    assert order.number not in problem["title"] + problem["detail"]


async def test_a_report_that_comes_after_the_delivery_is_looked_at_and_moves_nothing(
    company: Company,
) -> None:
    order = await standing(company, 1013)
    await reported(company, "courier", labels=await order.labels(), kind="missing")
    assert await open_kinds() == []
    assert await verdicts() == ["review"]
    assert ("review", order.parcel) in await problems()


async def test_pictures_that_do_not_come_are_asked_for(company: Company, clock: Any) -> None:
    """IC4, also where the label is nobody's."""
    order = await standing(company, 1010)
    for labels in (await order.labels(), ["SOMETHING-1"]):
        photos = [{"slot": "damage", "sha256": picture()}]
        await reported(company, "courier", labels=labels, kind="damaged", photos=photos)
    clock.advance(timedelta(hours=7))
    await find_missing_pictures({})
    rows = await core_db.rows("SELECT title FROM problem WHERE kind = 'picture_missing'")
    words = "1 picture(s) of a report of damaged pieces have not come for six hours"
    assert [row["title"] for row in rows] == [words] * 2


def test_it_needs_its_own_permission_by_sync_as_well() -> None:
    assert TYPES["piece.report"].permission == "tms:piece:report"
