"""Administrators change words, look at them first and switch back; the next message obeys."""

from __future__ import annotations

import asyncio
from typing import Any

from doorstep.flows import notify
from doorstep.modules.messages.rules import LANGUAGES
from tests.factories.company import Company, strangers
from tests.factories.floor import ok, refused
from tests.factories.journeys import place, standing

PATH = "/console/message-templates"


def words(body: str, *, template: str = "milestone", channel: str = "sms", **text: str) -> Any:
    texts = {language: {"body": body, **text} for language in LANGUAGES}
    return {"template": template, "channel": channel, "texts": texts}


async def body_of(db: Any, event: str, channel: str = "sms") -> str:
    found: str = await db.value(
        "SELECT body FROM message WHERE event = $1 AND channel = $2 ORDER BY created_at DESC LIMIT 1",
        event,
        channel,
    )
    return found


async def test_the_next_message_says_what_was_saved_and_the_old_words_come_back(
    company: Company, db: Any
) -> None:
    before = await company.get("admin", f"{PATH}/milestone/sms")
    assert [one["version"] for one in before] == [1] and before[0]["written_by"] is None
    saved = await ok(company, "admin", PATH, words("Hello! {sentence} ({order_number})"))
    assert saved == {"version": 2}
    assert await ok(company, "admin", PATH, words("Hello! {sentence} ({order_number})")) == saved
    order = await standing(company, 1002)
    assert (await body_of(db, "1002")).startswith("Hello! ")
    assert order.number in await body_of(db, "1002")
    row = await db.one("SELECT * FROM message WHERE event = '1002' AND channel = 'sms'")
    assert row["template_version"] == 2
    back = {"template": "milestone", "channel": "sms", "texts": before[0]["texts"]}
    assert await ok(company, "admin", PATH, back) == {"version": 3}
    await standing(company, 1002)
    assert not (await body_of(db, "1002")).startswith("Hello! ")
    kept = await company.get("support", f"{PATH}/milestone/sms")
    assert [one["version"] for one in kept] == [3, 2, 1]
    assert kept[0]["written_by"] == "Canary admin"


async def test_words_at_a_provider_travel_with_the_message(company: Company, db: Any) -> None:
    await ok(company, "admin", PATH, words("{sentence}", provider_template="65f0dlt"))
    await standing(company, 1002)
    row = await db.one("SELECT * FROM message WHERE event = '1002' AND channel = 'sms'")
    assert (row["provider_template"], row["parameters"]) == ("65f0dlt", [row["body"]])


async def test_a_preview_changes_nothing(company: Company, db: Any) -> None:
    shown = await ok(company, "admin", f"{PATH}/preview", words("{sentence} {company}"))
    assert set(shown) == set(LANGUAGES)
    assert shown["en"]["body"].startswith("Delivery executive assigned.")
    assert await db.value("SELECT count(*) FROM message_template") == 0


async def test_what_cannot_be_sent_is_refused_by_name(company: Company) -> None:
    for path in (PATH, f"{PATH}/preview"):
        bad = words("{sentence} {gift}")
        problem = await refused(company, "admin", path, bad, "template-not-valid")
        assert "{gift}" in str(problem)
        none = words("x", template="nothing")
        await refused(company, "admin", path, none, "no-such-template")


async def test_nobody_else_writes_words(company: Company) -> None:
    for role in ("support", "dispatcher", "warehouse", "vendor"):
        answer = await company.send(role, PATH, words("{sentence}"))
        assert answer.status_code == 403


async def test_two_who_save_at_once_make_two_versions(company: Company, db: Any) -> None:
    bodies = [words(f"{{sentence}} {n}") for n in range(6)]
    answers = await asyncio.gather(*(ok(company, "admin", PATH, body) for body in bodies))
    assert sorted(one["version"] for one in answers) == [2, 3, 4, 5, 6, 7]
    newest = await db.value("SELECT body FROM message_template ORDER BY number DESC LIMIT 1")
    await standing(company, 1002)
    assert (await body_of(db, "1002")).endswith(newest[-1])


