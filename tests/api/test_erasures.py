"""Support and erasure: what is asked for by phone or mail, and what it waits for."""

from __future__ import annotations

from typing import Any

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.factories import erasing
from tests.factories.company import Company

ASKED = {"way": "mail", "gives_up_warranty": True}


async def test_support_records_a_wish_and_reads_in_words_what_it_waits_for(
    company: Company,
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    path = f"/console/orders/{order.order_id}/erasure"
    first = await company.send("support", path, ASKED)
    again = await company.send("support", path, ASKED | {"way": "phone"})
    assert (first.status_code, first.json()) == (200, again.json())
    await company.work()
    [seen] = await company.get("support", "/console/erasure-requests?done=false")
    assert (seen["id"], seen["order_number"], seen["way"]) == (
        first.json()["id"], order.number, "mail",
    )  # fmt: skip
    assert seen["recorded_by"] == "Canary support"
    assert "An order is under way, or can still be given back." in seen["waits_for"]
    assert await company.get("support", "/console/erasure-requests?done=true") == []


async def test_support_takes_a_wish_back_once_and_nothing_that_is_not_there(
    company: Company,
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    path = f"/console/orders/{order.order_id}/erasure"
    headers = company.users["support"].headers
    assert (await company.http.delete(path, headers=headers)).status_code == 404
    assert (await company.send("support", path, ASKED)).status_code == 200
    assert (await company.http.delete(path, headers=headers)).status_code == 204
    assert (await company.http.delete(path, headers=headers)).status_code == 404
    assert await company.get("support", "/console/erasure-requests") == []


async def test_what_is_done_says_how_much_it_has_erased(company: Company, clock: Any) -> None:
    order = await erasing.long_over(company, clock)
    answer = await company.send("support", f"/console/orders/{order.order_id}/erasure", ASKED)
    assert answer.status_code == 200
    await erasing.carried_out(company)
    [seen] = await company.get("admin", "/console/erasure-requests")
    assert (seen["state"], seen["waits_for"], seen["erased"]["customer"]) == ("done", [], 1)


async def test_an_order_that_is_not_there_is_refused(company: Company) -> None:
    answer = await company.send("support", f"/console/orders/{uuid7()}/erasure", ASKED)
    assert answer.status_code == 404
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 0


async def test_an_administrator_says_how_long_a_channel_keeps_people(company: Company) -> None:
    [usual] = await company.get("support", "/console/privacy-rules")
    assert (usual["channel"], usual["retention_days"], usual["set_at"]) == ("AE", 3650, None)
    for days, status in ((29, 422), (400, 204)):
        answer = await company.http.put(
            "/console/privacy-rules/AE",
            json={"retention_days": days},
            headers=company.users["admin"].headers,
        )
        assert answer.status_code == status, answer.text
    [kept] = await company.get("support", "/console/privacy-rules")
    assert (kept["retention_days"], kept["set_by"]) == (400, "Canary admin")
    foreign = await company.http.put(
        "/console/privacy-rules/XX",
        json={"retention_days": 400},
        headers=company.users["admin"].headers,
    )
    assert foreign.status_code == 404
