"""The desk over HTTP: problems with their action, tickets, escalation rules, calendars."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import service as helpdesk
from tests.factories.company import Company, picture, upload
from tests.factories.journeys import place, standing

MIXER = ("MIX-500", 1)


async def listed(company: Company, who: str = "support", **params: str) -> list[dict[str, Any]]:
    answer = await company.http.get("/problems", params=params, headers=company.users[who].headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def put(company: Company, path: str, body: Any, who: str = "admin") -> Any:
    return await company.http.put(path, json=body, headers=company.users[who].headers)


async def test_a_problem_says_what_waits_for_whom_until_when_and_what_resolves_it(
    company: Company, db: Any
) -> None:
    order = await place(company, MIXER, method="cod")
    (problem,) = await listed(company)
    assert problem["kind"] == "payment_approval_waiting"
    assert problem["owner_role"] == "finance" and problem["owner"] is None
    assert problem["order_number"] == order.number and problem["reason"]
    assert problem["overdue"] is False and 0 <= problem["age_seconds"] < 60
    assert problem["action"] == {
        "operation_id": "approvePayment",
        "method": "POST",
        "path": f"/console/finance/orders/{order.order_id}/payment-approval",
        "words": "Approve payment at the door, or cancel the order.",
    }
    done = {"event_id": uuid7(), "reason": "known to us"}
    answer = await company.send("finance", problem["action"]["path"], done)
    assert answer.status_code == 200, answer.text
    assert await listed(company) == [], "the action resolves it"
    assert await db.value("SELECT closed_by FROM problem") is None


async def test_an_incomplete_proof_is_resolved_by_its_action(company: Company) -> None:
    order = await standing(company, 1012, MIXER)
    proof = await order.pod(photos=[])
    answer = await order.take(proof)
    assert answer.json()["verdict"] == "review", answer.text
    (problem,) = [one for one in await listed(company) if one["kind"] == "pod_incomplete"]
    action = problem["action"]
    assert action["operation_id"] == "acceptProofOfDelivery"
    taken = await company.send("dispatcher", action["path"], {"reason": "seen on the camera"})
    assert taken.status_code == 200, taken.text
    await company.work()
    assert "pod_incomplete" not in [one["kind"] for one in await listed(company)]


async def test_a_failed_payout_is_ordered_again_by_its_action(company: Company, db: Any) -> None:
    company.bank.mood = "refuse"
    order = await standing(company, 1004)
    failed = [one for one in await listed(company) if one["kind"] == "payout_failed"]
    assert len(failed) == 2 and {one["order_number"] for one in failed} == {order.number}
    assert failed[0]["reason"] == "account closed"
    company.bank.mood = "pay"
    again = await company.send("finance", failed[0]["action"]["path"], {})
    assert again.status_code in (200, 201), again.text
    await company.work()
    left = [one["id"] for one in await listed(company) if one["kind"] == "payout_failed"]
    assert left == [failed[1]["id"]]


async def test_an_installation_that_waits_for_approval_names_its_visit(
    company: Company, db: Any
) -> None:
    order = await standing(company, 1014)
    report = await order.report()
    report.body["units"][0]["answers"] = {"level": False}
    await order.take(report)
    (problem,) = [one for one in await listed(company) if one["kind"] == "installation_approval"]
    visit = await db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    assert problem["action"]["path"] == f"/console/visits/{visit}/approve"
    reason = {"reason": "seen on a video call"}
    answer = await company.send("dispatcher", problem["action"]["path"], reason)
    assert answer.status_code == 200, answer.text
    assert "installation_approval" not in [one["kind"] for one in await listed(company)]


async def test_a_problem_is_claimed_given_and_given_back(company: Company, db: Any) -> None:
    order = await place(company, MIXER, method="cod")
    (problem,) = await listed(company)
    path = f"/problems/{problem['id']}/assign"
    support, finance = company.users["support"], company.users["finance"]
    claimed = await company.send("finance", path, {})
    assert claimed.json() == {"id": problem["id"], "owner_id": str(finance.id)}
    (seen,) = await listed(company, owner_id=str(finance.id))
    assert seen["owner"] == "Canary finance"
    assert await listed(company, owner_id=str(support.id)) == []
    await company.send("finance", path, {"person_id": support.id})
    assert (await listed(company))[0]["owner"] == "Canary support"
    await company.send("support", path, {"release": True})
    assert (await listed(company))[0]["owner"] is None
    wrong = await company.send("support", path, {"person_id": company.users["courier"].id})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/owner-not-available")
    await company.send("support", f"/problems/{problem['id']}/close", {"words": "x"})
    late = await company.send("support", path, {})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/problem-closed")
    assert order.number


async def test_the_list_is_by_deadline_and_filtered(company: Company, clock: Any) -> None:
    order = await place(company, MIXER)
    for kind, ref in (("webhook_unmatched", "1"), ("unrouted", "2"), ("pickup_missed", "3")):
        await helpdesk.open_problem(kind, kind, ref=ref, order_id=order.order_id)
    assert [one["kind"] for one in await listed(company)] == [
        "unrouted", "pickup_missed", "webhook_unmatched",
    ]  # fmt: skip
    assert [one["ref"] for one in await listed(company, kind="pickup_missed")] == ["3"]
    assert len(await listed(company, owner_role="dispatcher")) == 2
    assert len(await listed(company, order_id=str(order.order_id))) == 3
    assert await listed(company, order_id=str(uuid7())) == []
    clock.advance(timedelta(minutes=90))
    company.users["support"] = await company.join("support")
    assert [one["overdue"] for one in await listed(company)] == [True, False, False]


async def test_a_ticket_by_hand_from_opening_to_resolving(company: Company, db: Any) -> None:
    order = await place(company, MIXER)
    photo, event_id = picture(), uuid7()
    await upload(photo)
    support = company.users["support"]
    await company.own_upload(support.id, photo)
    body = {
        "type": "damage", "title": "Dent in the bowl", "words": "It came like this.",
        "event_id": event_id, "order_id": order.order_id, "photos": [photo],
        "owner_id": support.id, "due_at": now() + timedelta(hours=30),
    }  # fmt: skip
    first = await company.send("support", "/tickets", body)
    assert first.status_code == 201, first.text
    ticket = first.json()
    again = (await company.send("support", "/tickets", body)).json()
    assert again["number"] == ticket["number"] and ticket["id"] == str(event_id)
    assert ticket["owner"] == "Canary support" and ticket["order_number"] == order.number
    link = ticket["photos"][0]["thumbnail_url"]
    assert photo in link and "sig=" in link

    (problem,) = await listed(company)
    assert (problem["ticket_id"], problem["kind"]) == (ticket["id"], "ticket_damage")
    assert problem["action"]["path"] == f"/tickets/{ticket['id']}/resolve"
    refused = await company.send("support", f"/problems/{problem['id']}/close", {"words": "no"})
    assert refused.json()["type"] == "/problems/ticket-still-open"

    path = f"/tickets/{ticket['id']}"
    say = {"author": "staff", "words": "We send a new bowl.", "event_id": uuid7(), "waits": True}
    for _ in range(2):
        told = (await company.send("support", f"{path}/messages", say)).json()
    assert told["state"] == "waiting" and len(told["messages"]) == 1
    await company.work()
    assert any("We send a new bowl." in body for *_, body in company.post.sent)

    found = await company.get("finance", "/tickets?state=waiting&type=damage")
    assert [one["id"] for one in found] == [ticket["id"]]
    assert await company.get("finance", "/tickets?state=resolved") == []
    assert await company.get("support", f"/tickets?number={ticket['number']}")

    done = (
        await company.send("support", problem["action"]["path"], {"words": "Bowl sent."})
    ).json()
    assert (done["state"], done["resolution"]) == ("resolved", "Bowl sent.")
    assert await listed(company) == []
    back = (await company.send("support", f"{path}/reopen", {"words": "It broke."})).json()
    assert back["state"] == "open" and len(await listed(company)) == 1
    given = (await company.send("support", f"{path}/assign", {})).json()
    assert given["owner_id"] == str(support.id)


async def test_a_ticket_about_a_parcel_is_about_its_order_and_only_for_who_sees_it(
    company: Company, db: Any
) -> None:
    """Found by requests made from the description: an unknown parcel had answered 500."""
    order, other = await place(company, MIXER), await place(company, MIXER)
    about = {"type": "other", "title": "The box is wet.", "fulfilment_id": order.parcel}
    made = await company.send("support", "/tickets", about)
    assert made.status_code == 201, made.text
    assert made.json()["order_id"] == str(order.order_id)
    for wrong in (
        about | {"fulfilment_id": uuid7()},
        about | {"order_id": other.order_id},
    ):
        refused = await company.send("support", "/tickets", wrong)
        assert refused.status_code == 404, refused.text
        assert refused.json()["type"] == "/problems/not-found"
    await db.execute(
        "UPDATE person SET channel_ids = ARRAY[$2::uuid] WHERE id = $1",
        company.users["support"].id,
        uuid7(),
    )
    hidden = await company.send("support", "/tickets", about)
    assert hidden.status_code == 404, hidden.text
    assert await db.value("SELECT count(*) FROM ticket") == 1


async def test_admins_set_rules_and_calendars(company: Company, db: Any) -> None:
    rules = {
        "rules": [
            {"level": 1, "after_minutes": 0, "counted_from": "due"},
            {
                "level": 1, "after_minutes": 30, "counted_from": "opened", "kind": "unrouted",
                "country": "AE", "owner_role": "admin", "tells": ["support"],
            },
        ]
    }  # fmt: skip
    saved = await put(company, "/console/escalation-rules", rules)
    assert saved.status_code == 200, saved.text
    assert await company.get("admin", "/console/escalation-rules") == saved.json()
    assert [one["after_minutes"] for one in saved.json()] == [0, 30]
    twice = {"rules": [rules["rules"][0]] * 2}
    refused = await put(company, "/console/escalation-rules", twice)
    assert refused.json()["type"] == "/problems/rule-not-usable"
    assert len(await company.get("admin", "/console/escalation-rules")) == 2
    assert (await put(company, "/console/escalation-rules", rules, "support")).status_code == 403

    calendar = {
        "zone": "Asia/Dubai",
        "working_hours": {"1": [["09:00", "13:00"], ["14:00", "18:00"]], "2": [["09:00", "24:00"]]},
        "holidays": {"2026-12-02": "National Day"},
    }
    kept = await put(company, "/console/business-calendars/AE", calendar)
    assert kept.json() == [calendar | {"country": "AE"}], kept.text
    calendar["holidays"] = {"2026-12-03": "National Day"}
    kept = await put(company, "/console/business-calendars/AE", calendar)
    assert kept.json()[0]["holidays"] == {"2026-12-03": "National Day"}
    for wrong, status in (
        ({"zone": "Mars/Base"}, 422),
        ({"working_hours": {}}, 422),
        ({"working_hours": {"1": [["9 o'clock", "18:00"]]}}, 422),
        ({"working_hours": {"8": [["09:00", "18:00"]]}}, 422),
    ):
        answer = await put(company, "/console/business-calendars/AE", calendar | wrong)
        assert answer.status_code == status, answer.text
    await company.work()


async def test_closing_by_hand_needs_a_reason_and_the_right_desk(company: Company) -> None:
    order = await place(company, MIXER)
    path = f"/console/orders/{order.order_id}"
    told = await company.get("warehouse", f"{path}/closing")
    assert told["state"] == "open" and told["keeps_open"]
    assert (await company.send("support", f"{path}/close", {"reason": ""})).status_code == 422
    assert (await company.send("finance", f"{path}/close", {"reason": "I say"})).status_code == 403
    unknown = await company.send("support", f"/console/orders/{uuid7()}/close", {"reason": "Test"})
    assert unknown.status_code == 404
    assert (await company.get("support", f"{path}/closing"))["state"] == "open"
