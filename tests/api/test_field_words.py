"""What field workers say beside their jobs: kept once, shown to desks, never a change of what was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.flows.missing_pictures import find_missing_pictures
from tests.factories.captures import capture
from tests.factories.company import Company, picture
from tests.factories.crews import crewed
from tests.factories.floor import announced, ok
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt
from tests.factories.steps import healthy
from tests.factories.sync import Phone, SyncedCompany

WORDS = "The lift is broken: take the stairs on the left."


async def stop_of(order: Order) -> UUID:
    found: UUID = await core_db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1 ORDER BY state DESC", order.parcel
    )
    return found


async def said(company: Company, order: Order, who: str = "dispatcher") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await company.get(who, f"/console/orders/{order.order_id}/words")
    return found


async def problems(company: Company, kind: str, who: str = "dispatcher") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await company.get(who, f"/problems?kind={kind}")
    return found


def about(kind: str, job: object, **other: Any) -> dict[str, Any]:
    return capture(job_kind=kind, job_id=job, words=WORDS) | other


async def test_a_note_stands_in_the_history_of_its_order_once(company: Company) -> None:
    order = await standing(company, 1012)
    photo = picture()
    body = about("stop", await stop_of(order), photos=[{"slot": "note", "sha256": photo}])
    for _ in range(2):
        answer = await ok(company, "delivery", "/field/notes", body)
        assert answer["verdict"] == "applied"
    [note] = await said(company, order)
    assert (note["kind"], note["words"], note["job_kind"]) == ("note", WORDS, "stop")
    assert [one["sha256"] for one in note["photos"]] == [photo]
    assert note["fulfilment_id"] == str(order.parcel)
    assert await core_db.value("SELECT count(*) FROM problem WHERE kind LIKE 'field%'") == 0
    other = await company.send("delivery", "/field/notes", body | {"words": "Something else."})
    assert (other.status_code, other.json()["type"].rsplit("/")[-1]) == (409, "event-id-reused")


async def test_every_kind_of_job_takes_a_note_of_its_own_people_alone(company: Company) -> None:
    shift = await crewed(company, "VAN-9")
    picked = await standing(company, 1004)
    going = await standing(company, 1014)
    arrival = await announced(company, ("KET-17", 2))
    count = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["MIX-500"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    counted = await ok(company, "dispatcher", "/console/counts", count, 201)
    waiting = await standing(company, 1008)
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [waiting.parcel],
    }
    given = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    run = await core_db.value(
        "SELECT run_id FROM delivery_stop WHERE fulfilment_id = $1", going.parcel
    )
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", going.parcel)
    lists = await core_db.value("SELECT id FROM pick_list WHERE fulfilment_id = $1", picked.parcel)
    jobs = {
        "stop": ("delivery", await stop_of(going)),
        "run": ("delivery", run),
        "shift": ("delivery", shift),
        "visit": ("technician", visit),
        "manifest": ("courier", given["id"]),
        "pick_list": ("warehouse", lists),
        "arrival": ("warehouse", arrival),
        "count": ("warehouse", counted["id"]),
    }
    for kind, (who, job) in jobs.items():
        for other in {"delivery", "technician", "courier", "warehouse"} - {who}:
            refused = await company.send(other, "/field/notes", about(kind, job))
            assert refused.status_code == 404, (kind, other)
        assert (await ok(company, who, "/field/notes", about(kind, job)))["verdict"] == "applied"
    assert await core_db.value("SELECT count(*) FROM field_word") == len(jobs)


async def test_a_word_about_somebody_elses_job_is_kept_for_a_person(company: Company) -> None:
    """IC7: a phone is never refused; what it may not say there is looked at."""
    order = await standing(company, 1012)
    phone = Phone(company, "technician")
    [receipt] = await phone.push(phone.of("/field/notes", about("stop", await stop_of(order))))
    assert receipt["verdict"] == "review"
    await company.work()
    assert await said(company, order) == []
    assert len(await problems(company, "capture_refused")) == 1


@pytest.mark.parametrize(
    ("what", "kind", "who"),
    [
        ("goods", "field_problem", "dispatcher"),
        ("customer", "field_problem", "support"),
        ("app", "field_problem", "admin"),
        ("safety", "field_safety", "dispatcher"),
    ],
)
async def test_a_problem_asks_a_desk_once(company: Company, what: str, kind: str, who: str) -> None:
    order = await standing(company, 1012)
    photo = picture()
    body = about("stop", await stop_of(order), about=what, photos=[{"slot": "x", "sha256": photo}])
    for _ in range(2):
        await ok(company, "delivery", "/field/problems", body)
    [problem] = await problems(company, kind)
    assert (problem["owner_role"], problem["reason"]) == (who, WORDS)
    assert (problem["order_id"], problem["fulfilment_id"]) == (
        str(order.order_id), str(order.parcel),
    )  # fmt: skip
    [word] = await company.get("dispatcher", f"/problems/{problem['id']}/words")
    assert (word["about"], word["photos"][0]["sha256"]) == (what, photo)
    await healthy()


async def test_a_problem_on_no_job_is_seen_where_its_person_works(company: Company) -> None:
    for who in ("warehouse", "courier"):
        await ok(company, who, "/field/problems", capture(about="vehicle", words=WORDS))
    found = await problems(company, "field_problem")
    assert [one["order_id"] for one in found] == [None, None]
    channels = await core_db.rows("SELECT channel_id FROM problem WHERE kind = 'field_problem'")
    assert {row["channel_id"] for row in channels} == {company.world.channel_id}
    half = capture(about="other", words=WORDS, job_kind="stop")
    assert (await company.send("courier", "/field/problems", half)).status_code == 422


async def test_pictures_of_words_are_asked_for_too(company: Company, clock: Any) -> None:
    """IC4."""
    body = capture(about="goods", words=WORDS, photos=[{"slot": "x", "sha256": picture()}])
    await ok(company, "courier", "/field/problems", body)
    clock.advance(timedelta(hours=7))
    await find_missing_pictures({})
    title = await core_db.value("SELECT title FROM problem WHERE kind = 'picture_missing'")
    assert "problem report" in title


# --- Amendments ---------------------------------------------------------------------------------


async def test_what_was_wrong_is_said_beside_a_capture_and_asks_where_goods_follow_from_it(
    company: Company,
) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1012)
    assert (await failed_attempt(order)).json()["verdict"] == "applied"
    first = await core_db.one("SELECT event_id, body FROM capture WHERE type = 'delivery.failed'")
    body = capture(amends=first["event_id"], words="He was at home: I stood at the wrong door.")
    again = capture(amends=first["event_id"], words="It was the blue door.")
    for word in (body, again):
        assert (await synced.send("delivery", "/field/amendments", word)).status_code == 200
    kept = await core_db.one("SELECT body FROM capture WHERE event_id = $1", first["event_id"])
    assert kept["body"] == first["body"], "what was captured is what was captured"
    [problem] = await problems(company, "capture_amended")
    assert problem["order_id"] == str(order.order_id)
    assert problem["reason"] == f"{body['words']}\n{again['words']}"
    shown = await company.get("dispatcher", f"/console/captures/{first['event_id']}")
    assert [one["words"] for one in shown["amendments"]] == [body["words"], again["words"]]
    assert [one["kind"] for one in await said(company, order)] == ["amendment"] * 2
    await healthy()


async def test_an_amendment_of_what_moves_nothing_asks_nobody(company: Company) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1012)
    await synced.send("delivery", "/field/notes", about("stop", await stop_of(order)))
    note = await core_db.value("SELECT event_id FROM capture WHERE type = 'note.add'")
    body = capture(amends=note, words="On the right, I mean.")
    assert (await synced.send("delivery", "/field/amendments", body)).status_code == 200
    assert await problems(company, "capture_amended") == []


async def test_nobody_amends_what_another_has_captured(company: Company) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1012)
    await failed_attempt(order)
    first = await core_db.value("SELECT event_id FROM capture WHERE type = 'delivery.failed'")
    for who, event in (("courier", first), ("delivery", uuid7())):
        answer = await company.send(who, "/field/amendments", capture(amends=event, words=WORDS))
        assert answer.status_code == 404
    phone = Phone(company, "courier")
    [receipt] = await phone.push(phone.of("/field/amendments", capture(amends=first, words=WORDS)))
    assert receipt["verdict"] == "review"
    assert await said(company, order) == []


async def test_a_word_is_never_changed(company: Company) -> None:
    await ok(company, "courier", "/field/problems", capture(about="app", words=WORDS))
    for statement in ("UPDATE field_word SET words = 'x'", "DELETE FROM field_word"):
        with pytest.raises(Exception, match="append-only"):
            await core_db.execute(statement)
