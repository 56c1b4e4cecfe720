"""Webhooks of providers through the door: proven, kept, applied; STOP, START, HELP and other words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from doorstep import settings as settings_module
from doorstep.adapters.mail_reports import MailHook
from doorstep.adapters.msg91 import Msg91Hook
from doorstep.adapters.signatures import base64_hmac_sha1, hex_hmac_sha256
from doorstep.adapters.twilio import TwilioHook
from doorstep.adapters.whatsapp import WhatsAppHook
from doorstep.modules.messages.service import Recipient
from tests.factories.care import outside, place
from tests.factories.company import Company, open_company
from tests.factories.mail import bounce, complaint
from tests.factories.messages import PHONE, with_whatsapp, write

PUBLIC = "https://doorstep.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def company(
    db: Any, redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    hooks = {
        "whatsapp": WhatsAppHook(("app-secret",)),
        "twilio": TwilioHook(("auth-token",), PUBLIC),
        "msg91": Msg91Hook(("m91-path",)),
        "smtp": MailHook(("mail-path",)),
    }
    monkeypatch.setenv("WHATSAPP_VERIFY_TOKEN", "verify-me")
    async with open_company(tmp_path) as opened:
        with with_whatsapp(monkeypatch), outside(message_hooks=hooks):
            yield opened
    monkeypatch.undo()
    settings_module.reload()


async def whatsapp(company: Company, value: dict[str, Any], key: str = "app-secret") -> int:
    body = msgspec.json.encode(
        {"object": "whatsapp_business_account",
         "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    )  # fmt: skip
    signature = {"X-Hub-Signature-256": "sha256=" + hex_hmac_sha256(key, body)}
    answer = await company.http.post("/hooks/whatsapp", content=body, headers=signature)
    return answer.status_code


async def writes(company: Company, words: str, number: str = "wamid.7") -> None:
    message = {
        "from": PHONE[1:], "id": number, "timestamp": "1679000000", "type": "text",
        "text": {"body": words},
    }  # fmt: skip
    assert await whatsapp(company, {"messages": [message]}) == 200
    await company.work()


async def twilio(company: Company, fields: dict[str, str], path: str = "") -> httpx.Response:
    url = f"{PUBLIC}/hooks/twilio{path}"
    signed = (url + "".join(name + fields[name] for name in sorted(fields))).encode()
    headers = {**FORM, "X-Twilio-Signature": base64_hmac_sha1("auth-token", signed)}
    body = urlencode(fields).encode()
    return await company.http.post(f"/hooks/twilio{path}", content=body, headers=headers)


def told(company: Company) -> list[str]:
    return [body for _, _, to, body in company.post.sent if to == PHONE]


async def test_whatsapp_registers_the_address_by_our_token(company: Company) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "11582"}
    answer = await company.http.get("/hooks/whatsapp", params=asked)
    assert (answer.status_code, answer.text) == (200, "11582")
    wrong = asked | {"hub.verify_token": "other"}
    assert (await company.http.get("/hooks/whatsapp", params=wrong)).status_code == 401


async def test_what_is_forged_is_not_kept(company: Company, db: Any) -> None:
    assert await whatsapp(company, {"statuses": []}, key="wrong") == 401
    forged = {"X-Twilio-Signature": "x", **FORM}
    answer = await company.http.post("/hooks/twilio", content=b"MessageSid=SM1", headers=forged)
    assert answer.status_code == 401
    assert (await company.http.post("/hooks/msg91/guess", content=b"data=")).status_code == 401
    assert await db.value("SELECT count(*) FROM inbox") == 0


async def test_reports_of_each_provider_reach_their_message(company: Company, db: Any) -> None:
    order = await place(("KET-17", 1), world=company.world)
    ids = [(await write(order, attempt=attempt))[0] for attempt in (1, 2, 3)]
    await company.work()
    status = {"id": "wamid.1", "status": "read", "biz_opaque_callback_data": str(ids[0])}
    assert await whatsapp(company, {"statuses": [status]}) == 200
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    for _ in range(2):
        assert (await twilio(company, fields, f"/{ids[1]}")).status_code == 204
    line = {"status": "2", "desc": "FAILED", "CRQID": str(ids[2])}
    data = msgspec.json.encode([{"requestId": "346x", "report": [line]}]).decode()
    body = urlencode({"data": data}).encode()
    answer = await company.http.post("/hooks/msg91/m91-path", content=body, headers=FORM)
    assert answer.status_code == 200
    await company.work()
    found = {row["id"]: row["state"] for row in await db.rows("SELECT id, state FROM message")}
    assert [found[one] for one in ids] == ["read", "delivered", "failed"]
    assert await db.value("SELECT count(*) FROM message_report") == 3


async def emailed(company: Company, mail: bytes) -> int:
    plain = {"Content-Type": "message/rfc822"}
    answer = await company.http.post("/hooks/email/mail-path", content=mail, headers=plain)
    await company.work()
    return answer.status_code


@pytest.mark.parametrize(
    ("kind", "why", "ends"), [("bounce", "hard_bounce", "failed"), ("abuse", "complaint", "sent")]
)
async def test_a_mailbox_that_sends_e_mails_back_gets_no_more(
    company: Company, db: Any, kind: str, why: str, ends: str
) -> None:
    order = await place(("KET-17", 1), world=company.world)
    await db.execute("DELETE FROM message")
    reader = Recipient(language="en", email="Aisha@example.com")
    (number,) = await write(order, "1005", reader=reader)
    await company.work()
    about = f"<{number}@shop.example>"
    mail = bounce(about) if kind == "bounce" else complaint(about)
    assert [await emailed(company, mail) for _ in range(2)] == [200, 200]
    assert await db.value("SELECT state FROM message WHERE id = $1", number) == ends
    kept = await db.rows("SELECT channel, address, wanted, why FROM contact_preference")
    assert kept == [
        {"channel": "email", "address": "aisha@example.com", "wanted": False, "why": why}
    ]
    again = await write(order, "1005", attempt=2, reader=reader)
    await company.work()
    states = await db.rows("SELECT state FROM message WHERE id = ANY ($1::uuid[])", again)
    assert {row["state"] for row in states} <= {"skipped"}


async def test_mail_that_is_no_report_of_ours_is_refused(company: Company, db: Any) -> None:
    assert await emailed(company, b"Subject: Out of office\r\n\r\nBack on Monday.") == 400
    answer = await company.http.post("/hooks/email/guess", content=bounce("<1@shop.example>"))
    assert answer.status_code == 401
    assert await emailed(company, bounce("<none-of-ours@shop.example>")) == 200
    assert await db.value("SELECT count(*) FROM contact_preference") == 0


@pytest.mark.parametrize("words", ["STOP", "stop.", " Stop ", "رجاءً", "توقف", "बंद", "unsubscribe"])
async def test_stop_is_honoured_at_once_with_one_confirmation(
    company: Company, db: Any, words: str
) -> None:
    await writes(company, words)
    known = words != "رجاءً"
    assert await db.value("SELECT count(*) FROM contact_preference") == int(known)
    if known:
        assert len(told(company)) == 1 and "START" in told(company)[0]
        await writes(company, words, "wamid.8")
        assert len(told(company)) == 1, "He has had his answer."
        await writes(company, "START", "wamid.9")
        assert len(told(company)) == 2 and "STOP" in told(company)[1]


async def test_a_stop_in_the_middle_of_the_queue_skips_what_waits(
    company: Company, db: Any
) -> None:
    order = await place(("KET-17", 1), world=company.world)
    await db.execute("UPDATE outbox SET done_at = now()")
    for attempt in range(1, 6):
        await write(order, attempt=attempt)
    await writes(company, "STOP")
    by_whatsapp = await db.rows(
        "SELECT state FROM message WHERE channel = 'whatsapp' AND event = 'handover_code'"
    )
    # The jobs of the messages were due before the word's, so that they may have gone out before it.
    assert {row["state"] for row in by_whatsapp} <= {"sent", "skipped"}
    sent_before = len([one for one in told(company) if "482915" in one])
    await write(order, attempt=9)
    await company.work()
    now_sent = [row for row in company.post.sent if row[1] == "whatsapp" and "482915" in row[3]]
    assert len(now_sent) <= sent_before
    last = await db.rows("SELECT channel, state FROM message WHERE attempt = 9 ORDER BY channel")
    assert [(row["channel"], row["state"]) for row in last] == [
        ("sms", "sent"),
        ("whatsapp", "skipped"),
    ]


async def test_help_is_answered_in_the_readers_language(company: Company, db: Any) -> None:
    await writes(company, "मदद")
    (answer,) = told(company)
    assert "STOP" in answer
    row = await db.one("SELECT * FROM message WHERE event = 'help_asked'")
    assert row["asked_for"] and row["reply_to"] is not None


async def test_other_words_become_a_ticket_and_the_next_ones_join_it(
    company: Company, db: Any
) -> None:
    await place(("KET-17", 1), world=company.world)
    await writes(company, "Where is my kettle?")
    ticket = await db.one("SELECT * FROM ticket")
    assert ticket["words"] == "Where is my kettle?" and ticket["order_id"] is not None
    await writes(company, "Hello?", "wamid.8")
    await writes(company, "Hello?", "wamid.8")
    assert await db.value("SELECT count(*) FROM ticket") == 1
    assert await db.value("SELECT words FROM ticket_message") == "Hello?"
    assert await db.value("SELECT count(*) FROM contact_preference") == 0


async def test_a_stranger_is_heard_too(company: Company, db: Any) -> None:
    answer = await twilio(
        company, {"MessageSid": "SM9", "From": "+919812345678", "Body": "I have a question"}
    )
    assert answer.status_code == 204
    await company.work()
    assert await db.value("SELECT order_id FROM ticket") is None


async def test_a_sender_that_is_no_number_is_for_a_person(company: Company, db: Any) -> None:
    await twilio(company, {"MessageSid": "SM9", "From": "INFO", "Body": "STOP"})
    await company.work()
    assert await db.value("SELECT count(*) FROM contact_preference") == 0
    assert await db.value("SELECT count(*) FROM ticket") == 1


async def test_an_sms_stops_sms(company: Company, db: Any) -> None:
    await twilio(company, {"MessageSid": "SM9", "From": PHONE, "Body": "STOP"})
    await company.work()
    row = await db.one("SELECT * FROM contact_preference")
    assert (row["channel"], row["address"], row["why"]) == ("sms", PHONE, "stop")
