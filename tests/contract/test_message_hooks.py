"""Webhooks of WhatsApp, Twilio and MSG91: their vectors, two keys while one is rotated, what they say."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
import pytest

from doorstep.adapters.msg91 import Msg91Hook
from doorstep.adapters.signatures import hex_hmac_sha256
from doorstep.adapters.twilio import TwilioHook
from doorstep.adapters.whatsapp import WhatsAppHook
from doorstep.ports import EventUnreadable

EMPTY = b'{"object":"whatsapp_business_account","entry":[]}'
META = "sha256=d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"
TWILIO_URL = "https://doorstep.example"
DELIVERED = {
    "AccountSid": "AC1",
    "From": "+15005550006",
    "MessageSid": "SM1",
    "MessageStatus": "delivered",
    "To": "+971500000001",
}
TWILIO = "KskQ6JCgvcIxH2dP6u0nFNETTFA="


def form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


# --- WhatsApp -------------------------------------------------------------------------------------


def test_whatsapp_vector() -> None:
    hook = WhatsAppHook(("app-secret",))
    assert hook.genuine(EMPTY, {"x-hub-signature-256": META})
    assert not hook.genuine(EMPTY + b" ", {"x-hub-signature-256": META})
    assert not hook.genuine(EMPTY, {})
    assert not WhatsAppHook(()).genuine(EMPTY, {"x-hub-signature-256": META})


def test_whatsapp_takes_the_old_secret_while_it_is_rotated() -> None:
    signed = {"x-hub-signature-256": "sha256=" + hex_hmac_sha256("old", EMPTY)}
    assert WhatsAppHook(("new", "old")).genuine(EMPTY, signed)


def test_whatsapp_reads_every_word_of_a_call() -> None:
    value = {
        "metadata": {"phone_number_id": "1"},
        "statuses": [
            {"id": "wamid.1", "status": "read", "timestamp": "1679000000", "recipient_id": "97150",
             "biz_opaque_callback_data": "0198"},
            {"id": "wamid.2", "status": "failed", "timestamp": "x",
             "errors": [{"code": 131026, "title": "Undeliverable"}]},
            {"id": "wamid.3", "status": "deleted"},
        ],
        "messages": [
            {"from": "971500000001", "id": "wamid.4", "timestamp": "1679000000", "type": "text",
             "text": {"body": "STOP"}},
            {"from": "971500000001", "id": "wamid.5", "type": "image", "image": {"id": "9"}},
        ],
    }  # fmt: skip
    entry = [{"id": "1", "changes": [{"field": "messages", "value": value}]}]
    body = msgspec.json.encode({"object": "whatsapp_business_account", "entry": entry})
    news = WhatsAppHook(()).read(body)
    assert [(one.provider_id, one.means, one.message_id) for one in news.reports] == [
        ("wamid.1", "read", "0198"),
        ("wamid.2", "failed", ""),
        ("wamid.3", "nothing", ""),
    ]
    assert news.reports[1].reason == "131026 Undeliverable" and news.reports[1].at is None
    assert [(one.sender, one.body) for one in news.inbound] == [
        ("+971500000001", "STOP"),
        ("+971500000001", "[image]"),
    ]


# --- Twilio ---------------------------------------------------------------------------------------


def test_twilio_vector() -> None:
    hook = TwilioHook(("auth-token",), TWILIO_URL)
    assert hook.genuine(form(DELIVERED), {"x-twilio-signature": TWILIO})
    assert hook.genuine(form(dict(reversed(DELIVERED.items()))), {"x-twilio-signature": TWILIO})
    other = DELIVERED | {"MessageStatus": "failed"}
    assert not hook.genuine(form(other), {"x-twilio-signature": TWILIO})
    assert not hook.genuine(b"\xff", {"x-twilio-signature": TWILIO})


def test_twilio_signs_the_address_too() -> None:
    hook = TwilioHook(("auth-token",), TWILIO_URL)
    # The same form, signed for the plain address, proves nothing about a message's own one.
    assert not hook.genuine(form(DELIVERED), {"x-twilio-signature": TWILIO}, "0198")
    assert not TwilioHook(("auth-token",), "https://other.example").genuine(
        form(DELIVERED), {"x-twilio-signature": TWILIO}
    )


def test_twilio_takes_the_old_token_while_it_is_rotated() -> None:
    hook = TwilioHook(("new-token", "auth-token"), TWILIO_URL)
    assert hook.genuine(form(DELIVERED), {"x-twilio-signature": TWILIO})


def test_twilio_reads_reports_and_messages() -> None:
    hook = TwilioHook((), TWILIO_URL)
    (report,) = hook.read(form(DELIVERED)).reports
    assert (report.provider_id, report.status, report.means) == ("SM1", "delivered", "delivered")
    lost = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    (report,) = hook.read(form(lost)).reports
    assert (report.means, report.reason) == ("failed", "Twilio 30003")
    words = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+9715", "Body": "Stop "}
    (inbound,) = hook.read(form(words)).inbound
    assert (inbound.sender, inbound.body) == ("+9715", "Stop ")
    assert hook.source_id(form(DELIVERED), {}) == "SM1:delivered"


# --- MSG91 ----------------------------------------------------------------------------------------

LINE = {"date": "2024-05-22 10:06:20", "number": "919812345678", "status": "1", "desc": "DELIVERED"}


def version_2(**line: str) -> bytes:
    data = [{"senderId": "DSTEP", "requestId": "346x", "report": [LINE | line], "userId": "27"}]
    return urlencode({"data": msgspec.json.encode(data).decode()}).encode()


def test_msg91_is_known_by_its_path() -> None:
    hook = Msg91Hook(("new-path", "old-path"))
    assert hook.genuine(b"", {}, "new-path") and hook.genuine(b"", {}, "old-path")
    assert not hook.genuine(b"", {}, "") and not Msg91Hook(()).genuine(b"", {}, "")


@pytest.mark.parametrize(
    ("status", "means"),
    [("1", "delivered"), ("2", "failed"), ("9", "failed"), ("16", "failed"), ("17", "failed"),
     ("25", "failed"), ("8", "nothing")],
)  # fmt: skip
def test_msg91_reads_both_versions(status: str, means: str) -> None:
    hook = Msg91Hook(())
    flat = msgspec.json.encode(LINE | {"requestId": "346x", "status": status, "CRQID": "0198"})
    for body in (version_2(status=status, CRQID="0198"), flat):
        (report,) = hook.read(body).reports
        assert (report.provider_id, report.means, report.message_id) == ("346x", means, "0198")
        assert report.at is not None and report.at.isoformat() == "2024-05-22T10:06:20+05:30"


def test_msg91_without_our_number() -> None:
    (report,) = Msg91Hook(()).read(version_2(CRQID="0")).reports
    assert report.message_id == ""


@pytest.mark.parametrize("body", [b"", b"{", b"data=x", b"\xff\xfe", b"[]", b"data=%5B%7B%7D%5D"])
@pytest.mark.parametrize(
    "hook", [WhatsAppHook(()), TwilioHook((), TWILIO_URL), Msg91Hook(())], ids=["wa", "tw", "m91"]
)
def test_what_nobody_understands_is_refused(
    hook: WhatsAppHook | TwilioHook | Msg91Hook, body: bytes
) -> None:
    with pytest.raises(EventUnreadable):
        hook.source_id(body, {})
