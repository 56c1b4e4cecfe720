"""What the own work leaves to be read again: words that were said, and what was done on the floor."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.tms.service.codes import MOST_AGAIN
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.floor import announced, beep, finished, ok, scanned
from tests.factories.journeys import standing


async def test_a_word_is_read_again_by_whoever_said_it_and_by_nobody_else(company: Company) -> None:
    await standing(company, 1012)
    stop: UUID = await core_db.value("SELECT id FROM delivery_stop")
    note = capture(job_kind="stop", job_id=stop, words="The bell is broken.")
    await ok(company, "delivery", "/field/notes", note)
    trouble = capture(about="vehicle", words="A tyre is flat.")
    await ok(company, "delivery", "/field/problems", trouble)
    said = await company.get("delivery", "/field/words")
    assert [(one["kind"], one["words"]) for one in said] == [
        ("note", "The bell is broken."),
        ("problem", "A tyre is flat."),
    ]
    assert [one["job_id"] for one in said] == [str(stop), None]
    assert await company.get("courier", "/field/words") == []


async def test_work_of_the_floor_stands_until_the_day_is_over(company: Company) -> None:
    assert await company.get("warehouse", "/field/work-day") == []
    order = await standing(company, 1007)
    [packed] = await company.get("warehouse", "/field/work-day")
    boxes = await core_db.value("SELECT count(*) FROM package")
    assert (packed["kind"], packed["number"], packed["pieces"]) == (
        "pick_list",
        order.number,
        boxes,
    )
    made = await announced(company, ("KET-17", 2))
    barcode = await core_db.value("SELECT barcode FROM product WHERE sku = 'KET-17'")
    await scanned(company, made, beep("9999999999994", quantity=1, grade="sellable"))
    await scanned(company, made, beep(barcode, quantity=2, grade="sellable"))
    [arrival] = [
        one for one in await company.get("warehouse", "/field/arrivals") if one["id"] == str(made)
    ]
    assert (len(arrival["scans"]), arrival["aside"]) == (1, ["9999999999994"])
    await finished(company, made)
    received, *_ = await company.get("warehouse", "/field/work-day")
    assert (received["kind"], received["pieces"]) == ("arrival", 2)
    assert len(await company.get("warehouse", "/field/work-day")) == 2
    await core_db.execute("UPDATE package SET packed_at = packed_at - interval '1 day'")
    assert [one["kind"] for one in await company.get("warehouse", "/field/work-day")] == ["arrival"]


async def test_a_counted_shelf_tells_its_own_count_and_still_nothing_of_the_books(
    company: Company,
) -> None:
    body = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["KET-17"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    await ok(company, "dispatcher", "/console/counts", body, 201)
    [count] = await company.get("warehouse", "/field/counts")
    [line] = count["lines"]
    assert (line["counted"], line["found"]) == (False, None)
    entry = capture(line_id=line["id"], quantity=7)
    await ok(company, "warehouse", f"/field/counts/{count['id']}/entries", {"entries": [entry]})
    [count] = await company.get("warehouse", "/field/counts")
    [line] = count["lines"]
    assert (line["counted"], line["found"]) == (True, 7)


async def test_whoever_stands_at_the_door_has_the_code_sent_again_and_never_learns_it(
    company: Company,
) -> None:
    await standing(company, 1012)
    stop = await core_db.value("SELECT id FROM delivery_stop")
    path = f"/field/stops/{stop}/code-again"
    wrong = {"code": "000000"}
    for _ in range(5):
        await company.send("delivery", f"/field/stops/{stop}/code", wrong)
    spent = await company.send("delivery", f"/field/stops/{stop}/code", wrong)
    assert spent.json()["type"].endswith("code-tries-exhausted")
    answer = await company.send("delivery", path, None)
    assert (answer.status_code, answer.content) == (204, b"")
    await company.work()
    sent = "SELECT count(*) FROM message WHERE event = 'handover_code_again'"
    assert await core_db.value(sent) == 1
    # A new message, so the tries begin anew.
    again = await company.send("delivery", f"/field/stops/{stop}/code", wrong)
    assert (again.status_code, again.json()["ok"]) == (200, False)
    answers = [(await company.send("delivery", path, None)) for _ in range(MOST_AGAIN)]
    assert [one.status_code for one in answers] == [204] * (MOST_AGAIN - 1) + [409]
    assert answers[-1].json()["type"].endswith("no-handover-code-now")
    strange = await company.send("courier", path, None)
    assert strange.status_code == 404


async def test_reports_that_stand_on_no_job_are_read_again_too(company: Company) -> None:
    label = (await (await standing(company, 1008)).labels())[0]
    torn = capture(labels=[label], kind="damaged", words="Torn on one side.", photos=[])
    await ok(company, "warehouse", "/field/piece-reports", torn)
    lost = capture(sku="MIX-500", quantity=1, reason="found", words="Behind the shelf.")
    await ok(company, "warehouse", "/field/adjustments", lost)
    strange = capture(code="4006381333931", words="")
    await ok(company, "warehouse", "/field/arrivals/unannounced", strange)
    said = await company.get("warehouse", "/field/words")
    name = await core_db.value("SELECT name FROM product WHERE sku = 'MIX-500'")
    assert [(one["kind"], one["reason"], one["about"]) for one in said] == [
        ("pieces", "damaged", label), ("stock", "found", f"+1 × {name}"), ("goods", "", "4006381333931"),
    ]  # fmt: skip
    assert await company.get("courier", "/field/words") == []