async def test_every_template_is_listed_with_what_may_be_filled_in(company: Company) -> None:
    listed = await company.get("admin", PATH)
    found = {(one["template"], one["channel"]): one for one in listed}
    code = found["handover_code", "whatsapp"]
    assert code["events"] == ["handover_code", "handover_code_again"] and code["essential"] == [
        "code"
    ]
    assert ("handover_code", "email") not in found


async def rule(company: Company, **changes: Any) -> int:
    usual = {
        "quiet_from": "22:00", "quiet_until": "07:30", "ask_feedback": True, "coupon_code": "",
        "review_url": "",
        "support_phone": "",
    }  # fmt: skip
    answer = await company.http.put(
        "/console/message-rules/AE", json=usual | changes, headers=company.users["admin"].headers
    )
    return answer.status_code


async def test_a_delivery_offers_what_the_rule_of_the_channel_says(
    company: Company, db: Any
) -> None:
    await standing(company, 1013, ("MIX-500", 1))
    assert (await body_of(db, "1013")).endswith("Thank you!")
    assert await rule(company, coupon_code="AGAIN10", review_url="https://review.example/ae") == 204
    order = await place(company, ("MIX-500", 1))
    await company.work()
    await order.go_on(1013)
    told = await body_of(db, "1013")
    assert "AGAIN10" in told and "https://review.example/ae" in told
    assert "how it went" not in told, "Goods that nobody installs are asked about at once anyway."
    [kept] = [one for one in await company.get("admin", "/console/message-rules")
              if one["channel"] == "AE"]  # fmt: skip
    assert (kept["quiet_from"], kept["coupon_code"]) == ("22:00", "AGAIN10")


async def test_the_quiet_hours_of_the_rule_go_with_the_message(company: Company, db: Any) -> None:
    assert await rule(company) == 204
    await standing(company, 1013, ("MIX-500", 1))
    row = await db.one("SELECT * FROM message WHERE event = 'feedback_request' LIMIT 1")
    assert (row["quiet_zone"], f"{row['quiet_from']:%H:%M}") == ("Asia/Dubai", "22:00")
    assert notify.message_rules.event("feedback_request").quiet


async def test_rules_are_those_of_ones_own_channels(company: Company) -> None:
    stranger = (await strangers(company))["admin"]
    path = "/console/message-rules"
    assert (await company.http.get(path, headers=stranger.headers)).json() == []
    body = {"quiet_from": "22:00", "quiet_until": "07:30", "ask_feedback": True, "coupon_code": "X",
            "review_url": "", "support_phone": ""}  # fmt: skip
    answer = await company.http.put(f"{path}/AE", json=body, headers=stranger.headers)
    assert answer.status_code == 404


async def test_support_writes_down_who_wants_no_messages(company: Company, db: Any) -> None:
    path, body = "/console/contact-preferences", {"channel": "email", "address": "Aisha@Example.com",
                                                  "wanted": False, "why": "complaint"}  # fmt: skip
    assert await ok(company, "support", path, body) == {"changed": True}
    assert await ok(company, "support", path, body) == {"changed": False}
    bad = body | {"channel": "sms"}
    await refused(company, "support", path, bad, "address-not-valid")
    [seen] = await company.get("support", f"{path}?address=Aisha@Example.com")
    assert (seen["channel"], seen["wanted"], seen["why"]) == ("email", False, "complaint")
    assert seen["set_by"] == "Canary support"
    await standing(company, 1003)
    await company.work()
    assert await db.value("SELECT state FROM message WHERE event = '1003'") == "skipped"


async def test_a_rule_that_makes_no_sense_is_refused(company: Company) -> None:
    assert await rule(company, quiet_from="25:00") == 422
    assert await rule(company, review_url="http://plain.example") == 422
    answer = await company.http.put(
        "/console/message-rules/XX",
        json={"quiet_from": "22:00", "quiet_until": "07:30", "ask_feedback": True,
              "coupon_code": "", "review_url": "", "support_phone": ""},
        headers=company.users["admin"].headers,
    )  # fmt: skip
    assert answer.status_code == 404
